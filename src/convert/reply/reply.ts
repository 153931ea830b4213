// Many deltas through the writer in one go, and a whole reply through the reader of streams: one set of rules for stop
// reasons, ids, thinking and usage.
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import type { Delta } from "../common/delta.ts"
import { readChatReply } from "../reader/chat-stream.ts"
import { initialReader } from "../reader/reader.ts"
import type { ReaderOptions } from "../reader/reader-text.ts"
import { write } from "../writer/blocks.ts"
import { piecesFrom, writePieces, writeRun } from "../writer/writer-run.ts"
import type { WriterState } from "../writer/writer-state.ts"

/** Writes several deltas, which change the state; all their events in order. */
export function writeAll(state: WriterState, deltas: readonly Delta[]): readonly MessagesEvent[] {
  const events: MessagesEvent[] = []
  for (let at = 0; at < deltas.length; ) {
    const count = piecesFrom(state, deltas, at)
    if (count > 0) writePieces(state, deltas, at, at + count, events)
    at += count
    const delta = deltas[at++]
    if (delta === undefined) break
    if (delta.kind === "run") writeRun(state, delta, events)
    else write(state, delta, events)
  }
  return events
}

/** A whole Chat Completions reply as the deltas a stream of it would have given. */
export function readReply(reply: unknown, options: ReaderOptions): readonly Delta[] {
  return readChatReply(initialReader(options), reply)
}
