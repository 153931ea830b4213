// One request under way: its upstream, its writer, and what the log wants to know at the end.
import { begin, keepAlive } from "../convert/blocks.ts"
import type { Delta } from "../convert/delta.ts"
import { finalUsage, isEstimated } from "../convert/final.ts"
import { writeAll } from "../convert/reply.ts"
import { hasContent, initialWriter, type WriterState } from "../convert/writer-state.ts"
import type { Exchange, Outcome } from "../observe/exchange.ts"
import type { MessagesEvent } from "../protocol/messages.ts"
import { estimateText } from "../tokens/estimate.ts"
import type { Attempted } from "../upstream/attempts.ts"
import type { Context } from "./context.ts"
import { randomId } from "./ids.ts"
import { openReply } from "./pipeline.ts"
import type { Prepared } from "./prepare.ts"

export interface Session {
  readonly prepared: Prepared
  readonly gone: AbortController
  readonly opening: Promise<Attempted<Delta>>
  readonly begin: () => readonly MessagesEvent[]
  readonly write: (deltas: readonly Delta[]) => readonly MessagesEvent[]
  readonly keepAlive: () => readonly MessagesEvent[]
  readonly ended: () => boolean
  readonly finish: (outcome: Outcome) => void
}

/** Sends the request and keeps the writer's state; `gone` ends it when the client has left. */
export function createSession(prepared: Prepared, context: Context, gone: AbortController): Session {
  const { route, conversion, errors, requestId, startedAt } = prepared
  const { config, log } = context
  const idSeed = randomId(20)
  let attempts = 1
  let firstContentMs: number | undefined
  let done = false
  let state: WriterState = initialWriter({
    id: `msg_${randomId()}`,
    model: route.requestedModel,
    provider: route.provider,
    upstreamModel: route.model,
    inputTokens: prepared.inputTokens,
    estimate: config.estimateTokens ? estimateText : null,
  })
  const opening = openReply({
    route,
    conversion,
    errors,
    idSeed,
    signal: gone.signal,
    timeoutMs: config.requestTimeoutMs,
    maxRetries: config.maxRetries,
    clock: context.clock,
    userAgent: `claude-proxy/${context.version}`,
    onRetry: (given, attempt, waitMs) => {
      attempts = attempt + 1
      log.warn("upstream failed before its reply began; trying again", () => ({
        requestId,
        why: given.message,
        attempt,
        waitMs,
      }))
    },
  })

  function finish(outcome: Outcome): void {
    if (done) return
    done = true
    const usage = finalUsage(state)
    const exchange: Exchange = {
      requestId,
      requestedModel: route.requestedModel,
      model: route.model,
      provider: route.provider,
      reason: route.reason,
      stream: prepared.stream,
      attempts,
      firstContentMs,
      durationMs: performance.now() - startedAt,
      usage: { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, ...usage },
      estimated: isEstimated(state),
      notes: prepared.notes,
      outcome,
    }
    context.onExchange(exchange)
  }

  return {
    prepared,
    gone,
    opening,
    begin: () => {
      const [next, events] = begin(state)
      state = next
      return events
    },
    write: (deltas) => {
      const [next, events] = writeAll(state, deltas)
      state = next
      if (firstContentMs === undefined && hasContent(state)) firstContentMs = performance.now() - startedAt
      return events
    },
    keepAlive: () => keepAlive(state),
    ended: () => state.phase === "ended",
    finish,
  }
}
