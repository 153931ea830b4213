// JSON Schemas of tools and of structured output, in the form an OpenAI-compatible endpoint takes.
import { arrayOf, isObject, type JsonObject } from "../protocol/json.ts"

/** Parameters of a function: an object schema with properties, without `$schema` and `$id`. Copied, not changed. */
export function functionParameters(schema: JsonObject | undefined): JsonObject {
  const { $schema: _schema, $id: _id, ...rest } = schema ?? {}
  const properties = isObject(rest["properties"]) ? rest["properties"] : {}
  return { ...rest, type: "object", properties }
}

/** May this schema be marked `strict`? Every object closed, every property required (OpenAI's rule). */
export function isStrict(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrict)
  if (!isObject(schema)) return true
  const properties = schema["properties"]
  if (schema["type"] === "object" || isObject(properties)) {
    const names = Object.keys(isObject(properties) ? properties : {})
    const required = new Set(arrayOf(schema["required"]))
    if (schema["additionalProperties"] !== false || names.some((name) => !required.has(name))) return false
  }
  return Object.values(schema).every((value) => typeof value !== "object" || isStrict(value))
}
