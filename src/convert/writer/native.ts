// The events of an upstream that speaks Messages itself, behind a message that was begun here: they go out as they
// are, signatures and all, and what has to be known of them is kept.
import { countOf, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import type { MessagesEvent, NativeEvent } from "../../protocol/messages/messages.ts"
import { inputOf, noUsage } from "../../protocol/messages/usage.ts"
import { addText } from "../common/grown-text.ts"
import { laterCounts, readUsage } from "../common/messages-usage.ts"
import { reportedCost } from "../common/reported-cost.ts"
import { nothingOpen, type Open, type WriterState } from "./writer-state.ts"

/** Reads the data of one event; undefined where it is no JSON object. */
export function nativeEvent(value: JsonObject, data: string, event?: string): NativeEvent {
  const name = event ?? textOf(value["type"]) ?? "message"
  // What was said in several lines is said in one.
  return { type: "native", name, data: /[\r\n]/.test(data) ? JSON.stringify(value) : data, value }
}

/** One event in. What goes out is added to `out`: the message has begun, and in our words. */
export function writeNative(state: WriterState, event: NativeEvent, out: MessagesEvent[]): void {
  note(state, event)
  if (event.name === "message_delta") out.push(withCounts(event, state))
  else if (event.name !== "message_start") out.push(event)
}

/** What has to be known of the event. */
function note(state: WriterState, { name, value }: NativeEvent): void {
  switch (name) {
    case "message_start":
      count(state, objectOf(value["message"])["usage"])
      return
    case "content_block_start":
      open(state, value)
      return
    case "content_block_delta":
      state.written = addText(state.written, wordsOf(objectOf(value["delta"])))
      return
    case "content_block_stop":
      state.open = nothingOpen
      state.index += 1
      return
    case "message_delta":
      count(state, value["usage"])
      return
    case "message_stop":
      state.phase = "ended"
  }
}

function count(state: WriterState, given: unknown): void {
  state.usage = laterCounts(state.usage ?? noUsage, readUsage(given))
  state.costUsd = reportedCost(given) ?? state.costUsd
}

function open(state: WriterState, value: JsonObject): void {
  const block = objectOf(value["content_block"])
  state.index = countOf(value["index"]) ?? state.index
  state.written = addText(state.written, wordsOf(block))
  state.open = openOf(block["type"])
}

function openOf(type: unknown): Open {
  if (type === "text") return { kind: "text" }
  if (type === "thinking") return { kind: "reasoning", field: "" }
  if (type === "tool_use") return { kind: "tool", key: -1, complete: true }
  return { kind: "other" }
}

function wordsOf({ text, thinking, partial_json: json }: JsonObject): string {
  return [text, thinking, json].filter((part) => typeof part === "string").join("")
}

/** The prompt was counted in the event that the client did not get. */
function withCounts(event: NativeEvent, { usage }: WriterState): NativeEvent {
  // A zero would wipe out what the message began with.
  if (usage === undefined || inputOf(usage) === 0) return event
  const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens } = usage
  const input = { input_tokens, cache_creation_input_tokens, cache_read_input_tokens }
  const given = objectOf(event.value["usage"])
  const value = { ...event.value, usage: { output_tokens: usage.output_tokens, ...given, ...input } }
  return { ...event, value, data: JSON.stringify(value) }
}
