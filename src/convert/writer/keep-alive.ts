// What a stream says while its upstream is silent.
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import type { WriterState } from "./writer-state.ts"

const none: readonly MessagesEvent[] = []

/**
 * A real but empty event that any client accepts here: Claude Code gives a stream up after 300 s without one,
 * and does not count pings (observed with 2.1.329).
 */
export function keepAlive(state: WriterState): readonly MessagesEvent[] {
  if (state.phase !== "started") return none
  const index = state.index
  switch (state.open.kind) {
    case "text":
      return [{ type: "content_block_delta", index, delta: { type: "text_delta", text: "" } }]
    case "reasoning":
      return [{ type: "content_block_delta", index, delta: { type: "thinking_delta", thinking: "" } }]
    case "tool":
      return [{ type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: "" } }]
    case "other":
    case "none": {
      const delta = { stop_reason: null, stop_sequence: null }
      return [{ type: "message_delta", delta, usage: { output_tokens: 0 } }]
    }
    default:
      return state.open satisfies never
  }
}
