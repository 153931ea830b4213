// The reader of the Chat Completions dialect: chunks of any provider become deltas here. What
// a chunk holds is never trusted, and no chunk can make this throw.
import type { ChatChoice, ChatChunk, ChatDelta, StreamInput } from "../../protocol/chat.ts"
import type { Fault } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import { faultFromJson, isErrorJson } from "../../protocol/upstream-error.ts"
import { readMedia, readSources } from "./chat-extras.ts"
import { readOpaque, readReasoning, readSignatures } from "./chat-reasoning.ts"
import { readRun } from "./chat-run.ts"
import { convertUsage, mapFinishReason } from "./finish.ts"
import { firstUsage } from "./first-usage.ts"
import { called, failed, finished, readEnd, reported } from "./reader.ts"
import {
  after,
  each,
  none,
  plainText,
  type ReaderState,
  reasoning,
  releaseHeld,
  type Step,
  tagged,
} from "./reader-text.ts"
import { flaggedText, isFlagged } from "./thought-flags.ts"
import { unroll } from "./unroll.ts"

/** One input in; the next state and what it means out. After `end` or `fault` nothing more comes. */
export function readChat(state: ReaderState, input: StreamInput): Step {
  if (state.ended) return [state, none]
  switch (input.kind) {
    case "chunk":
      return readChunk(state, input.chunk, false)
    case "run":
      return readRun(state, input.run, (current, chunk) => readChunk(current, chunk, false))
    case "end": {
      const [ready, before] = readPiece(state, {}, true)
      return after(before, readEnd(ready, input.clean))
    }
    case "fault":
      return broken(state, input.fault)
    default:
      return input satisfies never
  }
}

/** What was held back is given before the reply breaks off: it may be complete all the same. */
function broken(state: ReaderState, fault: Fault): Step {
  const [ready, before] = readPiece(state, {}, true)
  return after(before, failed(ready, fault))
}

/** A whole reply: the same reading, in one step, with every entry of `tool_calls` a call of its own. */
export function readChatReply(state: ReaderState, reply: unknown): Step {
  const [read, deltas] = readChunk(state, reply, true)
  return read.ended ? [read, deltas] : after(deltas, readEnd(read, true))
}

function readChunk(state: ReaderState, raw: unknown, whole: boolean): Step {
  if (isErrorJson(raw)) return broken(state, faultFromJson(raw, state.options.errors))
  if (!isObject(raw)) return [state, none]
  const chunk: ChatChunk = raw
  const [reported, usage] = readUsage(state, raw)
  // Some gateways spread one answer over several choices (seen with copilot-api).
  const choices = arrayOf(chunk.choices).filter(isObject)
  const ready = state.options.search === undefined ? reported : readAllSources(reported, raw, choices, whole)
  const step = each(ready, choices, (current, choice) =>
    current.ended ? [current, none] : readChoice(current, choice, whole),
  )
  return after(usage, step)
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
function readUsage(state: ReaderState, chunk: JsonObject): Step {
  const { cachedTokens } = state.options
  const first = firstUsage(usagesIn(chunk))
  if (first === undefined && !isObject(chunk["timings"])) return [state, none]
  const counted = first === undefined ? state.counted : first.raw
  const timings = isObject(chunk["timings"]) ? chunk["timings"] : state.timings
  const isAll = timings === undefined && cachedTokens === undefined
  const found = first !== undefined && isAll ? first.usage : convertUsage(counted, timings, cachedTokens)
  return found === undefined ? [state, none] : reported(state, found, counted, timings)
}

/** Everything in a chunk that may be its usage, in the order in which it is believed. */
function usagesIn(chunk: JsonObject): readonly JsonObject[] {
  const found: JsonObject[] = []
  if (isObject(chunk["usage"])) found.push(chunk["usage"])
  for (const choice of arrayOf(chunk["choices"])) {
    const { usage } = objectOf(choice)
    if (isObject(usage)) found.push(usage)
  }
  const { usage } = objectOf(chunk["x_groq"])
  if (isObject(usage)) found.push(usage)
  return found
}

function readChoice(state: ReaderState, choice: ChatChoice, whole: boolean): Step {
  if (choice.error !== undefined && isErrorJson({ error: choice.error }))
    return broken(state, faultFromJson({ error: choice.error }, state.options.errors))
  const given = deltaOf(state, choice, whole)
  const word = textOf(choice.finish_reason)
  const step = whole ? readSaid(state, given, true) : readPiece(state, given, word !== undefined)
  return word === undefined ? step : after(step[1], readFinish(step[0], choice, word))
}

/** A piece of a stream, without what it only repeats. */
function readPiece(state: ReaderState, given: JsonObject, over: boolean): Step {
  const { tracks, content, before, field } = unroll(state.tracks, given, state.options.profile, over)
  const ready = tracks === state.tracks ? state : { ...state, tracks }
  const [said, deltas] = before === "" ? [ready, none] : tagged(ready, before)
  return after(deltas, readSaid(said, content, false, field))
}

function readSaid(state: ReaderState, content: JsonObject, whole: boolean, field?: string): Step {
  let step = readReasoning(state, content, field)
  step = after(step[1], readOpaque(step[0], content))
  step = after(step[1], readContent(step[0], content))
  const refusal = textOf(content["refusal"])
  if (refusal !== undefined) step = after(step[1], plainText(step[0], refusal))
  step = after(step[1], readMedia(step[0], content))
  return after(step[1], readCalls(step[0], content, whole))
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

function readContent(state: ReaderState, given: JsonObject): Step {
  const { content } = given
  const flagged = isFlagged(given)
  if (typeof content === "string")
    return content === "" ? [state, none] : flaggedText(state, content, flagged)
  return each(state, isObject(content) ? [content] : arrayOf(content), (current, part) => {
    if (isObject(part)) return readPart(current, part, flagged)
    return typeof part === "string" && part !== "" ? flaggedText(current, part, flagged) : [current, none]
  })
}

/** Mistral streams content as parts, thinking among them. */
function readPart(state: ReaderState, part: JsonObject, flagged: boolean): Step {
  if (part["type"] === "thinking") {
    const inner = part["thinking"]
    const parts = typeof inner === "string" ? [{ text: inner }] : arrayOf(inner).filter(isObject)
    return reasoning(state, parts.map((item) => textOf(item["text"]) ?? "").join(""), "content")
  }
  const text = textOf(part["text"]) ?? textOf(part["refusal"])
  return text === undefined ? [state, none] : flaggedText(state, text, flagged || isFlagged(part))
}

function readCalls(state: ReaderState, content: ChatDelta, whole: boolean): Step {
  const legacy = isObject(content.function_call) ? [{ index: 0, function: content.function_call }] : []
  const calls = arrayOf(content.tool_calls).length > 0 ? arrayOf(content.tool_calls) : legacy
  if (calls.length === 0) return [state, none]
  const [ready, before] = releaseHeld(state)
  const [next, deltas] = called(ready, calls, whole)
  return after([...before, ...readSignatures(calls, ready.tools, next.tools)], [next, deltas])
}

function readFinish(state: ReaderState, choice: ChatChoice, word: string): Step {
  const finish = mapFinishReason(word, state.options.profile.stopReasons)
  // vLLM names the sequence it stopped at; others do not tell.
  return finished(state, finish, textOf(choice.stop_reason))
}
