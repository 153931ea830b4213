// One piece of a block as an event, and pieces in a row as one, for those who look at their text as a whole.

import { wholeOf } from "../texts.ts"
import type { BlockDelta, DeltaRun, MessagesEvent } from "./reply.ts"

export type DeltaEvent = Extract<MessagesEvent, { type: "content_block_delta" }>

/** One piece of a block. */
export function deltaEvent(index: number, type: DeltaRun["delta"], text: string): DeltaEvent {
  return { type: "content_block_delta", index, delta: deltaOf(type, text) }
}

function deltaOf(type: DeltaRun["delta"], text: string): BlockDelta {
  if (type === "text_delta") return { type, text }
  if (type === "thinking_delta") return { type, thinking: text }
  return { type, partial_json: text }
}

/** All of a run as one delta. */
export function joinedRun(run: DeltaRun): DeltaEvent {
  return deltaEvent(run.index, run.delta, wholeOf(run))
}
