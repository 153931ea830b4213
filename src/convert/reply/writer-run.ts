// The writer's short cut for further pieces of the block that is open: what changes is put together once for all of
// them, and they are one event.
import { deltaEvent } from "../../protocol/delta-run.ts"
import type { MessagesEvent } from "../../protocol/messages.ts"
import type { Delta, Piece } from "../delta.ts"
import { addText } from "../grown-text.ts"
import { type Run, withText } from "../pieces.ts"
import { write } from "./blocks.ts"
import { isEmpty } from "./writer-queue.ts"
import { continues, type WriterState } from "./writer-state.ts"

/** How many deltas from `from` on continue the open block. */
export function piecesFrom(state: WriterState, deltas: readonly Delta[], from: number): number {
  if (!isSteady(state)) return 0
  let at = from
  for (let delta = deltas[at]; delta !== undefined; delta = deltas[++at]) {
    const piece = pieceOf(delta)
    if (piece === undefined || continues(state.open, piece) === undefined) break
  }
  return at - from
}

/** Writes the deltas between `from` and `to`, which all continue the open block, as one event. */
export function writePieces(
  state: WriterState,
  deltas: readonly Delta[],
  from: number,
  to: number,
  events: MessagesEvent[],
): WriterState {
  const last = deltas[to - 1]
  const piece = last === undefined ? undefined : pieceOf(last)
  if (last === undefined || piece === undefined) return state
  if (to - from === 1) return grow(state, piece, textsOf(last), events)
  const several: string[] = []
  for (let at = from; at < to; at++) {
    const delta = deltas[at]
    if (delta !== undefined) for (const text of textsOf(delta)) several.push(text)
  }
  return grow(state, piece, several, events)
}

/** A run whose first pieces open a block, or wait for one that is open. */
export function writeRun(state: WriterState, { like, texts }: Run, events: MessagesEvent[]): WriterState {
  let current = state
  for (let at = 0; at < texts.length; at++) {
    if (isSteady(current) && continues(current.open, like) !== undefined)
      return grow(current, like, texts.slice(at), events)
    current = write(current, withText(like, texts[at] ?? ""), events)
  }
  return current
}

/** A block is open, and nothing waits for its end. */
function isSteady({ phase, open, queue }: WriterState): boolean {
  return phase === "started" && open.kind !== "none" && isEmpty(queue)
}

function pieceOf(delta: Delta): Piece | undefined {
  if (delta.kind === "run") return delta.like
  return delta.kind === "text" || delta.kind === "reasoning" || delta.kind === "tool" ? delta : undefined
}

function textsOf(delta: Delta): readonly string[] {
  if (delta.kind === "run") return delta.texts
  const piece = pieceOf(delta)
  const text = piece?.kind === "tool" ? piece.args : piece?.text
  return text === undefined || text === "" ? noTexts : [text]
}

const noTexts: readonly string[] = []

const types = { text: "text_delta", reasoning: "thinking_delta", tool: "input_json_delta" } as const

/** The state after these pieces, of which `last` was the last one. */
function grow(
  state: WriterState,
  last: Piece,
  texts: readonly string[],
  events: MessagesEvent[],
): WriterState {
  const { index } = state
  const [first] = texts
  const whole = texts.length === 1 && first !== undefined ? first : texts.join("")
  if (texts.length > 1)
    events.push({ type: "content_block_deltas", index, delta: types[last.kind], texts, whole })
  else if (whole !== "") events.push(deltaEvent(index, types[last.kind], whole))
  const written = addText(state.written, whole)
  if (last.kind === "text") return { ...state, written }
  if (last.kind === "reasoning") return { ...state, written, thinking: addText(state.thinking, whole) }
  const { key, complete } = last
  return {
    ...state,
    written,
    open: { kind: "tool", key, complete },
    sawTool: true,
    lastToolComplete: complete,
  }
}
