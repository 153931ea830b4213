// What providers refuse in a JSON Schema, said a second time and apart from the code that avoids it. Each
// checker gives back its complaints.
import { arrayOf, isObject, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import type { SchemaRules } from "../../src/providers/profile.ts"

type Judge = (schema: JsonObject, path: string, root: JsonObject) => readonly (string | false)[]

const maps = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]
const single = ["additionalProperties", "propertyNames", "not", "if", "then", "else", "contains", "items"]
const lists = ["anyOf", "oneOf", "allOf", "items", "prefixItems"]

/** Every schema inside a schema with its path, whatever else the keywords hold. */
function schemasIn(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (!isObject(value)) return [[path, value]]
  const inner = Object.entries(value).flatMap(([key, held]): readonly (readonly [string, unknown])[] => {
    const at = `${path}/${key}`
    if (maps.includes(key)) return Object.entries(objectOf(held)).map(([name, one]) => [`${at}/${name}`, one])
    if (lists.includes(key) && Array.isArray(held)) return held.map((one, index) => [`${at}/${index}`, one])
    return single.includes(key) ? [[at, held]] : []
  })
  return [[path, value], ...inner.flatMap(([at, one]) => schemasIn(one, at))]
}

function judge(
  root: JsonObject,
  check: Judge,
  others: (path: string, schema: unknown) => boolean,
): readonly string[] {
  return schemasIn(root, "").flatMap(([path, schema]) => {
    if (isObject(schema))
      return check(schema, path, root)
        .filter((what) => what !== false)
        .map((what) => `${path} ${what}`)
    return others(path, schema) ? [] : [`${path} is no schema`]
  })
}

const nowhere = (): boolean => false
const additional = (path: string, schema: unknown): boolean =>
  path.endsWith("/additionalProperties") && typeof schema === "boolean"

function otherKeys(schema: JsonObject, allowed: readonly string[]): string | false {
  const others = Object.keys(schema).filter((key) => !allowed.includes(key))
  return others.length > 0 && `has ${others.join(", ")}`
}

function strayRequired({ required, properties }: JsonObject): string | false {
  const names = Object.keys(objectOf(properties))
  return arrayOf(required).some((name) => !names.includes(String(name))) && "requires what is no property"
}

const geminiKeys: Readonly<Record<string, readonly string[]>> = {
  string: ["enum", "format", "minLength", "maxLength", "pattern"],
  integer: ["format", "minimum", "maximum"],
  number: ["format", "minimum", "maximum"],
  boolean: [],
  array: ["items", "minItems", "maxItems"],
  object: ["properties", "required", "minProperties", "maxProperties"],
}
const geminiFormats = ["date-time", "int32", "int64", "float", "double"]

function checkGemini(schema: JsonObject): readonly (string | false)[] {
  const common = ["description", "title", "nullable"]
  if (schema["anyOf"] !== undefined) {
    return [
      otherKeys(schema, [...common, "anyOf"]),
      arrayOf(schema["anyOf"]).length === 0 && "chooses from nothing",
    ]
  }
  const type = String(schema["type"])
  const keys = geminiKeys[type]
  if (keys === undefined || Array.isArray(schema["type"])) return [`has type ${type}`]
  const { enum: values, format, nullable } = schema
  return [
    otherKeys(schema, [...common, "type", ...keys]),
    strayRequired(schema),
    type === "array" && !isObject(schema["items"]) && "is an array without items",
    type === "object" && !isObject(schema["properties"]) && "is an object without properties",
    values !== undefined &&
      (arrayOf(values).length === 0 ||
        arrayOf(values).some((value) => typeof value !== "string" || value === "")) &&
      "lists what is no string",
    format !== undefined && !geminiFormats.includes(String(format)) && "has an unknown format",
    nullable !== undefined && nullable !== true && "has an odd nullable",
  ]
}

const jsonTypes = ["object", "array", "string", "number", "integer", "boolean", "null"]
const moonshotRefused = [
  ...["$schema", "$id", "definitions", "oneOf", "allOf", "not", "if", "then", "else", "const", "nullable"],
  ...["patternProperties", "propertyNames", "dependentSchemas", "dependencies", "contains"],
]

