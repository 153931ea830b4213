// Tool calls that open models write into their text because the server in between did not read them. Text goes
// through as it comes; from what may begin a call on, it is held until it is certain. Then it becomes a call, or
// is released as the text it was, byte for byte: a call is made only when its tool was offered and all of it
// can be read in one way. Code in Markdown is never looked at.
import type { JsonObject } from "../../protocol/json.ts"
import { openers } from "./grammar.ts"
import { follow, followAll, isCode, lineStart, type Markdown, type MarkdownWalk } from "./markdown.ts"
import { advance, entriesOf, openSection, restOf, type Section } from "./section.ts"
import type { Option } from "./steps.ts"
import { callsOf, type TextCall, type Tools } from "./values.ts"

export type { TextCall } from "./values.ts"

export type TextPiece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "call"; readonly call: TextCall }

export interface TextCallState {
  readonly tools: Tools
  /** Unread: what may be the beginning of a tag. */
  readonly rest: string
  readonly section: Section | undefined
  readonly markdown: Markdown
  /** Nothing but white space since the beginning (`start`) or since a call (`after`); it may be layout. */
  readonly layout: "start" | "after" | "text"
  readonly space: string
  /** Something looked like calls and could not be read: nothing behind it is taken for one. */
  readonly off: boolean
}

const mostHeld = 1_048_576
const mostSpace = 4_096

type Split = readonly [TextCallState, readonly TextPiece[]]

/**
 * The state before any text. `offered`: the names a call may have, the client's and those sent upstream; with
 * none, all text passes untouched. `schemas`: the tools' parameters by those names, which give the types of
 * values that are written as bare text.
 */
export function initialTextCalls(
  offered: ReadonlySet<string>,
  schemas: ReadonlyMap<string, JsonObject>,
): TextCallState {
  return freshState({ offered, schemas })
}

function freshState(tools: Tools): TextCallState {
  return { tools, rest: "", section: undefined, markdown: lineStart, layout: "start", space: "", off: false }
}

/** One piece of text in; the calls and the text that are certain come out, the rest waits in the state. */
export function readTextCalls(state: TextCallState, text: string): Split {
  if (text === "") return [state, []]
  if (state.off || state.tools.offered.size === 0) return [state, [{ kind: "text", text }]]
  const reading: Reading = {
    ...state,
    markdown: { ...state.markdown },
    text: state.rest + text,
    at: 0,
    pieces: [],
  }
  let goes = true
  while (goes)
    goes = reading.section === undefined ? readPlain(reading) : readSection(reading, reading.section)
  const { tools, section, markdown, layout, space, off } = reading
  const rest = reading.text.slice(reading.at)
  return [{ tools, rest, section, markdown, layout, space, off }, reading.pieces]
}

/**
 * Other content follows, or nothing: what was held is released, as calls where only a closing tag is missing,
 * else as text. The next text begins anew.
 */
export function flushTextCalls(state: TextCallState): Split {
  const { tools, section, rest } = state
  const pieces: TextPiece[] = []
  const last: Pick<Reading, "layout" | "space" | "pieces"> = {
    layout: state.layout,
    space: state.space,
    pieces,
  }
  const behind = section === undefined ? undefined : restOf(section, rest)
  const calls = section === undefined || behind === undefined ? undefined : callsOf(entriesOf(section), tools)
  if (calls === undefined) emit(last, (section?.raw ?? "") + rest)
  else {
    emitCalls(last, calls)
    emit(last, behind ?? "")
  }
  if (last.space !== "") pieces.push({ kind: "text", text: last.space })
  return [freshState(tools), pieces]
}

/** One piece of text being read. */
interface Reading {
  readonly tools: Tools
  readonly markdown: MarkdownWalk
  readonly pieces: TextPiece[]
  text: string
  /** How far it is read. */
  at: number
  section: Section | undefined
  layout: TextCallState["layout"]
  space: string
  off: boolean
}

const [less, bracket] = [60, 91]

/** Text up to an opener or to the end; false when no more can be read now. */
function readPlain(reading: Reading): boolean {
  const { text, at: start, markdown } = reading
  if (reading.off) return goOn(reading, start, text.length, false)
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if ((code === less || code === bracket) && !isCode(markdown)) {
      const opener = openers.find(({ literal }) => text.startsWith(literal, at))
      if (opener !== undefined) return begin(reading, start, at, opener)
      if (isCutOpener(text, at)) return goOn(reading, start, at, false)
    }
    follow(markdown, code)
  }
  return goOn(reading, start, text.length, false)
}

const longestOpener = Math.max(...openers.map(({ literal }) => literal.length))

/** Does the text end within an opener? */
function isCutOpener(text: string, at: number): boolean {
  if (text.length - at >= longestOpener) return false
  const tail = text.slice(at)
  return openers.some(({ literal }) => literal.startsWith(tail))
}

function goOn(reading: Reading, start: number, end: number, goes: boolean): boolean {
  emit(reading, reading.text.slice(start, end))
  reading.at = end
  return goes
}

function begin(reading: Reading, start: number, at: number, opener: Option): boolean {
  goOn(reading, start, at, true)
  reading.at = at + opener.literal.length
  reading.section = openSection(opener)
  return true
}

function readSection(reading: Reading, before: Section): boolean {
  const { kind, section, at } = advance(before, reading.text, reading.at)
  const held = section.raw.length
  if (kind === "waits" && held + reading.text.length - at <= mostHeld) {
    reading.section = section
    reading.at = at
    return false
  }
  reading.section = undefined
  if (kind === "breaks" && !section.committed && held <= mostHeld) return mention(reading, before)
  reading.at = at
  const calls = kind === "ends" && held <= mostHeld ? callsOf(entriesOf(section), reading.tools) : undefined
  if (calls === undefined) {
    reading.off = kind !== "ends" || held > mostHeld
    release(reading, section.raw)
  } else emitCalls(reading, calls)
  return true
}

/** An opener that nothing of a call follows is a word like any other; what stands behind it is read again. */
function mention(reading: Reading, { opener, raw }: Section): boolean {
  if (raw.length > opener.length) {
    reading.text = raw.slice(opener.length) + reading.text
    reading.at = 0
  }
  release(reading, opener)
  return true
}

function release(reading: Reading, text: string): void {
  followAll(reading.markdown, text)
  emit(reading, text)
}

type Output = Pick<Reading, "layout" | "space" | "pieces">

/** White space before all else waits, because a call may follow it; behind a call it is dropped. */
function emit(output: Output, text: string): void {
  const trimmed = output.layout === "after" ? text.trimStart() : text
  if (trimmed === "") return
  const whole = output.space + trimmed
  if (output.layout === "start" && whole.length <= mostSpace && whole.trim() === "") {
    output.space = whole
    return
  }
  output.space = ""
  output.layout = "text"
  const last = output.pieces.at(-1)
  if (last?.kind === "text")
    output.pieces[output.pieces.length - 1] = { kind: "text", text: last.text + whole }
  else output.pieces.push({ kind: "text", text: whole })
}

function emitCalls(output: Output, calls: readonly TextCall[]): void {
  output.layout = "after"
  output.space = ""
  for (const call of calls) output.pieces.push({ kind: "call", call })
}
