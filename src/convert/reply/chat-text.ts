// The text half of the Chat reader: its state, and what becomes of text and reasoning in it.
import type { MessagesUsage } from "../../protocol/messages.ts"
import type { ErrorContext } from "../../protocol/upstream-error.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { Delta } from "../delta.ts"
import type { Finish } from "./finish.ts"
import { flushTags, type Piece, splitTags, type TagState } from "./think-tags.ts"
import { startPending, type ToolOptions } from "./tool-calls.ts"
import type { ToolState } from "./tool-slots.ts"

export interface ReaderOptions {
  readonly profile: ProviderProfile
  readonly tools: ToolOptions
  readonly stopSequences: readonly string[]
  /** false: the client switched thinking off, so reasoning that comes all the same is left out. */
  readonly showReasoning: boolean
  readonly errors: ErrorContext
}

export interface ReaderState {
  readonly options: ReaderOptions
  readonly tags: TagState
  readonly tools: ToolState
  /** White space that may turn out to be nothing but the gap before something else, and whose it is. */
  readonly space: string
  readonly spaceOf: "text" | "reasoning"
  readonly last: "nothing" | "reasoning" | "text" | "tool"
  readonly finish: Finish | undefined
  readonly usage: MessagesUsage | undefined
  readonly ended: boolean
}

export type Step = readonly [ReaderState, readonly Delta[]]

/** No deltas; shared, because most of what is looked at in a chunk gives none. */
export const none: readonly Delta[] = []

/** What came before, and a step after it. */
export function after(before: readonly Delta[], [state, more]: Step): Step {
  if (before.length === 0) return [state, more]
  return [state, more.length === 0 ? before : [...before, ...more]]
}

/** Text that may still hold think tags at its beginning. */
export function tagged(state: ReaderState, text: string): Step {
  if (state.tags.mode === "text") return plainText(state, text)
  const [tags, pieces] = splitTags(state.tags, text)
  return readPieces({ ...state, tags }, pieces)
}

/** What was held back because it could have become a tag is released: something else follows, or nothing. */
export function releaseHeld(state: ReaderState): Step {
  if (state.tags.mode === "text") return [state, none]
  const [tags, pieces] = flushTags(state.tags)
  return readPieces({ ...state, tags }, pieces)
}

function readPieces(state: ReaderState, pieces: readonly Piece[]): Step {
  let step: Step = [state, none]
  for (const { kind, text } of pieces) {
    const [current, deltas] = step
    step = after(deltas, kind === "text" ? plainText(current, text) : reasoning(current, text, "content"))
  }
  return step
}

/** Text that is text. White space alone opens no block: it is often just the gap before a call. */
export function plainText(state: ReaderState, text: string): Step {
  if (state.last === "text") return [state, [{ kind: "text", text }]]
  if (text.trim() === "") return [holdSpace(state, "text", text), none]
  const [ready, pending, space] = begin(state, "text")
  return [ready, [...pending, { kind: "text", text: space + text }]]
}

/** Reasoning, from the field named; left out where the client switched thinking off. */
export function reasoning(state: ReaderState, text: string, field: string): Step {
  if (text === "" || !state.options.showReasoning) return [state, none]
  if (state.last === "reasoning") return [state, [{ kind: "reasoning", text, field }]]
  if (text.trim() === "") return [holdSpace(state, "reasoning", text), none]
  const [ready, pending, space] = begin(state, "reasoning")
  return [ready, [...pending, { kind: "reasoning", text: space + text, field }]]
}

function holdSpace(state: ReaderState, spaceOf: "text" | "reasoning", text: string): ReaderState {
  return { ...state, spaceOf, space: state.spaceOf === spaceOf ? state.space + text : text }
}

/** Other content begins: calls that only wait to start do so, and the white space held for it is given. */
function begin(
  state: ReaderState,
  kind: "text" | "reasoning",
): readonly [ReaderState, readonly Delta[], string] {
  const [tools, pending] = startPending(state.tools, state.options.tools)
  const space = state.spaceOf === kind ? state.space : ""
  return [{ ...state, tools, space: "", last: kind }, pending, space]
}
