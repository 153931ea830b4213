// The one end a request comes to, converted or passed through: complete, left by its client, or failed. The
// first one counts, and becomes the request's one Exchange.
import type { Failure, Outcome } from "../observe/exchange.ts"
import { type Fault, fault } from "../protocol/fault.ts"
import { createTrigger, type Signal } from "../upstream/signal.ts"
import type { Asker } from "./asker.ts"
import type { Context, Running } from "./context.ts"
import { courseFacts, retryTarget } from "./course.ts"
import { type Account, exchangeOf, nothingUsed, type OutcomeFacts, type Seen } from "./exchange-of.ts"
import { internalFault } from "./respond.ts"

export interface RequestOutcome {
  /** Fires when the upstream is to be let go. */
  readonly signal: Signal
  /** Fires when the client has left. */
  readonly left: () => AbortSignal
  /** A request to an upstream leaves. */
  readonly sent: () => void
  /** What was sent last is being answered. */
  readonly answered: () => void
  /** An attempt has failed and another one follows. */
  readonly retried: (fault: Fault, attempt: number, waitMs: number) => void
  /** Something of the answer has come. */
  readonly content: () => void
  readonly complete: () => void
  /** The client has left: the upstream is let go, and nothing has failed. */
  readonly leave: () => void
  /** It failed; gives the fault as the client is to see it. */
  readonly refuse: (given: Fault) => Fault
  /** Something of ours broke: the upstream is let go. Gives what the client is told. */
  readonly fail: (error: unknown) => Fault
  /** The proxy has given the request up, before its end. */
  readonly stopped: () => boolean
  /** A fault in the words that hold when the request was given up by us. */
  readonly explain: (given: Fault) => Fault
  /** Lets go of a request of which no Exchange is made. */
  readonly abandon: () => void
  /** Its client has left, and from now on it is the request of another one. False: it has come to its end. */
  readonly handOver: (heir: Asker) => boolean
}

const stopping = fault({
  kind: "api_error",
  source: "proxy",
  status: 503,
  message: "the proxy was stopped before the reply was complete",
  retryAfterMs: 1_000,
})

/** For a request that is about to be sent; it counts as running until its end. */
export function createOutcome(facts: OutcomeFacts, context: Context): RequestOutcome {
  const { stream } = facts
  let asker: Asker = facts
  const upstream = createTrigger()
  // Few ask for it: most replies are there before anybody could leave.
  let client: AbortController | undefined
  let gone = false
  let stopped = false
  let done = false
  let attempts = facts.free === true ? 0 : 1
  let firstContentAt: number | undefined
  let sentAt: number | undefined
  let upstreamWaitMs: number | undefined
  const failures: Failure[] = []
  const running: Running = {
    stream,
    about: () => ({
      requestId: asker.requestId,
      startedAt: asker.startedAt,
      model: facts.route.requestedModel,
    }),
    stop: () => {
      stopped = true
      upstream.fire()
    },
  }
  context.running.add(running)

  function finish(outcome: Outcome): void {
    if (done) return
    done = true
    context.running.delete(running)
    const firstContentMs =
      firstContentAt === undefined ? undefined : Math.max(0, firstContentAt - asker.startedAt)
    const tried = facts.free === true ? undefined : courseFacts(facts.course)
    const seen: Seen = {
      attempts: tried?.attempts ?? attempts,
      failures: tried?.failures ?? failures,
      fallbackFrom: tried?.fallbackFrom,
      firstContentMs,
      upstreamWaitMs,
      endedAt: context.clock.now(),
    }
    context.onExchange(exchangeOf(facts, asker, outcome, seen, tried?.answering))
  }

  function handOver({ requestId, startedAt, stream, caller }: Asker): boolean {
    if (done) return false
    const seen = { attempts: 0, firstContentMs: undefined, endedAt: context.clock.now() }
    context.onExchange(exchangeOf({ ...facts, ...nothingAsked }, asker, { kind: "cancelled" }, seen))
    asker = { requestId, startedAt, stream, caller }
    return true
  }

  // A request that we gave up ends in our words, not in those of the connection that broke by it.
  const explain = (given: Fault): Fault => (stopped ? stopping : given)

  function refuse(given: Fault): Fault {
    const explained = explain(given)
    finish({ kind: "failed", fault: explained })
    return explained
  }

  return {
    signal: upstream.signal,
    left: () => {
      client ??= new AbortController()
      if (gone) client.abort()
      return client.signal
    },
    sent: () => {
      sentAt = performance.now()
    },
    answered: () => {
      if (sentAt !== undefined) upstreamWaitMs = performance.now() - sentAt
    },
    retried: (given, attempt, waitMs) => {
      retryTarget(facts.course, given)
      attempts = attempt + 1
      failures.push({ provider: facts.route.provider, kind: given.kind })
      const why = () => ({ requestId: asker.requestId, why: given.message, attempt, waitMs })
      context.log.warn("upstream failed before its reply began; trying again", why)
    },
    content: () => {
      firstContentAt ??= performance.now()
    },
    complete: () => finish({ kind: "completed" }),
    leave: () => {
      finish({ kind: "cancelled" })
      upstream.fire()
      gone = true
      client?.abort()
    },
    refuse,
    fail: (error) => {
      upstream.fire()
      if (!done) context.log.error("internal error", () => ({ requestId: asker.requestId, error }))
      return refuse(internalFault(error))
    },
    stopped: () => stopped,
    explain,
    abandon: () => {
      done = true
      upstream.fire()
      context.running.delete(running)
    },
    handOver,
  }
}

/** The same for a request that is answered from elsewhere: it uses nothing and costs nothing. */
export function createFreeOutcome(facts: Omit<OutcomeFacts, "account">, context: Context): RequestOutcome {
  return createOutcome({ ...facts, ...nothingAsked, cache: facts.cache }, context)
}

const nothingAsked = {
  account: (): Account => ({ ...nothingUsed, repairs: [], reply: undefined }),
  free: true,
  cache: undefined,
} as const
