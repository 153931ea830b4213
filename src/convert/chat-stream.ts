// The reader of the Chat Completions dialect: a provider's chunk in, deltas out. All provider trouble ends
// here; nothing in a chunk is trusted and nothing in it can make this throw.
import type { ChatChoice, ChatChunk, ChatDelta, StreamInput } from "../protocol/chat.ts"
import { type Fault, fault } from "../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, textOf } from "../protocol/json.ts"
import { overflowMessage } from "../protocol/overflow.ts"
import { faultFromJson, isErrorJson } from "../protocol/upstream-error.ts"
import {
  plainText,
  type ReaderOptions,
  type ReaderState,
  reasoning,
  releaseHeld,
  type Step,
  tagged,
} from "./chat-text.ts"
import type { Delta } from "./delta.ts"
import { convertUsage, type Finish, mapFinishReason } from "./finish.ts"
import { initialTags } from "./think-tags.ts"
import { readToolCalls, startPending } from "./tool-calls.ts"
import { initialTools } from "./tool-slots.ts"

/** The state before the first chunk. */
export function initialChatReader(options: ReaderOptions): ReaderState {
  return {
    options,
    tags: initialTags(options.profile.reasoning.thinkTags),
    tools: initialTools,
    space: "",
    last: "nothing",
    finish: undefined,
    usage: undefined,
    ended: false,
  }
}

/** One input in; the next state and what it means out. After `end` or `fault` nothing more comes. */
export function readChat(state: ReaderState, input: StreamInput): Step {
  if (state.ended) return [state, []]
  switch (input.kind) {
    case "chunk":
      return readChunk(state, input.chunk, false)
    case "end":
      return readEnd(state, input.clean)
    case "fault":
      // All of the reply is here; that the connection then broke changes nothing for the client.
      if (input.fault.cut === true && state.finish !== undefined) return readEnd(state, true)
      return [{ ...state, ended: true }, [{ kind: "fault", fault: input.fault }]]
    default:
      return input satisfies never
  }
}

/** A whole reply: the same reading, in one step, with every entry of `tool_calls` a call of its own. */
export function readChatReply(state: ReaderState, reply: unknown): Step {
  const [read, deltas] = readChunk(state, reply, true)
  if (read.ended) return [read, deltas]
  const [ended, last] = readEnd(read, true)
  return [ended, [...deltas, ...last]]
}

function readChunk(state: ReaderState, raw: unknown, whole: boolean): Step {
  if (isErrorJson(raw)) return failed(state, faultFromJson(raw, state.options.errors))
  if (!isObject(raw)) return [state, []]
  const chunk: ChatChunk = raw
  const choices = arrayOf(chunk.choices).filter(isObject)
  let [current, deltas] = readUsage(state, chunk, choices[0])
  // Some gateways spread one answer over several choices (copilot-api, wire.md §2.2).
  for (const choice of choices) {
    const [next, more] = readChoice(current, choice, whole)
    current = next
    deltas = deltas.length === 0 ? more : [...deltas, ...more]
    if (current.ended) break
  }
  return [current, deltas]
}

function failed(state: ReaderState, found: Fault): Step {
  return [{ ...state, ended: true }, [{ kind: "fault", fault: found }]]
}

/** Usage is cumulative wherever it is sent, so the last one counts and none are added. */
function readUsage(state: ReaderState, chunk: ChatChunk, choice: ChatChoice | undefined): Step {
  const raw = chunk.usage ?? choice?.usage ?? (isObject(chunk.x_groq) ? chunk.x_groq["usage"] : undefined)
  if (raw === undefined || raw === null) return [state, []]
  const usage = convertUsage(raw)
  return usage === undefined ? [state, []] : [{ ...state, usage }, [{ kind: "usage", usage }]]
}

function readChoice(state: ReaderState, choice: ChatChoice, whole: boolean): Step {
  if (isObject(choice.error))
    return failed(state, faultFromJson({ error: choice.error }, state.options.errors))
  const content = deltaOf(state, choice, whole)
  const steps: readonly ((current: ReaderState) => Step)[] = [
    (current) => readReasoning(current, content),
    (current) => readContent(current, content["content"]),
    (current) => readRefusal(current, content),
    (current) => readCalls(current, content, whole),
    (current) => readFinish(current, choice),
  ]
  let current = state
  let deltas: readonly Delta[] = []
  for (const step of steps) {
    const [next, more] = step(current)
    current = next
    if (more.length > 0) deltas = deltas.length === 0 ? more : [...deltas, ...more]
  }
  return [current, deltas]
}

