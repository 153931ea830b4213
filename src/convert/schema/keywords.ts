// The keywords of one type, for the dialects that take only a part of JSON Schema.
import { isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import { within } from "./cleaning.ts"
import { type Draft, narrow } from "./narrow.ts"

type Check = (value: unknown) => boolean

const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value)
const isCount: Check = (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0

const checks: Readonly<Record<string, Check>> = {
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  minProperties: isCount,
  maxProperties: isCount,
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  multipleOf: isNumber,
  uniqueItems: (value) => typeof value === "boolean",
  pattern: (value) => typeof value === "string",
  format: (value) => typeof value === "string",
}

/** Those of the keywords that the schema has, as long as their values are what they must be. */
export function takeKeywords(draft: Draft, keywords: readonly string[]): JsonObject {
  const taken = keywords.flatMap((keyword) => {
    const value = draft.schema[keyword]
    if (value === undefined || !checks[keyword]?.(value)) return []
    draft.used.add(keyword)
    return [[keyword, value] as const]
  })
  return Object.fromEntries(taken)
}

/** `properties`, always, and `required` without names that are no property. */
export function takeProperties(draft: Draft): JsonObject {
  const { schema, place, used, scope } = draft
  used.add("properties").add("required")
  const properties = Object.entries(objectOf(schema["properties"])).flatMap(([name, inner]) => {
    const at = within(place, "properties", name)
    const cleaned = narrow(inner, at, scope)
    if (cleaned === undefined) scope.cleaning.drop(at, "", "no value is valid for it")
    return cleaned === undefined ? [] : [[name, cleaned] as const]
  })
  const names = new Set<unknown>(properties.map(([name]) => name))
  const asked = [...new Set(Array.isArray(schema["required"]) ? schema["required"] : [])]
  const required = asked.filter((name) => names.has(name))
  if (required.length < asked.length)
    scope.cleaning.change(place, "required", "without names that are no property")
  return { properties: Object.fromEntries(properties), ...(required.length > 0 ? { required } : {}) }
}

/** A tuple's schemas, in either of the two ways to write one, and the schema of further items. */
export function tupleOf(
  schema: JsonObject,
): { readonly keyword: string; readonly items: readonly unknown[]; readonly rest: unknown } | undefined {
  const { items, prefixItems, additionalItems } = schema
  if (Array.isArray(items)) return { keyword: "items", items, rest: additionalItems }
  return Array.isArray(prefixItems) ? { keyword: "prefixItems", items: prefixItems, rest: items } : undefined
}

/** Is a schema there that asks for something? */
export const constrains = (schema: unknown): boolean => isObject(schema) && Object.keys(schema).length > 0
