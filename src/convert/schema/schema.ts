// JSON Schemas of tools and of structured output, in the form the provider takes.
import type { ChatRequest } from "../../protocol/chat/chat.ts"
import { changed, dropped, type Note, noNotes } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import type { MessagesRequest } from "../../protocol/messages/messages.ts"
import type { ProviderProfile, SchemaRules } from "../../providers/profile.ts"
import { parametersAsSent } from "./as-sent.ts"
import { type Cleaning, createCleaning, type Place, rootPlace, wellFormed } from "./cleaning.ts"
import { type CopyRules, copySchema, hasType } from "./copy.ts"
import { gemini } from "./gemini.ts"
import { llamaSchema } from "./llama.ts"
import { moonshot, withDefinitions } from "./moonshot.ts"
import { narrowed } from "./narrow.ts"
import { flatten } from "./refs.ts"
import { alternativesOf } from "./types.ts"
import { unite } from "./unions.ts"

interface CleanSchema {
  readonly schema: JsonObject
  readonly notes: readonly Note[]
}

/**
 * Parameters of a function: always an object schema with `properties`, cleaned by the provider's rules. `path`
 * is the JSON path of the client's schema, for notes. The client's own schema is never changed. OpenAI
 * (function calling guide, 2026-11) refuses alternatives, `enum` and `not` at the root, and so do its followers.
 */
export function prepareParameters(
  schema: JsonObject | undefined,
  rules: SchemaRules,
  path: string,
): CleanSchema {
  const given = schema ?? {}
  const asSent = takesAll(rules) ? parametersAsSent(given, copyRules[rules]) : undefined
  if (asSent !== undefined) return { schema: asSent, notes: noNotes }
  const cleaning = createCleaning(given, path)
  const united = unite(given, rootPlace(path), cleaning)
  const { enum: _enum, const: _const, not: _not, nullable: _nullable, ...rest } = united.schema
  for (const keyword of ["enum", "const", "not"]) {
    if (united.schema[keyword] !== undefined)
      cleaning.drop(united.place, keyword, "refused at the root of parameters")
  }
  const root = { ...rest, type: "object", properties: objectOf(rest["properties"]) }
  return { schema: cleanBy(rules, root, rootPlace(path), cleaning), notes: cleaning.notes() }
}

const copyRules: Readonly<Record<"openai" | "xai", CopyRules>> = {
  openai: { closed: true },
  xai: { closed: false },
}

/** Are all keywords taken, so that a schema is mostly sent as it came? */
const takesAll = (rules: SchemaRules): rules is "openai" | "xai" => rules === "openai" || rules === "xai"

/** The schema of an answer: object schemas are treated like parameters, others keep their form. */
function answerSchema(schema: JsonObject, rules: SchemaRules, path: string): CleanSchema {
  const cleaning = createCleaning(schema, path)
  const place = rootPlace(path)
  const isObjectSchema = describesObject(schema, place)
  const whole = isObjectSchema ? { ...unite(schema, place, cleaning).schema, type: "object" } : schema
  return { schema: cleanBy(rules, whole, place, cleaning), notes: cleaning.notes() }
}

/** Is it an object schema, or a choice among nothing but object schemas? */
function describesObject(schema: JsonObject, place: Place): boolean {
  const cleaning = createCleaning(schema, "")
  const isClear = (given: unknown) =>
    isObject(given) && (hasType(given, "object") || isObject(given["properties"]))
  const inner = (given: unknown) => (isObject(given) ? flatten(given, place, cleaning).schema : given)
  const whole = inner(schema)
  if (!isObject(whole) || isClear(whole)) return isClear(whole)
  const branches = alternativesOf(whole)?.branches ?? []
  return branches.length > 0 && branches.every((branch) => isClear(inner(branch)))
}

function cleanBy(rules: SchemaRules, root: JsonObject, place: Place, cleaning: Cleaning): JsonObject {
  switch (rules) {
    case "openai":
    case "xai":
      return objectOf(copySchema(root, place, cleaning, copyRules[rules]))
    case "gemini":
      return objectOf(wellFormed(narrowed(root, place, { cleaning, dialect: gemini })))
    case "moonshot": {
      const scope = { cleaning, dialect: moonshot }
      return objectOf(wellFormed(withDefinitions(narrowed(root, place, scope), { place, scope })))
    }
    case "llama":
      return objectOf(wellFormed(llamaSchema(root, place, cleaning)))
    default:
      return rules satisfies never
  }
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

const noFormat: Format = { fields: {}, instruction: undefined, notes: noNotes }

/**
 * Structured output: the provider's own field, or failing that an instruction in the system prompt. `hasTools`
 * says whether tools are sent too, beside which some providers refuse the field.
 */
export function convertFormat(request: MessagesRequest, profile: ProviderProfile, hasTools = false): Format {
  const current = request.output_config?.format ?? undefined
  const path = current === undefined ? "output_format" : "output_config.format"
  const format = current ?? request.output_format ?? undefined
  if (format === undefined) return noFormat
  if (format.type !== "json_schema" || !isObject(format.schema)) {
    const notes = [dropped(path, `no counterpart of ${JSON.stringify(format.type)}`)]
    return { fields: {}, instruction: undefined, notes }
  }
  const fieldTaken = !hasTools || profile.formatWithTools
  if (fieldTaken && profile.responseFormat === "json_schema")
    return schemaFormat(format.schema, profile, `${path}.schema`)
  const isJson = fieldTaken && profile.responseFormat === "json_object"
  return {
    fields: isJson ? { response_format: { type: "json_object" } } : {},
    instruction: instructionFor(format.schema),
    notes: [changed(path, `asked for in the system prompt: ${lack(profile)}`)],
  }
}

const lack = ({ responseFormat }: ProviderProfile): string =>
  responseFormat === "json_schema" ? "not taken together with tools" : "no JSON schema support here"

function schemaFormat(given: JsonObject, profile: ProviderProfile, path: string): Format {
  const { schema, notes } = answerSchema(given, profile.schema, path)
  const strict = profile.strictTools && schema["type"] === "object" && isStrict(schema)
  const json_schema = { name: "response", schema, ...(strict ? { strict } : {}) }
  return { fields: { response_format: { type: "json_schema", json_schema } }, instruction: undefined, notes }
}

/** No provider parses these words, so nothing but metadata is left out of the schema. */
function instructionFor(given: JsonObject): string {
  const path = "output_config.format.schema"
  const schema = copySchema(given, rootPlace(path), createCleaning(given, path), { closed: true })
  return `Answer with one JSON object only, no other text, that matches this JSON schema:\n${JSON.stringify(schema)}`
}
