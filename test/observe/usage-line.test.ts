import { expect, test } from "bun:test"
import type { Exchange } from "../../src/observe/exchange.ts"
import { usageLine } from "../../src/observe/log-exchange.ts"

const plain: Exchange = {
  requestId: "req_1",
  requestedModel: "claude-3-haiku",
  model: "gpt-4o-mini",
  provider: "openai",
  reason: "",
  stream: false,
  attempts: 1,
  firstContentMs: 1,
  durationMs: 2,
  usage: {
    input_tokens: 15,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 42,
  },
  estimated: false,
  notes: [],
  repairs: [],
  outcome: { kind: "completed" },
}

const cached = { ...plain.usage, cache_read_input_tokens: 100, cache_creation_input_tokens: 5 }

test.each([
  [{}, "🎯 Token Usage | Model: claude-3-haiku → gpt-4o-mini | Input: 15 | Output: 42 | Total: 57"],
  [
    { stream: true },
    "🎯 Token Usage [Stream] | Model: claude-3-haiku → gpt-4o-mini | Input: 15 | Output: 42 | Total: 57",
  ],
  [
    { estimated: true },
    "🎯 Token Usage | Model: claude-3-haiku → gpt-4o-mini | Input: 15 | Output: 42 | Total: 57 | 📊 Using estimated tokens",
  ],
  [
    { usage: cached },
    "🎯 Token Usage | Model: claude-3-haiku → gpt-4o-mini | Input: 120 | Cached: 100 | Output: 42 | Total: 162",
  ],
  [
    { costUsd: 0.001_234 },
    "🎯 Token Usage | Model: claude-3-haiku → gpt-4o-mini | Input: 15 | Output: 42 | Total: 57 | Cost: $0.0012",
  ],
  [
    { estimated: true, costUsd: 0.000_01 },
    "🎯 Token Usage | Model: claude-3-haiku → gpt-4o-mini | Input: 15 | Output: 42 | Total: 57 | Cost: under $0.0001 | 📊 Using estimated tokens",
  ],
  [{ requestedModel: "" }, "🎯 Token Usage | Model: gpt-4o-mini | Input: 15 | Output: 42 | Total: 57"],
])("%j", (changes, expected) => {
  expect(usageLine({ ...plain, ...changes })).toBe(expected)
})
