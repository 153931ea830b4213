// The figures of this proxy for Prometheus: every family there is, and what of a request is counted in which. They
// are read off each request once, when it is over.
import type { Note } from "../protocol/fault.ts"
import { isCostUnknown } from "./cost.ts"
import type { Exchange, Outcome } from "./exchange.ts"
import {
  type ProcessFacts,
  processFamilies,
  requestFamilies,
  type TroubleFamilies,
  troubleFamilies,
  usageFamilies,
} from "./metrics-families.ts"
import { createCleaner, createModelNames } from "./metrics-labels.ts"
import { createRegistry, type MetricsSnapshot } from "./metrics-registry.ts"
import { createRows, type Row } from "./metrics-rows.ts"
import { renderSnapshots } from "./metrics-text.ts"

interface MetricsOptions extends ProcessFacts {
  /** What must not be seen in any label. */
  readonly secrets?: () => readonly string[]
}

export interface Metrics {
  /** A request for a reply is over. */
  readonly recordExchange: (exchange: Exchange) => void
  /** A request was answered with an error before anything was asked of a model; `cancelled`: nobody waited for it. */
  readonly recordRefusal: (status: number | "cancelled") => void
  readonly recordNotes: (provider: string, notes: readonly Note[]) => void
  /** A request was refused because its client, named by its label, had used up its limit. */
  readonly rateLimited: (client?: string) => void
  /** A key was refused and is not used for a while. */
  readonly keyRested: (provider: string) => void
  readonly snapshot: () => MetricsSnapshot
  /** The snapshot of this process in the text format of Prometheus. */
  readonly render: () => string
}

/** What a label says of something that is not there. */
const none = "none"

/** A registry in which nothing was counted yet. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const clean = createCleaner(options.secrets ?? (() => []))
  const registry = createRegistry(clean)
  const modelName = createModelNames(clean)
  const requests = requestFamilies(registry)
  const usage = usageFamilies(registry)
  const trouble = troubleFamilies(registry)
  const rowOf = createRows(requests, usage, trouble)
  processFamilies(registry, options)

  function recordNotes(provider: string, notes: readonly Note[]): void {
    for (const { kind, path } of notes) trouble.fields(provider, fieldOf(path), kind)(1)
  }

  return {
    recordExchange: (exchange) => {
      const { provider, stream, costUsd } = exchange
      const model = modelName(exchange.model || none, exchange.firstContentMs !== undefined)
      requests.requests(model, provider, statusOf(exchange.outcome), stream ? "true" : "false")(1)
      countReply(exchange, rowOf(model, stream))
      if (costUsd !== undefined) usage.cost(model)(costUsd)
      countTrouble(exchange, model, trouble)
      recordNotes(provider, exchange.notes)
    },
    recordRefusal: (status) => requests.requests(none, none, String(status), none)(1),
    recordNotes,
    rateLimited: (client = none) => trouble.rateLimited(client)(1),
    keyRested: (provider) => trouble.keyRests(provider)(1),
    snapshot: registry.snapshot,
    render: () => renderSnapshots([registry.snapshot()]),
  }
}

function countReply(exchange: Exchange, row: Row): void {
  const { usage, reply, repairs, firstContentMs, upstreamWaitMs } = exchange
  row.duration(exchange.durationMs / 1000)
  if (firstContentMs !== undefined) row.firstToken(firstContentMs / 1000)
  if (upstreamWaitMs !== undefined) row.upstreamWait(upstreamWaitMs / 1000)
  row.input(usage.input_tokens)
  row.output(usage.output_tokens)
  row.cacheRead(usage.cache_read_input_tokens)
  row.cacheCreation(usage.cache_creation_input_tokens)
  row.reasoning(usage.output_tokens_details?.thinking_tokens ?? 0)
  if (isCostUnknown(exchange)) row.costUnknown(1)
  if (reply !== undefined) for (const count of Object.values(reply.calls)) row.calls(count)
  if (repairs.length > 0) row.repaired(repairedCalls(repairs))
}

function countTrouble(exchange: Exchange, model: string, families: TroubleFamilies): void {
  const { provider, failures = [], outcome, cache, shared, fallbackFrom } = exchange
  families.retries(provider)(0)
  for (const { provider: failed, kind, moved } of failures) {
    families.errors(failed, kind)(1)
    if (moved !== true) families.retries(failed)(1)
  }
  if (outcome.kind === "failed" && outcome.fault.source === "upstream")
    families.errors(provider, outcome.fault.kind)(1)
  if (fallbackFrom !== undefined) families.fallbacks(fallbackFrom, model)(1)
  if (shared === true) families.sharedReplies()(1)
  if (cache === "miss") families.cacheMisses()(1)
  // A failure that was shared with others is no answer from the cache.
  else if (cache === "hit" && outcome.kind !== "failed") families.cacheHits()(1)
}

/** One call may need several repairs; each has its own note, at the call's own path. */
function repairedCalls(repairs: readonly Note[]): number {
  return new Set(repairs.filter(({ path }) => path.endsWith(".arguments")).map(({ path }) => path)).size
}

function statusOf(outcome: Outcome): string {
  if (outcome.kind === "completed") return "200"
  return outcome.kind === "failed" ? String(outcome.fault.status) : "cancelled"
}

/**
 * The field that a note's path means, without positions and without names that a client made up:
 * `messages.3.content.0` is `messages.content`, everything inside a schema is `tools.input_schema`.
 */
export function fieldOf(path: string): string {
  const parts = path.split(".").filter((part) => !/^\d+$/.test(part))
  const schema = parts.findIndex((part) => part === "input_schema" || part === "schema")
  return parts.slice(0, schema < 0 ? 3 : schema + 1).join(".")
}
