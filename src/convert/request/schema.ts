// JSON Schemas of tools and of structured output, in the form an OpenAI-compatible endpoint takes.
import type { ChatRequest } from "../../protocol/chat.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import type { MessagesRequest } from "../../protocol/messages.ts"
import type { ProviderProfile } from "../../providers/profile.ts"

// Where schemas stand inside a schema; under every other keyword stands plain data, which is left alone.
const mapsOfSchemas = new Set(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"])
const schemasOrLists = new Set([
  ...["items", "prefixItems", "additionalItems", "contains", "unevaluatedItems"],
  ...["additionalProperties", "propertyNames", "unevaluatedProperties"],
  ...["anyOf", "oneOf", "allOf", "not", "if", "then", "else"],
])

/** Parameters of a function: always an object schema. The client's own schema is copied, not changed. */
export function functionParameters(schema: JsonObject | undefined): JsonObject {
  return cleanSchema({ ...schema, type: "object" })
}

/**
 * A copy without `$schema` and `$id`, with `properties` in every object and `items` in every array: OpenAI
 * refuses a function whose schema lacks them ("object schema missing properties", "array schema missing
 * items"), and adding empty ones changes no meaning.
 */
function cleanSchema(schema: JsonObject): JsonObject {
  const { $schema: _schema, $id: _id, ...rest } = schema
  return objectOf(completed(rest))
}

function completed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(completed)
  if (!isObject(schema)) return wellFormed(schema)
  const entries = Object.entries(schema).map(([key, value]) => [
    key.toWellFormed(),
    convertKeyword(key, value),
  ])
  const copy: JsonObject = Object.fromEntries(entries)
  return {
    ...copy,
    ...(hasType(copy, "object") && !isObject(copy["properties"]) ? { properties: {} } : {}),
    ...(hasType(copy, "array") && copy["items"] === undefined ? { items: {} } : {}),
  }
}

function convertKeyword(key: string, value: unknown): unknown {
  if (schemasOrLists.has(key)) return completed(value)
  if (!mapsOfSchemas.has(key) || !isObject(value)) return wellFormed(value)
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name.toWellFormed(), completed(inner)]),
  )
}

function hasType(schema: JsonObject, type: string): boolean {
  return schema["type"] === type || arrayOf(schema["type"]).includes(type)
}

/** The same data with U+FFFD for half surrogate pairs, which many servers' JSON readers refuse. */
function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed()
  if (Array.isArray(value)) return value.map(wellFormed)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.toWellFormed(), wellFormed(inner)]),
  )
}

// What OpenAI's strict mode understands (structured outputs guide, 2026-11). Anything else makes the request
// fail, so one unknown keyword is enough to send a schema without `strict`.
const strictKeywords = new Set([
  ...["type", "title", "description", "enum", "const", "anyOf", "$ref", "$defs", "definitions"],
  ...["properties", "required", "additionalProperties", "items", "minItems", "maxItems"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "format"],
])
const strictFormats = new Set([
  ...["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"],
])
const strictHeads = ["type", "anyOf", "$ref", "enum", "const"]

/** May this schema be marked `strict`? Every object closed, every property required, no other keywords. */
export function isStrict(schema: unknown): boolean {
  if (!isObject(schema) || !strictHeads.some((head) => schema[head] !== undefined)) return false
  if (!Object.keys(schema).every((key) => strictKeywords.has(key))) return false
  const { format } = schema
  if (format !== undefined && !(typeof format === "string" && strictFormats.has(format))) return false
  const { properties, required, additionalProperties } = schema
  if (hasType(schema, "object") || properties !== undefined) {
    const needed = new Set(arrayOf(required))
    if (additionalProperties !== false) return false
    if (!Object.keys(objectOf(properties)).every((name) => needed.has(name))) return false
  }
  const maps = [properties, schema["$defs"], schema["definitions"]].map(objectOf)
  const inner = [...maps.flatMap((map) => Object.values(map)), ...arrayOf(schema["anyOf"])]
  return inner.every(isStrict) && (schema["items"] === undefined || isStrict(schema["items"]))
}

export interface Format {
  readonly fields: Pick<ChatRequest, "response_format">
  /** What the system prompt must say in place of the field. */
  readonly instruction: string | undefined
  readonly notes: readonly Note[]
}

/** Structured output: the provider's own field, or failing that an instruction in the system prompt. */
export function convertFormat(request: MessagesRequest, profile: ProviderProfile): Format {
  const format = request.output_config?.format ?? request.output_format ?? undefined
  if (format === undefined) return { fields: {}, instruction: undefined, notes: [] }
  if (format.type !== "json_schema" || !isObject(format.schema)) {
    const notes = [dropped("output_config.format", `no counterpart of ${JSON.stringify(format.type)}`)]
    return { fields: {}, instruction: undefined, notes }
  }
  const schema = cleanSchema(format.schema)
  if (profile.responseFormat === "json_schema") {
    const strict = schema["type"] === "object" && isStrict(schema)
    const json_schema = { name: "response", schema, ...(strict ? { strict } : {}) }
    const fields = { response_format: { type: "json_schema", json_schema } } as const
    return { fields, instruction: undefined, notes: [] }
  }
  const instruction = `Answer with one JSON object only, no other text, that matches this JSON schema:\n${JSON.stringify(schema)}`
  const fields =
    profile.responseFormat === "none" ? {} : { response_format: { type: "json_object" } as const }
  const why = "asked for in the system prompt: no JSON schema support here"
  return { fields, instruction, notes: [changed("output_config.format", why)] }
}
