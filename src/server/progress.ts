// What is known of a reply while it grows: the writer's state, and the facts for the record at the end.
import { resolvePrices } from "../config/route.ts"
import type { Delta } from "../convert/delta.ts"
import { begin, keepAlive } from "../convert/reply/blocks.ts"
import { finalUsage, isEstimated } from "../convert/reply/final.ts"
import { writeAll } from "../convert/reply/reply.ts"
import { hasContent, initialWriter, type WriterState } from "../convert/reply/writer-state.ts"
import { costUsd } from "../observe/cost.ts"
import type { Exchange, Outcome } from "../observe/exchange.ts"
import type { Fault } from "../protocol/fault.ts"
import type { MessagesEvent, MessagesUsage } from "../protocol/messages.ts"
import { estimateText } from "../tokens/estimate.ts"
import type { Context } from "./context.ts"
import { randomId } from "./ids.ts"
import { createRecorder } from "./memory.ts"
import type { Prepared } from "./prepare.ts"

export interface Progress {
  readonly begin: () => readonly MessagesEvent[]
  readonly write: (deltas: readonly Delta[]) => readonly MessagesEvent[]
  readonly keepAlive: () => readonly MessagesEvent[]
  readonly ended: () => boolean
  /** An attempt has failed and another one follows. */
  readonly retried: (fault: Fault, attempt: number, waitMs: number) => void
  readonly exchange: (outcome: Outcome) => Exchange
}

/** The progress of one reply that has not begun. */
export function createProgress(prepared: Prepared, { config, log, memory }: Context): Progress {
  const { route, requestId, startedAt } = prepared
  const record = createRecorder(memory, prepared.scope)
  let attempts = 1
  let firstContentMs: number | undefined
  let state: WriterState = initialWriter({
    id: `msg_${randomId()}`,
    model: route.requestedModel,
    provider: route.provider,
    upstreamModel: route.model,
    inputTokens: prepared.errors.inputTokens,
    estimate: config.estimateTokens ? estimateText : null,
  })

  function step([next, events]: readonly [WriterState, readonly MessagesEvent[]]): readonly MessagesEvent[] {
    state = next
    record(events)
    if (firstContentMs === undefined && hasContent(state)) firstContentMs = performance.now() - startedAt
    return events
  }

  return {
    begin: () => step(begin(state)),
    write: (deltas) => step(writeAll(state, deltas)),
    keepAlive: () => keepAlive(state),
    ended: () => state.phase === "ended",
    retried: (given, attempt, waitMs) => {
      attempts = attempt + 1
      const facts = () => ({ requestId, why: given.message, attempt, waitMs })
      log.warn("upstream failed before its reply began; trying again", facts)
    },
    exchange: (outcome) => ({
      requestId,
      requestedModel: route.requestedModel,
      model: route.model,
      provider: route.provider,
      reason: route.reason,
      stream: prepared.stream,
      attempts,
      firstContentMs,
      durationMs: performance.now() - startedAt,
      usage: usageOf(state),
      costUsd: costUsd(resolvePrices(config, route.requestedModel), usageOf(state)),
      estimated: isEstimated(state),
      notes: prepared.notes,
      repairs: state.notes,
      outcome,
    }),
  }
}

function usageOf(state: WriterState): MessagesUsage {
  const none = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
  return { ...none, ...finalUsage(state) }
}
