// Events of a Messages stream that another program wrote, read into our own types. Blocks and events of which an
// OpenAI client would hear nothing are left out.
import { countOf, type JsonObject, lookUp, objectOf, textOf } from "../../protocol/json.ts"
import type { BlockDelta, MessagesEvent, ReplyBlock, StopReason } from "../../protocol/messages/messages.ts"
import { readUsage } from "../common/messages-usage.ts"
import { readMessagesFault } from "./error.ts"

const unused: readonly MessagesEvent[] = []

/** The event that one `data:` stands for, or none: a list of at most one. */
export function readMessagesEvent(value: unknown): readonly MessagesEvent[] {
  const event = objectOf(value)
  const index = countOf(event["index"]) ?? 0
  switch (event["type"]) {
    case "message_start":
      return [startOf(objectOf(event["message"]))]
    case "content_block_start": {
      const content_block = readBlock(objectOf(event["content_block"]))
      return content_block === undefined ? unused : [{ type: "content_block_start", index, content_block }]
    }
    case "content_block_delta": {
      const delta = readDelta(objectOf(event["delta"]))
      return delta === undefined ? unused : [{ type: "content_block_delta", index, delta }]
    }
    case "content_block_stop":
      return [{ type: "content_block_stop", index }]
    case "message_delta": {
      const { output_tokens = 0, ...usage } = readUsage(event["usage"])
      const stop_reason = readReason(textOf(objectOf(event["delta"])["stop_reason"]))
      const delta = { stop_reason, stop_sequence: null }
      return [{ type: "message_delta", delta, usage: { ...usage, output_tokens } }]
    }
    case "message_stop":
      return [{ type: "message_stop" }]
    case "error":
      return [{ type: "error", fault: readMessagesFault(event) }]
    default:
      return unused
  }
}

function startOf(message: JsonObject): MessagesEvent {
  const counts = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
  return {
    type: "message_start",
    message: {
      id: textOf(message["id"]) ?? "",
      type: "message",
      role: "assistant",
      model: textOf(message["model"]) ?? "",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...counts, output_tokens: 0, ...readUsage(message["usage"]) },
    },
  }
}

function readBlock(block: JsonObject): ReplyBlock | undefined {
  const text = (field: string) => textOf(block[field]) ?? ""
  switch (block["type"]) {
    case "text":
      return { type: "text", text: text("text") }
    case "thinking":
      return { type: "thinking", thinking: text("thinking"), signature: text("signature") }
    case "tool_use":
      return { type: "tool_use", id: text("id"), name: text("name"), input: objectOf(block["input"]) }
    case "server_tool_use":
      return { type: "server_tool_use", id: text("id"), name: "web_search", input: objectOf(block["input"]) }
    default:
      return undefined
  }
}

function readDelta(delta: JsonObject): BlockDelta | undefined {
  const text = (field: string) => textOf(delta[field]) ?? ""
  switch (delta["type"]) {
    case "text_delta":
      return { type: "text_delta", text: text("text") }
    case "thinking_delta":
      return { type: "thinking_delta", thinking: text("thinking") }
    case "signature_delta":
      return { type: "signature_delta", signature: text("signature") }
    case "input_json_delta":
      return { type: "input_json_delta", partial_json: text("partial_json") }
    default:
      return undefined
  }
}

/** Anthropic's words, those of our own type and those with the same meaning for an OpenAI client. */
const reasons: Readonly<Record<string, StopReason>> = {
  end_turn: "end_turn",
  pause_turn: "end_turn",
  stop_sequence: "stop_sequence",
  max_tokens: "max_tokens",
  model_context_window_exceeded: "max_tokens",
  tool_use: "tool_use",
  refusal: "refusal",
}

function readReason(word: string | undefined): StopReason | null {
  if (word === undefined) return null
  return lookUp(reasons, word) ?? "end_turn"
}
