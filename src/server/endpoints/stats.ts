// GET /v1/stats: what this proxy was used for, by model, session, agent and client, and what it cost.
import { mergeStats } from "../../observe/merge-stats.ts"
import {
  addTallies,
  emptyTally,
  type ModelUse,
  modelName,
  type Stats,
  type Tally,
} from "../../observe/stats.ts"
import type { JsonObject } from "../../protocol/json.ts"
import { redact } from "../../protocol/redact.ts"
import type { BaseContext } from "../context.ts"
import { sharesOfAll } from "../figures/siblings.ts"
import { jsonReply } from "../http/respond.ts"

/** Answers GET /v1/stats. */
export async function stats(context: BaseContext, requestId: string): Promise<Response> {
  const { statistics, clock, config } = context
  // In this order: what the other workers keep has to be written before it is read.
  const shares = await sharesOfAll(context, true)
  const startedAt = Math.min(...shares.map((share) => share.startedAt))
  const current = mergeStats(shares.map((share) => share.stats))
  const models = withoutSecrets(current, config.secrets)
  const allTime = await statistics.history?.allTime()
  return jsonReply(
    {
      session_start_time: new Date(startedAt).toISOString(),
      session_duration_seconds: Math.max(0, Math.round((clock.now() - startedAt) / 100) / 10),
      ...totals(current.total),
      model_usage_count: usageCount(models),
      models: byModel(models),
      sessions: byName(current.sessions),
      agents: byName(current.agents),
      clients: byName(current.clients),
      all_time:
        allTime === undefined
          ? null
          : { since: allTime.since, ...totals(allTime.total), models: byModel(allTime.models) },
    },
    requestId,
  )
}

// The sum of fractions of a cent ends in dust.
const rounded = (dollars: number): number => Number(dollars.toFixed(10))

/** Cached and reasoning tokens are parts of the input and the output, which together are the total. */
function totals(tally: Tally): JsonObject {
  return {
    total_requests: tally.requests,
    total_input_tokens: tally.inputTokens,
    total_output_tokens: tally.outputTokens,
    total_tokens: tally.inputTokens + tally.outputTokens,
    total_cache_read_tokens: tally.cacheReadTokens,
    total_cache_creation_tokens: tally.cacheCreationTokens,
    total_reasoning_tokens: tally.reasoningTokens,
    total_cost_usd: rounded(tally.costUsd),
    // Beside the sum, so that nobody takes it for the whole, nor its zero for a price.
    cost_known_requests: tally.costKnown,
    cost_unknown_requests: tally.costUnknown,
    failed_requests: tally.failures,
    estimated_requests: tally.estimated,
  }
}

/** One row; its cost is null where nothing of it is known. */
export function tallyRow(tally: Tally): JsonObject {
  return {
    requests: tally.requests,
    failed_requests: tally.failures,
    input_tokens: tally.inputTokens,
    output_tokens: tally.outputTokens,
    cache_read_tokens: tally.cacheReadTokens,
    cache_creation_tokens: tally.cacheCreationTokens,
    reasoning_tokens: tally.reasoningTokens,
    cost_usd: tally.costKnown === 0 && tally.costUnknown > 0 ? null : rounded(tally.costUsd),
    cost_known_requests: tally.costKnown,
    cost_unknown_requests: tally.costUnknown,
    estimated_requests: tally.estimated,
  }
}

/** Some client may have sent a key in the place of the model, and others read this. */
function withoutSecrets({ models }: Stats, secrets: readonly string[]): readonly ModelUse[] {
  const clean = new Map<string, ModelUse>()
  for (const use of models.values()) {
    const own = { ...use, model: redact(use.model, secrets) }
    const name = modelName(own)
    const tally = addTallies(own.tally, clean.get(name)?.tally ?? emptyTally)
    clean.set(name, { ...own, tally })
  }
  return [...clean.values()]
}

function byModel(models: readonly ModelUse[]): JsonObject {
  return Object.fromEntries(models.map((use) => [modelName(use), tallyRow(use.tally)]))
}

/** By the model's name alone: two providers may serve the same one. */
function usageCount(models: readonly ModelUse[]): JsonObject {
  const counts = new Map<string, number>()
  for (const { model, tally } of models) counts.set(model, (counts.get(model) ?? 0) + tally.requests)
  return Object.fromEntries(counts)
}

function byName(uses: Stats["sessions"]): JsonObject {
  // The one used last comes first.
  const newest = [...uses].reverse()
  return Object.fromEntries(
    newest.map(([name, { tally, lastUsed }]) => [
      name,
      { ...tallyRow(tally), last_used: new Date(lastUsed).toISOString() },
    ]),
  )
}
