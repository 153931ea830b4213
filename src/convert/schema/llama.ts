// What llama.cpp (and LM Studio upon it) can turn into a grammar: its converter, common/json-schema-to-grammar.cpp,
// read 2026-11. A pattern, a large bound or a reference that it cannot follow fails the whole request with
// "failed to parse grammar"; keywords it does not know it skips, so the rest may stay.
import { arrayOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import { type Cleaning, copyData, deepest, mapValues, type Place, within } from "./cleaning.ts"
import { isUnsaid } from "./copy.ts"
import { flatten } from "./refs.ts"
import { alternativesOf, anyType, shapeOf } from "./types.ts"
import { unite } from "./unions.ts"

const silent = new Set(["$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "examples"])
const refused = new Set([
  ...["pattern", "patternProperties", "propertyNames", "not", "if", "then", "else", "dependentSchemas"],
  ...["dependencies", "contains", "unevaluatedProperties", "unevaluatedItems", "additionalItems"],
])
const formats = new Set(["date", "time", "date-time", "uuid"])
const types = new Set([...anyType, "integer", "null"])

// The grammar's own limit is 2,000 for everything that is repeated together; a bound that is nested in another
// counts many times over.
const mostRepetitions = 500
// Claude Code bounds integers by ±9007199254740991, which says nothing and costs a rule for each digit.
const largestBound = 1e9

const anything = { type: [...anyType, "null"] } as const

/** A copy without what the converter fails on; references are written out. */
export function llamaSchema(value: unknown, place: Place, cleaning: Cleaning): JsonObject {
  if (!isObject(value)) {
    if (value === false) cleaning.change(place, "", "nothing was valid here: anything is taken")
    return anything
  }
  if (place.depth > deepest) {
    cleaning.change(place, "", "nested too deeply: anything is taken here")
    return anything
  }
  const flat = flatten(value, place, cleaning)
  // The converter reads the alternatives alone, without what stands beside them.
  const both = alternativesOf(flat.schema) !== undefined && isObject(flat.schema["properties"])
  const { schema, place: inner } = both ? unite(flat.schema, flat.place, cleaning) : flat
  const entries = Object.entries(schema).flatMap(([key, given]) => {
    if (silent.has(key) || isUnsaid(key, given)) return []
    const why = refusal(key, given)
    if (why !== undefined) cleaning.drop(inner, key, why)
    return why === undefined ? [[key, convertKeyword(key, given, inner, cleaning)] as const] : []
  })
  return typed(Object.fromEntries(entries))
}

const tooLarge = "too large for this server's grammars"

const isUpTo = (value: number, most: number): boolean => value >= 0 && value <= most

function repetitionRefusal(value: unknown): string | undefined {
  return typeof value === "number" && isUpTo(value, mostRepetitions) ? undefined : tooLarge
}

function boundRefusal(value: unknown): string | undefined {
  return typeof value === "number" && isUpTo(Math.abs(value), largestBound) ? undefined : tooLarge
}

function unionRefusal(value: unknown): string | undefined {
  return arrayOf(value).some((branch) => branch !== false) ? undefined : "it has no alternatives"
}

const refusals: ReadonlyMap<string, (value: unknown) => string | undefined> = new Map([
  ...["minLength", "maxLength", "minItems", "maxItems"].map((key) => [key, repetitionRefusal] as const),
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].map(
    (key) => [key, boundRefusal] as const,
  ),
  ...["anyOf", "oneOf"].map((key) => [key, unionRefusal] as const),
  ["format", (value) => (formats.has(String(value)) ? undefined : "unknown to this server")],
  ["enum", (value) => (arrayOf(value).length > 0 ? undefined : "it lists nothing")],
  ["type", (value) => (knownTypes(value).length > 0 ? undefined : "no known type")],
  ["properties", (value) => (isObject(value) ? undefined : "no properties")],
])

/** Why a keyword cannot stay, or undefined when it can. */
function refusal(key: string, value: unknown): string | undefined {
  return refused.has(key) ? "not taken by this server's grammars" : refusals.get(key)?.(value)
}

const knownTypes = (value: unknown): readonly unknown[] =>
  [value].flat().filter((type) => types.has(String(type)))

function convertKeyword(key: string, value: unknown, place: Place, cleaning: Cleaning): unknown {
  const at = within(place, key)
  const inside = (inner: unknown, name: string) => llamaSchema(inner, within(place, key, name), cleaning)
  switch (key) {
    case "type":
      return Array.isArray(value) ? knownTypes(value) : value
    case "properties":
      return propertiesOf(objectOf(value), at, cleaning)
    case "anyOf":
    case "oneOf":
      return arrayOf(value)
        .filter((branch) => branch !== false)
        .map((branch, index) => inside(branch, String(index)))
    case "items":
    case "prefixItems":
      if (Array.isArray(value)) return value.map((item, index) => inside(item, String(index)))
      return llamaSchema(value, at, cleaning)
    case "additionalProperties":
      // An empty schema means any object to the converter, not any value.
      return isObject(value) && Object.keys(value).length > 0
        ? llamaSchema(value, at, cleaning)
        : value !== false
    default:
      return copyData(value, at, cleaning)
  }
}

function propertiesOf(properties: JsonObject, place: Place, cleaning: Cleaning): JsonObject {
  const valid = Object.entries(properties).filter(([name, inner]) => {
    if (inner === false) cleaning.drop(place, name, "no value is valid for it")
    return inner !== false
  })
  const depth = place.depth - 1
  return mapValues(Object.fromEntries(valid), (inner, name) =>
    llamaSchema(inner, within({ ...place, depth }, name), cleaning),
  )
}

const tellingKeywords = ["type", "anyOf", "oneOf", "const", "enum", "properties", "items", "prefixItems"]

/** Older converters fail on a schema that does not say what it is, newer ones take `{}` for any object. */
function typed(schema: JsonObject): JsonObject {
  if (tellingKeywords.some((keyword) => schema[keyword] !== undefined)) return schema
  const { types: implied } = shapeOf(schema)
  return implied.length === 0 ? { ...anything, ...schema } : { type: implied[0], ...schema }
}
