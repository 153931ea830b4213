// The one end a request comes to, converted or passed through: complete, left by its client, or failed. The
// first one counts, and becomes the request's one Exchange.
import type { Exchange, Failure, Outcome } from "../../observe/exchange.ts"
import type { Logger } from "../../observe/log.ts"
import { type Fault, fault } from "../../protocol/fault.ts"
import type { Clock } from "../../upstream/deadline.ts"
import { createTrigger, fire, type Signal, type Trigger } from "../../upstream/signal.ts"
import { courseFacts, retryTarget } from "../course/course.ts"
import type { Rush } from "../heap/rush.ts"
import { internalFault } from "../http/respond.ts"
import type { Asker } from "./asker.ts"
import { type Account, exchangeOf, nothingUsed, type OutcomeFacts, type Seen } from "./exchange-of.ts"

/** What a request on its way to its one end needs of everything around it. */
interface OutcomeContext {
  readonly clock: Pick<Clock, "now">
  readonly log: Pick<Logger, "warn" | "error">
  readonly onExchange: (exchange: Exchange) => void
  readonly running: Set<RequestOutcome>
  readonly rush: Pick<Rush, "begin">
}

/** There is one for each request, and thousands may last for hours: a record, which the functions below move on. */
export interface RequestOutcome {
  readonly facts: OutcomeFacts
  readonly context: OutcomeContext
  /** Fires when the upstream is to be let go. */
  readonly upstream: Trigger
  /** Whose request it is now. */
  asker: Asker
  /** Few ask for it: most replies are there before anybody could leave. */
  client: Trigger | undefined
  /** The client has left. */
  gone: boolean
  /** The proxy has given the request up, before its end. */
  stopped: boolean
  /** It has come to its end. */
  done: boolean
  attempts: number
  failures: readonly Failure[]
  firstContentAt: number | undefined
  sentAt: number | undefined
  upstreamWaitMs: number | undefined
}

const stopping = fault({
  kind: "api_error",
  source: "proxy",
  status: 503,
  message: "the proxy was stopped before the reply was complete",
  retryAfterMs: 1_000,
})

const none: readonly never[] = []

/** For a request that is about to be sent; it counts as running until its end. */
export function createOutcome(facts: OutcomeFacts, context: OutcomeContext): RequestOutcome {
  const outcome: RequestOutcome = {
    facts,
    context,
    upstream: createTrigger(),
    asker: facts,
    client: undefined,
    gone: false,
    stopped: false,
    done: false,
    attempts: facts.free === true ? 0 : 1,
    failures: none,
    firstContentAt: undefined,
    sentAt: undefined,
    upstreamWaitMs: undefined,
  }
  context.running.add(outcome)
  context.rush.begin()
  return outcome
}

/** The same for a request that is answered from elsewhere: it uses nothing and costs nothing. */
export function createFreeOutcome(
  facts: Omit<OutcomeFacts, "account">,
  context: OutcomeContext,
): RequestOutcome {
  return createOutcome({ ...facts, ...nothingAsked, cache: facts.cache }, context)
}

const nothingAsked = {
  account: (): Account => ({ ...nothingUsed, repairs: [], reply: undefined }),
  free: true,
  cache: undefined,
} as const

/** Fires when the client has left. */
export function clientOf(outcome: RequestOutcome): Signal {
  outcome.client ??= createTrigger()
  if (outcome.gone) fire(outcome.client)
  return outcome.client
}

/** A request to an upstream leaves. */
export function hasLeft(outcome: RequestOutcome): void {
  outcome.sentAt = performance.now()
}

/** What was sent last is being answered. */
export function isAnswered(outcome: RequestOutcome): void {
  if (outcome.sentAt !== undefined) outcome.upstreamWaitMs = performance.now() - outcome.sentAt
}

/** An attempt has failed and another one follows. */
export function retry(outcome: RequestOutcome, given: Fault, attempt: number, waitMs: number): void {
  const { facts, context } = outcome
  retryTarget(facts.course, given)
  outcome.attempts = attempt + 1
  outcome.failures = [...outcome.failures, { provider: facts.route.provider, kind: given.kind }]
  const why = () => ({ requestId: outcome.asker.requestId, why: given.message, attempt, waitMs })
  context.log.warn("upstream failed before its reply began; trying again", why)
}

/** Something of the answer has come. */
export function beginsToCome(outcome: RequestOutcome): void {
  outcome.firstContentAt ??= performance.now()
}

export function complete(outcome: RequestOutcome): void {
  finish(outcome, completed)
}

const completed: Outcome = { kind: "completed" }
const cancelled: Outcome = { kind: "cancelled" }

/** The client has left: the upstream is let go, and nothing has failed. */
export function leave(outcome: RequestOutcome): void {
  finish(outcome, cancelled)
  fire(outcome.upstream)
  outcome.gone = true
  if (outcome.client !== undefined) fire(outcome.client)
}

/** It failed; gives the fault as the client is to see it. */
export function refuse(outcome: RequestOutcome, given: Fault): Fault {
  const explained = explain(outcome, given)
  finish(outcome, { kind: "failed", fault: explained })
  return explained
}

/** Something of ours broke: the upstream is let go. Gives what the client is told. */
export function fail(outcome: RequestOutcome, error: unknown): Fault {
  fire(outcome.upstream)
  const { context, asker, done } = outcome
  if (!done) context.log.error("internal error", () => ({ requestId: asker.requestId, error }))
  return refuse(outcome, internalFault(error))
}

/** A fault in the words that hold: who was given up by us hears of that, not of the connection that broke by it. */
export function explain({ stopped }: RequestOutcome, given: Fault): Fault {
  return stopped ? stopping : given
}

/** The proxy gives the request up. */
export function stop(outcome: RequestOutcome): void {
  outcome.stopped = true
  fire(outcome.upstream)
}

/** Lets go of a request of which no Exchange is made. */
export function abandon(outcome: RequestOutcome): void {
  outcome.done = true
  fire(outcome.upstream)
  outcome.context.running.delete(outcome)
}

/** Its client has left, and from now on it is the request of another one. False: it has come to its end. */
export function handOver(outcome: RequestOutcome, { requestId, startedAt, stream, caller }: Asker): boolean {
  const { facts, context, asker } = outcome
  if (outcome.done) return false
  const seen = { attempts: 0, firstContentMs: undefined, endedAt: context.clock.now() }
  context.onExchange(exchangeOf({ ...facts, ...nothingAsked }, asker, cancelled, seen))
  outcome.asker = { requestId, startedAt, stream, caller }
  return true
}

function finish(outcome: RequestOutcome, end: Outcome): void {
  if (outcome.done) return
  outcome.done = true
  const { facts, context, asker, firstContentAt } = outcome
  context.running.delete(outcome)
  const tried = facts.free === true ? undefined : courseFacts(facts.course)
  const seen: Seen = {
    attempts: tried?.attempts ?? outcome.attempts,
    failures: tried?.failures ?? outcome.failures,
    fallbackFrom: tried?.fallbackFrom,
    firstContentMs: firstContentAt === undefined ? undefined : Math.max(0, firstContentAt - asker.startedAt),
    upstreamWaitMs: outcome.upstreamWaitMs,
    endedAt: context.clock.now(),
  }
  context.onExchange(exchangeOf(facts, asker, end, seen, tried?.answering))
}
