// The writer's short cut for further pieces of the block that is open: what changes is put together once for all of
// them, and each is an event of its own.
import type { BlockDelta, MessagesEvent } from "../../protocol/messages.ts"
import type { Delta } from "../delta.ts"
import { isEmpty } from "./writer-queue.ts"
import { continues, type Growing, type WriterState } from "./writer-state.ts"

/**
 * Writes the deltas from `from` on, as far as they continue the open block; their events are added to `events`.
 * Gives the state after them, and how many there were.
 */
export function writeRun(
  state: WriterState,
  deltas: readonly Delta[],
  from: number,
  events: MessagesEvent[],
): readonly [WriterState, number] {
  const { index, queue } = state
  if (state.phase !== "started" || state.open.kind === "none" || !isEmpty(queue)) return [state, 0]
  let text = ""
  let last: Growing | undefined
  let at = from
  for (let delta = deltas[at]; delta !== undefined; delta = deltas[++at]) {
    const item = isContent(delta) ? continues(state.open, delta) : undefined
    if (item === undefined) break
    const piece = item.kind === "tool" ? item.args : item.text
    if (piece !== "") events.push({ type: "content_block_delta", index, delta: blockDelta(item.kind, piece) })
    text += piece
    last = item
  }
  return [last === undefined ? state : grown(state, last, text), at - from]
}

function isContent(delta: Delta): delta is Growing {
  return delta.kind === "text" || delta.kind === "reasoning" || delta.kind === "tool"
}

function blockDelta(kind: Growing["kind"], piece: string): BlockDelta {
  if (kind === "text") return { type: "text_delta", text: piece }
  if (kind === "tool") return { type: "input_json_delta", partial_json: piece }
  return { type: "thinking_delta", thinking: piece }
}

/** The state after the pieces of `text`, of which `last` was the last one. */
function grown(state: WriterState, last: Growing, text: string): WriterState {
  const written = state.written + text
  if (last.kind === "text") return { ...state, written }
  if (last.kind === "reasoning") return { ...state, written, thinking: state.thinking + text }
  const { key, complete } = last
  return {
    ...state,
    written,
    open: { kind: "tool", key, complete },
    sawTool: true,
    lastToolComplete: complete,
  }
}
