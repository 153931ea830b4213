// The copy of a JSON Schema for providers that take all of its keywords: OpenAI, those that follow it, and xAI.
import { arrayOf, isObject, type JsonObject } from "../../protocol/json.ts"
import { type Cleaning, copyData, deepest, mapValues, type Place, put, within } from "./cleaning.ts"
import { resolvePointer } from "./refs.ts"

// Where schemas stand inside a schema; under every other keyword stands plain data, which is left alone.
export const mapsOfSchemas: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
])
export const schemasOrLists: ReadonlySet<string> = new Set([
  ...["items", "prefixItems", "additionalItems", "contains", "unevaluatedItems"],
  ...["additionalProperties", "propertyNames", "unevaluatedProperties"],
  ...["anyOf", "oneOf", "allOf", "not", "if", "then", "else"],
])
export const unneeded: ReadonlySet<string> = new Set(["$schema", "$id"])

const nullable: ReadonlySet<string> = new Set(["const", "default"])

/**
 * Is it a keyword that says nothing? Clients write null for what they leave out (Anthropic allows it of `required`),
 * and OpenAI refuses the function for it: "None is not of type 'array'". Of an `enum` without values, which tools
 * have whose values come from somewhere, grammars make a refusal, or arguments like `{"x": }` (mlc-ai/xgrammar#639).
 */
export const isUnsaid = (key: string, value: unknown): boolean =>
  value === null ? !nullable.has(key) : key === "enum" && Array.isArray(value) && value.length === 0

export interface CopyRules {
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
  const kept: string[] = []
  for (const key in value) if (isKept(key, value[key], place, cleaning, rules)) kept.push(key)
  const copy: Record<string, unknown> = {}
  for (const key of kept) put(copy, key.toWellFormed(), copyMember(key, value[key], place, cleaning, rules))
  if (hasType(copy, "object") && !isObject(copy["properties"])) copy["properties"] = {}
  if (hasType(copy, "array") && copy["items"] === undefined) copy["items"] = {}
  return copy
}

function isKept(key: string, value: unknown, place: Place, cleaning: Cleaning, rules: CopyRules): boolean {
  if (unneeded.has(key) || isUnsaid(key, value)) return false
  if (key === "$ref" && resolvePointer(cleaning.root, value) === undefined) {
    cleaning.drop(place, key, "points to nothing in this schema")
    return false
  }
  if (rules.closed || key !== "additionalProperties" || value !== false) return true
  cleaning.drop(place, key, "refused by this provider")
  return false
}

/** What stands under a keyword of the schema at `place`; a place of its own has only what holds something. */
function copyMember(
  key: string,
  value: unknown,
  place: Place,
  cleaning: Cleaning,
  rules: CopyRules,
): unknown {
  if (typeof value !== "object" || value === null) return copyData(value, place, cleaning)
  return copyKeyword(key, value, within(place, key), cleaning, rules)
}

function copyKeyword(
  key: string,
  value: unknown,
  place: Place,
  cleaning: Cleaning,
  rules: CopyRules,
): unknown {
  if (mapsOfSchemas.has(key) && isObject(value)) return mapValues(value, copyInside(place, cleaning, rules))
  if (!schemasOrLists.has(key)) return copyData(value, place, cleaning)
  if (!Array.isArray(value)) return copySchema(value, place, cleaning, rules)
  const copy = copyInside(place, cleaning, rules)
  return value.map((inner, index) => copy(inner, String(index)))
}

/** How the schemas in a list or a map are copied, which is no schema of its own. */
function copyInside(
  place: Place,
  cleaning: Cleaning,
  rules: CopyRules,
): (inner: unknown, name: string) => unknown {
  const outer = { ...place, depth: place.depth - 1 }
  return (inner, name) => copySchema(inner, within(outer, name), cleaning, rules)
}

export function hasType(schema: JsonObject, type: string): boolean {
  return schema["type"] === type || arrayOf(schema["type"]).includes(type)
}
