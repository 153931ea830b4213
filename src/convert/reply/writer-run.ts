// The writer's short cut for further pieces of the block that is open: what changes is put together once for all of
// them, and they are one event.
import { deltaEvent } from "../../protocol/delta-run.ts"
import type { MessagesEvent } from "../../protocol/messages.ts"
import type { Delta, Piece } from "../delta.ts"
import { type Run, withText } from "../pieces.ts"
import { write } from "./blocks.ts"
import { isEmpty } from "./writer-queue.ts"
import { continues, deltaTypes, grew, type WriterState } from "./writer-state.ts"

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
): void {
  const last = deltas[to - 1]
  const piece = last === undefined ? undefined : pieceOf(last)
  if (last === undefined || piece === undefined) return
  if (to - from === 1 && last.kind === "run") {
    grow(state, piece, last.texts, last.whole, events)
    return
  }
  const several: string[] = []
  let whole = ""
  for (let at = from; at < to; at++) whole += addTexts(deltas[at], several)
  grow(state, piece, several, whole, events)
}

/** A run whose first pieces open a block, or wait for one that is open. */
export function writeRun(state: WriterState, { like, texts }: Run, events: MessagesEvent[]): void {
  let at = 0
  while (at < texts.length && !(isSteady(state) && continues(state.open, like) !== undefined))
    write(state, withText(like, texts[at++] ?? ""), events)
  if (at === texts.length) return
  const others = texts.slice(at)
  grow(state, like, others, others.join(""), events)
}

/** A block is open, and nothing waits for its end. */
function isSteady({ phase, open, queue }: WriterState): boolean {
  return phase === "started" && open.kind !== "none" && isEmpty(queue)
}

function pieceOf(delta: Delta): Piece | undefined {
  if (delta.kind === "run") return delta.like
  return delta.kind === "text" || delta.kind === "reasoning" || delta.kind === "tool" ? delta : undefined
}

/** Adds what a delta says to the texts; gives all of it. */
function addTexts(delta: Delta | undefined, texts: string[]): string {
  if (delta?.kind === "run") {
    for (const text of delta.texts) texts.push(text)
    return delta.whole
  }
  const piece = delta === undefined ? undefined : pieceOf(delta)
  const text = (piece?.kind === "tool" ? piece.args : piece?.text) ?? ""
  if (text !== "") texts.push(text)
  return text
}

/** Writes these texts, which are `whole` together; `last` was the last piece of them. */
function grow(
  state: WriterState,
  last: Piece,
  texts: readonly string[],
  whole: string,
  events: MessagesEvent[],
): void {
  const { index } = state
  const delta = deltaTypes[last.kind]
  if (texts.length > 1) events.push({ type: "content_block_deltas", index, delta, texts, whole })
  else if (whole !== "") events.push(deltaEvent(index, delta, whole))
  grew(state, last, whole)
}
