// The reader's short cut for chunks that differ in one text alone: the same result as reading each of them, without
// asking every time for what is not in it.
import { argumentsField, type ChatRun, withText } from "../../protocol/chat-run.ts"
import { arrayOf, type JsonObject, objectOf } from "../../protocol/json.ts"
import type { Delta, Piece } from "../delta.ts"
import { readStringRun } from "../tool-calls/tool-run.ts"
import { readFragment } from "../tool-calls/tool-slots.ts"
import { inField } from "./chat-reasoning.ts"
import type { ReaderState, Step } from "./reader-text.ts"
import { flaggedText } from "./thought-flags.ts"

/** Reads a run; `read` is the way of any chunk, for what cannot be cut short. */
export function readRun(state: ReaderState, run: ChatRun, read: Read): Step {
  const { field, texts } = run
  if (field === argumentsField) return readArguments(state, run, read)
  const step = shortWay(state, field) ?? ((current, text) => read(current, withText(run, text)))
  const deltas: Delta[] = []
  let current = state
  for (const [at, text] of texts.entries()) {
    const like = steadyPiece(current, field)
    if (like !== undefined) {
      deltas.push({ kind: "run", like, texts: at === 0 ? texts : texts.slice(at) })
      break
    }
    const [next, more] = step(current, text)
    current = next
    for (const delta of more) deltas.push(delta)
  }
  return [current, deltas]
}

/** Text behind text in which nothing is looked for, or thoughts behind thoughts: they pass, and nothing changes. */
function steadyPiece(state: ReaderState, field: string): Piece | undefined {
  const { tags, thoughts, textCalls, last, options, thoughtInField } = state
  if (isUnrolled(state)) return undefined
  if (field === "content") {
    const plain = tags.mode === "text" && thoughts === "none" && textCalls === undefined && last === "text"
    return plain ? { kind: "text", text: "" } : undefined
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

function shortWay(
  state: ReaderState,
  field: string,
): ((state: ReaderState, text: string) => Step) | undefined {
  if (isUnrolled(state)) return undefined
  if (field === "content") return (current, text) => flaggedText(current, text, false)
  if (!state.options.profile.reasoning.replyFields.includes(field)) return undefined
  return (current, text) => inField(current, text, field)
}

type Read = (state: ReaderState, chunk: JsonObject) => Step

function readArguments(state: ReaderState, run: ChatRun, read: Read): Step {
  const { texts } = run
  const index = callIndex(run)
  const deltas: Delta[] = []
  let current = state
  for (let at = 0; at < texts.length; ) {
    const [tools, count] = isCalling(current)
      ? readStringRun(current.tools, index, texts, at, deltas)
      : [current.tools, 0]
    if (count > 0) current = { ...current, tools }
    at += count
    const text = texts[at]
    if (text === undefined) break
    const [next, more] = read(current, withText(run, text))
    current = next
    for (const delta of more) deltas.push(delta)
    at++
  }
  return [current, deltas]
}

/** A call came last, its pieces pass, and nothing is held back that would have to come before the next one. */
function isCalling(state: ReaderState): boolean {
  const { tags, textCalls, last, space, options } = state
  if (options.tools.wholeArguments === true) return false
  return (
    last === "tool" && tags.mode === "text" && textCalls === undefined && space === "" && !isUnrolled(state)
  )
}

function callIndex({ chunk }: ChatRun): string | undefined {
  const { delta } = objectOf(arrayOf(chunk["choices"])[0])
  return readFragment(objectOf(arrayOf(objectOf(delta)["tool_calls"])[0])).index
}
