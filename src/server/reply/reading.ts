// A reply as one client reads it, wherever it comes from: a session of its own, one that others read too, or the
// cache.
import type { Delta } from "../../convert/common/delta.ts"
import type { Fault } from "../../protocol/fault.ts"
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import type { Opening } from "../../upstream/attempts.ts"
import type { Soon } from "../../upstream/batches.ts"
import type { EventSource } from "../http/event-reply.ts"
import { complete, explain, fail, leave, type RequestOutcome, refuse } from "../outcome/outcome.ts"
import { beginReply, hasEnded, keepReplyAlive, type Progress, settleReply, writeDeltas } from "./progress.ts"

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

/** A request under way whose reply can be read: it lasts as long as that. It changes in place. */
export interface Source {
  /** The upstream's reply, from its first content on. Never rejects. */
  readonly opening: Promise<Opening<Delta>>
  readonly progress: Progress
  readonly outcome: RequestOutcome
  /** Hears of everything that is written, and what it is made of. */
  watch: Watch
}

type Watch = (source: Source, deltas: readonly Delta[], events: readonly MessagesEvent[]) => void

/** Nothing of it is read yet; its outcome is known once all of it is. */
export function createSource(opening: Promise<Opening<Delta>>, progress: Progress): Source {
  return { opening, progress, outcome: progress.outcome, watch: settleSource }
}

const settleSource: Watch = ({ progress, outcome }, _deltas, events) => {
  if (hasEnded(progress)) settle(outcome, events)
}

/** A request that nobody else reads; `left` fires when its client has left. */
export function readAlone(source: Source, left: AbortSignal): Reading {
  const { opening, progress, outcome } = source
  const { requestId, stream } = outcome.asker
  return {
    requestId,
    stream,
    left,
    opened: opening,
    begin: () => beginReply(progress),
    next: () => nextEvents(source),
    keepAlive: () => keepReplyAlive(progress),
    leave: () => leave(outcome),
    fail: (error) => fail(outcome, error),
    refuse: (given) => refuse(outcome, given),
  }
}

/** The last events are there: with them the outcome is known. */
export function settle(outcome: RequestOutcome, events: readonly MessagesEvent[]): void {
  const last = events.at(-1)
  if (last?.type === "error") refuse(outcome, last.fault)
  else complete(outcome)
}

/** The next events of the reply; undefined once it is over. */
export function nextEvents(source: Source): Soon<readonly MessagesEvent[] | undefined> {
  const { progress, opening } = source
  const { batches } = progress
  if (hasEnded(progress)) return undefined
  if (batches === undefined) return opening.then(opened)
  const deltas = batches.next()
  if (!(deltas instanceof Promise)) return write(source, deltas)
  settleReply(progress)
  return deltas
}

/** Whatever came of it is among the batches. */
const opened = (): void => {}

function explainAll(deltas: readonly Delta[], outcome: RequestOutcome): readonly Delta[] {
  return deltas.map((delta) =>
    delta.kind === "fault" ? { kind: "fault", fault: explain(outcome, delta.fault) } : delta,
  )
}

const endOfBatches: readonly Delta[] = [{ kind: "end", clean: false }]

function write(source: Source, deltas: readonly Delta[] = endOfBatches): readonly MessagesEvent[] {
  const { progress, outcome } = source
  const events = writeDeltas(progress, outcome.stopped ? explainAll(deltas, outcome) : deltas)
  source.watch(source, deltas, events)
  return events
}
