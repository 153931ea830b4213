// Further pieces of the block that is open, in whole characters: gateways that cut a text every so many characters count
// an emoji as two, and a client that is not written in JavaScript cannot put its halves (a surrogate pair's) together
// again. Some refuse an event with half of one in it.
import { deltaEvent } from "../../protocol/messages/delta-run.ts"
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import { quote, quoteAll, type Texts, textsOf } from "../../protocol/texts.ts"
import { deltaTypes, type Growing, grew, type WriterState } from "./writer-state.ts"

/** One more piece of the block that is open. */
export function addTo(state: WriterState, item: Growing, out: MessagesEvent[]): void {
  const text = inPairs(state, item.kind === "tool" ? item.args : item.text)
  if (text !== "") out.push(deltaEvent(state.index, deltaTypes[item.kind], text))
  grew(state, item, quote(text))
}

/** The block that is open ends here: the half that waits is written as what it is without its other one. */
export function endHalf(state: WriterState, out: MessagesEvent[]): void {
  const { open, half } = state
  if (half === "") return
  state.half = ""
  const text = "\ufffd"
  if (open.kind === "text") addTo(state, { kind: "text", text }, out)
  if (open.kind === "reasoning") addTo(state, { kind: "reasoning", text, field: open.field }, out)
}

// As JSON writes the first half of a pair; behind another backslash it is none, which only costs a second look.
const firstHalf = /\\u[dD][89abAB][\da-fA-F]{2}$/

/** Texts that are written next, in whole characters. */
export function textsInPairs(state: WriterState, texts: Texts): Texts {
  const isCut = texts.joined.includes("\\u") && texts.quoted.some((one) => firstHalf.test(one))
  if (state.half === "" && !isCut) return texts
  const whole = textsOf(texts).map((text) => inPairs(state, text))
  return quoteAll(whole.filter((text) => text !== ""))
}

/** Behind the half that waited for it, and without one at its end, which waits then. */
function inPairs(state: WriterState, text: string): string {
  const whole = state.half + text
  const isCut = isFirstHalf(whole.charCodeAt(whole.length - 1))
  state.half = isCut ? whole.slice(-1) : ""
  return isCut ? whole.slice(0, -1) : whole
}

const isFirstHalf = (code: number): boolean => code >= 0xd800 && code <= 0xdbff
