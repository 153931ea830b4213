// A small checker for JSON Schema: those keywords that the schema of models.yaml uses, and no others.
import { isDeepStrictEqual } from "node:util"
import { arrayOf, isObject, type JsonObject, objectOf } from "../../src/protocol/json.ts"

const told: ReadonlySet<string> = new Set(["$schema", "title", "description", "definitions"])

type Check = (value: unknown, wanted: unknown, schema: JsonObject, root: JsonObject) => boolean

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === "boolean",
  integer: Number.isInteger,
  number: (value) => typeof value === "number",
  string: (value) => typeof value === "string",
  array: Array.isArray,
  object: isObject,
}

const membersOf = (value: unknown) => (isObject(value) ? Object.entries(value) : [])

const keywords: Readonly<Record<string, Check>> = {
  $ref: (value, wanted, _, root) => {
    const name = String(wanted).replace("#/definitions/", "")
    return accepts(objectOf(objectOf(root["definitions"])[name]), value, root)
  },
  type: (value, wanted) => {
    const names = Array.isArray(wanted) ? wanted : [wanted]
    return names.some((name) => types[String(name)]?.(value) === true)
  },
  anyOf: (value, wanted, _, root) => arrayOf(wanted).some((option) => accepts(objectOf(option), value, root)),
  enum: (value, wanted) => arrayOf(wanted).includes(value),
  const: (value, wanted) => isDeepStrictEqual(value, wanted),
  minimum: (value, wanted) => typeof value !== "number" || value >= Number(wanted),
  maximum: (value, wanted) => typeof value !== "number" || value <= Number(wanted),
  minLength: (value, wanted) => typeof value !== "string" || value.length >= Number(wanted),
  pattern: (value, wanted) => typeof value !== "string" || new RegExp(String(wanted)).test(value),
  minItems: (value, wanted) => !Array.isArray(value) || value.length >= Number(wanted),
  maxItems: (value, wanted) => !Array.isArray(value) || value.length <= Number(wanted),
  items: (value, wanted, _, root) =>
    arrayOf(value).every((item, index) => {
      const schema = Array.isArray(wanted) ? wanted[index] : wanted
      return schema === undefined || accepts(objectOf(schema), item, root)
    }),
  additionalItems: (value, wanted, schema) =>
    wanted !== false || !Array.isArray(value) || value.length <= arrayOf(schema["items"]).length,
  required: (value, wanted) =>
    !isObject(value) || arrayOf(wanted).every((key) => Object.hasOwn(value, String(key))),
  propertyNames: (value, wanted, _, root) =>
    membersOf(value).every(([name]) => accepts(objectOf(wanted), name, root)),
  properties: (value, wanted, _, root) => {
    const known = objectOf(wanted)
    return membersOf(value).every(([name, member]) =>
      Object.hasOwn(known, name) ? accepts(objectOf(known[name]), member, root) : true,
    )
  },
  additionalProperties: (value, wanted, schema, root) => {
    const known = objectOf(schema["properties"])
    const others = membersOf(value).filter(([name]) => !Object.hasOwn(known, name))
    return others.every(([, member]) => wanted !== false && accepts(objectOf(wanted), member, root))
  },
}

/** Does a value fit the schema? Throws at a keyword that it does not know. */
export function accepts(schema: JsonObject, value: unknown, root: JsonObject = schema): boolean {
  return Object.entries(schema).every(([keyword, wanted]) => {
    if (told.has(keyword)) return true
    const check = keywords[keyword]
    if (check === undefined) throw new Error(`no check for ${keyword}`)
    return check(value, wanted, schema, root)
  })
}
