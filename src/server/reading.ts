// A reply as one client reads it, wherever it comes from: a session of its own, one that others read too, or the
// cache.
import type { Delta } from "../convert/delta.ts"
import type { Fault } from "../protocol/fault.ts"
import type { MessagesEvent } from "../protocol/messages.ts"
import type { Opening } from "../upstream/attempts.ts"
import type { Batches, Soon } from "../upstream/batches.ts"
import type { Ends, Handing } from "./asker.ts"
import type { EventSource } from "./event-reply.ts"

/** How the upstream's reply began; a fault: it never will. */
export interface Opened {
  readonly fault?: Fault | undefined
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
export interface Source {
  readonly requestId: string
  readonly stream: boolean
  readonly opening: Promise<Opening<Delta>>
  readonly progress: SourceProgress
  readonly outcome: SourceOutcome
}

/** The reply as it grows. */
export interface SourceProgress {
  readonly begin: () => readonly MessagesEvent[]
  readonly write: (deltas: readonly Delta[]) => readonly MessagesEvent[]
  readonly keepAlive: () => readonly MessagesEvent[]
  readonly ended: () => boolean
  /** The reply has begun, and there is time. */
  readonly settle: () => void
}

export interface SourceOutcome extends Ends, Handing {
  /** The proxy has given the request up. */
  readonly stopped: () => boolean
  /** A fault in the words that hold when it has. */
  readonly explain: (given: Fault) => Fault
}

/** A session that nobody else reads; `left` fires when its client has left. */
export function readSession(session: Source, left: AbortSignal): Reading {
  const { requestId, stream, opening, progress, outcome } = session
  return {
    requestId,
    stream,
    opened: opening,
    begin: progress.begin,
    keepAlive: progress.keepAlive,
    leave: outcome.leave,
    left,
    fail: outcome.fail,
    refuse: outcome.refuse,
    next: nextEvents(session, settleSession),
  }
}

const settleSession: Watch = ({ progress, outcome }, _deltas, events) => {
  if (progress.ended()) settle(outcome, events)
}

/** The last events are there: with them the outcome is known. */
export function settle(ends: Pick<Ends, "complete" | "refuse">, events: readonly MessagesEvent[]): void {
  const last = events.at(-1)
  if (last?.type === "error") ends.refuse(last.fault)
  else ends.complete()
}

/** Hears of everything that is written, and what it is made of. */
export type Watch = (session: Source, deltas: readonly Delta[], events: readonly MessagesEvent[]) => void

/** A function that gives the next events of the reply, and undefined once it is over. */
export function nextEvents(session: Source, watch: Watch): EventSource["next"] {
  const { progress, opening } = session
  let batches: Batches<Delta> | undefined
  const onDeltas = (deltas: readonly Delta[] | undefined) => write(session, deltas ?? endOfBatches, watch)
  const onOpening = (opened: Opening<Delta>): Soon<readonly MessagesEvent[] | undefined> => {
    if (!opened.ok) return onDeltas([{ kind: "fault", fault: opened.fault }])
    batches = opened.batches
    return next()
  }
  function next(): Soon<readonly MessagesEvent[] | undefined> {
    if (progress.ended()) return undefined
    if (batches === undefined) return opening.then(onOpening)
    const deltas = batches.next()
    if (!(deltas instanceof Promise)) return onDeltas(deltas)
    progress.settle()
    return deltas.then(onDeltas)
  }
  return next
}

const endOfBatches: readonly Delta[] = [{ kind: "end", clean: false }]

function write(session: Source, deltas: readonly Delta[], watch: Watch): readonly MessagesEvent[] {
  const { progress, outcome } = session
  const events = progress.write(outcome.stopped() ? deltas.map((delta) => explained(delta, outcome)) : deltas)
  watch(session, deltas, events)
  return events
}

function explained(delta: Delta, { explain }: SourceOutcome): Delta {
  return delta.kind === "fault" ? { kind: "fault", fault: explain(delta.fault) } : delta
}
