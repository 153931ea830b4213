// Tool calls that open models write into their text because the server in between did not read them. Text goes
// through as it comes; from what may begin a call on, it is held until it is certain. Then it becomes a call, or
// is released as the text it was, byte for byte: a call is made only when its tool was offered and all of it
// can be read in one way. Code in Markdown is not looked at, unless a fence is the whole reply.
//
// Text also talks about calls, and an example must not run. A call between special tokens is always meant. One
// between tags is, if it begins its line and nothing but tags and tokens follows it there; or if it stands behind
// text that a call may follow (no quotation, no unfinished sentence, no example before it) and nothing but further
// calls follows it to the end of the reply. So a call that is complete waits for what follows it.
import type { JsonObject } from "../../protocol/json.ts"
import { isToken, openerAt, openers } from "./grammar.ts"
import { bareOpeners, isBare, isFence } from "./grammar-lists.ts"
import { addToLine, isBlank, newLine } from "./line.ts"
import { follow, isCode } from "./markdown.ts"
import { emit, type TextPiece } from "./output.ts"
import {
  freshState,
  giveBack,
  hold,
  placeOf,
  type Reading,
  release,
  settle,
  startReading,
  type TextCallState,
  take,
} from "./reading.ts"
import { advance, entriesOf, openSection, type Section } from "./section.ts"
import { endsWithin, type Option } from "./steps.ts"
import { callsOf, isOffered, type TextCall } from "./values.ts"
import { addCalls, endWaitingLine, isWaiting, nextOf, waitsAlone } from "./waiting.ts"

const mostHeld = 1_048_576

export type Split = readonly [TextCallState, readonly TextPiece[]]

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

/** One piece of text in; the calls and the text that are certain come out, the rest waits in the state. */
export function readTextCalls(state: TextCallState, text: string): Split {
  if (text === "") return [state, []]
  if (state.off || state.tools.offered.size === 0) return [state, [{ kind: "text", text }]]
  const reading = startReading(state, state.rest + text)
  let goes = true
  while (goes) goes = readOn(reading)
  const { tools, section, place, waiting, markdown, line, layout, space, examples, off } = reading
  const rest = reading.text.slice(reading.at)
  return [
    { tools, rest, section, place, waiting, markdown, line, layout, space, examples, off },
    reading.pieces,
  ]
}

/** False when no more can be read now. */
function readOn(reading: Reading): boolean {
  if (reading.section !== undefined) return readSection(reading, reading.section)
  return isWaiting(reading.waiting) ? readBehind(reading) : readPlain(reading)
}

const [newline, space, less, bracket, closeBracket] = [10, 32, 60, 91, 93]

/** Text up to an opener or to the end. */
function readPlain(reading: Reading): boolean {
  const { text, at: start, markdown } = reading
  if (reading.off) return goOn(reading, start, text.length, false)
  const bare = reading.layout === "start" ? bareAt(reading) : undefined
  if (bare !== undefined) return bare
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if ((code === less || code === bracket || code === closeBracket) && !isCode(markdown)) {
      const opener = openerAt(text, at)
      if (opener !== undefined) {
        goOn(reading, start, at, true)
        return begin(reading, opener)
      }
      if (isCutOpener(text, at)) return goOn(reading, start, at, false)
    }
    follow(markdown, code)
  }
  return goOn(reading, start, text.length, false)
}

/** A reply may be a call and nothing else. */
function bareAt(reading: Reading): boolean | undefined {
  const { text, at: start } = reading
  const at = start + text.slice(start).search(/\S/)
  if (at < start) return undefined
  const opener = bareOpeners.find(({ literal }) => text.startsWith(literal, at))
  if (opener === undefined && bareOpeners.some(({ literal }) => literal.startsWith(text.slice(at))))
    return goOn(reading, start, at, false)
  if (opener === undefined || openerAt(text, at) !== undefined) return undefined
  if (isCutOpener(text, at)) return goOn(reading, start, at, false)
  goOn(reading, start, at, true)
  begin(reading, opener)
  // Anything behind it makes it an example. In a fence one is shown, too, before it is made: there so does a call.
  reading.place = isFence(opener.literal) ? "alone" : "glued"
  return true
}

const isCutOpener = endsWithin(openers.map(({ literal }) => literal))

function goOn(reading: Reading, start: number, end: number, goes: boolean): boolean {
  const text = reading.text.slice(start, end)
  emit(reading, text)
  reading.line = addToLine(reading.line, text)
  reading.at = end
  return goes
}

function begin(reading: Reading, opener: Option): boolean {
  reading.at += opener.literal.length
  reading.place = isToken(opener) ? "sure" : placeOf(reading)
  reading.section = openSection(opener)
  return true
}

/** What follows a call that waits. */
function readBehind(reading: Reading): boolean {
  const { text, waiting } = reading
  let at = reading.at
  while (at < text.length && text.charCodeAt(at) <= space && text.charCodeAt(at) !== newline) at++
  hold(reading, at)
  if (at === text.length) return false
  const next = nextOf(text, at)
  switch (next.kind) {
    case "cut":
      return false
    case "opener":
      return waitsAlone(waiting) ? settle(reading, "earlier") : begin(reading, next.opener)
    case "noise":
      return hold(reading, at + next.length)
    case "prose":
      return settle(reading, "earlier")
    case "line":
      // Calls on lines of their own are certain now; they wait only for those before them.
      if (waiting.earlier === undefined && waiting.line?.place === "own") return settle(reading, "all")
      hold(reading, at + 1)
      reading.waiting = endWaitingLine(reading.waiting)
      reading.line = newLine
      return true
    default:
      return next satisfies never
  }
}

function readSection(reading: Reading, before: Section): boolean {
  const known = (name: string): boolean => isOffered(reading.tools, name)
  const { kind, section, at } = advance(before, reading.text, reading.at, known)
  const held = section.raw.length
  if (kind === "waits" && held + reading.text.length - at <= mostHeld) {
    reading.section = section
    reading.at = at
    return false
  }
  reading.section = undefined
  // A bracket says nothing: what only looked like a call behind one is a text like any other.
  const isMention = !section.committed || isBare(section.opener)
  if (kind === "breaks" && isMention && held <= mostHeld) return mention(reading, before)
  reading.at = at
  const calls = kind === "ends" && held <= mostHeld ? callsOf(entriesOf(section), reading.tools) : undefined
  if (calls !== undefined) return endSection(reading, section.raw, calls)
  settle(reading, "own")
  reading.off = kind !== "ends" || held > mostHeld
  release(reading, section.raw)
  return true
}

/** The section holds calls: whether they are meant is decided by where they stand and by what follows. */
function endSection(reading: Reading, read: string, calls: readonly TextCall[]): boolean {
  const raw = giveBack(reading, read)
  const { place } = reading
  if (place === "own" || place === "glued" || place === "alone") {
    reading.waiting = addCalls(reading.waiting, raw, calls, place)
    return true
  }
  settle(reading, "all")
  if (place === "sure") take(reading, calls)
  else release(reading, raw)
  reading.examples ||= place === "quoted"
  return true
}

/** An opener that nothing of a call follows is a word like any other; what stands behind it is read again. */
function mention(reading: Reading, { opener, raw }: Section): boolean {
  settle(reading, "earlier")
  if (raw.length > opener.length) {
    reading.text = raw.slice(opener.length) + reading.text
    reading.at = 0
  }
  const { line } = reading
  release(reading, opener)
  // A call right behind it still begins the line.
  if (isBlank(line)) reading.line = line
  return true
}
