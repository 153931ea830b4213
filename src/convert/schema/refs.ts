// `$ref` and `allOf`: a schema that is written in several places, put together into one.
import { arrayOf, isObject, type JsonObject, lookUp } from "../../protocol/json.ts"
import { type Cleaning, deepest, distinct, type Place } from "./cleaning.ts"

/** A schema without `$ref` and `allOf`, and the place at which its own parts are to be looked at. */
export interface Flat {
  readonly schema: JsonObject
  readonly place: Place
}

interface Gathered {
  readonly rest: Map<string, unknown>
  readonly properties: Map<string, Set<unknown>>
  readonly required: Set<unknown>
  /** Definitions written out here. */
  readonly absorbed: Set<unknown>
  quiet: boolean
}

// A definition has its own; what they say of it says nothing of the schema that uses it.
const definitions = new Set(["$defs", "definitions", "$schema", "$id", "$anchor"])
const annotations = new Set(["description", "title", "default", "examples", "$comment"])
export const unionKeywords = ["anyOf", "oneOf"] as const
const longestPointer = 1_000

/**
 * What a `$ref` points to inside the schema (RFC 6901 JSON pointers with "#" before them); undefined when it
 * points elsewhere or nowhere.
 */
export function resolvePointer(root: JsonObject, ref: unknown): unknown {
  if (ref === "#") return root
  if (typeof ref !== "string" || !ref.startsWith("#/") || ref.length > longestPointer) return undefined
  return ref
    .slice(2)
    .split("/")
    .map(decodeStep)
    .reduce((value: unknown, step) => memberOf(value, step), root)
}

function decodeStep(step: string): string {
  const plain = step.replaceAll(/%[\da-f]{2}/gi, (code) => {
    const byte = Number.parseInt(code.slice(1), 16)
    return byte < 0x80 ? String.fromCharCode(byte) : code
  })
  return plain.replaceAll("~1", "/").replaceAll("~0", "~")
}

function memberOf(value: unknown, step: string): unknown {
  if (Array.isArray(value)) return /^\d+$/.test(step) ? value[Number(step)] : undefined
  return isObject(value) ? lookUp(value, step) : undefined
}

/**
 * A schema with its `$ref` and its `allOf` merged into it: properties and required names united, otherwise the
 * first word counts, the schema's own before its parts'. A definition inside itself becomes `type: "object"`.
 */
export function flatten(schema: JsonObject, place: Place, cleaning: Cleaning): Flat {
  if (schema["$ref"] === undefined && schema["allOf"] === undefined) return { schema, place }
  const gathered: Gathered = {
    ...{ rest: new Map(), properties: new Map(), required: new Set(), absorbed: new Set() },
    quiet: place.quiet,
  }
  absorb(schema, { place, depth: place.depth, own: true }, gathered, cleaning)
  const { rest, absorbed } = gathered
  if (gathered.properties.size > 0) rest.set("properties", unitedProperties(gathered.properties, "allOf"))
  if (gathered.required.size > 0) rest.set("required", [...gathered.required])
  return {
    schema: Object.fromEntries(rest),
    place: { ...place, active: new Set([...place.active, ...absorbed]), quiet: gathered.quiet },
  }
}

/** One schema for each property, from all that were given for it. */
export function unitedProperties(
  properties: ReadonlyMap<string, Iterable<unknown>>,
  keyword: "allOf" | "anyOf",
): JsonObject {
  return Object.fromEntries(
    [...properties].map(([name, given]) => {
      const schemas = distinct(given)
      return [name, schemas.length === 1 ? schemas[0] : { [keyword]: schemas }]
    }),
  )
}

interface Part {
  readonly place: Place
  readonly depth: number
  /** Is it the schema itself, and no part that is merged into it? */
  readonly own: boolean
}

function absorb(schema: JsonObject, part: Part, gathered: Gathered, cleaning: Cleaning): void {
  if (part.depth > deepest) {
    cleaning.drop(part.place, "allOf", "nested too deeply")
    return
  }
  absorbKeywords(schema, part, gathered, cleaning)
  const inner: Part = { place: part.place, depth: part.depth + 1, own: false }
  if (schema["$ref"] !== undefined) absorbRef(schema["$ref"], inner, gathered, cleaning)
  for (const item of arrayOf(schema["allOf"])) {
    if (isObject(item)) absorb(item, inner, gathered, cleaning)
    else if (item !== true) cleaning.drop(part.place, "allOf", "one of its parts is no schema")
  }
}

function absorbKeywords(schema: JsonObject, part: Part, gathered: Gathered, cleaning: Cleaning): void {
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$ref" || key === "allOf") continue
    if (key === "properties" && isObject(value)) addProperties(value, gathered)
    else if (key === "required" && Array.isArray(value)) addAll(value, gathered.required)
    else if (part.own || !definitions.has(key)) addKeyword(key, value, part, gathered, cleaning)
  }
}

function addAll(values: readonly unknown[], set: Set<unknown>): void {
  for (const value of values) set.add(value)
}

function addProperties(properties: JsonObject, gathered: Gathered): void {
  for (const [name, inner] of Object.entries(properties)) {
    const given = gathered.properties.get(name)
    if (given === undefined) gathered.properties.set(name, new Set([inner]))
    else given.add(inner)
  }
}

function addKeyword(key: string, value: unknown, part: Part, gathered: Gathered, cleaning: Cleaning): void {
  const { rest } = gathered
  const isUnion = unionKeywords.some((keyword) => keyword === key)
  if (!rest.has(key) && !(isUnion && !part.own && unionKeywords.some((keyword) => rest.has(keyword)))) {
    rest.set(key, value)
  } else if (rest.get(key) !== value && !annotations.has(key)) {
    cleaning.drop(part.place, key, "a second one of the same schema cannot be merged with the first")
  }
}

function absorbRef(ref: unknown, part: Part, gathered: Gathered, cleaning: Cleaning): void {
  const target = resolvePointer(cleaning.root, ref)
  if (target === true || gathered.absorbed.has(target)) return
  if (!isObject(target)) {
    cleaning.drop(part.place, "$ref", "it points to nothing in this schema")
    return
  }
  const known = cleaning.known(target)
  const cyclic = part.place.active.has(target)
  if (cyclic || !cleaning.afford(target)) {
    const why = cyclic ? "a definition inside itself" : "too many definitions to write out"
    cleaning.change(part.place, "$ref", `${why}: any object in its place`)
    if (!gathered.rest.has("type")) gathered.rest.set("type", "object")
    return
  }
  if (known) gathered.quiet = true
  gathered.absorbed.add(target)
  absorb(target, part, gathered, cleaning)
}
