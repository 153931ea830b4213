// The one Exchange that a request becomes at its end.

import { type Cost, costOf } from "../../observe/cost.ts"
import type { Caller, Exchange, Outcome } from "../../observe/exchange.ts"
import type { Note } from "../../protocol/fault.ts"
import { noUsage } from "../../protocol/messages/usage.ts"
import type { Route } from "../../providers/route.ts"
import type { Course } from "../course/course.ts"
import type { Asker } from "./asker.ts"

/** What a reply came to, known at its end. */
export interface Account extends Pick<Exchange, "usage" | "estimated" | "repairs" | "reply"> {
  /** What the provider says it charged, in US dollars. */
  readonly reportedCostUsd?: number | undefined
}

export interface OutcomeFacts {
  readonly route: Route
  readonly requestId: string
  /** Of `performance.now()`. */
  readonly startedAt: number
  readonly stream: boolean
  readonly notes: readonly Note[]
  /** The models it goes to, one after the other; undefined: there is one. */
  readonly course?: Course | undefined
  readonly caller: Caller
  readonly account: (outcome: Outcome) => Account
  readonly cache?: Exchange["cache"]
  readonly shared?: Exchange["shared"]
  /** Nothing is asked of an upstream for it. */
  readonly free?: boolean
}

/** What of a request is known only when it ends. */
export type Seen = Pick<
  Exchange,
  "attempts" | "failures" | "fallbackFrom" | "firstContentMs" | "upstreamWaitMs" | "endedAt"
>

/** Every field by its name: there is one of these for each request, and spreads cost several times as much. */
export function exchangeOf(
  facts: OutcomeFacts,
  { requestId, startedAt, stream, caller }: Asker,
  outcome: Outcome,
  seen: Seen,
  { route, notes }: Pick<OutcomeFacts, "route" | "notes"> = facts,
): Exchange {
  const { cache, shared, free } = facts
  const counted = facts.account(outcome)
  const { reportedCostUsd, repairs, reply } = counted
  const { usage, estimated } = refused(outcome, seen) && counted.estimated ? nothingUsed : counted
  const { costUsd, costFrom } = free === true ? costsNothing : costOf(reportedCostUsd, route.prices, usage)
  return {
    session: caller.session,
    agent: caller.agent,
    client: caller.client,
    requestId,
    requestedModel: route.requestedModel,
    model: route.model,
    provider: route.provider,
    reason: route.reason,
    routed: route.routed,
    stream,
    attempts: seen.attempts,
    failures: seen.failures,
    fallbackFrom: seen.fallbackFrom,
    firstContentMs: seen.firstContentMs,
    upstreamWaitMs: seen.upstreamWaitMs,
    endedAt: seen.endedAt,
    durationMs: performance.now() - startedAt,
    usage,
    costUsd,
    costFrom,
    cache,
    shared,
    estimated,
    notes,
    repairs,
    reply,
    outcome,
  }
}

/** It failed before anything of an answer came: nobody has read a token of it, whatever it was estimated at. */
function refused({ kind }: Outcome, { firstContentMs }: Pick<Exchange, "firstContentMs">): boolean {
  return kind === "failed" && firstContentMs === undefined
}

const costsNothing: Cost = { costUsd: 0 }

/** The usage of a request that used nothing. */
export const nothingUsed = { usage: noUsage, estimated: false } as const
