// The text half of the reader of every dialect: its state, and what becomes of text and reasoning in it.

import { changed } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { ErrorContext } from "../../protocol/upstream-error.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { Delta, Search } from "../delta.ts"
import {
  flushTextCalls,
  initialTextCalls,
  readTextCalls,
  type TextCallState,
  type TextPiece,
} from "../text-calls/text-calls.ts"
import { readToolCalls, startPending, type ToolOptions } from "../tool-calls/tool-calls.ts"
import type { ToolState } from "../tool-calls/tool-slots.ts"
import type { Finish } from "./finish.ts"
import { type SearchState, tellPages } from "./search.ts"
import { flushTags, type Piece, splitTags, type TagState } from "./think-tags.ts"
import type { Tracks } from "./unroll.ts"

export interface ReaderOptions {
  readonly profile: ProviderProfile
  readonly tools: ToolOptions
  readonly stopSequences: readonly string[]
  /** false: the client switched thinking off, so reasoning that comes all the same is left out. */
  readonly showReasoning: boolean
  readonly errors: ErrorContext
  /** A web search that the upstream was asked to run. */
  readonly search?: Search | undefined
  /** Tokens that came from the cache, where a header says so: for a usage that does not. */
  readonly cachedTokens?: number | undefined
}

export interface ReaderState extends SearchState {
  readonly options: ReaderOptions
  readonly tags: TagState
  /** Pieces in a row that are marked as a thought. */
  readonly thoughts: "none" | "one" | "several"
  /** Calls that are written into the text; undefined: none are looked for (any more). */
  readonly textCalls: TextCallState | undefined
  readonly tools: ToolState
  /** White space that may turn out to be nothing but the gap before something else, and whose it is. */
  readonly space: string
  readonly spaceOf: "text" | "reasoning"
  readonly last: "nothing" | "reasoning" | "text" | "tool"
  /** A reply field gave the reasoning: what `reasoning_details` say is the same once more. */
  readonly thoughtInField: boolean
  /** The texts of the reply so far: some providers repeat them from the beginning. */
  readonly tracks: Tracks
  /** There was sound, with or without the words that are said in it. */
  readonly sounds: boolean
  readonly finish: Finish | undefined
  /** The last counts as they came, in `usage` and in llama.cpp's `timings`: together they make the usage. */
  readonly counted: unknown
  readonly timings: JsonObject | undefined
  readonly ended: boolean
}

export type Step = readonly [ReaderState, readonly Delta[]]

/** No deltas; shared, because most of what is looked at in a chunk gives none. */
export const none: readonly Delta[] = []

/** What came before, and a step after it. */
export function after(before: readonly Delta[], step: Step): Step {
  if (before.length === 0) return step
  const [state, more] = step
  return [state, more.length === 0 ? before : [...before, ...more]]
}

/** The state after a step; its deltas are added to `out`. */
export function take(step: Step, out: Delta[]): ReaderState {
  for (const delta of step[1]) out.push(delta)
  return step[0]
}

/** One step for each item; their deltas in one list, however many there are. */
export function each<T>(
  state: ReaderState,
  items: readonly T[],
  read: (state: ReaderState, item: T) => Step,
): Step {
  let current = state
  const deltas: Delta[] = []
  for (const item of items) {
    const [next, more] = read(current, item)
    current = next
    for (const delta of more) deltas.push(delta)
  }
  return [current, deltas.length === 0 ? none : deltas]
}

/** Text that may still hold think tags at its beginning. */
export function tagged(state: ReaderState, text: string): Step {
  if (state.tags.mode === "text") return modelText(state, text)
  const [tags, pieces] = splitTags(state.tags, text)
  return readPieces({ ...state, tags }, pieces)
}

/** What was held back because it could have become a tag or a call is released: something else follows, or nothing. */
export function releaseHeld(state: ReaderState): Step {
  let step: Step = [state, none]
  if (state.tags.mode !== "text") {
    const [tags, pieces] = flushTags(state.tags)
    step = readPieces({ ...state, tags }, pieces)
  }
  const current = step[0]
  if (current.textCalls === undefined) return step
  const [textCalls, pieces] = flushTextCalls(current.textCalls)
  return after(step[1], readTextPieces({ ...current, textCalls }, pieces))
}

