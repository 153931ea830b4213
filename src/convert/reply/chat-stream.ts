// The reader of the Chat Completions dialect: chunks of any provider become deltas here. What
// a chunk holds is never trusted, and no chunk can make this throw.
import type { ChatChoice, ChatDelta, StreamInput } from "../../protocol/chat.ts"
import type { Fault } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import { faultFromJson, isErrorJson } from "../../protocol/upstream-error.ts"
import type { Delta } from "../delta.ts"
import { readMedia, readSources } from "./chat-extras.ts"
import { readOpaque, readReasoning, readSignatures } from "./chat-reasoning.ts"
import { readRun } from "./chat-run.ts"
import { convertUsage, mapFinishReason } from "./finish.ts"
import { type FoundUsage, orUsage } from "./first-usage.ts"
import { called, failed, finished, readEnd, reported } from "./reader.ts"
import {
  none,
  plainText,
  type ReaderState,
  reasoning,
  releaseHeld,
  type Step,
  tagged,
  take,
} from "./reader-text.ts"
import { flaggedText, isFlagged } from "./thought-flags.ts"
import { mayRepeat, unroll } from "./unroll.ts"

/** One input in; the next state and what it means out. After `end` or `fault` nothing more comes. */
export function readChat(state: ReaderState, input: StreamInput): Step {
  if (state.ended) return [state, none]
  if (input.kind === "run") return readRun(state, input.run, readOne)
  const out: Delta[] = []
  return [readInput(state, input, out), out]
}

function readInput(
  state: ReaderState,
  input: Exclude<StreamInput, { kind: "run" }>,
  out: Delta[],
): ReaderState {
  switch (input.kind) {
    case "chunk":
      return readChunk(state, input.chunk, false, out)
    case "end":
      return take(readEnd(readPiece(state, nothingSaid, true, out), input.clean), out)
    case "fault":
      return broken(state, input.fault, out)
    default:
      return input satisfies never
  }
}

const nothingSaid: JsonObject = Object.freeze({})

/** One chunk of a run that cannot be cut short. */
function readOne(state: ReaderState, chunk: JsonObject): Step {
  const out: Delta[] = []
  return [readChunk(state, chunk, false, out), out]
}

/** What was held back is given before the reply breaks off: it may be complete all the same. */
function broken(state: ReaderState, fault: Fault, out: Delta[]): ReaderState {
  return take(failed(readPiece(state, nothingSaid, true, out), fault), out)
}

/** A whole reply: the same reading, in one step, with every entry of `tool_calls` a call of its own. */
export function readChatReply(state: ReaderState, reply: unknown): Step {
  const out: Delta[] = []
  const read = readChunk(state, reply, true, out)
  return [read.ended ? read : take(readEnd(read, true), out), out]
}

function readChunk(given: ReaderState, raw: unknown, whole: boolean, out: Delta[]): ReaderState {
  if (isErrorJson(raw)) return broken(given, faultFromJson(raw, given.options.errors), out)
  if (!isObject(raw)) return given
  let state = readUsage(given, raw, out)
  // Some gateways spread one answer over several choices (seen with copilot-api).
  const choices = arrayOf(raw["choices"])
  if (state.options.search !== undefined) state = readAllSources(state, raw, choices.filter(isObject), whole)
  for (const choice of choices) {
    if (state.ended) break
    if (isObject(choice)) state = readChoice(state, choice, whole, out)
  }
  return state
}

/** The pages of a search are told before the words, so they are read first. */
function readAllSources(
  state: ReaderState,
  chunk: JsonObject,
  choices: readonly ChatChoice[],
  whole: boolean,
): ReaderState {
  return choices.map((one) => deltaOf(state, one, whole)).reduce(readSources, readSources(state, chunk))
}

/** Usage is cumulative wherever it is sent, so the last one counts and none are added. */
function readUsage(state: ReaderState, chunk: JsonObject, out: Delta[]): ReaderState {
  const { cachedTokens } = state.options
  const first = usageIn(chunk)
  if (first === undefined && !isObject(chunk["timings"])) return state
  const counted = first === undefined ? state.counted : first.raw
  const timings = isObject(chunk["timings"]) ? chunk["timings"] : state.timings
  const isAll = timings === undefined && cachedTokens === undefined
  const found = first !== undefined && isAll ? first.usage : convertUsage(counted, timings, cachedTokens)
  return found === undefined ? state : take(reported(state, found, counted, timings), out)
}

/** The usage of a chunk: places that may hold one, in the order in which they are believed. */
function usageIn(chunk: JsonObject): FoundUsage | undefined {
  let found = orUsage(undefined, chunk["usage"])
  for (const choice of arrayOf(chunk["choices"])) found = orUsage(found, objectOf(choice)["usage"])
  return orUsage(found, objectOf(chunk["x_groq"])["usage"])
}

