import { expect, test } from "bun:test"
import { renderTotals } from "../../src/commands/run/totals.ts"
import type { Exchange, Outcome } from "../../src/observe/exchange.ts"
import { addExchange, emptyTally } from "../../src/observe/stats.ts"
import { fault } from "../../src/protocol/fault.ts"

function exchange(input: number, cached: number, output: number, more: Partial<Exchange> = {}): Exchange {
  const usage = {
    input_tokens: input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: output,
  }
  const outcome: Outcome = { kind: "completed" }
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
    usage,
    estimated: false,
    notes: [],
    repairs: [],
    outcome,
    ...more,
  }
}

const failed: Outcome = {
  kind: "failed",
  fault: fault({ kind: "api_error", source: "upstream", message: "no" }),
}

test.each([
  [[], "0 requests"],
  [[exchange(1, 0, 1)], "1 request, 1 input token, 1 output token, cost unknown"],
  [
    [exchange(2000, 10_000, 600), exchange(345, 0, 78)],
    "2 requests, 12,345 input tokens (10,000 cached), 678 output tokens, cost unknown",
  ],
  [
    [exchange(5, 0, 0, { outcome: failed }), exchange(0, 0, 0, { outcome: { kind: "cancelled" } })],
    "2 requests (1 failed), 5 input tokens, 0 output tokens, cost unknown",
  ],
  [
    [exchange(5, 0, 7, { estimated: true }), exchange(1, 0, 1)],
    "2 requests, 6 input tokens, 8 output tokens (partly estimated), cost unknown",
  ],
])("%#: %#", (exchanges, expected) => {
  expect(renderTotals(exchanges.reduce(addExchange, emptyTally))).toBe(expected)
})

test.each([
  [[undefined, undefined], "cost unknown"],
  [[0.0023, 0.01], "cost $0.0123"],
  [[undefined, 0.0023, 0.01], "cost $0.0123 + unknown"],
  [[0, 0], "cost $0.0000"],
  [[0, undefined], "cost $0.0000 + unknown"],
  [[0.000_01], "cost under $0.0001"],
  [[1234.5], "cost $1,234.5000"],
  [[undefined, 0.25, "refused"], "cost $0.2500 + unknown"],
  [[0.25, "refused"], "cost $0.2500"],
  [["refused"], "cost $0.0000"],
] as const)("costs %j: %s", (costs, expected) => {
  const line = renderTotals(
    costs
      .map((costUsd) =>
        costUsd === "refused" ? exchange(0, 0, 0, { outcome: failed }) : exchange(1, 0, 1, { costUsd }),
      )
      .reduce(addExchange, emptyTally),
  )
  expect(line.split(", ").slice(3).join(", ")).toBe(expected)
})
