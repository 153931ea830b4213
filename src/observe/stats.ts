// What this process was used for since it started: sums over requests, by model, session, agent and client.

import { inputOf } from "../protocol/messages/usage.ts"
import { isCostUnknown } from "./cost.ts"
import type { Exchange } from "./exchange.ts"

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
    inputTokens: inputOf(exchange.usage),
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

/** Sums that grow in place. */
export type GrowingTally = { -readonly [Name in keyof Tally]: Tally[Name] }

/** Adds one more to the sums. */
export function addTally(sum: GrowingTally, more: Tally): void {
  sum.requests += more.requests
  sum.failures += more.failures
  sum.inputTokens += more.inputTokens
  sum.outputTokens += more.outputTokens
  sum.cacheReadTokens += more.cacheReadTokens
  sum.cacheCreationTokens += more.cacheCreationTokens
  sum.reasoningTokens += more.reasoningTokens
  sum.estimated += more.estimated
  sum.costUsd += more.costUsd
  sum.costKnown += more.costKnown
  sum.costUnknown += more.costUnknown
}

/** Both together. */
export function addTallies(one: Tally, other: Tally): Tally {
  const sum = { ...one }
  addTally(sum, other)
  return sum
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

// Clients make all of these names up: none may grow without end.
export const mostModels = 200
export const mostUses = 200
/** Stands for the models beyond the last one that is told apart. */
export const otherModels = "(others)"

/** `PROVIDER/MODEL`, or the word for all the others. */
export function modelName({ provider, model }: Pick<ModelUse, "provider" | "model">): string {
  return provider.length > 0 && model.length > 0 ? `${provider}/${model}` : provider + model
}

/** A model's name as statistics keep it. */
export function shortName(model: string): string {
  return model.slice(0, 128).toWellFormed()
}

/** Statistics that grow with every request. */
interface Sums {
  readonly add: (exchange: Exchange) => void
  /** As they are now; what comes later changes nothing in it. */
  readonly current: () => Stats
}

interface GrowingUse {
  readonly tally: GrowingTally
  lastUsed: number
}

interface GrowingModel extends ModelUse {
  readonly tally: GrowingTally
}

/** What the last request was counted in. */
type LastModel = Pick<GrowingModel, "provider" | "model" | "tally">

/** Nothing is counted yet. */
export function createSums(): Sums {
  const total: GrowingTally = { ...emptyTally }
  const models = new Map<string, GrowingModel>()
  const sessions = new Map<string, GrowingUse>()
  const agents = new Map<string, GrowingUse>()
  const clients = new Map<string, GrowingUse>()
  let last: LastModel | undefined
  return {
    add: (exchange) => {
      const tally = tallyOf(exchange)
      const { session, agent, client, endedAt = 0 } = exchange
      addTally(total, tally)
      // Mostly it is the model of the request before.
      if (last === undefined || !isSame(last, exchange)) last = lastOf(models, exchange)
      addTally(last.tally, tally)
      addUse(sessions, session, tally, endedAt)
      addUse(agents, agent, tally, endedAt)
      addUse(clients, client, tally, endedAt)
    },
    current: () => ({
      total: { ...total },
      models: copyOf(models),
      sessions: copyOf(sessions),
      agents: copyOf(agents),
      clients: copyOf(clients),
    }),
  }
}

function copyOf<Use extends { readonly tally: Tally }>(
  uses: ReadonlyMap<string, Use>,
): ReadonlyMap<string, Use> {
  return new Map([...uses].map(([name, use]) => [name, { ...use, tally: { ...use.tally } }]))
}

const isSame = ({ provider: by, model }: LastModel, next: Exchange): boolean =>
  by === next.provider && model === next.model

function lastOf(models: Map<string, GrowingModel>, exchange: Exchange): LastModel {
  const { provider, model } = exchange
  return { provider, model, tally: tallyIn(models, exchange) }
}

/** The sums of a model, which exist from now on. */
function tallyIn(models: Map<string, GrowingModel>, { provider, model: given }: Exchange): GrowingTally {
  const model = shortName(given)
  const own = modelName({ provider, model })
  const isKnown = models.has(own) || models.size < mostModels
  const name = isKnown ? own : otherModels
  const use = models.get(name)
  if (use !== undefined) return use.tally
  const tally = { ...emptyTally }
  models.set(name, isKnown ? { provider, model, tally } : { provider: "", model: otherModels, tally })
  return tally
}

/** The one used last stands last; the first ones are forgotten when there are too many. */
function addUse(
  uses: Map<string, GrowingUse>,
  name: string | undefined,
  tally: Tally,
  lastUsed: number,
): void {
  if (name === undefined) return
  const use = uses.get(name) ?? { tally: { ...emptyTally }, lastUsed }
  addTally(use.tally, tally)
  use.lastUsed = lastUsed
  uses.delete(name)
  uses.set(name, use)
  for (const oldest of uses.keys()) {
    if (uses.size <= mostUses) break
    uses.delete(oldest)
  }
}

/** What was kept of earlier runs and of this one. */
export interface AllTime {
  /** The first day, as `2025-01-31`. */
  readonly since: string
  readonly total: Tally
  readonly models: readonly ModelUse[]
}
