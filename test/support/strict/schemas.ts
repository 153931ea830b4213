// What providers refuse in JSON Schemas: of any server, and of those with a dialect of their own.
import { arrayOf, isObject, type JsonObject, objectOf } from "../../../src/protocol/json.ts"

export type SchemaDialect = "openai" | "gemini" | "moonshot" | "xai" | "llama" | "no-dollar-schema"

type Visit = (node: JsonObject, path: string) => readonly string[]

const typeWords = ["string", "number", "integer", "boolean", "object", "array", "null"]
const named = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]
const listed = ["anyOf", "oneOf", "allOf", "prefixItems"]
const single = [
  ...["items", "additionalProperties", "propertyNames", "not", "if", "then", "else", "contains"],
  ...["additionalItems", "unevaluatedProperties", "unevaluatedItems"],
]

/** The schema's nodes, depth first; booleans, which are schemas too, are left out. */
function walk(node: unknown, path: string, visit: Visit): readonly string[] {
  if (Array.isArray(node)) return node.flatMap((item, index) => walk(item, `${path}[${index}]`, visit))
  if (!isObject(node)) return []
  const below = (key: string): readonly string[] => walk(node[key], `${path}.${key}`, visit)
  return [
    ...visit(node, path),
    ...named.flatMap((key) =>
      Object.entries(objectOf(node[key])).flatMap(([name, item]) =>
        walk(item, `${path}.${key}.${name}`, visit),
      ),
    ),
    ...listed.flatMap(below),
    ...single.flatMap(below),
  ]
}

/** Problems of a function's parameters, or of a format's schema, at `path`. */
export function checkSchema(
  schema: unknown,
  path: string,
  dialects: readonly SchemaDialect[],
): readonly string[] {
  if (!isObject(schema)) return [`${path}: schema should be an object`]
  const root = [
    ...(schema["type"] === "object" ? [] : [`${path}: schema must have type 'object' at the top level`]),
    ...(isObject(schema["properties"]) ? [] : [`${path}: object schema missing properties`]),
  ]
  return [
    ...root,
    ...walk(schema, path, (node, at) => checkNode(node, at, schema)),
    ...dialects.flatMap((dialect) => dialectChecks[dialect](schema, path)),
  ]
}

function checkNode(node: JsonObject, path: string, root: JsonObject): readonly string[] {
  const types = Array.isArray(node["type"]) ? node["type"] : [node["type"] ?? "object"]
  const required = node["required"]
  const names = arrayOf(required).every((name) => typeof name === "string")
  const choices = node["enum"]
  const checks: readonly (readonly [boolean, string])[] = [
    [types.length > 0 && types.every((type) => typeWords.includes(String(type))), "type: unknown word"],
    [node["properties"] === undefined || isObject(node["properties"]), "properties: should be an object"],
    [required === undefined || (Array.isArray(required) && names), "required: should be a list of names"],
    [choices === undefined || arrayOf(choices).length > 0, "enum: should be a list that is not empty"],
    [node["$ref"] === undefined || resolves(node["$ref"], root), `$ref: ${String(node["$ref"])} not found`],
  ]
  return checks.flatMap(([fine, why]) => (fine ? [] : [`${path}.${why}`]))
}

function resolves(reference: unknown, root: JsonObject): boolean {
  if (reference === "#") return true
  if (typeof reference !== "string" || !reference.startsWith("#/")) return false
  const steps = reference.slice(2).split("/")
  const found = steps.reduce<unknown>(
    (at, step) => (Array.isArray(at) ? at[Number(step)] : objectOf(at)[unescapeStep(step)]),
    root,
  )
  return found !== undefined
}

function unescapeStep(step: string): string {
  return decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")
}

/** Structured outputs in earnest: nothing optional, nothing additional. */
export function checkStrict(schema: unknown, path: string): readonly string[] {
  return walk(schema, path, (node, at) => {
    if (node["type"] !== "object" && node["properties"] === undefined) return []
    const required = arrayOf(node["required"])
    const missing = Object.keys(objectOf(node["properties"])).filter((name) => !required.includes(name))
    return [
      ...(node["additionalProperties"] === false
        ? []
        : [`${at}: 'additionalProperties' is required to be supplied and to be false`]),
      ...missing.map((name) => `${at}: 'required' is required to include every key. Missing '${name}'`),
    ]
  })
}

const dialectChecks: Readonly<
  Record<SchemaDialect, (schema: JsonObject, path: string) => readonly string[]>
