// Do a call's arguments fit the tool's schema? Only what can be seen at a glance is judged, and nothing is
// changed: a model that mixes tools up should show in the log by the tool's name.
import { arrayOf, isObject, type JsonObject } from "../../protocol/json.ts"

/** Keywords beside which the plain ones do not tell everything. */
const combining = ["$ref", "$dynamicRef", "anyOf", "oneOf", "allOf", "if", "not", "patternProperties"]

/**
 * What is wrong with complete arguments, in words that hold no value of theirs; undefined when nothing is, or
 * when the schema says more than is judged here: required properties, properties that are not allowed, and the
 * type of each.
 */
export function checkArguments(schema: JsonObject, value: JsonObject): string | undefined {
  if (combining.some((keyword) => keyword in schema)) return undefined
  const properties = isObject(schema["properties"]) ? schema["properties"] : {}
  for (const name of arrayOf(schema["required"])) {
    if (typeof name === "string" && !Object.hasOwn(value, name)) return `${name} is missing`
  }
  for (const [name, given] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name)
    // An unknown name is the model's own text, so it is not repeated.
    if (!known && schema["additionalProperties"] === false) return "a property is not in the schema"
    const wanted = known ? wrongType(properties[name], given) : undefined
    if (wanted !== undefined) return `${name} is not of type ${wanted}`
  }
  return undefined
}

const tests: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  array: Array.isArray,
  object: isObject,
  null: (value) => value === null,
}

/** The types that the value should be of and is not. */
function wrongType(schema: unknown, value: unknown): string | undefined {
  if (!isObject(schema) || combining.some((keyword) => keyword in schema)) return undefined
  if (value === null && schema["nullable"] === true) return undefined
  const type = schema["type"]
  const types = typeof type === "string" ? [type] : arrayOf(type).filter((item) => typeof item === "string")
  const judged = types.every((name) => Object.hasOwn(tests, name))
  if (types.length === 0 || !judged || types.some((name) => tests[name]?.(value))) return undefined
  return types.join(" or ")
}