/** Fake streams put a whole message into their last chunk: read only if nothing was streamed before. */
function deltaOf(state: ReaderState, choice: ChatChoice, whole: boolean): JsonObject {
  if (!whole && isObject(choice.delta)) return choice.delta
  const usable = whole || (state.last === "nothing" && state.tools.slots.length === 0)
  if (usable && isObject(choice.message)) return choice.message
  return isObject(choice.delta) ? choice.delta : {}
}

function readReasoning(state: ReaderState, content: JsonObject): Step {
  for (const field of state.options.profile.reasoning.replyFields) {
    const text = textOf(content[field])
    if (text !== undefined) return reasoning(state, text, field)
  }
  return [state, []]
}

function readContent(state: ReaderState, content: unknown): Step {
  if (typeof content === "string") return content === "" ? [state, []] : tagged(state, content)
  let current = state
  const deltas: Delta[] = []
  for (const part of arrayOf(content)) {
    if (!isObject(part)) continue
    const [next, more] = readPart(current, part)
    current = next
    deltas.push(...more)
  }
  return [current, deltas]
}

/** Mistral streams content as parts, thinking among them. */
function readPart(state: ReaderState, part: JsonObject): Step {
  if (part["type"] === "thinking") {
    const inner = part["thinking"]
    const texts =
      typeof inner === "string" ? [inner] : arrayOf(inner).map((item) => (isObject(item) ? item["text"] : ""))
    const text = texts.filter((item) => typeof item === "string").join("")
    return reasoning(state, text, "content")
  }
  const text = textOf(part["text"]) ?? textOf(part["refusal"])
  return text === undefined ? [state, []] : tagged(state, text)
}

function readRefusal(state: ReaderState, content: ChatDelta): Step {
  const text = textOf(content.refusal)
  return text === undefined ? [state, []] : plainText(state, text)
}

function readCalls(state: ReaderState, content: ChatDelta, whole: boolean): Step {
  const legacy = isObject(content.function_call) ? [{ index: 0, function: content.function_call }] : []
  const calls = arrayOf(content.tool_calls).length > 0 ? arrayOf(content.tool_calls) : legacy
  if (calls.length === 0) return [state, []]
  const [ready, before] = releaseHeld(state)
  const [tools, deltas] = readToolCalls(ready.tools, calls, state.options.tools, whole)
  return [{ ...ready, tools, space: "", last: "tool" }, [...before, ...deltas]]
}

function readFinish(state: ReaderState, choice: ChatChoice): Step {
  const word = textOf(choice.finish_reason)
  if (word === undefined) return [state, []]
  const finish = mapFinishReason(word, state.options.profile.stopReasons)
  if (finish.kind === "fault") return failed(state, finish.fault)
  if (finish.kind === "window" && state.last === "nothing") {
    const { inputTokens, contextWindow } = state.options.errors
    const message = overflowMessage("", inputTokens, contextWindow)
    return failed(state, fault({ kind: "invalid_request_error", source: "upstream", message }))
  }
  // With several choices the first reason that is not a plain stop counts.
  const earlier = state.finish
  if (earlier !== undefined && !(earlier.kind === "stop" && earlier.reason === "end_turn")) return [state, []]
  return [{ ...state, finish }, [finishDelta(state, choice, finish)]]
}

function finishDelta(state: ReaderState, choice: ChatChoice, finish: Finish): Delta {
  if (finish.kind === "window") return { kind: "finish", reason: "max_tokens", stopSequence: null }
  // vLLM names the sequence it stopped at; others do not tell.
  const stopped = textOf(choice.stop_reason)
  if (stopped !== undefined && state.options.stopSequences.includes(stopped)) {
    return { kind: "finish", reason: "stop_sequence", stopSequence: stopped }
  }
  return { kind: "finish", reason: finish.kind === "stop" ? finish.reason : "end_turn", stopSequence: null }
}

function readEnd(state: ReaderState, clean: boolean): Step {
  const complete = clean || state.finish !== undefined
  if (!complete) return [{ ...state, ended: true }, [{ kind: "end", clean: false }]]
  const [current, released] = releaseHeld(state)
  const deltas = [...released]
  const [tools, pending] = startPending(current.tools, state.options.tools, true)
  deltas.push(...pending)
  if (state.finish?.kind === "filtered" && current.last !== "text" && current.last !== "tool") {
    deltas.push({ kind: "text", text: "[The provider's content filter stopped this reply.]" })
  }
  deltas.push({ kind: "end", clean: true })
  return [{ ...current, tools, ended: true }, deltas]
}
