// What goes over the wire, event by event: the writer gives pieces in a row as one.
import type { Delta } from "../../src/convert/common/delta.ts"
import { writeAll } from "../../src/convert/reply/reply.ts"
import type { WriterState } from "../../src/convert/writer/writer-state.ts"
import { deltaEvent } from "../../src/protocol/messages/delta-run.ts"
import type { DeltaRun, MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { textsOf } from "../../src/protocol/texts.ts"

/** Writes these deltas and leaves the state as it is; the state after them and their events, each by itself. */
export function writeEach(
  state: WriterState,
  deltas: readonly Delta[],
): readonly [WriterState, readonly MessagesEvent[]] {
  const next = { ...state }
  const events = writeAll(next, deltas)
  const single = (event: MessagesEvent): readonly MessagesEvent[] =>
    event.type === "content_block_deltas" ? eventsOfRun(event) : [event]
  return [next, events.flatMap(single)]
}

/** A run as the events that it stands for. */
export function eventsOfRun(run: DeltaRun): readonly MessagesEvent[] {
  return textsOf(run).map((text) => deltaEvent(run.index, run.delta, text))
}
