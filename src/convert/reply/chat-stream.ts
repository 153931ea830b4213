// The reader of the Chat Completions dialect: chunks of any provider become deltas here. What
// a chunk holds is never trusted, and no chunk can make this throw.
import type { ChatChoice, ChatChunk, ChatDelta, StreamInput } from "../../protocol/chat.ts"
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import { faultFromJson, isErrorJson } from "../../protocol/upstream-error.ts"
import { readMedia, readSources } from "./chat-extras.ts"
import { readOpaque, readReasoning, readSignatures } from "./chat-reasoning.ts"
import { convertUsage, mapFinishReason } from "./finish.ts"
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

/** One input in; the next state and what it means out. After `end` or `fault` nothing more comes. */
export function readChat(state: ReaderState, input: StreamInput): Step {
  if (state.ended) return [state, none]
  switch (input.kind) {
    case "chunk":
      return readChunk(state, input.chunk, false)
    case "end":
      return readEnd(state, input.clean)
    case "fault":
      return failed(state, input.fault)
    default:
      return input satisfies never
  }
}

/** A whole reply: the same reading, in one step, with every entry of `tool_calls` a call of its own. */
export function readChatReply(state: ReaderState, reply: unknown): Step {
  const [read, deltas] = readChunk(state, reply, true)
  return read.ended ? [read, deltas] : after(deltas, readEnd(read, true))
}

function readChunk(state: ReaderState, raw: unknown, whole: boolean): Step {
  if (isErrorJson(raw)) return failed(state, faultFromJson(raw, state.options.errors))
  if (!isObject(raw)) return [state, none]
  const chunk: ChatChunk = raw
  const [reported, usage] = readUsage(state, chunk)
  const [ready, sources] = readSources(reported, raw)
  // Some gateways spread one answer over several choices (seen with copilot-api).
  const choices = arrayOf(chunk.choices).filter(isObject)
  const step = each(ready, choices, (current, choice) =>
    current.ended ? [current, none] : readChoice(current, choice, whole),
  )
  return after(usage, after(sources, step))
}

/** Usage is cumulative wherever it is sent, so the last one counts and none are added. */
function readUsage(state: ReaderState, chunk: ChatChunk): Step {
  const found =
    convertUsage(chunk.usage) ??
    convertUsage(objectOf(arrayOf(chunk.choices)[0])["usage"]) ??
    convertUsage(objectOf(chunk.x_groq)["usage"])
  return found === undefined ? [state, none] : reported(state, found)
}

function readChoice(state: ReaderState, choice: ChatChoice, whole: boolean): Step {
  if (choice.error !== undefined && isErrorJson({ error: choice.error }))
    return failed(state, faultFromJson({ error: choice.error }, state.options.errors))
  const content = deltaOf(state, choice, whole)
  let step = readReasoning(state, content)
  step = after(step[1], readOpaque(step[0], content))
  step = after(step[1], readContent(step[0], content["content"]))
  const refusal = textOf(content["refusal"])
  if (refusal !== undefined) step = after(step[1], plainText(step[0], refusal))
  step = after(step[1], readMedia(step[0], content))
  step = after(step[1], readSources(step[0], content))
  step = after(step[1], readCalls(step[0], content, whole))
  const word = textOf(choice.finish_reason)
  return word === undefined ? step : after(step[1], readFinish(step[0], choice, word))
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

function readContent(state: ReaderState, content: unknown): Step {
  if (typeof content === "string") return content === "" ? [state, none] : tagged(state, content)
  return each(state, isObject(content) ? [content] : arrayOf(content), (current, part) => {
    if (isObject(part)) return readPart(current, part)
    return typeof part === "string" && part !== "" ? tagged(current, part) : [current, none]
  })
}

/** Mistral streams content as parts, thinking among them. */
function readPart(state: ReaderState, part: JsonObject): Step {
  if (part["type"] === "thinking") {
    const inner = part["thinking"]
    const parts = typeof inner === "string" ? [{ text: inner }] : arrayOf(inner).filter(isObject)
    return reasoning(state, parts.map((item) => textOf(item["text"]) ?? "").join(""), "content")
  }
  const text = textOf(part["text"]) ?? textOf(part["refusal"])
  return text === undefined ? [state, none] : tagged(state, text)
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
