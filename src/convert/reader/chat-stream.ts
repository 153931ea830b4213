// The reader of the Chat Completions dialect: chunks of any provider become deltas here. What
// a chunk holds is never trusted, and no chunk can make this throw.
import type { ChatChoice, ChatDelta, StreamInput } from "../../protocol/chat/chat.ts"
import { faultFromJson, isErrorJson } from "../../protocol/errors/upstream-error.ts"
import type { Fault } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import type { Delta } from "../common/delta.ts"
import { readMedia, readSources } from "./chat-extras.ts"
import { readOpaque, readReasoning, readSignatures } from "./chat-reasoning.ts"
import { readRun } from "./chat-run.ts"
import { convertUsage, mapFinishReason } from "./finish.ts"
import { type FoundUsage, orUsage } from "./first-usage.ts"
import { called, failed, finished, readEnd, reported } from "./reader.ts"
import {
  hasBegun,
  none,
  otherText,
  type ReaderState,
  reasoning,
  releaseHeld,
  type Step,
  tagged,
  take,
} from "./reader-text.ts"
import { flaggedText, isFlagged } from "./thought-flags.ts"
import { mayRepeat, unroll } from "./unroll.ts"

/** One input in, which changes the state; what it means out. After `end` or `fault` nothing more comes. */
export function readChat(state: ReaderState, input: StreamInput): readonly Delta[] {
  if (state.ended) return none
  const out: Delta[] = []
  if (input.kind === "run") readRun(state, input.run, readOne, out)
  else readInput(state, input, out)
  return out
}

function readInput(state: ReaderState, input: Exclude<StreamInput, { kind: "run" }>, out: Delta[]): void {
  switch (input.kind) {
    case "chunk":
      readChunk(state, input.chunk, false, out)
      return
    case "end":
      readPiece(state, nothingSaid, true, out)
      take(readEnd(state, input.clean), out)
      return
    case "fault":
      broken(state, input.fault, out)
      return
    default:
      input satisfies never
  }
}

const nothingSaid: JsonObject = Object.freeze({})

/** One chunk of a run that cannot be cut short. */
function readOne(state: ReaderState, chunk: JsonObject, out: Delta[]): void {
  readChunk(state, chunk, false, out)
}

/** What was held back is given before the reply breaks off: it may be complete all the same. */
function broken(state: ReaderState, fault: Fault, out: Delta[]): void {
  readPiece(state, nothingSaid, true, out)
  take(failed(state, fault), out)
}

/** A whole reply: the same reading, in one step, with every entry of `tool_calls` a call of its own. */
export function readChatReply(state: ReaderState, reply: unknown): readonly Delta[] {
  const out: Delta[] = []
  readChunk(state, unwrapped(reply), true, out)
  if (!state.ended) take(readEnd(state, true), out)
  return out
}

/** Cline's gateway puts the reply into an envelope: `{"data": {…}, "success": true}` (cline/cline#13348). */
function unwrapped(reply: unknown): unknown {
  if (!isObject(reply) || reply["choices"] !== undefined) return reply
  const data = reply["data"]
  return isObject(data) && Array.isArray(data["choices"]) ? data : reply
}

function readChunk(state: ReaderState, raw: unknown, whole: boolean, out: Delta[]): void {
  if (isErrorJson(raw)) {
    broken(state, faultFromJson(raw, state.options.errors), out)
    return
  }
  if (!isObject(raw)) return
  readUsage(state, raw, out)
  // Some gateways spread one answer over several choices (seen with copilot-api).
  const choices = arrayOf(raw["choices"])
  if (state.options.search !== undefined) readAllSources(state, raw, choices.filter(isObject), whole)
  for (const choice of choices) {
    if (state.ended) break
    if (isObject(choice)) readChoice(state, choice, whole, out)
  }
}

/** The pages of a search are told before the words, so they are read first. */
function readAllSources(
  state: ReaderState,
  chunk: JsonObject,
  choices: readonly ChatChoice[],
  whole: boolean,
): void {
  readSources(state, chunk)
  for (const one of choices) readSources(state, deltaOf(state, one, whole))
}

/** Usage is cumulative wherever it is sent, so the last one counts and none are added. */
function readUsage(state: ReaderState, chunk: JsonObject, out: Delta[]): void {
  const { cachedTokens } = state.options
  const first = usageIn(chunk)
  if (first === undefined && !isObject(chunk["timings"])) return
  const counted = first === undefined ? state.counted : first.raw
  const timings = isObject(chunk["timings"]) ? chunk["timings"] : state.timings
  const isAll = timings === undefined && cachedTokens === undefined
  const found = first !== undefined && isAll ? first.usage : convertUsage(counted, timings, cachedTokens)
  if (found !== undefined) take(reported(state, found, counted, timings), out)
}

/** The usage of a chunk: places that may hold one, in the order in which they are believed. */
function usageIn(chunk: JsonObject): FoundUsage | undefined {
  let found = orUsage(undefined, chunk["usage"])
  for (const choice of arrayOf(chunk["choices"])) found = orUsage(found, objectOf(choice)["usage"])
  return orUsage(found, objectOf(chunk["x_groq"])["usage"])
}

