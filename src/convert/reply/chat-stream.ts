// The reader of the Chat Completions dialect: chunks of any provider become deltas here. What
// a chunk holds is never trusted, and no chunk can make this throw.
import type { ChatChoice, ChatChunk, ChatDelta, StreamInput } from "../../protocol/chat.ts"
import { type Fault, fault } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import { overflowMessage } from "../../protocol/overflow.ts"
import { faultFromJson, isErrorJson } from "../../protocol/upstream-error.ts"
import type { Delta } from "../delta.ts"
import { endToolCalls, readToolCalls } from "../tool-calls/tool-calls.ts"
import { initialTools } from "../tool-calls/tool-slots.ts"
import { missingSearch, readMedia, readSources } from "./chat-extras.ts"
import { readOpaque, readReasoning, readSignatures } from "./chat-reasoning.ts"
import {
  after,
  initialCalls,
  none,
  plainText,
  type ReaderOptions,
  type ReaderState,
  reasoning,
  releaseHeld,
  type Step,
  tagged,
} from "./chat-text.ts"
import { convertUsage, type Finish, laterUsage, mapFinishReason } from "./finish.ts"
import { initialTags } from "./think-tags.ts"

/** The state before the first chunk. */
export function initialChatReader(options: ReaderOptions): ReaderState {
  return {
    options,
    tags: initialTags(options.profile.reasoning.thinkTags),
    textCalls: initialCalls(options),
    tools: initialTools,
    space: "",
    spaceOf: "text",
    last: "nothing",
    details: [],
    searched: false,
    finish: undefined,
    usage: undefined,
    ended: false,
  }
}

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

/** Once a finish reason is known all of the reply is here: what then fails changes nothing for the client. */
function failed(state: ReaderState, found: Fault): Step {
  if (state.finish !== undefined) return readEnd(state, true)
  return [{ ...state, ended: true }, [{ kind: "fault", fault: found }]]
}

function readChunk(state: ReaderState, raw: unknown, whole: boolean): Step {
  if (isErrorJson(raw)) return failed(state, faultFromJson(raw, state.options.errors))
  if (!isObject(raw)) return [state, none]
  const chunk: ChatChunk = raw
  let step = readUsage(state, chunk)
  step = after(step[1], readSources(step[0], raw))
  // Some gateways spread one answer over several choices (seen with copilot-api).
  for (const choice of arrayOf(chunk.choices)) {
    const [current, deltas] = step
    if (current.ended) break
    if (isObject(choice)) step = after(deltas, readChoice(current, choice, whole))
  }
  return step
}

/** Usage is cumulative wherever it is sent, so the last one counts and none are added. */
function readUsage(state: ReaderState, chunk: ChatChunk): Step {
  const found =
    convertUsage(chunk.usage) ??
    convertUsage(objectOf(arrayOf(chunk.choices)[0])["usage"]) ??
    convertUsage(objectOf(chunk.x_groq)["usage"])
  if (found === undefined) return [state, none]
  const usage = laterUsage(state.usage, found)
  return [{ ...state, usage }, [{ kind: "usage", usage }]]
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
  let step: Step = [state, none]
  for (const part of isObject(content) ? [content] : arrayOf(content)) {
    const [current, deltas] = step
    if (isObject(part)) step = after(deltas, readPart(current, part))
    else if (typeof part === "string" && part !== "") step = after(deltas, tagged(current, part))
  }
  return step
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
  const [tools, deltas] = readToolCalls(ready.tools, calls, state.options.tools, whole)
  const signatures = readSignatures(calls, ready.tools, tools)
  // A server that reads its model's calls leaves none in the text.
  const next: ReaderState = { ...ready, tools, textCalls: undefined, space: "", last: "tool" }
  return after(before, [next, [...signatures, ...deltas]])
}

function readFinish(state: ReaderState, choice: ChatChoice, word: string): Step {
  const finish = mapFinishReason(word, state.options.profile.stopReasons)
  const earlier = state.finish
  // With several choices the first reason that is not a plain stop counts, and no failure undoes a stop.
  const plain = earlier?.kind === "stop" && earlier.reason === "end_turn"
  if (earlier !== undefined && (!plain || finish.kind === "fault")) return [state, none]
  if (finish.kind === "fault") return failed(state, finish.fault)
  if (finish.kind === "window" && state.last === "nothing") {
    const { inputTokens, contextWindow } = state.options.errors
    const message = overflowMessage("", inputTokens, contextWindow)
    return failed(state, fault({ kind: "invalid_request_error", source: "upstream", message }))
  }
  return [{ ...state, finish }, [finishDelta(state, choice, finish)]]
}

function finishDelta(state: ReaderState, choice: ChatChoice, finish: Finish): Delta {
  if (finish.kind === "window") return { kind: "finish", reason: "max_tokens", stopSequence: null }
  // vLLM names the sequence it stopped at; others do not tell.
  const stopped = textOf(choice.stop_reason)
  if (stopped !== undefined && state.options.stopSequences.includes(stopped)) {
    return { kind: "finish", reason: "stop_sequence", stopSequence: stopped }
  }
  const filtered = state.options.profile.contentFilter
  return { kind: "finish", reason: finish.kind === "stop" ? finish.reason : filtered, stopSequence: null }
}

function readEnd(state: ReaderState, clean: boolean): Step {
  if (!clean && state.finish === undefined) {
    return [{ ...state, ended: true }, [{ kind: "end", clean: false }]]
  }
  let step = releaseHeld(state)
  const [current, released] = step
  const extra = lastWords(current)
  if (extra !== undefined) step = after(released, plainText(current, extra))
  const [ready, deltas] = step
  if (ready.last === "nothing" && ready.finish === undefined) return failed(ready, noReply(ready))
  const cut = ready.finish?.kind === "stop" && ready.finish.reason === "max_tokens"
  const calls = endToolCalls(ready.tools, ready.options.tools, cut)
  return [
    { ...ready, ended: true },
    [...deltas, ...missingSearch(ready), ...calls, { kind: "end", clean: true }],
  ]
}

/** Text that the end of a reply without any needs. */
function lastWords({ last, finish, tags, options }: ReaderState): string | undefined {
  if (last === "text" || last === "tool") return undefined
  if (finish?.kind === "filtered" && options.profile.contentFilter === "refusal") return undefined
  if (finish?.kind === "filtered") return "[The provider's content filter stopped this reply.]"
  // The closing tag never came: what was taken for reasoning was the answer, unless it was cut short.
  if (tags.unproved === undefined || tags.unproved.trim() === "") return undefined
  return finish?.kind === "stop" && finish.reason === "max_tokens" ? undefined : tags.unproved
}

function noReply({ options }: ReaderState): Fault {
  const message = `[${options.errors.provider}] the upstream's reply is empty: it holds no choices`
  const retry = "before-first-byte"
  return fault({ kind: "api_error", source: "upstream", status: 502, retry, message })
}