> = {
  openai: checkOpenai,
  gemini: (schema, path) => walk(schema, path, checkGemini),
  moonshot: (schema, path) => walk(schema, path, checkMoonshot),
  xai: (schema, path) =>
    walk(schema, path, (node, at) =>
      node["additionalProperties"] === false ? [`${at}: additionalProperties: false is not supported`] : [],
    ),
  llama: (schema, path) => walk(schema, path, checkLlama),
  "no-dollar-schema": (schema, path) => (schema["$schema"] === undefined ? [] : [`${path}.$schema: refused`]),
}

function checkOpenai(schema: JsonObject, path: string): readonly string[] {
  const atRoot = ["oneOf", "anyOf", "allOf", "enum", "not"].filter((key) => schema[key] !== undefined)
  return [
    ...atRoot.map((key) => `${path}: schema must not have '${key}' at the top level`),
    ...walk(schema, path, (node, at) =>
      node["type"] === "array" && node["items"] === undefined && node["prefixItems"] === undefined
        ? [`${at}: array schema missing items`]
        : [],
    ),
  ]
}

const geminiWords = new Set([
  ...["type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties"],
  ...["required", "propertyOrdering", "items", "minimum", "maximum", "minLength", "maxLength", "pattern"],
  ...["anyOf", "minProperties", "maxProperties"],
])
const geminiFormats: Readonly<Record<string, readonly string[]>> = {
  string: ["enum", "date-time"],
  number: ["float", "double"],
  integer: ["int32", "int64"],
}

function checkGemini(node: JsonObject, path: string): readonly string[] {
  const type = node["type"]
  const format = node["format"]
  const choices = arrayOf(node["enum"])
  const properties = objectOf(node["properties"])
  const strangers = arrayOf(node["required"]).filter((name) => !Object.hasOwn(properties, String(name)))
  const unknown = Object.keys(node).filter((key) => !geminiWords.has(key))
  const formats = geminiFormats[String(type)] ?? []
  const checks: readonly (readonly [boolean, string])[] = [
    [!Array.isArray(type), "type: Proto field is not repeating, cannot start list."],
    [type !== "null", "type: Invalid value: null"],
    [
      format === undefined || formats.includes(String(format)),
      `format: only ${formats} are supported for ${type}`,
    ],
    [choices.every((choice) => typeof choice === "string" && choice !== ""), "enum: only non-empty strings"],
    [choices.length === 0 || type === "string", "enum: only allowed for STRING type"],
    [strangers.length === 0, `required: property is not defined: ${strangers}`],
    [type !== "array" || isObject(node["items"]), "items: missing field."],
    [Object.values(properties).every(isObject), "properties: a schema should be an object"],
  ]
  return [
    ...unknown.map(
      (key) => `${path}: Invalid JSON payload received. Unknown name "${key}": Cannot find field.`,
    ),
    ...checks.flatMap(([fine, why]) => (fine ? [] : [`${path}.${why}`])),
  ]
}

function checkMoonshot(node: JsonObject, path: string): readonly string[] {
  const words = "not a valid moonshot flavored json schema:"
  return [
    ...(Array.isArray(node["items"]) ? [`${path}: ${words} items should be an object`] : []),
    ...(node["anyOf"] !== undefined && node["type"] !== undefined
      ? [`${path}: ${words} type should be defined in anyOf items instead of the parent schema`]
      : []),
  ]
}

/** `MAX_REPETITION_THRESHOLD` of llama-grammar.cpp; builds differ in whether 2000 itself passes. */
const repetitions = 2000
const bounded = ["minLength", "maxLength", "minItems", "maxItems"]

function checkLlama(node: JsonObject, path: string): readonly string[] {
  const pattern = node["pattern"]
  const tooMany = bounded.filter((key) => Number(node[key] ?? 0) >= repetitions)
  const reasons = tooMany.map((key) => `${path}.${key}: number of repetitions exceeds sane defaults`)
  if (typeof pattern !== "string") return reasons
  const counts = [...pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].flatMap(([, low, high]) => [low, high])
  return [
    ...reasons,
    ...(pattern.startsWith("^") && pattern.endsWith("$")
      ? []
      : [`${path}.pattern: Pattern must start with '^' and end with '$'`]),
    ...(/\(\?[=!<]/.test(pattern) ? [`${path}.pattern: Unsupported pattern syntax`] : []),
    ...(counts.some((count) => Number(count ?? 0) >= repetitions)
      ? [`${path}.pattern: number of repetitions exceeds sane defaults`]
      : []),
  ]
}
