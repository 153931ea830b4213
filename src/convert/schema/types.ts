// The types a JSON Schema allows, said or implied.
import { arrayOf, isObject, type JsonObject } from "../../protocol/json.ts"

const typeNames = ["object", "array", "string", "number", "integer", "boolean"] as const

export type TypeName = (typeof typeNames)[number]

/** Any value but null, as types. */
export const anyType: readonly TypeName[] = ["object", "array", "string", "number", "boolean"]

/** What a schema without alternatives allows. */
export interface Shape {
  /** Without null; empty when nothing is said or implied. */
  readonly types: readonly TypeName[]
  readonly nullable: boolean
  /** Nothing but null is valid. */
  readonly onlyNull: boolean
  /** The values of `const` or `enum` other than null; undefined when there is neither. */
  readonly literals: readonly unknown[] | undefined
}

/** The shape of a schema; types are read in either case, unknown ones count as none. */
export function shapeOf(schema: JsonObject): Shape {
  const said = [schema["type"]].flat().map((type) => (typeof type === "string" ? type.toLowerCase() : ""))
  const declared = typeNames.filter((name) => said.includes(name))
  const values = literalsOf(schema)
  const literals = values?.filter((value) => value !== null)
  const nullValue = values !== undefined && values.length !== literals?.length
  const nullAllowed = said.includes("null") || schema["type"] === undefined
  const onlyNull =
    nullAllowed && (nullValue ? literals?.length === 0 : said.includes("null") && declared.length === 0)
  return {
    types: declared.length > 0 || onlyNull ? declared : impliedTypes(schema, literals ?? []),
    nullable: said.includes("null") || schema["nullable"] === true || nullValue,
    onlyNull,
    literals,
  }
}

function literalsOf(schema: JsonObject): readonly unknown[] | undefined {
  if (schema["const"] !== undefined) return [schema["const"]]
  return Array.isArray(schema["enum"]) ? schema["enum"] : undefined
}

const implications: readonly (readonly [TypeName, readonly string[]])[] = [
  ["object", ["properties", "required", "additionalProperties", "patternProperties", "propertyNames"]],
  ["object", ["minProperties", "maxProperties"]],
  ["array", ["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]],
  ["string", ["pattern", "minLength", "maxLength", "format"]],
  ["number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]],
]

function impliedTypes(schema: JsonObject, literals: readonly unknown[]): readonly TypeName[] {
  const kinds = new Set(literals.map(typeOfValue))
  if (kinds.size > 0) return typeNames.filter((name) => kinds.has(name))
  const implied = implications.find(([, keywords]) =>
    keywords.some((keyword) => schema[keyword] !== undefined),
  )
  return implied === undefined ? [] : [implied[0]]
}

function typeOfValue(value: unknown): TypeName | "null" {
  if (Array.isArray(value)) return "array"
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number"
  if (typeof value === "string" || typeof value === "boolean")
    return typeof value === "string" ? "string" : "boolean"
  return isObject(value) ? "object" : "null"
}

/** Is a value of this type? */
export function isOfType(value: unknown, type: string): boolean {
  const own = typeOfValue(value)
  return own === type || (own === "integer" && type === "number")
}

/** The alternatives of a schema: `anyOf`, or failing that `oneOf`; undefined when it has none. */
export function alternativesOf(
  schema: JsonObject,
): { readonly keyword: "anyOf" | "oneOf"; readonly branches: readonly unknown[] } | undefined {
  for (const keyword of ["anyOf", "oneOf"] as const) {
    const branches = arrayOf(schema[keyword])
    if (branches.length > 0) return { keyword, branches }
  }
  return undefined
}
