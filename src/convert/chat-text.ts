// The text half of the Chat reader: its state, and what becomes of text and reasoning in it.
import type { MessagesUsage } from "../protocol/messages.ts"
import type { ErrorContext } from "../protocol/upstream-error.ts"
import type { ProviderProfile } from "../providers/profile.ts"
import type { Delta } from "./delta.ts"
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
  /** White space that may turn out to be nothing but the gap before a tool call. */
  readonly space: string
  readonly last: "nothing" | "reasoning" | "text" | "tool"
  readonly finish: Finish | undefined
  readonly usage: MessagesUsage | undefined
  readonly ended: boolean
}

export type Step = readonly [ReaderState, readonly Delta[]]

/** Text that may still hold think tags at its beginning. */
export function tagged(state: ReaderState, text: string): Step {
  if (state.tags.mode === "text") return plainText(state, text)
  const [tags, pieces] = splitTags(state.tags, text)
  return readPieces({ ...state, tags }, pieces)
}

/** What was held back because it could have become a tag is released: something else follows, or nothing. */
export function releaseHeld(state: ReaderState): Step {
  const pieces = flushTags(state.tags)
  return pieces.length === 0
    ? [state, []]
    : readPieces({ ...state, tags: { ...state.tags, held: "" } }, pieces)
}

function readPieces(state: ReaderState, pieces: readonly Piece[]): Step {
  let current = state
  const deltas: Delta[] = []
  for (const piece of pieces) {
    const [next, more] =
      piece.kind === "text" ? plainText(current, piece.text) : reasoning(current, piece.text, "content")
    current = next
    deltas.push(...more)
  }
  return [current, deltas]
}

/** Text that is text. White space alone opens no block: it is often just the gap before a call. */
export function plainText(state: ReaderState, text: string): Step {
  if (state.last === "text") return [state, [{ kind: "text", text }]]
  const whole = state.space + text
  if (whole.trim() === "") return [{ ...state, space: whole }, []]
  const [tools, pending] = startPending(state.tools, state.options.tools)
  return [{ ...state, tools, space: "", last: "text" }, [...pending, { kind: "text", text: whole }]]
}

/** Reasoning, from the field named; left out where the client switched thinking off. */
export function reasoning(state: ReaderState, text: string, field: string): Step {
  if (text === "" || !state.options.showReasoning) return [state, []]
  if (state.last === "reasoning") return [state, [{ kind: "reasoning", text, field }]]
  const [tools, pending] = startPending(state.tools, state.options.tools)
  return [{ ...state, tools, space: "", last: "reasoning" }, [...pending, { kind: "reasoning", text, field }]]
}
