// A choice among object schemas, where only one object schema may stand.
import { arrayOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import { type Cleaning, deepest, type Place, within } from "./cleaning.ts"
import { type Flat, flatten, unionKeywords, unitedProperties } from "./refs.ts"

/**
 * One object schema in place of a schema with `$ref`, `allOf`, `anyOf` or `oneOf`: all properties of all
 * alternatives, and required only what every alternative requires. What is valid for the given schema is valid
 * for this one, not the other way round; the alternatives are told in a note.
 */
export function unite(schema: JsonObject, place: Place, cleaning: Cleaning): Flat {
  const flat = flatten(schema, place, cleaning)
  if (flat.schema["anyOf"] === undefined && flat.schema["oneOf"] === undefined) return flat
  const active = new Set(flat.place.active)
  const { anyOf: _any, oneOf: _one, ...rest } = flat.schema
  let base: JsonObject = rest
  for (const keyword of unionKeywords) {
    const given = flat.schema[keyword]
    if (given === undefined) continue
    const branches = branchesOf(arrayOf(given), within(flat.place, keyword), cleaning)
    for (const branch of branches) for (const target of branch.place.active) active.add(target)
    base = mergeBranches(
      base,
      branches.map((branch) => branch.schema),
    )
    const told = branches.map((branch) => namesOf(branch.schema)).join(" | ")
    cleaning.change(flat.place, keyword, `one object with all properties instead of: ${told.slice(0, 200)}`)
  }
  return { schema: base, place: { ...flat.place, active } }
}

function branchesOf(branches: readonly unknown[], place: Place, cleaning: Cleaning): readonly Flat[] {
  if (place.depth > deepest) {
    cleaning.drop(place, "", "nested too deeply")
    return []
  }
  return branches.flatMap((branch, index) => {
    if (branch === true) return [{ schema: {}, place }]
    if (!isObject(branch) || branch["type"] === "null") return []
    return [unite(branch, within(place, String(index)), cleaning)]
  })
}

/** What an alternative asks for, in few words. */
function namesOf({ required, properties }: JsonObject): string {
  const names = arrayOf(required).filter((name) => typeof name === "string")
  if (names.length > 0) return names.slice(0, 20).join("+")
  const optional = Object.keys(objectOf(properties)).slice(0, 20)
  return optional.length === 0 ? "any object" : `${optional.join(", ")} (optional)`
}

function mergeBranches(base: JsonObject, branches: readonly JsonObject[]): JsonObject {
  const [first] = branches
  if (first === undefined) return base
  const shared = branches.length === 1 ? first : {}
  const own = objectOf(base["properties"])
  const found = new Map<string, unknown[]>()
  for (const branch of branches) {
    for (const [name, inner] of Object.entries(objectOf(branch["properties"]))) {
      if (Object.hasOwn(own, name)) continue
      const given = found.get(name)
      if (given === undefined) found.set(name, [inner])
      else given.push(inner)
    }
  }
  const required = [...new Set([...arrayOf(base["required"]), ...requiredByAll(branches)])]
  const closed = branches.every((branch) => branch["additionalProperties"] === false)
  return {
    ...(closed ? { additionalProperties: false } : {}),
    ...shared,
    ...base,
    ...(found.size > 0 ? { properties: { ...own, ...unitedProperties(found, "anyOf") } } : {}),
    ...(required.length > 0 ? { required } : {}),
  }
}

function requiredByAll(branches: readonly JsonObject[]): readonly unknown[] {
  const counts = new Map<unknown, number>()
  for (const branch of branches) {
    for (const name of new Set(arrayOf(branch["required"]))) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].flatMap(([name, count]) => (count === branches.length ? [name] : []))
}
