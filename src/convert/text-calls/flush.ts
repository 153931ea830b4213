// The end of a text in which calls may be written: what becomes of what was held.
import { isBare } from "./grammar-lists.ts"
import { emit, emitCalls } from "./output.ts"
import { freshState, settle, startReading, type TextCallState } from "./reading.ts"
import { entriesOf, restOf } from "./section.ts"
import { readTextCalls, type Split } from "./text-calls.ts"
import { callsOf, type TextCall } from "./values.ts"
import { beginsBare, groupsOf, type Waiting, waitsAlone } from "./waiting.ts"

/** What follows a text: nothing, something else than text, or what nobody knows, since the reply was cut. */
export type Behind = "nothing" | "call" | "more" | "unknown"

/**
 * What was held is released, as calls where only a closing tag is missing, else as text. The next text begins anew.
 * What stands behind it decides where a call is one only if nothing does.
 */
export function flushTextCalls(state: TextCallState, behind: Behind = "nothing"): Split {
  const { tools, section, rest } = state
  const last = startReading(state, "")
  const after = section === undefined || isExample(state, behind) ? undefined : restOf(section, rest)
  const calls = section === undefined || after === undefined ? undefined : callsOf(entriesOf(section), tools)
  settle(last, taken(state, behind))
  if (calls === undefined) emit(last, (section?.raw ?? "") + rest)
  else {
    emitCalls(last, calls)
    emit(last, after ?? "")
  }
  if (last.space !== "") last.pieces.push({ kind: "text", text: last.space })
  // What stands behind text is no reply that is a call and nothing else.
  const layout = last.layout === "text" ? "text" : "start"
  return [{ ...freshState(tools), layout }, last.pieces]
}

function isExample({ place, section, waiting }: TextCallState, behind: Behind): boolean {
  if (behind === "call" && ((section !== undefined && isBare(section.opener)) || isSaidTwice(waiting)))
    return true
  if (place === "alone") return behind !== "nothing"
  return place === "quoted" || (place === "glued" && behind === "unknown")
}

/**
 * A bare call, which nothing but its place at the beginning makes one: a server that reads its model's calls has it
 * among them, and it would run twice.
 */
const isSaidTwice = (waiting: Waiting): boolean => beginsBare(groupsOf(waiting))

/** Which of the calls that wait are meant. */
function taken({ waiting }: TextCallState, behind: Behind): "all" | "own" | "earlier" {
  if (behind === "unknown" || (behind === "call" && isSaidTwice(waiting))) return "own"
  return behind !== "nothing" && waitsAlone(waiting) ? "earlier" : "all"
}

/** The calls that a text ends with; those that something follows are none. `state` says what was offered. */
export function callsAtEnd({ tools }: TextCallState, text: string): readonly TextCall[] {
  // In the middle of a text a call is no more than what an opener begins.
  const [last, first] = readTextCalls({ ...freshState(tools), layout: "text" }, text)
  const pieces = [...first, ...flushTextCalls(last)[1]]
  const from = pieces.findLastIndex((piece) => piece.kind === "text" && piece.text.trim() !== "") + 1
  return pieces.slice(from).flatMap((piece) => (piece.kind === "call" ? [piece.call] : []))
}
