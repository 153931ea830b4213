// Notes of one request, gathered: the same remark on many places becomes one note, with the first place and how
// many there are.
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"

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
  const fields = new Map<string, Found>()
  const notes: Note[] = []
  const ttls = new Map<string, Found>()
  const broken = new Map<string, Found>()
  const rest = new Map<string, Found>()
  let isMarked = false

  function field(value: unknown, key: string, path: string, index?: number): void {
    if (value === null || value === undefined) return
    const found = fields.get(key)
    if (found !== undefined) {
      found.count++
      return
    }
    const parts = [path, index, key.slice(0, longestName)]
    const place = parts.filter((part) => part !== undefined && part !== "").join(".")
    const note = dropped(place, reasonOf(key))
    if (fields.size < mostFields) fields.set(key, { note, count: 1 })
    else count(rest, note)
  }

  function half(path: string): void {
    count(broken, changed(path, "half a surrogate pair became U+FFFD"))
  }

  return {
    field,
    mark: ({ ttl }, path) => {
      isMarked = true
      const why = "marks are passed on without their time"
      if (typeof ttl === "string" && ttl !== "5m") count(ttls, dropped(`${path}.cache_control.ttl`, why))
    },
    half,
    note: (note) => notes.push(note),
    notes: (passesMarks) => {
      if (fields.size + notes.length + ttls.size + broken.size + rest.size === 0) return notes
      const passed = passesMarks && isMarked
      if (passed) fields.delete("cache_control")
      const found = [
        ...fields.values(),
        ...(passed ? ttls.values() : []),
        ...rest.values(),
        ...broken.values(),
      ]
      return [...found.map(told), ...notes]
    },
  }
}

/** There is one remark in each of these collections. */
function count(into: Map<string, Found>, note: Note): void {
  const found = into.get("")
  if (found === undefined) into.set("", { note, count: 1 })
  else found.count++
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
    if (typeof next !== "object" || next === null) continue
    for (const inner of Object.values(next)) open.push(inner)
  }
  return false
}