/** Are calls looked for in the text? Only where some were offered, and until one comes as it should. */
export function initialCalls({ profile, tools }: ReaderOptions): TextCallState | undefined {
  const { offered, toolNames, schemas = noSchemas } = tools
  if (!profile.textToolCalls || offered.size === 0) return undefined
  if (toolNames.size === 0) return initialTextCalls(offered, schemas)
  const known = new Map(schemas)
  for (const [upstream, client] of toolNames) known.set(upstream, schemas.get(client) ?? {})
  return initialTextCalls(new Set([...offered, ...toolNames.keys()]), known)
}

const noSchemas: ReadonlyMap<string, JsonObject> = new Map()

function readPieces(state: ReaderState, pieces: readonly Piece[]): Step {
  const only = pieces.length === 1 ? pieces[0] : undefined
  return only === undefined ? each(state, pieces, readPiece) : readPiece(state, only)
}

function readPiece(state: ReaderState, { kind, text }: Piece): Step {
  return kind === "text" ? modelText(state, text) : reasoning(state, text, "content")
}

/** Text of the model, in which a call may be written. */
function modelText(state: ReaderState, text: string): Step {
  if (state.textCalls === undefined) return plainText(state, text)
  const [textCalls, pieces] = readTextCalls(state.textCalls, text)
  return readTextPieces({ ...state, textCalls }, pieces)
}

function readTextPieces(state: ReaderState, pieces: readonly TextPiece[]): Step {
  const only = pieces.length === 1 ? pieces[0] : undefined
  return only === undefined ? each(state, pieces, readTextPiece) : readTextPiece(state, only)
}

function readTextPiece(state: ReaderState, piece: TextPiece): Step {
  return piece.kind === "text" ? plainText(state, piece.text) : textCall(state, piece)
}

function textCall(state: ReaderState, { call }: Extract<TextPiece, { kind: "call" }>): Step {
  const entry = { function: { name: call.name, arguments: call.args } }
  const [tools, deltas] = readToolCalls(state.tools, [entry], state.options.tools, true)
  const note = changed("choices.0.message.content", `a call of ${call.name} was written as text`)
  return [{ ...state, tools, space: "", last: "tool" }, [{ kind: "note", note }, ...deltas]]
}

/** Text that is text. White space alone opens no block: it is often just the gap before a call. */
export function plainText(state: ReaderState, text: string): Step {
  if (state.last === "text") return [state, [{ kind: "text", text }]]
  if (text.trim() === "") return [holdSpace(state, "text", text), none]
  const begun = begin(state, "text")
  return after(begun.pending, [begun.state, [{ kind: "text", text: begun.space + text }]])
}

/** Reasoning, from the field named; left out where the client switched thinking off. */
export function reasoning(state: ReaderState, text: string, field: string): Step {
  if (text === "" || !state.options.showReasoning) return [state, none]
  if (state.last === "reasoning") return [state, [{ kind: "reasoning", text, field }]]
  if (text.trim() === "") return [holdSpace(state, "reasoning", text), none]
  const begun = begin(state, "reasoning")
  return after(begun.pending, [begun.state, [{ kind: "reasoning", text: begun.space + text, field }]])
}

function holdSpace(state: ReaderState, spaceOf: "text" | "reasoning", text: string): ReaderState {
  return { ...state, spaceOf, space: state.spaceOf === spaceOf ? state.space + text : text }
}

interface Begun {
  readonly state: ReaderState
  /** What comes before the content. */
  readonly pending: readonly Delta[]
  readonly space: string
}

/** Other content begins: calls that only wait to start do so, and the white space held for it is given. */
function begin(state: ReaderState, kind: "text" | "reasoning"): Begun {
  const [tools, pending] = startPending(state.tools, state.options.tools)
  const space = state.spaceOf === kind ? state.space : ""
  if (kind !== "text" || state.told !== undefined)
    return { state: { ...state, tools, space: "", last: kind }, pending, space }
  const told = state.pages.length
  const begun: ReaderState = { ...state, tools, space: "", last: kind, told }
  return { state: begun, pending: told === 0 ? pending : [...pending, ...tellPages(state)], space }
}
