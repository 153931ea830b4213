import { expect, test } from "bun:test"
import { addExchange, emptyTotals, renderTotals } from "../../src/commands/totals.ts"
import type { Exchange } from "../../src/observe/exchange.ts"

function exchange(costUsd: number | undefined): Exchange {
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
    usage: {
      input_tokens: 1,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 1,
    },
    costUsd,
    estimated: false,
    notes: [],
    outcome: { kind: "completed" },
  }
}

test.each([
  [[undefined, undefined], "cost unknown"],
  [[0.0023, 0.01], "cost $0.0123"],
  [[undefined, 0.0023, 0.01], "cost $0.0123 + unknown"],
  [[0, 0], "cost $0.0000"],
  [[0, undefined], "cost $0.0000 + unknown"],
  [[0.000_01], "cost under $0.0001"],
  [[1234.5], "cost $1,234.5000"],
])("%j: %s", (costs, expected) => {
  const line = renderTotals(costs.map(exchange).reduce(addExchange, emptyTotals))
  expect(line.split(", ").slice(3).join(", ")).toBe(expected)
})
