// One passed-through request under way: what is known of it so far, and the one end it comes to.
import { resolvePrices } from "../config/route.ts"
import { costUsd } from "../observe/cost.ts"
import type { Outcome } from "../observe/exchange.ts"
import { type Fault, fault, type Note } from "../protocol/fault.ts"
import { countOf, isObject, type JsonObject } from "../protocol/json.ts"
import type { MessagesUsage } from "../protocol/messages.ts"
import type { Route } from "../providers/route.ts"
import type { Context, Running } from "./context.ts"
import { internalFault } from "./respond.ts"

export interface DirectFacts {
  readonly route: Route
  readonly requestId: string
  /** Of `performance.now()`. */
  readonly startedAt: number
  readonly stream: boolean
  readonly notes: readonly Note[]
  /** Our estimate, for upstreams that do not count. */
  readonly inputTokens: () => number
}

export interface DirectSession {
  /** Fires when the upstream is to be let go. */
  readonly signal: AbortSignal
  /** Fires when the client has left. */
  readonly left: AbortSignal
  readonly retried: (fault: Fault, attempt: number, waitMs: number) => void
  /** Adds what a `usage` object of the reply says. */
  readonly readUsage: (usage: JsonObject) => void
  /** Something of the answer has come. */
  readonly content: () => void
  readonly complete: () => void
  /** The client has left: nothing has failed. */
  readonly leave: () => void
  /** It failed; gives the fault as the client is to see it. */
  readonly refuse: (given: Fault) => Fault
  /** Something of ours broke. Gives what the client is told. */
  readonly fail: (error: unknown) => Fault
}

const stopping = fault({
  kind: "api_error",
  source: "proxy",
  status: 503,
  message: "the proxy was stopped before the reply was complete",
})

/** The session of a request that is about to be sent; it counts as running until its end. */
export function createDirectSession(facts: DirectFacts, context: Context): DirectSession {
  const { requestId, route, startedAt } = facts
  const upstream = new AbortController()
  const client = new AbortController()
  let stopped = false
  let done = false
  let attempts = 1
  let firstContentMs: number | undefined
  let usage = noUsage
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
    const estimated = context.config.estimateTokens && outcome.kind === "completed" && inputOf(usage) === 0
    const used = estimated ? { ...usage, input_tokens: facts.inputTokens() } : usage
    context.onExchange({
      requestId,
      requestedModel: route.requestedModel,
      model: route.model,
      provider: route.provider,
      reason: route.reason,
      stream: facts.stream,
      attempts,
      firstContentMs,
      durationMs: performance.now() - startedAt,
      usage: used,
      costUsd: costUsd(resolvePrices(context.config, route.requestedModel), used),
      estimated,
      notes: facts.notes,
      repairs: [],
      outcome,
    })
  }

  function refuse(given: Fault): Fault {
    // A request that we gave up ends in our words, not in those of the connection that broke by it.
    const explained = stopped ? stopping : given
    finish({ kind: "failed", fault: explained })
    return explained
  }

  return {
    signal: upstream.signal,
    left: client.signal,
    retried: (given, attempt, waitMs) => {
      attempts = attempt + 1
      const why = () => ({ requestId, why: given.message, attempt, waitMs })
      context.log.warn("upstream failed before its reply began; trying again", why)
    },
    readUsage: (given) => {
      usage = { ...usage, ...reportedUsage(given) }
    },
    content: () => {
      firstContentMs ??= performance.now() - startedAt
    },
    complete: () => finish({ kind: "completed" }),
    leave: () => {
      finish({ kind: "cancelled" })
      upstream.abort()
      client.abort()
    },
    refuse,
    fail: (error) => {
      upstream.abort()
      if (!done) context.log.error("internal error", () => ({ requestId, error }))
      return refuse(internalFault(error))
    },
  }
}

const noUsage: MessagesUsage = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
}

function inputOf(usage: MessagesUsage): number {
  return usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens
}

const counters = [
  "input_tokens",
  "cache_creation_input_tokens",
  "cache_read_input_tokens",
  "output_tokens",
] as const

/** The counters that a `usage` object names; the later ones of a stream are totals, so they replace. */
function reportedUsage(given: JsonObject): Partial<MessagesUsage> {
  const reported = counters.flatMap((key) => {
    const count = countOf(given[key])
    return count === undefined ? [] : [[key, count] as const]
  })
  const details = given["output_tokens_details"]
  const thinking = isObject(details) ? countOf(details["thinking_tokens"]) : undefined
  return {
    ...Object.fromEntries(reported),
    ...(thinking === undefined ? {} : { output_tokens_details: { thinking_tokens: thinking } }),
  }
}
