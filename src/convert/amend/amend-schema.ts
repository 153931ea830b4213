// Schemas of tools and of structured output without keywords that an upstream refuses. A schema only says what
// arguments should look like: without one of its keywords it takes more, and the client's own one still judges
// what the model answers.
import type { ChatRequest, ChatTool } from "../../protocol/chat/chat.ts"
import { changed } from "../../protocol/fault.ts"
import { isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import type { SchemaRules } from "../../providers/profile.ts"
import { mapsOfSchemas, schemasOrLists } from "../schema/copy.ts"
import { prepareParameters } from "../schema/schema.ts"
import type { Change } from "./amend-effort.ts"

/** Keywords without which a schema still says what is what; `type`, `properties` and their like are not among them. */
export const schemaKeywords = [
  ...["$schema", "$id", "$comment", "$anchor", "title", "examples", "default", "deprecated", "readOnly"],
  ...["writeOnly", "contentEncoding", "contentMediaType", "contentSchema", "format", "pattern"],
  ...["additionalProperties", "propertyNames", "patternProperties", "unevaluatedProperties"],
  ...["unevaluatedItems", "additionalItems", "minProperties", "maxProperties", "minLength", "maxLength"],
  ...["minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "prefixItems"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "const", "enum", "not"],
  ...["if", "then", "else", "dependencies", "dependentRequired", "dependentSchemas", "oneOf", "anyOf"],
  "nullable",
] as const

/** Keywords whose loss would lose the schema: they are written out, by the rules of who knows none of them. */
export const structuralKeywords: ReadonlySet<string> = new Set(["$ref", "$defs", "definitions", "allOf"])

const holdsSchema = (keyword: string): boolean => schemasOrLists.has(keyword) || keyword === "contentSchema"

// Every schema here was copied with this limit already.
const deepest = 250

type Visit = (schema: JsonObject) => JsonObject

/** A copy with every schema in it visited, the inner ones first. */
function mapSchemas(value: unknown, visit: Visit, depth = 0): unknown {
  if (Array.isArray(value)) return value.map((item) => mapSchemas(item, visit, depth + 1))
  if (!isObject(value) || depth > deepest) return value
  const inner = Object.entries(value).map(([key, given]): readonly [string, unknown] => {
    if (holdsSchema(key)) return [key, mapSchemas(given, visit, depth + 1)]
    if (!mapsOfSchemas.has(key) || !isObject(given)) return [key, given]
    const named = Object.entries(given).map(([name, schema]) => [name, mapSchemas(schema, visit, depth + 1)])
    return [key, Object.fromEntries(named)]
  })
  return visit(Object.fromEntries(inner))
}

/** All keywords in the schemas of a request. */
export function keywordsIn(body: ChatRequest): ReadonlySet<string> {
  const found = new Set<string>()
  const collect: Visit = (schema) => {
    for (const key of Object.keys(schema)) found.add(key)
    return schema
  }
  for (const schema of schemasOf(body)) mapSchemas(schema, collect)
  return found
}

function schemasOf({ tools, response_format }: ChatRequest): readonly unknown[] {
  const own = (tools ?? []).flatMap((tool) => (tool.type === "function" ? [tool.function.parameters] : []))
  return response_format?.type === "json_schema" ? [...own, response_format.json_schema.schema] : own
}

function withSchemas(
  body: ChatRequest,
  convert: (schema: JsonObject, at: string) => JsonObject,
): ChatRequest {
  const tools = body.tools?.map((tool, index): ChatTool => {
    if (tool.type !== "function") return tool
    const parameters = convert(tool.function.parameters, `tools.${index}.input_schema`)
    return { ...tool, function: { ...tool.function, parameters } }
  })
  const format = body.response_format
  const copy: ChatRequest = { ...body, ...(tools === undefined ? {} : { tools }) }
  if (format?.type === "json_schema") {
    const schema = convert(objectOf(format.json_schema.schema), "output_config.format.schema")
    copy.response_format = { ...format, json_schema: { ...format.json_schema, schema } }
  }
  return copy
}

/** Bounds and single values are said in another keyword, where there is one that is not refused too. */
function stripped(schema: JsonObject, gone: ReadonlySet<string>): JsonObject {
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(schema)) if (!gone.has(key)) out[key] = value
  const step = schema["type"] === "integer" ? 1 : 0
  const { exclusiveMinimum: above, exclusiveMaximum: below, oneOf } = schema
  const says = (key: string): boolean => gone.has(key) && schema[key] !== undefined
  const free = (key: string): boolean => !gone.has(key) && schema[key] === undefined
  if (says("exclusiveMinimum") && free("minimum") && typeof above === "number") out["minimum"] = above + step
  if (says("exclusiveMaximum") && free("maximum") && typeof below === "number") out["maximum"] = below - step
  if (says("const") && free("enum")) out["enum"] = [schema["const"]]
  if (says("oneOf") && free("anyOf") && Array.isArray(oneOf)) out["anyOf"] = oneOf
  return out
}

export function withoutKeywords(body: ChatRequest, names: readonly string[]): Change | undefined {
  const gone = new Set(names)
  const present = keywordsIn(body)
  const left = names.filter((name) => present.has(name))
  if (left.length === 0) return undefined
  const visit: Visit = (schema) => stripped(schema, gone)
  const note = changed("tools", `schemas without ${left.join(", ")}: refused by the upstream`)
  return { body: withSchemas(body, (schema) => objectOf(mapSchemas(schema, visit))), notes: [note] }
}

/** The schemas by the rules of one family of providers. */
export function byRules(body: ChatRequest, rules: SchemaRules): Change | undefined {
  const after = withSchemas(body, (schema, path) => prepareParameters(schema, rules, path).schema)
  if (JSON.stringify(schemasOf(after)) === JSON.stringify(schemasOf(body))) return undefined
  return { body: after, notes: [changed("tools", `schemas cut down to what ${rules} takes`)] }
}
