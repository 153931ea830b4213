// Notes of one request, gathered: the same remark on many places becomes one note, with the first place and how
// many there are.
import { changed, dropped, type Note, noNotes } from "../../protocol/fault.ts"
import { isObject, lookUp } from "../../protocol/json.ts"

/** What was found in one request so far. It changes in place, by the functions below; most requests add nothing. */
export interface Findings {
  fields: Map<string, Found> | undefined
  notes: Note[] | undefined
  ttl: Found | undefined
  broken: Found | undefined
  rest: Found | undefined
  isMarked: boolean
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

const reasonOf = (key: string): string => lookUp(reasons, key) ?? noCounterpart

// Clients can invent names without end, and as long as they like.
const mostFields = 40
const longestName = 64

/** Nothing is found yet. */
export function startFindings(): Findings {
  return {
    fields: undefined,
    notes: undefined,
    ttl: undefined,
    broken: undefined,
    rest: undefined,
    isMarked: false,
  }
}

/**
 * A field that goes nowhere; its object stands at `path`, or is item `index` there. Null says nothing, and nothing is
 * lost.
 */
export function findField(
  findings: Findings,
  value: unknown,
  key: string,
  path: string,
  index?: number,
): void {
  if (value === null || value === undefined) return
  findings.fields ??= new Map()
  const { fields } = findings
  const found = fields.get(key)
  if (found !== undefined) {
    found.count++
    return
  }
  const parts = [path, index, key.slice(0, longestName)]
  const place = parts.filter((part) => part !== undefined && part !== "").join(".")
  const note = dropped(place, reasonOf(key))
  if (fields.size < mostFields) fields.set(key, { note, count: 1 })
  else findings.rest = count(findings.rest, note)
}

/** A mark at `path`, or on the request itself: marks are passed on to providers that know them. */
export function findMark(findings: Findings, mark: unknown, path: string): void {
  if (!isObject(mark)) return
  findings.isMarked = true
  const time = mark["ttl"]
  if (typeof time !== "string" || time === "5m") return
  const why = "marks are passed on without their time"
  const place = path === "" ? "cache_control.ttl" : `${path}.cache_control.ttl`
  findings.ttl = count(findings.ttl, dropped(place, why))
}

/** Text that is sent with half a surrogate pair in it. */
export function findHalf(findings: Findings, path: string): void {
  findings.broken = count(findings.broken, changed(path, "half a surrogate pair became U+FFFD"))
}

/** Whatever else there is to say. */
export function findNote(findings: Findings, note: Note): void {
  findings.notes ??= []
  findings.notes.push(note)
}

/** Everything found. `passesMarks`: does the provider take marks for its prefix cache? */
export function notesOf(findings: Findings, passesMarks: boolean): readonly Note[] {
  const { fields, notes = noNotes, ttl, rest, broken, isMarked } = findings
  const passed = passesMarks && isMarked
  if (passed) fields?.delete("cache_control")
  if (fields === undefined && ttl === undefined && rest === undefined && broken === undefined) return notes
  const told = [...(fields?.values() ?? noneFound)]
  if (passed && ttl !== undefined) told.push(ttl)
  if (rest !== undefined) told.push(rest)
  if (broken !== undefined) told.push(broken)
  return told.length === 0 ? notes : [...told.map(tell), ...notes]
}

const noneFound: readonly Found[] = []

/** The same remark once more: the first place is the one that is told. */
function count(found: Found | undefined, note: Note): Found {
  if (found === undefined) return { note, count: 1 }
  found.count++
  return found
}

function tell({ note, count }: Found): Note {
  return count === 1 ? note : { ...note, why: `${note.why} (${count} times, first here)` }
}

/** Does JSON hold a string with half a surrogate pair? Looked through without recursion, however deep it is. */
export function halves(value: unknown): boolean {
  if (typeof value === "string") return !value.isWellFormed()
  return typeof value === "object" && value !== null && halvesWithin(value)
}

function halvesWithin(value: object): boolean {
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next === "string" && !next.isWellFormed()) return true
    if (Array.isArray(next)) for (const inner of next) open.push(inner)
    else if (isObject(next)) for (const key in next) open.push(next[key])
  }
  return false
}
