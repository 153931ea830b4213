// The reader's short cut for chunks that differ in one text alone: the same result as reading each of them, without
// asking every time for what is not in it.
import { argumentsField, type ChatRun, withText } from "../../protocol/chat/chat-run.ts"
import { arrayOf, type JsonObject, objectOf } from "../../protocol/json.ts"
import { someOf, type Texts, textAt, textsOf } from "../../protocol/texts.ts"
import type { Delta, Piece } from "../common/delta.ts"
import { countPlain, passPlain } from "../text-calls/plain-run.ts"
import { readArgumentRun } from "../tool-calls/tool-run.ts"
import { readFragment } from "../tool-calls/tool-slots.ts"
import { inField } from "./chat-reasoning.ts"
import { type ReaderState, take } from "./reader-text.ts"
import { keepThoughts } from "./thought-calls.ts"
import { flaggedText } from "./thought-flags.ts"

/** Reads a run, whose deltas are added to `out`; `read` is the way of any chunk, for what cannot be cut short. */
export function readRun(state: ReaderState, run: ChatRun, read: Read, out: Delta[]): void {
  if (run.field === argumentsField) readArguments(state, run, read, out)
  else readTexts(state, run, read, out)
}

function readTexts(state: ReaderState, run: ChatRun, read: Read, out: Delta[]): void {
  const { field } = run
  // Read together where one has to be looked at: more of them often follow.
  let said: readonly string[] | undefined
  for (let at = 0; at < run.quoted.length; ) {
    const like = steadyPiece(state, field)
    const count = like === undefined ? 0 : passing(state, like, run, at)
    if (like === undefined || count === 0) {
      said ??= textsOf(run)
      readOne(state, run, said[at] ?? "", read, out)
      at++
      continue
    }
    const texts = someOf(run, at, at + count)
    const { quoted, joined, wide, whole } = texts
    out.push({ kind: "run", like, quoted, joined, wide, whole })
    passedBy(state, texts)
    at += count
  }
}

/** How many of the texts from `from` on pass as pieces like this one. */
function passing({ textCalls }: ReaderState, like: Piece, texts: Texts, from: number): number {
  if (like.kind !== "text" || textCalls === undefined) return texts.quoted.length - from
  return countPlain(textCalls, texts, from)
}

/** What is looked for in text has to know what it follows; in thoughts it is looked for at their end. */
function passedBy(state: ReaderState, texts: Texts): void {
  if (state.textCalls === undefined) return
  if (state.last === "text") state.textCalls = passPlain(state.textCalls, texts)
  else keepThoughts(state, texts)
}

/** Text behind text, or thoughts behind thoughts: they pass, unless something is found in them. */
function steadyPiece(state: ReaderState, field: string): Piece | undefined {
  const { tags, thoughts, last, options, thoughtInField } = state
  if (isUnrolled(state)) return undefined
  if (field === "content") {
    return tags.mode === "text" && thoughts === "none" && last === "text" ? someText : undefined
  }
  const { showReasoning, profile } = options
  const goesOn = last === "reasoning" && thoughtInField && tags.unproved === undefined && showReasoning
  return goesOn && profile.reasoning.replyFields.includes(field)
    ? { kind: "reasoning", text: "", field }
    : undefined
}

/** Texts that may repeat what came before are compared with it, each by itself. */
function isUnrolled({ options, tracks }: ReaderState): boolean {
  return options.profile.cumulative || tracks.texts.size > 0
}

const someText: Piece = { kind: "text", text: "" }

/** One text of a run. */
function readOne(state: ReaderState, run: ChatRun, text: string, read: Read, out: Delta[]): void {
  const { field } = run
  const isReasoning = state.options.profile.reasoning.replyFields.includes(field)
  if (isUnrolled(state) || (field !== "content" && !isReasoning)) read(state, withText(run, text), out)
  else take(field === "content" ? flaggedText(state, text, false) : inField(state, text, field), out)
}

type Read = (state: ReaderState, chunk: JsonObject, out: Delta[]) => void

function readArguments(state: ReaderState, run: ChatRun, read: Read, out: Delta[]): void {
  const { quoted } = run
  const index = callIndex(run)
  const whole = state.options.tools.wholeArguments === true
  for (let at = 0; at < quoted.length; ) {
    const [tools, count] = isCalling(state)
      ? readArgumentRun(state.tools, index, run, at, whole, out)
      : [state.tools, 0]
    state.tools = tools
    at += count
    if (at >= quoted.length) break
    read(state, withText(run, textAt(run, at)), out)
    at++
  }
}

/** A call came last, its pieces pass, and nothing is held back that would have to come before the next one. */
function isCalling(state: ReaderState): boolean {
  const { tags, textCalls, last, space } = state
  return (
    last === "tool" && tags.mode === "text" && textCalls === undefined && space === "" && !isUnrolled(state)
  )
}

function callIndex({ chunk }: ChatRun): string | undefined {
  const { delta } = objectOf(arrayOf(chunk["choices"])[0])
  return readFragment(objectOf(arrayOf(objectOf(delta)["tool_calls"])[0])).index
}
