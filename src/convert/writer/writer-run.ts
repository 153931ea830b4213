// The writer's short cut for further pieces of the block that is open: what changes is put together once for all of
// them, and they are one event.
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import { quoteAll, quotedWhole, someOf, type Texts, textAt } from "../../protocol/texts.ts"
import type { Delta, Piece } from "../common/delta.ts"
import { type Run, withText } from "../common/pieces.ts"
import { write } from "./blocks.ts"
import { textsInPairs } from "./whole-characters.ts"
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

/** Writes the deltas between `from` and `to`, which all continue the open block; those in a row as one event. */
export function writePieces(
  state: WriterState,
  deltas: readonly Delta[],
  from: number,
  to: number,
  events: MessagesEvent[],
): void {
  for (let at = from; at < to; ) {
    const delta = deltas[at]
    if (delta?.kind === "run") {
      grow(state, delta.like, delta, events)
      at++
    } else at = writeSingles(state, deltas, at, to, events)
  }
}

/** Writes the single pieces from `from` on; gives where something else follows. */
function writeSingles(
  state: WriterState,
  deltas: readonly Delta[],
  from: number,
  to: number,
  events: MessagesEvent[],
): number {
  const texts: string[] = []
  let last: Piece | undefined
  let at = from
  for (; at < to; at++) {
    const delta = deltas[at]
    if (delta === undefined || delta.kind === "run") break
    last = pieceOf(delta) ?? last
    const text = last?.kind === "tool" ? last.args : last?.text
    if (text !== undefined && text !== "") texts.push(text)
  }
  if (last !== undefined) grow(state, last, quoteAll(texts), events)
  return at
}

/** A run whose first pieces open a block, or wait for one that is open. */
export function writeRun(state: WriterState, run: Run, events: MessagesEvent[]): void {
  const { like, quoted } = run
  let at = 0
  while (at < quoted.length && !(isSteady(state) && continues(state.open, like) !== undefined))
    write(state, withText(like, textAt(run, at++)), events)
  if (at < quoted.length) grow(state, like, someOf(run, at, quoted.length), events)
}

/** A block is open, and nothing waits for its end. */
function isSteady({ phase, open, queue }: WriterState): boolean {
  return phase === "started" && open.kind !== "none" && isEmpty(queue)
}

function pieceOf(delta: Delta): Piece | undefined {
  if (delta.kind === "run") return delta.like
  return delta.kind === "text" || delta.kind === "reasoning" || delta.kind === "tool" ? delta : undefined
}

/** Writes these texts; `last` was the last piece of them. */
function grow(state: WriterState, last: Piece, given: Texts, events: MessagesEvent[]): void {
  const { index } = state
  const texts = textsInPairs(state, given)
  const { quoted, joined, wide, whole } = texts
  const delta = deltaTypes[last.kind]
  if (quoted.length > 0)
    events.push({ type: "content_block_deltas", index, delta, quoted, joined, wide, whole })
  grew(state, last, quotedWhole(texts))
}
