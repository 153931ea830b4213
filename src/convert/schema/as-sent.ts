// Schemas that a provider which takes all keywords takes as they are: nearly all tools' are, and clients send dozens of
// them with every request. Such a schema is looked through and not copied.
import { arrayOf, isObject, type JsonObject } from "../../protocol/json.ts"
import { type CopyRules, hasType, isUnsaid, mapsOfSchemas, schemasOrLists, unneeded } from "./copy.ts"

// Far less than what is refused as too deep; nobody nests so deeply.
const deepestLooked = 100

/** At the root of parameters these stand for something else, or are refused. */
const unusualAtRoot: ReadonlySet<string> = new Set([
  ...["$ref", "allOf", "anyOf", "oneOf", "enum", "const", "not", "nullable", "__proto__"],
])

/** The parameters of a function, where a copy of them would say the very same; undefined: they have to be copied. */
export function parametersAsSent(given: JsonObject, rules: CopyRules): JsonObject | undefined {
  if (given["type"] !== "object" || !isObject(given["properties"])) return undefined
  let isWhole = true
  for (const key in given) {
    if (unneeded.has(key)) isWhole = false
    else if (unusualAtRoot.has(key) || !isMemberAsSent(key, given[key], 1, rules)) return undefined
  }
  return isWhole ? given : withoutUnneeded(given)
}

function withoutUnneeded(given: JsonObject): JsonObject {
  const rest: Record<string, unknown> = {}
  for (const key in given) if (!unneeded.has(key)) rest[key] = given[key]
  return rest
}

function isMemberAsSent(key: string, value: unknown, depth: number, rules: CopyRules): boolean {
  if (key === "$ref" || unneeded.has(key) || isUnsaid(key, value) || !key.isWellFormed()) return false
  if (key === "additionalProperties" && value === false) return rules.closed
  if (typeof value !== "object" || value === null) return isDataAsSent(value, depth)
  if (mapsOfSchemas.has(key) && !Array.isArray(value)) return areAllAsSent(value, depth + 1, rules)
  if (!schemasOrLists.has(key)) return isDataAsSent(value, depth)
  return Array.isArray(value)
    ? areAllAsSent(value, depth + 1, rules)
    : isSchemaAsSent(value, depth + 1, rules)
}

/** Of the schemas in a list or a map. */
function areAllAsSent(schemas: object, depth: number, rules: CopyRules): boolean {
  if (Array.isArray(schemas)) {
    for (const schema of schemas) if (!isSchemaAsSent(schema, depth, rules)) return false
  } else if (isObject(schemas)) {
    for (const name in schemas) {
      if (!name.isWellFormed() || !isSchemaAsSent(schemas[name], depth, rules)) return false
    }
  }
  return true
}

function isSchemaAsSent(value: unknown, depth: number, rules: CopyRules): boolean {
  if (!isObject(value)) return isDataAsSent(value, depth)
  if (depth > deepestLooked) return false
  for (const key in value) if (!isMemberAsSent(key, value[key], depth, rules)) return false
  if (hasType(value, "object") && !isObject(value["properties"])) return false
  return value["items"] !== undefined || !hasType(value, "array")
}

function isDataAsSent(value: unknown, depth: number): boolean {
  if (typeof value === "string") return value.isWellFormed()
  if (typeof value !== "object" || value === null) return true
  if (depth > deepestLooked) return false
  for (const item of arrayOf(value)) if (!isDataAsSent(item, depth + 1)) return false
  if (isObject(value)) {
    for (const key in value) if (!key.isWellFormed() || !isDataAsSent(value[key], depth + 1)) return false
  }
  return true
}
