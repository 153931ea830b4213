// One request under way: its upstream, its reply as it grows, and the one end it comes to.
import type { Delta } from "../convert/delta.ts"
import type { Caller } from "../observe/exchange.ts"
import type { MessagesEvent } from "../protocol/messages.ts"
import type { Attempted } from "../upstream/attempts.ts"
import type { Context } from "./context.ts"
import { createOutcome, type RequestOutcome } from "./outcome.ts"
import type { Prepared } from "./prepare.ts"
import { createProgress } from "./progress.ts"
import { openStops } from "./stops.ts"

export interface Session
  extends Pick<RequestOutcome, "left" | "leave" | "fail" | "refuse" | "complete" | "handOver"> {
  readonly prepared: Prepared
  /** The upstream's reply, from its first content on. Never rejects. */
  readonly opening: Promise<Attempted<Delta>>
  readonly begin: () => readonly MessagesEvent[]
  readonly write: (deltas: readonly Delta[]) => readonly MessagesEvent[]
  readonly keepAlive: () => readonly MessagesEvent[]
  readonly ended: () => boolean
}

/** Sends the request and keeps the writer's state, until the one end it comes to. */
export function createSession(prepared: Prepared, caller: Caller, context: Context): Session {
  const { route, requestId, startedAt, stream, notes, course, cache } = prepared
  const account = () => progress.account()
  const facts = { route, requestId, startedAt, stream, notes, course, cache, caller, account }
  const outcome = createOutcome(facts, context)
  const { leave, fail, refuse, complete, handOver } = outcome

  function explainDelta(delta: Delta): Delta {
    return delta.kind === "fault" ? { kind: "fault", fault: outcome.explain(delta.fault) } : delta
  }

  /** What throws before there is a session to fail takes the request that is under way with it. */
  function guarded<T>(make: () => T): T {
    try {
      return make()
    } catch (error) {
      outcome.abandon()
      throw error
    }
  }

  const opening = openStops(prepared, outcome, context, (next) => progress.move(next)).catch(
    (error: unknown): Attempted<Delta> => ({ opening: { ok: false, fault: fail(error) }, attempts: 1 }),
  )
  // After the request has left: counting its tokens then takes no time from the reply.
  const progress = guarded(() => createProgress(prepared, context, outcome.content))
  return {
    prepared,
    opening,
    begin: progress.begin,
    write: (deltas) => progress.write(outcome.stopped() ? deltas.map(explainDelta) : deltas),
    keepAlive: progress.keepAlive,
    ended: progress.ended,
    get left() {
      return outcome.left
    },
    leave,
    fail,
    refuse,
    complete,
    handOver,
  }
}
