// The copy of a JSON Schema for providers that take all of its keywords: OpenAI, those that follow it, and xAI.
import { arrayOf, isObject, type JsonObject } from "../../protocol/json.ts"
import { type Cleaning, copyData, deepest, mapValues, type Place, put, within } from "./cleaning.ts"
import { resolvePointer } from "./refs.ts"

// Where schemas stand inside a schema; under every other keyword stands plain data, which is left alone.
const mapsOfSchemas = new Set(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"])
const schemasOrLists = new Set([
  ...["items", "prefixItems", "additionalItems", "contains", "unevaluatedItems"],
  ...["additionalProperties", "propertyNames", "unevaluatedProperties"],
  ...["anyOf", "oneOf", "allOf", "not", "if", "then", "else"],
])
const unneeded = new Set(["$schema", "$id"])

interface CopyRules {
  /** Is `additionalProperties: false` taken? xAI refuses it (AI SDK, xai provider; 2026-11). */
  readonly closed: boolean
}

/**
 * A copy without `$schema` and `$id`, with `properties` in every object and `items` in every array: OpenAI
 * refuses a function whose schema lacks them ("object schema missing properties", "array schema missing
 * items"), and adding empty ones changes no meaning. Booleans and whatever else stands in a schema's place pass.
 */
export function copySchema(value: unknown, place: Place, cleaning: Cleaning, rules: CopyRules): unknown {
  if (!isObject(value)) return copyData(value, place, cleaning)
  if (place.depth > deepest) {
    cleaning.change(place, "", "nested too deeply: anything is taken here")
    return {}
  }
  const kept = Object.keys(value).filter((key) => isKept(key, value[key], place, cleaning, rules))
  const copy: Record<string, unknown> = {}
  for (const key of kept) {
    put(copy, key.toWellFormed(), copyKeyword(key, value[key], within(place, key), cleaning, rules))
  }
  if (hasType(copy, "object") && !isObject(copy["properties"])) copy["properties"] = {}
  if (hasType(copy, "array") && copy["items"] === undefined) copy["items"] = {}
  return copy
}

function isKept(key: string, value: unknown, place: Place, cleaning: Cleaning, rules: CopyRules): boolean {
  if (unneeded.has(key)) return false
  if (key === "$ref" && resolvePointer(cleaning.root, value) === undefined) {
    cleaning.drop(place, key, "points to nothing in this schema")
    return false
  }
  if (rules.closed || key !== "additionalProperties" || value !== false) return true
  cleaning.drop(place, key, "refused by this provider")
  return false
}

function copyKeyword(
  key: string,
  value: unknown,
  place: Place,
  cleaning: Cleaning,
  rules: CopyRules,
): unknown {
  if (!schemasOrLists.has(key) && !mapsOfSchemas.has(key)) return copyData(value, place, cleaning)
  // A list or a map is no schema of its own.
  const outer = { ...place, depth: place.depth - 1 }
  const copied = (inner: unknown, name: string) => copySchema(inner, within(outer, name), cleaning, rules)
  if (mapsOfSchemas.has(key))
    return isObject(value) ? mapValues(value, copied) : copyData(value, place, cleaning)
  if (Array.isArray(value)) return value.map((inner, index) => copied(inner, String(index)))
  return copySchema(value, place, cleaning, rules)
}

export function hasType(schema: JsonObject, type: string): boolean {
  return schema["type"] === type || arrayOf(schema["type"]).includes(type)
}
