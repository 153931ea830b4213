// What a stream says while its upstream is silent.
import { deltaEvent } from "../../protocol/messages/delta-run.ts"
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import { deltaTypes, type WriterState } from "./writer-state.ts"

const none: readonly MessagesEvent[] = []

/**
 * A real but empty event that any client accepts here: Claude Code gives a stream up after 300 s without one,
 * and does not count pings (observed with 2.1.329).
 */
export function keepAlive(state: WriterState): readonly MessagesEvent[] {
  if (state.phase !== "started") return none
  const { open, index } = state
  switch (open.kind) {
    case "text":
    case "reasoning":
    case "tool":
      return [deltaEvent(index, deltaTypes[open.kind], "")]
    case "other":
    case "none": {
      const delta = { stop_reason: null, stop_sequence: null }
      return [{ type: "message_delta", delta, usage: { output_tokens: 0 } }]
    }
    default:
      return open satisfies never
  }
}
