// The text half of the reader of every dialect: its state, and what becomes of text and reasoning in it.

import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import { changed } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { Delta, Search } from "../common/delta.ts"
import { type Behind, flushTextCalls } from "../text-calls/flush.ts"
import type { TextPiece } from "../text-calls/output.ts"
import { isHolding, type TextCallState } from "../text-calls/reading.ts"
import { initialTextCalls, readTextCalls } from "../text-calls/text-calls.ts"
import type { TextCall } from "../text-calls/values.ts"
import { readToolCalls, startPending } from "../tool-calls/tool-calls.ts"
import type { ToolOptions } from "../tool-calls/tool-options.ts"
import type { ToolState } from "../tool-calls/tool-slots.ts"
import type { Finish } from "./finish.ts"
import { type SearchState, tellPages } from "./search.ts"
import { beginsWithWord, flushTags, initialTags, type Piece, splitTags, type TagState } from "./think-tags.ts"
import { keepThought, type WrittenCalls } from "./thought-calls.ts"
import type { Tracks } from "./unroll.ts"

export interface ReaderOptions {
  readonly profile: ProviderProfile
  readonly tools: ToolOptions
  /** The client wants no call, so none is looked for in the text. */
  readonly noCalls?: boolean | undefined
  readonly stopSequences: readonly string[]
  /** false: the client switched thinking off, so reasoning that comes all the same is left out. */
  readonly showReasoning: boolean
  readonly errors: ErrorContext
  /** A web search that the upstream was asked to run. */
  readonly search?: Search | undefined
  /** Tokens that came from the cache, where a header says so: for a usage that does not. */
  readonly cachedTokens?: number | undefined
}

/** A reply as far as it was read. It changes in place: what is in it never does. */
export interface ReaderState extends SearchState, WrittenCalls {
  readonly options: ReaderOptions
  tags: TagState
  /** Pieces in a row that are marked as a thought. */
  thoughts: "none" | "one" | "several"
  tools: ToolState
  /** White space that may turn out to be nothing but the gap before something else, and whose it is. */
  space: string
  spaceOf: "text" | "reasoning"
  last: "nothing" | "reasoning" | "text" | "tool"
  /** A reply field gave the reasoning: what `reasoning_details` say is the same once more. */
  thoughtInField: boolean
  /** The texts of the reply so far: some providers repeat them from the beginning. */
  tracks: Tracks
  /** There was sound, with or without the words that are said in it. */
  sounds: boolean
  finish: Finish | undefined
  /** The last counts as they came, in `usage` and in llama.cpp's `timings`: together they make the usage. */
  counted: unknown
  timings: JsonObject | undefined
  ended: boolean
}

/** What a step that changed the state means for the client. */
export type Step = readonly Delta[]

/** No deltas; shared, because most of what is looked at in a chunk gives none. */
export const none: readonly Delta[] = []

/** One step after another. */
export function after(before: Step, step: Step): Step {
  if (before.length === 0) return step
  return step.length === 0 ? before : [...before, ...step]
}

/** The step's deltas are added to `out`. */
export function take(step: Step, out: Delta[]): void {
  for (const delta of step) out.push(delta)
}

/** One step for each item; their deltas in one list, however many there are. Mostly there is one. */
export function each<T>(
  state: ReaderState,
  items: readonly T[],
  read: (state: ReaderState, item: T) => Step,
): Step {
  const only = items.length === 1 ? items[0] : undefined
  if (only !== undefined) return read(state, only)
  const deltas: Delta[] = []
  for (const item of items) take(read(state, item), deltas)
  return deltas.length === 0 ? none : deltas
}

const noTags = initialTags("never")

/** Text that may still hold think tags at its beginning. */
export function tagged(state: ReaderState, text: string): Step {
  if (beginsWithWord(state.tags, text)) state.tags = noTags
  if (state.tags.mode === "text") return modelText(state, text)
  const [tags, pieces] = splitTags(state.tags, text)
  state.tags = tags
  return each(state, pieces, readPiece)
}

/** What was held back because it could have become a tag or a call is released; `behind` is what follows it. */
export function releaseHeld(state: ReaderState, behind: Behind): Step {
  let step: Step = none
  if (state.tags.mode !== "text") {
    const [tags, pieces] = flushTags(state.tags)
    state.tags = tags
    step = each(state, pieces, readPiece)
  }
  return after(step, releaseCalls(state, behind))
}

/** The same where the reply is over. */
export const releaseAll = (state: ReaderState): Step =>
  releaseHeld(state, isCut(state) ? "unknown" : "nothing")

function releaseCalls(state: ReaderState, behind: Behind): Step {
  if (state.textCalls === undefined) return none
  const [textCalls, pieces] = flushTextCalls(state.textCalls, behind)
  state.textCalls = textCalls
  return each(state, pieces, readTextPiece)
}