function readChoice(state: ReaderState, choice: ChatChoice, whole: boolean, out: Delta[]): ReaderState {
  const { error } = choice
  if (error !== undefined && isErrorJson({ error }))
    return broken(state, faultFromJson({ error }, state.options.errors), out)
  const given = deltaOf(state, choice, whole)
  const word = textOf(choice.finish_reason)
  const said = whole ? readSaid(state, given, true, out) : readPiece(state, given, word !== undefined, out)
  return word === undefined ? said : take(readFinish(said, choice, word), out)
}

/** A piece of a stream, without what it only repeats. */
function readPiece(state: ReaderState, given: JsonObject, over: boolean, out: Delta[]): ReaderState {
  const { profile } = state.options
  if (!mayRepeat(state.tracks, given, profile)) return readSaid(state, given, false, out)
  const { tracks, content, before, field } = unroll(state.tracks, given, profile, over)
  const ready = tracks === state.tracks ? state : { ...state, tracks }
  const said = before === "" ? ready : take(tagged(ready, before), out)
  return readSaid(said, content, false, out, field)
}

function readSaid(
  given: ReaderState,
  content: ChatDelta & JsonObject,
  whole: boolean,
  out: Delta[],
  field?: string,
): ReaderState {
  let state = readReasoning(given, content, field, out)
  readOpaque(state, content, out)
  state = readContent(state, content, out)
  const refusal = textOf(content.refusal)
  if (refusal !== undefined) state = take(plainText(state, refusal), out)
  state = readMedia(state, content, out)
  return readCalls(state, content, whole, out)
}

/** Fake streams put a whole message into their last chunk: read only if nothing was streamed before. */
function deltaOf(state: ReaderState, choice: ChatChoice, whole: boolean): JsonObject {
  const delta = objectOf(choice.delta)
  if (!isObject(choice.message)) return delta
  if (whole) return choice.message
  const streamed = state.last !== "nothing" || state.space !== ""
  return streamed || Object.entries(delta).some(saysSomething) ? delta : choice.message
}

/** A role alone says nothing, nor does a field that is there and empty. */
function saysSomething([field, value]: readonly [string, unknown]): boolean {
  return field !== "role" && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0)
}

function readContent(given: ReaderState, said: JsonObject, out: Delta[]): ReaderState {
  const { content } = said
  const flagged = isFlagged(said)
  if (typeof content === "string") return readText(given, content, flagged, out)
  if (isObject(content)) return readPart(given, content, flagged, out)
  let state = given
  for (const part of arrayOf(content)) {
    if (isObject(part)) state = readPart(state, part, flagged, out)
    else if (typeof part === "string") state = readText(state, part, flagged, out)
  }
  return state
}

function readText(state: ReaderState, text: string, flagged: boolean, out: Delta[]): ReaderState {
  return text === "" ? state : take(flaggedText(state, text, flagged), out)
}

/** Mistral streams content as parts, thinking among them. */
function readPart(state: ReaderState, part: JsonObject, flagged: boolean, out: Delta[]): ReaderState {
  if (part["type"] === "thinking") {
    const inner = part["thinking"]
    const parts = typeof inner === "string" ? [{ text: inner }] : arrayOf(inner).filter(isObject)
    const thought = parts.map((item) => textOf(item["text"]) ?? "").join("")
    return take(reasoning(state, thought, "content"), out)
  }
  const text = textOf(part["text"]) ?? textOf(part["refusal"])
  return text === undefined ? state : take(flaggedText(state, text, flagged || isFlagged(part)), out)
}

function readCalls(state: ReaderState, content: ChatDelta, whole: boolean, out: Delta[]): ReaderState {
  const calls = callsIn(content)
  if (calls.length === 0) return state
  const ready = take(releaseHeld(state), out)
  const [next, deltas] = called(ready, calls, whole)
  for (const signature of readSignatures(calls, ready.tools, next.tools)) out.push(signature)
  for (const delta of deltas) out.push(delta)
  return next
}

function callsIn({ tool_calls, function_call: legacy }: ChatDelta): readonly unknown[] {
  const calls = arrayOf(tool_calls)
  return calls.length === 0 && isObject(legacy) ? [{ index: 0, function: legacy }] : calls
}

function readFinish(state: ReaderState, choice: ChatChoice, word: string): Step {
  const finish = mapFinishReason(word, state.options.profile.stopReasons)
  // vLLM names the sequence it stopped at; others do not tell.
  return finished(state, finish, textOf(choice.stop_reason))
}
