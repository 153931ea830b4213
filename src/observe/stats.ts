// What this process was used for since it started: sums over requests, by model, session, agent and client.

import { isCostUnknown } from "./cost.ts"
import type { Exchange } from "./exchange.ts"
import { inputTokens } from "./usage-line.ts"

/** Sums over requests. */
export interface Tally {
  readonly requests: number
  /** Requests answered with an error. One the client gave up is not a failure. */
  readonly failures: number
  /** Everything that was read, the two kinds of cached tokens included. */
  readonly inputTokens: number
  /** Everything that was written, reasoning included. */
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheCreationTokens: number
  readonly reasoningTokens: number
  /** Requests with counts that are our own estimate. */
  readonly estimated: number
  /** In US dollars, of those requests whose cost is known. */
  readonly costUsd: number
  readonly costKnown: number
  /** Requests that cost something nobody knows. */
  readonly costUnknown: number
}

export const emptyTally: Tally = {
  requests: 0,
  failures: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheCreationTokens: 0,
  reasoningTokens: 0,
  estimated: 0,
  costUsd: 0,
  costKnown: 0,
  costUnknown: 0,
}

/** One request as sums. */
export function tallyOf(exchange: Exchange): Tally {
  const { usage } = exchange
  return {
    requests: 1,
    failures: exchange.outcome.kind === "failed" ? 1 : 0,
    inputTokens: inputTokens(exchange),
    outputTokens: usage.output_tokens,
    cacheReadTokens: usage.cache_read_input_tokens,
    cacheCreationTokens: usage.cache_creation_input_tokens,
    reasoningTokens: usage.output_tokens_details?.thinking_tokens ?? 0,
    estimated: exchange.estimated ? 1 : 0,
    costUsd: exchange.costUsd ?? 0,
    costKnown: exchange.costUsd === undefined ? 0 : 1,
    costUnknown: isCostUnknown(exchange) ? 1 : 0,
  }
}

/** Both together. */
export function addTallies(one: Tally, other: Tally): Tally {
  return {
    requests: one.requests + other.requests,
    failures: one.failures + other.failures,
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens,
    cacheCreationTokens: one.cacheCreationTokens + other.cacheCreationTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
    estimated: one.estimated + other.estimated,
    costUsd: one.costUsd + other.costUsd,
    costKnown: one.costKnown + other.costKnown,
    costUnknown: one.costUnknown + other.costUnknown,
  }
}

/** The sums with one more request. */
export function addExchange(tally: Tally, exchange: Exchange): Tally {
  return addTallies(tally, tallyOf(exchange))
}

/** Sums over the requests of one session, agent or client. */
export interface Use {
  readonly tally: Tally
  /** When the last one ended, in milliseconds since 1970. */
  readonly lastUsed: number
}

export interface ModelUse {
  readonly provider: string
  readonly model: string
  readonly tally: Tally
}

type Uses = ReadonlyMap<string, Use>

export interface Stats {
  readonly total: Tally
  /** By `PROVIDER/MODEL`; together they are the total. */
  readonly models: ReadonlyMap<string, ModelUse>
  /** Of those that name themselves; the ones used last. */
  readonly sessions: Uses
  readonly agents: Uses
  /** By the label of the client key, where one is asked for. */
  readonly clients: Uses
}

export const emptyStats: Stats = {
  total: emptyTally,
  models: new Map(),
  sessions: new Map(),
  agents: new Map(),
  clients: new Map(),
}

// Clients make all of these names up: none may grow without end.
export const mostModels = 200
export const mostUses = 200
/** Stands for the models beyond the last one that is told apart. */
export const otherModels = "(others)"

/** `PROVIDER/MODEL`, or the word for all the others. */
export function modelName({ provider, model }: Pick<ModelUse, "provider" | "model">): string {
  return [provider, model].filter((part) => part !== "").join("/")
}

/** A model's name as statistics keep it. */
export function shortName(model: string): string {
  return model.slice(0, 128).toWellFormed()
}

/** The statistics with one more request. */
export function record(stats: Stats, exchange: Exchange): Stats {
  const tally = tallyOf(exchange)
  const { session, agent, client, endedAt = 0 } = exchange
  return {
    total: addTallies(stats.total, tally),
    models: addModel(stats.models, exchange, tally),
    sessions: addUse(stats.sessions, session, tally, endedAt),
    agents: addUse(stats.agents, agent, tally, endedAt),
    clients: addUse(stats.clients, client, tally, endedAt),
  }
}

function addModel(models: Stats["models"], exchange: Exchange, tally: Tally): Stats["models"] {
  const { provider } = exchange
  const model = shortName(exchange.model)
  const own = modelName({ provider, model })
  const known = models.has(own) || models.size < mostModels
  const name = known ? own : otherModels
  const use = models.get(name) ?? {
    ...(known ? { provider, model } : { provider: "", model: otherModels }),
    tally: emptyTally,
  }
  return new Map(models).set(name, { ...use, tally: addTallies(use.tally, tally) })
}

/** The one used last stands last; the first ones are forgotten when there are too many. */
function addUse(uses: Uses, name: string | undefined, tally: Tally, lastUsed: number): Uses {
  if (name === undefined) return uses
  const next = new Map(uses)
  next.delete(name)
  next.set(name, { tally: addTallies(uses.get(name)?.tally ?? emptyTally, tally), lastUsed })
  for (const oldest of next.keys()) {
    if (next.size <= mostUses) break
    next.delete(oldest)
  }
  return next
}

/** What was kept of earlier runs and of this one. */
export interface AllTime {
  /** The first day, as `2025-01-31`. */
  readonly since: string
  readonly total: Tally
  readonly models: readonly ModelUse[]
}
