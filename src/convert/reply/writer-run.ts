// The writer's short cut for further pieces of the block that is open: what changes is put together once for all of
// them, and they are one event.
import { deltaEvent } from "../../protocol/delta-run.ts"
import type { DeltaRun, MessagesEvent } from "../../protocol/messages.ts"
import type { Delta, Piece } from "../delta.ts"
import { growText } from "../grown-text.ts"
import { type Run, withText } from "../pieces.ts"
import { write } from "./blocks.ts"
import { isEmpty } from "./writer-queue.ts"
import { continues, type WriterState } from "./writer-state.ts"

/**
 * Writes the deltas from `from` on, as far as they continue the open block; their events are added to `events`.
 * Gives the state after them, and how many there were.
 */
export function writePieces(
  state: WriterState,
  deltas: readonly Delta[],
  from: number,
  events: MessagesEvent[],
): readonly [WriterState, number] {
  if (!isSteady(state)) return [state, 0]
  let last: Piece | undefined
  let all: readonly string[] | undefined
  const several: string[] = []
  let at = from
  for (let delta = deltas[at]; delta !== undefined; delta = deltas[++at]) {
    const piece = pieceOf(delta)
    if (piece === undefined || continues(state.open, piece) === undefined) break
    if (last === undefined && delta.kind === "run") all = delta.texts
    else {
      if (all !== undefined) add(several, all)
      all = undefined
      add(several, textsOf(delta, piece))
    }
    last = piece
  }
  return [last === undefined ? state : grow(state, last, all ?? several, events), at - from]
}

/** A run whose first pieces open a block, or wait for one that is open. */
export function writeRun(state: WriterState, { like, texts }: Run, events: MessagesEvent[]): WriterState {
  let current = state
  for (let at = 0; at < texts.length; at++) {
    if (isSteady(current) && continues(current.open, like) !== undefined)
      return grow(current, like, texts.slice(at), events)
    const [next, more] = write(current, withText(like, texts[at] ?? ""))
    current = next
    for (const event of more) events.push(event)
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

function textsOf(delta: Delta, piece: Piece): readonly string[] {
  if (delta.kind === "run") return delta.texts
  const text = piece.kind === "tool" ? piece.args : piece.text
  return text === "" ? [] : [text]
}

function add(texts: string[], more: readonly string[]): void {
  for (const text of more) texts.push(text)
}

const types = { text: "text_delta", reasoning: "thinking_delta", tool: "input_json_delta" } as const

/** The state after these pieces, of which `last` was the last one. */
function grow(
  state: WriterState,
  last: Piece,
  texts: readonly string[],
  events: MessagesEvent[],
): WriterState {
  const event = eventOf(state.index, types[last.kind], texts)
  if (event !== undefined) events.push(event)
  const written = growText(state.written, texts)
  if (last.kind === "text") return { ...state, written }
  if (last.kind === "reasoning") return { ...state, written, thinking: growText(state.thinking, texts) }
  const { key, complete } = last
  return {
    ...state,
    written,
    open: { kind: "tool", key, complete },
    sawTool: true,
    lastToolComplete: complete,
  }
}

function eventOf(
  index: number,
  delta: DeltaRun["delta"],
  texts: readonly string[],
): MessagesEvent | undefined {
  const [text] = texts
  if (text === undefined) return undefined
  if (texts.length > 1) return { type: "content_block_deltas", index, delta, texts }
  return deltaEvent(index, delta, text)
}
