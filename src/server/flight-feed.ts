// What comes of a session, pulled once for all who read it.
import type { Delta } from "../convert/delta.ts"
import type { MessagesEvent } from "../protocol/messages.ts"
import type { Soon } from "../upstream/batches.ts"
import { createEventLog, type EventLog } from "./event-log.ts"
import { nextEvents, type Source } from "./reading.ts"

export interface Feed {
  /** What was pulled. */
  readonly log: EventLog
  /** Writes the beginning of the message into the log, unless something has come already. */
  readonly begin: () => void
  /** Fills the log, one batch at a time: while one is awaited this does nothing. */
  readonly pull: () => void
  readonly pulling: () => boolean
  /** The next events, past the log. Not while one is awaited. */
  readonly direct: () => Soon<readonly MessagesEvent[] | undefined>
  /** Nothing follows what is in the log. */
  readonly ended: () => boolean
  /** The upstream has said that it ended as it should. */
  readonly isSound: () => boolean
}

/** `onBatch` hears of every pull that is over. */
export function createFeed(session: Source, onBatch: () => void): Feed {
  const source = nextEvents(session, watch)
  const log = createEventLog()
  let pulling = false
  let ended = false
  let sound = false

  function watch(_session: Source, deltas: readonly Delta[]): void {
    for (const delta of deltas) {
      // A call that never came is no end either.
      if (delta.kind === "finish") sound = delta.odd !== true && delta.reason !== "tool_use"
    }
  }

  const isLast = (events: readonly MessagesEvent[] | undefined): boolean =>
    events === undefined || session.progress.ended()

  function hear(events: readonly MessagesEvent[] | undefined): readonly MessagesEvent[] | undefined {
    ended = isLast(events)
    return events
  }

  function direct(): Soon<readonly MessagesEvent[] | undefined> {
    const events = source()
    return events instanceof Promise ? events.then(hear) : hear(events)
  }

  async function pull(): Promise<void> {
    if (pulling || ended) return
    pulling = true
    try {
      const events = await source()
      if (events !== undefined && events.length > 0) log.append(events)
      // Not before that: whoever has read the log to its end would take it for the end of the reply.
      ended = isLast(events)
    } catch (error) {
      ended = true
      log.append([{ type: "error", fault: session.outcome.fail(error) }])
    }
    pulling = false
    onBatch()
  }

  return {
    ...{ log, pull, direct },
    begin: () => {
      if (log.end() === 0) log.append(session.progress.begin())
    },
    pulling: () => pulling,
    ended: () => ended,
    isSound: () => sound,
  }
}
