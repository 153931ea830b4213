// What comes of a session, pulled once for all who read it.
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import { settled } from "../../upstream/batches.ts"
import { fail } from "../outcome/outcome.ts"
import { beginReply, hasEnded } from "../reply/progress.ts"
import { nextEvents, type Source } from "../reply/reading.ts"
import { append, createEventLog, type EventLog, endOf } from "./event-log.ts"

/** It changes in place, by the functions below. */
export interface Feed {
  readonly session: Source
  /** What was pulled. */
  readonly log: EventLog
  /** Hears of every pull that is over. */
  readonly onBatch: () => void
  pulling: boolean
  /** Nothing follows what is in the log. */
  ended: boolean
  /** The upstream has said that it ended as it should. */
  sound: boolean
}

/** Nothing is pulled yet. Each of the session's readers comes to an end of its own. */
export function createFeed(session: Source, onBatch: () => void): Feed {
  const log = createEventLog()
  const feed: Feed = { session, log, onBatch, pulling: false, ended: false, sound: false }
  session.watch = (_session, deltas) => {
    for (const delta of deltas) {
      // A call that never came is no end either.
      if (delta.kind === "finish") feed.sound = delta.odd !== true && delta.reason !== "tool_use"
    }
  }
  return feed
}

/** Writes the beginning of the message into the log, unless something has come already. */
export function beginFeed({ log, session }: Feed): void {
  if (endOf(log) === 0) append(log, beginReply(session.progress))
}

export type Events = readonly MessagesEvent[] | undefined

/** These came past the log: from nextEvents(), while nothing is pulled. */
export function passed(feed: Feed, events: Events): void {
  feed.ended = isLast(feed, events)
}

/** Nobody reads any more: what was still waited for is taken by nobody, who would see that it is over. */
export function letGo({ session, ended }: Feed): void {
  if (!ended) session.progress.batches?.close()
}

function isLast({ session }: Feed, events: Events): boolean {
  return events === undefined || hasEnded(session.progress)
}

/** Fills the log, one batch at a time: while one is awaited this does nothing. */
export async function pull(feed: Feed): Promise<void> {
  const { session, log, pulling, ended } = feed
  if (pulling || ended) return
  feed.pulling = true
  try {
    const events = await settled(() => nextEvents(session))
    if (events !== undefined && events.length > 0) append(log, events)
    // Not before that: whoever has read the log to its end would take it for the end of the reply.
    feed.ended = isLast(feed, events)
  } catch (error) {
    feed.ended = true
    append(log, [{ type: "error", fault: fail(session.outcome, error) }])
  }
  feed.pulling = false
  feed.onBatch()
}