function checkMoonshot(schema: JsonObject, path: string, root: JsonObject): readonly (string | false)[] {
  const { $ref, anyOf, type, enum: values, items } = schema
  const allowed = ["description", "title", ...(path === "" ? ["$defs"] : [])]
  const types = [type].flat()
  if ($ref !== undefined) {
    const name = String($ref).replace("#/$defs/", "")
    const known = $ref === "#" || Object.hasOwn(objectOf(root["$defs"]), name)
    return [otherKeys(schema, [...allowed, "$ref"]), !known && `refers to ${$ref}`]
  }
  if (anyOf !== undefined) {
    return [otherKeys(schema, [...allowed, "anyOf"]), arrayOf(anyOf).length === 0 && "chooses from nothing"]
  }
  const isEmpty = Object.keys(schema).length === 0 && additional(path, true)
  return [
    path === "" && type !== "object" && "is no object at the root",
    !isEmpty &&
      (type === undefined || types.some((one) => !jsonTypes.includes(String(one)))) &&
      `has type ${type}`,
    Array.isArray(type) && otherKeys(schema, [...allowed, "type"]),
    path !== "" && schema["$defs"] !== undefined && "has definitions inside",
    moonshotRefused.some((key) => schema[key] !== undefined) && `has one of ${Object.keys(schema)}`,
    strayRequired(schema),
    values !== undefined && arrayOf(values).length === 0 && "lists nothing",
    arrayOf(values).some((value) => typeof value !== (type === "string" ? "string" : "number")) &&
      "lists another type",
    type === "integer" && arrayOf(values).some((value) => !Number.isInteger(value)) && "lists no integers",
    items !== undefined && (!isObject(items) || Object.keys(items).length === 0) && "has odd items",
  ]
}

function checkXai(schema: JsonObject): readonly (string | false)[] {
  return [schema["additionalProperties"] === false && "is closed"]
}

const llamaTelling = ["type", "anyOf", "oneOf", "const", "enum", "properties", "items", "prefixItems"]

function checkLlama(schema: JsonObject): readonly (string | false)[] {
  const { type, format, enum: values, anyOf, oneOf } = schema
  const refused = [
    "$ref",
    "$schema",
    "allOf",
    "pattern",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "contains",
  ]
  const large = (keys: readonly string[], low: number, high: number): boolean =>
    keys.some((key) => {
      const value = schema[key]
      return value !== undefined && !(typeof value === "number" && value >= low && value <= high)
    })
  return [
    refused.some((key) => schema[key] !== undefined) && `has one of ${Object.keys(schema)}`,
    !llamaTelling.some((key) => schema[key] !== undefined) && "does not say what it is",
    type !== undefined && [type].flat().some((one) => !jsonTypes.includes(String(one))) && `has type ${type}`,
    Array.isArray(type) && type.length === 0 && "has no type",
    format !== undefined &&
      !["date", "time", "date-time", "uuid"].includes(String(format)) &&
      `has format ${format}`,
    [values, anyOf, oneOf].some((list) => list !== undefined && arrayOf(list).length === 0) &&
      "has an empty list",
    large(["minLength", "maxLength", "minItems", "maxItems"], 0, 2_000) && "repeats too often",
    large(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], -1e9, 1e9) && "has a large bound",
  ]
}

function checkOpenai(schema: JsonObject, path: string): readonly (string | false)[] {
  const types = [schema["type"]].flat()
  const rootRefused = ["anyOf", "oneOf", "allOf", "enum", "not", "$ref"]
  return [
    (schema["$schema"] !== undefined || schema["$id"] !== undefined) && "has metadata",
    types.includes("object") && !isObject(schema["properties"]) && "is an object without properties",
    types.includes("array") && schema["items"] === undefined && "is an array without items",
    path === "" && schema["type"] !== "object" && "is no object at the root",
    path === "" && rootRefused.some((key) => schema[key] !== undefined) && "is a choice at the root",
  ]
}

/** What the provider would refuse in the parameters of a function. */
export function complaints(schema: JsonObject, rules: SchemaRules): readonly string[] {
  switch (rules) {
    case "gemini":
      return judge(schema, checkGemini, nowhere)
    case "moonshot":
      return judge(schema, checkMoonshot, additional)
    case "xai":
      return judge(
        schema,
        (one, path) => [...checkOpenai(one, path), ...checkXai(one)],
        () => true,
      )
    case "llama":
      return judge(schema, checkLlama, additional)
    case "openai":
      return judge(schema, checkOpenai, () => true)
    default:
      return rules satisfies never
  }
}

export const allRules: readonly SchemaRules[] = ["openai", "gemini", "moonshot", "xai", "llama"]