/** Has anything of the reply come, be it held back? */
export function hasBegun({ last, space, tags, textCalls }: ReaderState): boolean {
  const isTagged = tags.held !== "" || (tags.mode !== "start" && tags.mode !== "text")
  return last !== "nothing" || space !== "" || isTagged || (textCalls !== undefined && isHolding(textCalls))
}

/** Did the reply end where the model would have gone on? */
export const isCut = ({ finish }: ReaderState): boolean =>
  finish !== undefined && (finish.kind !== "stop" || finish.reason === "max_tokens")

/** Are calls looked for in the text? Only where some were offered, and until one comes as it should. */
export function initialCalls({ profile, tools, noCalls }: ReaderOptions): TextCallState | undefined {
  const { offered, toolNames, schemas = noSchemas } = tools
  if (!profile.textToolCalls || noCalls || offered.size === 0) return undefined
  if (toolNames.size === 0) return initialTextCalls(offered, schemas)
  const known = new Map(schemas)
  for (const [upstream, client] of toolNames) known.set(upstream, schemas.get(client) ?? {})
  return initialTextCalls(new Set([...offered, ...toolNames.keys()]), known)
}

const noSchemas: ReadonlyMap<string, JsonObject> = new Map()

function readPiece(state: ReaderState, { kind, text }: Piece): Step {
  return kind === "text" ? modelText(state, text) : reasoning(state, text, "content")
}

/** Text of the model, in which a call may be written. */
function modelText(state: ReaderState, text: string): Step {
  if (state.textCalls === undefined) return plainText(state, text)
  const [textCalls, pieces] = readTextCalls(state.textCalls, text)
  state.textCalls = textCalls
  return each(state, pieces, readTextPiece)
}

/** Text of which no more comes. */
export function lastText(state: ReaderState, text: string): Step {
  const step = modelText(state, text)
  return after(step, releaseAll(state))
}

function readTextPiece(state: ReaderState, piece: TextPiece): Step {
  return piece.kind === "text" ? plainText(state, piece.text) : textCall(state, piece.call, inText)
}

/** Where a call stood that came in no list of calls. */
interface Place {
  readonly path: string
  readonly where: string
}

const inText: Place = { path: "choices.0.message.content", where: "as text" }

/** A call that the model wrote itself. */
export function textCall(state: ReaderState, call: TextCall, { path, where }: Place): Step {
  const entry = { function: { name: call.name, arguments: call.args } }
  const [tools, deltas] = readToolCalls(state.tools, [entry], state.options.tools, true)
  const note = changed(path, `a call of ${call.name} was written ${where}`)
  state.tools = tools
  state.thought = undefined
  state.space = ""
  state.last = "tool"
  return [{ kind: "note", note }, ...deltas]
}

/** Text that is text. White space alone opens no block: it is often just the gap before a call. */
export function plainText(state: ReaderState, text: string): Step {
  if (state.last === "text") return [{ kind: "text", text }]
  if (text.trim() === "") return holdSpace(state, "text", text)
  const { pending, space } = begin(state, "text")
  return after(pending, [{ kind: "text", text: space + text }])
}

/** Text that holds no call, behind what was held back. */
export function otherText(state: ReaderState, text: string): Step {
  if (text === "") return none
  const step = releaseHeld(state, "more")
  return after(step, plainText(state, text))
}

/** Reasoning, from the field named; left out where the client switched thinking off. */
export function reasoning(state: ReaderState, text: string, field: string): Step {
  keepThought(state, text)
  if (text === "" || !state.options.showReasoning) return none
  if (state.last === "reasoning") return [{ kind: "reasoning", text, field }]
  if (text.trim() === "") return holdSpace(state, "reasoning", text)
  const held = state.last === "text" ? releaseCalls(state, "more") : none
  const { pending, space } = begin(state, "reasoning")
  return after([...held, ...pending], [{ kind: "reasoning", text: space + text, field }])
}

function holdSpace(state: ReaderState, spaceOf: "text" | "reasoning", text: string): Step {
  state.space = state.spaceOf === spaceOf ? state.space + text : text
  state.spaceOf = spaceOf
  return none
}

interface Begun {
  /** What comes before the content. */
  readonly pending: readonly Delta[]
  readonly space: string
}

/** Other content begins: calls that only wait to start do so, and the white space held for it is given. */
function begin(state: ReaderState, kind: "text" | "reasoning"): Begun {
  const [tools, pending] = startPending(state.tools, state.options.tools)
  const space = state.spaceOf === kind ? state.space : ""
  state.tools = tools
  state.space = ""
  state.last = kind
  if (kind === "text") state.thought = undefined
  if (kind !== "text" || state.told !== undefined) return { pending, space }
  state.told = state.pages.length
  return { pending: state.told === 0 ? pending : [...pending, ...tellPages(state)], space }
}