function readChoice(state: ReaderState, choice: ChatChoice, whole: boolean, out: Delta[]): void {
  const { error } = choice
  if (error !== undefined && isErrorJson({ error })) {
    broken(state, faultFromJson({ error }, state.options.errors), out)
    return
  }
  const given = deltaOf(state, choice, whole)
  const word = finishWord(choice)
  if (whole) readSaid(state, given, true, out)
  else readPiece(state, given, word !== undefined, out)
  if (word !== undefined) take(readFinish(state, choice, word), out)
}

/** A piece of a stream, without what it only repeats. */
function readPiece(state: ReaderState, given: JsonObject, over: boolean, out: Delta[]): void {
  const { profile } = state.options
  if (!mayRepeat(state.tracks, given, profile)) {
    readSaid(state, given, false, out)
    return
  }
  const { tracks, content, before, field } = unroll(state.tracks, given, profile, over)
  state.tracks = tracks
  if (before !== "") take(tagged(state, before), out)
  readSaid(state, content, false, out, field)
}

function readSaid(
  state: ReaderState,
  content: ChatDelta & JsonObject,
  whole: boolean,
  out: Delta[],
  field?: string,
): void {
  readReasoning(state, content, field, out)
  readOpaque(state, content, out)
  readContent(state, content, out)
  const refusal = textOf(content.refusal)
  if (refusal !== undefined) take(otherText(state, refusal), out)
  readMedia(state, content, out)
  readCalls(state, content, whole, out)
}

/** Fake streams put a whole message into their last chunk: read only if nothing was streamed before. */
function deltaOf(state: ReaderState, choice: ChatChoice, whole: boolean): JsonObject {
  const delta = objectOf(choice.delta)
  if (!isObject(choice.message)) return delta
  if (whole) return choice.message
  return hasBegun(state) || Object.entries(delta).some(saysSomething) ? delta : choice.message
}

/** A role alone says nothing, nor does a field that is there and empty. */
function saysSomething([field, value]: readonly [string, unknown]): boolean {
  return field !== "role" && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0)
}

function readContent(state: ReaderState, said: JsonObject, out: Delta[]): void {
  const { content } = said
  const flagged = isFlagged(said)
  if (typeof content === "string") readText(state, content, flagged, out)
  else if (isObject(content)) readPart(state, content, flagged, out)
  for (const part of arrayOf(content)) {
    if (isObject(part)) readPart(state, part, flagged, out)
    else if (typeof part === "string") readText(state, part, flagged, out)
  }
}

function readText(state: ReaderState, text: string, flagged: boolean, out: Delta[]): void {
  if (text !== "") take(flaggedText(state, text, flagged), out)
}

/** Mistral streams content as parts, thinking among them; Databricks has the summary of a reasoning part. */
function readPart(state: ReaderState, part: JsonObject, flagged: boolean, out: Delta[]): void {
  if (part["type"] === "thinking" || part["type"] === "reasoning") {
    const thought = thoughtIn(part["thinking"]) || thoughtIn(part["summary"]) || thoughtIn(part["text"])
    take(reasoning(state, thought, "content"), out)
    return
  }
  const text = textOf(part["text"]) ?? textOf(part["refusal"])
  if (text !== undefined) take(flaggedText(state, text, flagged || isFlagged(part)), out)
}

function thoughtIn(value: unknown): string {
  if (typeof value === "string") return value
  const items = arrayOf(value).filter(isObject)
  return items.map((item) => textOf(item["text"]) ?? "").join("")
}

function readCalls(state: ReaderState, content: ChatDelta, whole: boolean, out: Delta[]): void {
  const calls = callsIn(content)
  if (calls.length === 0) return
  take(releaseHeld(state, "call"), out)
  const before = state.tools
  const deltas = called(state, calls, whole)
  take(readSignatures(calls, before, state.tools), out)
  take(deltas, out)
}

function callsIn({ tool_calls, function_call: legacy }: ChatDelta): readonly unknown[] {
  // Hugging Face's server and some relays send the one call by itself, in no list.
  const calls = isObject(tool_calls) && isObject(tool_calls["function"]) ? [tool_calls] : arrayOf(tool_calls)
  return calls.length === 0 && isObject(legacy) ? [{ index: 0, function: legacy }] : calls
}

/** Alibaba Cloud, and relays before it, write "null" as a text into every chunk but the last. */
function finishWord({ finish_reason }: ChatChoice): string | undefined {
  const word = textOf(finish_reason)
  return word === "null" ? undefined : word
}

function readFinish(state: ReaderState, choice: ChatChoice, word: string): Step {
  const finish = mapFinishReason(word, state.options.profile.stopReasons)
  return finished(state, finish, stoppedAt(state, choice, word))
}

/** vLLM and SGLang name the sequence they stopped at; Hugging Face's server says that there was one. */
function stoppedAt({ options }: ReaderState, choice: ChatChoice, word: string): string | undefined {
  const named = textOf(choice.stop_reason) ?? textOf(choice.matched_stop)
  const isSole = word === "stop_sequence" && options.stopSequences.length === 1
  return named ?? (isSole ? options.stopSequences[0] : undefined)
}
