// YAML says more than JSON: values that lead back to themselves, numbers that are none. What is sent must be JSON.
import { isObject, type JsonObject } from "../../protocol/json.ts"

interface NotJson {
  readonly path: (string | number)[]
  readonly message: string
}

// No API takes anything like it, and deeper ones would be too much for whoever writes them.
const deepest = 64

/** The first thing that JSON cannot say, with its path; undefined: there is none. */
export function notJson(root: JsonObject): NotJson | undefined {
  // What an alias repeats is looked at once: it may stand at very many places.
  const good = new Set<object>()
  return find(root, [], [], { root, good })
}

interface Search {
  readonly root: JsonObject
  readonly good: Set<object>
}

function find(
  value: unknown,
  path: NotJson["path"],
  above: readonly object[],
  search: Search,
): NotJson | undefined {
  if (typeof value !== "object" || value === null) {
    const message = leafProblem(value)
    return message === undefined ? undefined : { path, message }
  }
  const message = nodeProblem(value, above, search)
  if (message !== undefined) return { path, message }
  if (search.good.has(value)) return undefined
  for (const [step, part] of partsOf(value)) {
    const found = find(part, [...path, step], [...above, value], search)
    if (found !== undefined) return found
  }
  search.good.add(value)
  return undefined
}

function leafProblem(value: unknown): string | undefined {
  if (typeof value === "number")
    return Number.isFinite(value) ? undefined : "must be a number, and not .inf or .nan"
  return value === null || typeof value === "string" || typeof value === "boolean" ? undefined : unsayable
}

const unsayable = "is nothing that JSON can say"

function nodeProblem(value: object, above: readonly object[], { root }: Search): string | undefined {
  if (!isPlain(value)) return unsayable
  if (above.includes(value) || (above.length > 0 && isSame(value, root)))
    return "is an alias (*name) of what it stands in, and has no end: write out what you mean"
  return above.length >= deepest ? "is nested too deeply" : undefined
}

function partsOf(value: object): readonly (readonly [string | number, unknown])[] {
  return Array.isArray(value) ? [...value.entries()] : Object.entries(value)
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The root is a copy of what the file holds: whatever has its very parts is what it was copied from. */
function isSame(value: object, root: JsonObject): boolean {
  if (!isObject(value)) return false
  const keys = Object.keys(value)
  const parts = Object.values(value).filter((part) => typeof part === "object" && part !== null)
  return (
    parts.length > 0 &&
    keys.length === Object.keys(root).length &&
    keys.every((key) => value[key] === root[key])
  )
}
