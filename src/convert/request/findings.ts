// Notes of one request, gathered: the same remark on many places becomes one note, with the first place and how
// many there are.
import { changed, dropped, type Note, noNotes } from "../../protocol/fault.ts"
import { isObject, type JsonObject } from "../../protocol/json.ts"

export interface Findings {
  /**
   * A field that goes nowhere; its object stands at `path`, or is item `index` there. Null says nothing, and
   * nothing is lost.
   */
  readonly field: (value: unknown, key: string, path: string, index?: number) => void
  /** A mark on a block of a message: marks there are passed on to providers that know them. */
  readonly mark: (mark: JsonObject, path: string) => void
  /** Text that is sent with half a surrogate pair in it. */
  readonly half: (path: string) => void
  readonly note: (note: Note) => void
  /** Everything found. `passesMarks`: does the provider take marks for its prefix cache? */
  readonly notes: (passesMarks: boolean) => readonly Note[]
}

interface Found {
  readonly note: Note
  count: number
}

const noCounterpart = "no counterpart in OpenAI's API"

const reasons: Readonly<Record<string, string>> = {
  cache_control: "no marks for a prefix cache are passed on",
  citations: "there are no citations here",
  defer_loading: "tools are not loaded later here: they are sent at once",
}

const reasonOf = (key: string): string =>
  (Object.hasOwn(reasons, key) ? reasons[key] : undefined) ?? noCounterpart

// Clients can invent names without end, and as long as they like.
const mostFields = 40
const longestName = 64

/** An empty collection. */
export function createFindings(): Findings {
  // Most requests say nothing that goes nowhere.
  let fields: Map<string, Found> | undefined
  let notes: Note[] | undefined
  let ttl: Found | undefined
  let broken: Found | undefined
  let rest: Found | undefined
  let isMarked = false

  function field(value: unknown, key: string, path: string, index?: number): void {
    if (value === null || value === undefined) return
    fields ??= new Map()
    const found = fields.get(key)
    if (found !== undefined) {
      found.count++
      return
    }
    const parts = [path, index, key.slice(0, longestName)]
    const place = parts.filter((part) => part !== undefined && part !== "").join(".")
    const note = dropped(place, reasonOf(key))
    if (fields.size < mostFields) fields.set(key, { note, count: 1 })
    else rest = count(rest, note)
  }

  function half(path: string): void {
    broken = count(broken, changed(path, "half a surrogate pair became U+FFFD"))
  }

  return {
    field,
    mark: (mark, path) => {
      isMarked = true
      const time = mark["ttl"]
      const why = "marks are passed on without their time"
      if (typeof time === "string" && time !== "5m") {
        ttl = count(ttl, dropped(`${path}.cache_control.ttl`, why))
      }
    },
    half,
    note: (note) => {
      notes ??= []
      notes.push(note)
    },
    notes: (passesMarks) => {
      const passed = passesMarks && isMarked
      if (passed) fields?.delete("cache_control")
      const others = [passed ? ttl : undefined, rest, broken].filter((found) => found !== undefined)
      if ((fields?.size ?? 0) + others.length === 0) return notes ?? noNotes
      return [...[...(fields?.values() ?? []), ...others].map(told), ...(notes ?? noNotes)]
    },
  }
}

/** The same remark once more: the first place is the one that is told. */
function count(found: Found | undefined, note: Note): Found {
  if (found === undefined) return { note, count: 1 }
  found.count++
  return found
}

function told({ note, count }: Found): Note {
  return count === 1 ? note : { ...note, why: `${note.why} (${count} times, first here)` }
}

/** Does JSON hold a string with half a surrogate pair? Looked through without recursion, however deep it is. */
export function halves(value: unknown): boolean {
  if (typeof value === "string") return !value.isWellFormed()
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next === "string" && !next.isWellFormed()) return true
    if (Array.isArray(next)) for (const inner of next) open.push(inner)
    else if (isObject(next)) for (const key in next) open.push(next[key])
  }
  return false
}
