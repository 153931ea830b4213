// What the cleaning of one JSON Schema shares from end to end: where it is, what it has noted, and how much it
// may still write out of definitions. Schemas come from strangers: depth and growth have limits.
import { changed, dropped, type Note, noNotes } from "../../protocol/fault.ts"
import { isObject, type JsonObject } from "../../protocol/json.ts"

/** A position inside a schema. */
export interface Place {
  /** Where it is in the client's request; a path is only put together for a note. */
  readonly step: Step
  /** Schemas around this one. */
  readonly depth: number
  /** Definitions that are being written out around this place: to meet one again is a cycle. */
  readonly active: ReadonlySet<unknown>
  /** Inside a definition that was written out, and noted, before. */
  readonly quiet: boolean
}

/** The way to a place, from its end. */
interface Step {
  readonly before: Step | undefined
  readonly key: string
}

export interface Cleaning {
  /** The whole schema, in which `$ref`s point. */
  readonly root: JsonObject
  /** Notes that a keyword (or, with "", the place itself) was left out. */
  readonly drop: (place: Place, keyword: string, why: string) => void
  /** Notes that it was rewritten. */
  readonly change: (place: Place, keyword: string, why: string) => void
  /** May this definition be written out once more? The answer yes is charged. */
  readonly afford: (definition: unknown) => boolean
  /** Was it written out before? */
  readonly known: (definition: unknown) => boolean
  readonly notes: () => readonly Note[]
}

/** Schemas nested deeper than this are replaced by one that takes anything. */
export const deepest = 200

// Definitions that use each other twice grow exponentially when they are written out.
const mostInlined = 100_000
const mostNotes = 20
const longestName = 64

export function createCleaning(root: JsonObject, path: string): Cleaning {
  // Most schemas are taken as they are.
  let notes: Note[] | undefined
  let sizes: Map<unknown, number> | undefined
  let inlined: Set<unknown> | undefined
  let left = mostInlined
  let unsaid = 0

  function add(kind: typeof dropped, place: Place, keyword: string, why: string): void {
    if (place.quiet) return
    notes ??= []
    if (notes.length < mostNotes) notes.push(kind(pathOf(place, keyword), why))
    else unsaid++
  }

  function afford(definition: unknown): boolean {
    sizes ??= new Map()
    const size = sizes.get(definition) ?? sizeOf(definition, mostInlined)
    sizes.set(definition, size)
    if (size > left) return false
    left -= size
    inlined ??= new Set()
    inlined.add(definition)
    return true
  }

  return {
    root,
    drop: (place, keyword, why) => add(dropped, place, keyword, why),
    change: (place, keyword, why) => add(changed, place, keyword, why),
    afford,
    known: (definition) => inlined?.has(definition) === true,
    notes: () => {
      const said = notes ?? noNotes
      return unsaid === 0 ? said : [...said, changed(path, `and ${unsaid} more changes like these`)]
    },
  }
}

/** The position of the whole schema. */
export function rootPlace(path: string): Place {
  return { step: { before: undefined, key: path }, depth: 0, active: noneActive, quiet: false }
}

const noneActive: ReadonlySet<unknown> = new Set()

/** The position of a schema inside the one at `place`. */
export function within({ step, depth, active, quiet }: Place, key: string, next?: string): Place {
  const inner = { before: step, key }
  return { step: next === undefined ? inner : { before: inner, key: next }, depth: depth + 1, active, quiet }
}

function pathOf({ step }: Place, keyword: string): string {
  const keys = keyword === "" ? [] : [shown(keyword)]
  let at = step
  for (; at.before !== undefined; at = at.before) keys.push(shown(at.key))
  return [at.key, ...keys.reverse()].join(".")
}

const shown = (key: string): string => key.slice(0, longestName).toWellFormed()

/** About how many characters of JSON a value is; more than `limit` is counted no further. */
function sizeOf(value: unknown, limit: number): number {
  const waiting: unknown[] = [value]
  let size = 0
  while (waiting.length > 0 && size <= limit) {
    const next = waiting.pop()
    size += typeof next === "string" ? next.length + 2 : 4
    if (Array.isArray(next)) for (const item of next) waiting.push(item)
    if (!isObject(next)) continue
    for (const [key, inner] of Object.entries(next)) {
      size += key.length
      waiting.push(inner)
    }
  }
  return size
}

/** The same data with U+FFFD for half surrogate pairs, which many servers' JSON readers refuse. */
export function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed()
  if (Array.isArray(value)) return value.map(wellFormed)
  return isObject(value) ? mapValues(value, wellFormed) : value
}

/** A copy of data (no schema) at a place: well-formed, and cut where it is nested absurdly deep. */
export function copyData(value: unknown, place: Place, cleaning: Cleaning): unknown {
  if (typeof value === "string") return value.toWellFormed()
  return typeof value !== "object" || value === null ? value : copyNested(value, place, cleaning)
}

function copyNested(value: object, place: Place, cleaning: Cleaning): unknown {
  if (place.depth > deepest) {
    cleaning.change(place, "", "nested too deeply: null in its place")
    return null
  }
  const { step, depth, active, quiet } = place
  const inner = { step, depth: depth + 1, active, quiet }
  if (Array.isArray(value)) return value.map((item) => copyData(item, inner, cleaning))
  return isObject(value) ? mapValues(value, (item) => copyData(item, inner, cleaning)) : value
}

/** The object with well-formed keys and every value replaced. */
export function mapValues(object: JsonObject, convert: (value: unknown, key: string) => unknown): JsonObject {
  const mapped: Record<string, unknown> = {}
  for (const key in object) put(mapped, key.toWellFormed(), convert(object[key], key))
  return mapped
}

/** Gives the object this member, also where an assignment would not. */
export function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value
  else Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true })
}

/** The values, each once: the same object or the same JSON. */
export function distinct(values: Iterable<unknown>): readonly unknown[] {
  const list = [...new Set(values)]
  if (list.length < 2) return list
  return [...new Map(list.map((value) => [JSON.stringify(value), value])).values()]
}
