// One piece of text being read, and what becomes of what was held of it: calls, or text.
import { addToLine, type Line, newLine, type Place, placeBehind } from "./line.ts"
import { follow, followAll, lineStart, type Markdown, type MarkdownWalk } from "./markdown.ts"
import { emit, emitCalls, type Output } from "./output.ts"
import type { Section } from "./section.ts"
import type { TextCall, Tools } from "./values.ts"
import {
  addRaw,
  callsOfGroup,
  groupsOf,
  isWaiting,
  nothingWaits,
  saysTwice,
  type Waiting,
} from "./waiting.ts"

export interface TextCallState {
  readonly tools: Tools
  /** Unread: what may be the beginning of a tag. */
  readonly rest: string
  readonly section: Section | undefined
  /** Where the section stands; `sure`: one of special tokens, whose place says nothing; `alone`: as in waiting.ts. */
  readonly place: Place | "sure" | "alone"
  readonly waiting: Waiting
  readonly markdown: Markdown
  /** The line that the text ends in, without what is held. */
  readonly line: Line
  readonly layout: Output["layout"]
  readonly space: string
  /** A call that could be read was left in the text: here is talk about calls. */
  readonly examples: boolean
  /** Something looked like calls and could not be read: nothing behind it is taken for one. */
  readonly off: boolean
}

/** Is there text of which it is not known yet what it is? */
export const isHolding = ({ rest, section, waiting, space: gap }: TextCallState): boolean =>
  rest !== "" || section !== undefined || gap !== "" || isWaiting(waiting)

/** Before any text. */
export function freshState(tools: Tools): TextCallState {
  return {
    ...{ tools, rest: "", section: undefined, place: "own", waiting: nothingWaits, markdown: lineStart },
    ...{ line: newLine, layout: "start", space: "", examples: false, off: false },
  }
}

/** One piece of text being read. */
export interface Reading extends Output {
  readonly tools: Tools
  readonly markdown: MarkdownWalk
  text: string
  /** How far it is read. */
  at: number
  section: Section | undefined
  place: TextCallState["place"]
  waiting: Waiting
  line: Line
  examples: boolean
  off: boolean
}

/** The state, with the text that is to be read on in it. */
export function startReading(state: TextCallState, text: string): Reading {
  return { ...state, markdown: { ...state.markdown }, text, at: 0, pieces: [] }
}

const [newline, space] = [10, 32]

/** Where a section stands that begins here: on a line with calls, where they stand. */
export function placeOf({ waiting, line, examples }: Reading): Place | "alone" {
  if (waiting.line !== undefined) return waiting.line.place
  const place = placeBehind(line)
  return place === "glued" && examples ? "quoted" : place
}

/** Text that says nothing, as far as `to`, waits with the calls before it; always true: reading goes on. */
export function hold(reading: Reading, to: number): boolean {
  reading.waiting = addRaw(reading.waiting, reading.text.slice(reading.at, to))
  reading.at = to
  return true
}

/** Decides what waits: `own` are all calls that began their line, `earlier` those of them on earlier lines. */
export function settle(reading: Reading, taken: "all" | "own" | "earlier"): boolean {
  const { waiting } = reading
  reading.waiting = nothingWaits
  const groups = groupsOf(waiting)
  const twice = taken === "all" && saysTwice(groups) ? groups[0] : undefined
  for (const group of groups) {
    const isSure = group.place === "own" && (taken === "own" || group !== waiting.line)
    if (group !== twice && (taken === "all" || isSure)) take(reading, callsOfGroup(group))
    else release(reading, group.raw)
    reading.examples ||= taken !== "all" && !isSure
  }
  return true
}

/** Calls that are certain. */
export function take(reading: Reading, calls: readonly TextCall[]): void {
  emitCalls(reading, calls)
  follow(reading.markdown, newline)
  reading.line = newLine
}

/** Text that was held is text. */
export function release(reading: Reading, text: string): void {
  followAll(reading.markdown, text)
  emit(reading, text)
  reading.line = addToLine(reading.line, text)
}

/** White space that was read while a further tag was looked for stands behind the section. */
export function giveBack(reading: Reading, raw: string): string {
  let end = raw.length
  while (end > 0 && raw.charCodeAt(end - 1) <= space) end--
  const length = raw.length - end
  if (length <= reading.at) reading.at -= length
  else {
    reading.text = raw.slice(end) + reading.text.slice(reading.at)
    reading.at = 0
  }
  return raw.slice(0, end)
}
