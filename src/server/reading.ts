// A reply as one client reads it, wherever it comes from: a session of its own, one that others read too, or the
// cache.
import type { Delta } from "../convert/delta.ts"
import type { Fault } from "../protocol/fault.ts"
import type { MessagesEvent } from "../protocol/messages.ts"
import type { Attempted } from "../upstream/attempts.ts"
import type { Batches } from "../upstream/batches.ts"
import type { Ends, Handing } from "./asker.ts"
import type { EventSource } from "./event-reply.ts"

/** How the upstream's reply began; a fault: it never will. */
export interface Opened {
  readonly fault: Fault | undefined
}

export interface Reading extends EventSource {
  readonly requestId: string
  /** The client wants the events, and not one document. */
  readonly stream: boolean
  /** Never rejects. */
  readonly opened: Promise<Opened>
  /** What a stream can begin with before anything has come. */
  readonly begin: () => readonly MessagesEvent[]
  /** The client is answered with this fault and nothing else; gives it in the words that hold. */
  readonly refuse: (given: Fault) => Fault
}

/** A request under way whose reply can be read: a session. */
export interface Source extends Ends, Handing {
  readonly prepared: { readonly requestId: string; readonly stream: boolean }
  readonly opening: Promise<Attempted<Delta>>
  readonly begin: () => readonly MessagesEvent[]
  readonly write: (deltas: readonly Delta[]) => readonly MessagesEvent[]
  readonly keepAlive: () => readonly MessagesEvent[]
  readonly ended: () => boolean
  readonly left: AbortSignal
}

/** A session that nobody else reads. */
export function readSession(session: Source): Reading {
  const { prepared, begin, keepAlive, leave, fail, refuse } = session
  const { requestId, stream } = prepared
  return {
    requestId,
    stream,
    begin,
    keepAlive,
    leave,
    get left() {
      return session.left
    },
    fail,
    refuse,
    opened: openedOf(session),
    next: nextEvents(session, { ends: session }),
  }
}

export function openedOf({ opening }: Pick<Source, "opening">): Promise<Opened> {
  return opening.then((attempted) => ({
    fault: attempted.opening.ok ? undefined : attempted.opening.fault,
  }))
}

/** The last events are there: with them the outcome is known. */
export function settle(ends: Pick<Ends, "complete" | "refuse">, events: readonly MessagesEvent[]): void {
  const last = events.at(-1)
  if (last?.type === "error") ends.refuse(last.fault)
  else ends.complete()
}

export interface EventsOptions {
  /** Hears what the last events mean, if it is to be told here. */
  readonly ends?: Pick<Ends, "complete" | "refuse">
  /** Sees what the events are made of. */
  readonly watch?: (deltas: readonly Delta[]) => void
}

/** A function that gives the next events of the reply, and undefined once it is over. */
export function nextEvents(
  session: Source,
  { ends, watch }: EventsOptions,
): () => Promise<readonly MessagesEvent[] | undefined> {
  let batches: Batches<Delta> | undefined

  function write(deltas: readonly Delta[]): readonly MessagesEvent[] {
    watch?.(deltas)
    const events = session.write(deltas)
    if (ends !== undefined && session.ended()) settle(ends, events)
    return events
  }

  return async () => {
    if (session.ended()) return undefined
    if (batches === undefined) {
      const { opening } = await session.opening
      if (!opening.ok) return write([{ kind: "fault", fault: opening.fault }])
      batches = opening.batches
    }
    return write((await batches.next()) ?? [{ kind: "end", clean: false }])
  }
}
