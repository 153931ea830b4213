// Requests that are over, made up for whoever reads them.
import type { Exchange, Outcome } from "../../src/observe/exchange.ts"
import { fault } from "../../src/protocol/fault.ts"
import type { MessagesUsage } from "../../src/protocol/messages/messages.ts"
import type { Random } from "./random.ts"

export const failed: Outcome = {
  kind: "failed",
  fault: fault({ kind: "api_error", source: "upstream", message: "no" }),
}

export function usage(input: number, output: number, more: Partial<MessagesUsage> = {}): MessagesUsage {
  return {
    input_tokens: input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: output,
    ...more,
  }
}

/** A completed request of 10 tokens in and 5 out whose cost nobody knows, but for `more`. */
export function exchange(more: Partial<Exchange> = {}): Exchange {
  return {
    requestId: "req_1",
    requestedModel: "claude-opus-5-5",
    model: "gpt-4o",
    provider: "openai",
    reason: "",
    stream: true,
    attempts: 1,
    firstContentMs: 1,
    durationMs: 2,
    usage: usage(10, 5),
    estimated: false,
    notes: [],
    repairs: [],
    outcome: { kind: "completed" },
    ...more,
  }
}

/** Any exchange; costs are sums of powers of two, so that adding them up is exact. */
export function randomExchange(random: Random): Exchange {
  const count = () => (random.chance(0.2) ? 0 : random.integer(1, 5_000))
  const some = <T>(value: T): T | undefined => (random.chance(0.7) ? value : undefined)
  const thinking = random.chance(0.3) ? { output_tokens_details: { thinking_tokens: count() } } : {}
  const outcome = random.pick<Outcome>([{ kind: "completed" }, { kind: "cancelled" }, failed])
  return exchange({
    provider: random.pick(["openai", "deepseek"]),
    model: `model-${random.integer(1, 6)}`,
    session: some(`session-${random.integer(1, 9)}`),
    agent: some(`agent-${random.integer(1, 4)}`),
    client: some(`key-${random.integer(1, 3)}`),
    endedAt: 1_760_000_000_000 + random.integer(0, 9) * 86_400_000,
    estimated: random.chance(0.2),
    costUsd: some(random.integer(0, 4_096) / 1_024),
    usage: usage(count(), count(), {
      cache_read_input_tokens: count(),
      cache_creation_input_tokens: count(),
      ...thinking,
    }),
    outcome,
  })
}
