// One request under way: its upstream, its reply as it grows, and the one end it comes to.
import type { Delta } from "../convert/delta.ts"
import type { Outcome } from "../observe/exchange.ts"
import { type Fault, fault } from "../protocol/fault.ts"
import type { MessagesEvent } from "../protocol/messages.ts"
import type { Attempted } from "../upstream/attempts.ts"
import type { Context, Running } from "./context.ts"
import { randomId } from "./ids.ts"
import { openReply } from "./pipeline.ts"
import type { Prepared } from "./prepare.ts"
import { createProgress } from "./progress.ts"
import { internalFault } from "./respond.ts"

export interface Session {
  readonly prepared: Prepared
  /** The upstream's reply, from its first content on. Never rejects. */
  readonly opening: Promise<Attempted<Delta>>
  readonly begin: () => readonly MessagesEvent[]
  readonly write: (deltas: readonly Delta[]) => readonly MessagesEvent[]
  readonly keepAlive: () => readonly MessagesEvent[]
  readonly ended: () => boolean
  /** Fires when the client has left. */
  readonly left: AbortSignal
  /** The client has left: the upstream is let go, and nothing has failed. */
  readonly leave: () => void
  /** Something of ours broke: the upstream is let go. Gives what the client is told. */
  readonly fail: (error: unknown) => Fault
  /** It failed; gives the fault as the client is to see it. */
  readonly refuse: (given: Fault) => Fault
  readonly complete: () => void
}

const stopping = fault({
  kind: "api_error",
  source: "proxy",
  status: 503,
  message: "the proxy was stopped before the reply was complete",
})

/** Sends the request and keeps the writer's state, until the one end it comes to. */
export function createSession(prepared: Prepared, context: Context): Session {
  const { requestId } = prepared
  const upstream = new AbortController()
  const client = new AbortController()
  let stopped = false
  let done = false
  const running: Running = {
    stop: () => {
      stopped = true
      upstream.abort()
    },
  }
  context.running.add(running)

  function finish(outcome: Outcome): void {
    if (done) return
    done = true
    context.running.delete(running)
    context.onExchange(progress.exchange(outcome))
  }

  /** A request that we gave up ends in our words, not in those of the connection that broke by it. */
  const explain = (given: Fault): Fault => (stopped ? stopping : given)

  function explainDelta(delta: Delta): Delta {
    return delta.kind === "fault" ? { kind: "fault", fault: explain(delta.fault) } : delta
  }

  function refuse(given: Fault): Fault {
    const explained = explain(given)
    finish({ kind: "failed", fault: explained })
    return explained
  }

  function fail(error: unknown): Fault {
    upstream.abort()
    if (!done) context.log.error("internal error", () => ({ requestId, error }))
    return refuse(internalFault(error))
  }

  /** What throws before there is a session to fail takes the request that is under way with it. */
  function guarded<T>(make: () => T): T {
    try {
      return make()
    } catch (error) {
      upstream.abort()
      context.running.delete(running)
      throw error
    }
  }

  const opening = openReply({
    route: prepared.route,
    conversion: prepared.conversion,
    errors: prepared.errors,
    idSeed: randomId(20),
    signal: upstream.signal,
    timeoutMs: context.config.requestTimeoutMs,
    maxRetries: context.config.maxRetries,
    afterFinishMs: context.times.afterFinishMs,
    clock: context.clock,
    userAgent: `claude-proxy/${context.version}`,
    onRetry: (given, attempt, waitMs) => progress.retried(given, attempt, waitMs),
  }).catch(
    (error: unknown): Attempted<Delta> => ({ opening: { ok: false, fault: fail(error) }, attempts: 1 }),
  )
  // After the request has left: counting its tokens then takes no time from the reply.
  const progress = guarded(() => createProgress(prepared, context))
  return {
    prepared,
    opening,
    begin: progress.begin,
    write: (deltas) => progress.write(stopped ? deltas.map(explainDelta) : deltas),
    keepAlive: progress.keepAlive,
    ended: progress.ended,
    left: client.signal,
    leave: () => {
      finish({ kind: "cancelled" })
      upstream.abort()
      client.abort()
    },
    fail,
    refuse,
    complete: () => finish({ kind: "completed" }),
  }
}
