// What Moonshot takes: its own flavour of JSON Schema, MFJS (the specification and the validator "walle" that
// it publishes; 2026-11). It wants a type in every schema and nothing beside `anyOf` and `$ref`.
import { isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import { type Cleaning, within } from "./cleaning.ts"
import { constrains, takeKeywords, takeProperties, tupleOf } from "./keywords.ts"
import { type Dialect, type Draft, narrow, narrowed } from "./narrow.ts"
import { anyType, isOfType, type TypeName } from "./types.ts"

/** References to definitions stay, all others are written out; see `withDefinitions`. */
export const moonshot: Dialect = {
  keptRef,
  anyType: [...anyType, "null"],
  nullable,
  typeLists: true,
  enumTypes: ["string", "number"],
  keywords,
}

// Beside a reference these may stand, or are left out without changing what is valid.
const harmless = new Set(["$ref", "description", "title", "default", "examples", "deprecated", "$comment"])

/** Only `#` and `#/$defs/name` are taken, so `definitions` are renamed. */
function keptRef(schema: JsonObject, cleaning: Cleaning): string | undefined {
  const ref = schema["$ref"]
  if (typeof ref !== "string" || !Object.keys(schema).every((key) => harmless.has(key))) return undefined
  if (ref === "#") return ref
  const [, home, name] = /^#\/(\$defs|definitions)\/([^/~%]+)$/.exec(ref) ?? []
  if (home === undefined || name === undefined) return undefined
  const own = objectOf(cleaning.root[home])
  const hidden = home === "definitions" && Object.hasOwn(objectOf(cleaning.root["$defs"]), name)
  return Object.hasOwn(own, name) && isObject(own[name]) && !hidden ? `#/$defs/${name}` : undefined
}

/** All definitions by name; `$defs` wins. */
function definitionsOf(root: JsonObject): ReadonlyMap<string, unknown> {
  const all = [root["definitions"], root["$defs"]].flatMap((map) => Object.entries(objectOf(map)))
  return new Map(all)
}

function nullable(schema: JsonObject | undefined): JsonObject {
  if (schema === undefined) return { type: "null" }
  const { description, title, ...rest } = schema
  const head = {
    ...(description === undefined ? {} : { description }),
    ...(title === undefined ? {} : { title }),
  }
  const types = [rest["type"]].flat()
  if (types.includes("null")) return schema
  if (types[0] !== undefined && Object.keys(rest).length === 1) return { type: [...types, "null"], ...head }
  const branches = Array.isArray(rest["anyOf"]) ? rest["anyOf"] : [rest]
  const takesNull = branches.some((branch) => [objectOf(branch)["type"]].flat().includes("null"))
  return takesNull ? schema : { ...head, anyOf: [...branches, { type: "null" }] }
}

const bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]

function keywords(draft: Draft, type: TypeName): JsonObject {
  switch (type) {
    case "string":
      return {
        ...takeKeywords(draft, ["minLength", "maxLength", "pattern", "format"]),
        ...defaultOf(draft, type),
      }
    case "integer":
    case "number":
      return { ...takeKeywords(draft, bounds), ...defaultOf(draft, type) }
    case "boolean":
      return defaultOf(draft, type)
    case "array":
      return { ...itemsOf(draft), ...takeKeywords(draft, ["minItems", "maxItems", "uniqueItems"]) }
    case "object":
      return { ...takeProperties(draft), ...additionalOf(draft) }
    default:
      return type satisfies never
  }
}

/** Only plain values of the schema's own type are taken. */
function defaultOf({ schema, used }: Draft, type: TypeName): JsonObject {
  if (!isOfType(schema["default"], type)) return {}
  used.add("default")
  return { default: schema["default"] }
}

/** `items` may be absent but must not be a list, a boolean or empty. */
function itemsOf({ schema, place, used, scope }: Draft): JsonObject {
  for (const keyword of ["items", "prefixItems", "additionalItems"]) used.add(keyword)
  const tuple = tupleOf(schema)
  const each = tuple === undefined ? schema["items"] : tuple.rest
  const items = constrains(each) ? { items: narrowed(each, within(place, "items"), scope) } : {}
  if (tuple === undefined) return items
  if (tuple.keyword === "items") scope.cleaning.change(place, "items", "sent as prefixItems")
  const prefixItems = tuple.items.map((item, index) =>
    narrowed(item, within(place, tuple.keyword, String(index)), scope),
  )
  return { prefixItems, ...items }
}

function additionalOf({ schema, place, used, scope }: Draft): JsonObject {
  const { additionalProperties } = schema
  if (additionalProperties === undefined) return {}
  used.add("additionalProperties")
  if (typeof additionalProperties === "boolean") return { additionalProperties }
  if (!constrains(additionalProperties)) return { additionalProperties: {} }
  return {
    additionalProperties: narrowed(additionalProperties, within(place, "additionalProperties"), scope),
  }
}

/** The whole schema with the definitions that it refers to, and those that they refer to in turn. */
export function withDefinitions(schema: JsonObject, draft: Pick<Draft, "place" | "scope">): JsonObject {
  const definitions = definitionsOf(draft.scope.cleaning.root)
  const done = new Map<string, unknown>()
  const waiting: unknown[] = [schema]
  while (waiting.length > 0) {
    for (const name of refsIn(waiting.pop())) {
      if (done.has(name) || !definitions.has(name)) continue
      const cleaned = narrow(definitions.get(name), within(draft.place, "$defs", name), draft.scope)
      done.set(name, cleaned)
      waiting.push(cleaned)
    }
  }
  return done.size === 0 ? schema : { ...schema, $defs: Object.fromEntries(done) }
}

/** Names of the definitions that a cleaned schema refers to. */
function refsIn(schema: unknown): readonly string[] {
  const names = new Set<string>()
  const waiting: unknown[] = [schema]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (Array.isArray(next)) for (const item of next) waiting.push(item)
    if (!isObject(next)) continue
    const ref = next["$ref"]
    if (typeof ref === "string" && ref.startsWith("#/$defs/")) names.add(ref.slice("#/$defs/".length))
    for (const inner of Object.values(next)) waiting.push(inner)
  }
  return [...names]
}
