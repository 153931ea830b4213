import { describe, expect, test } from "bun:test"
import type { Exchange } from "../../src/observe/exchange.ts"
import {
  addTallies,
  createSums,
  emptyTally,
  modelName,
  mostModels,
  mostUses,
  otherModels,
  type Stats,
  type Tally,
} from "../../src/observe/stats.ts"
import { exchange, failed, randomExchange, usage } from "../support/exchanges.ts"
import { property } from "../support/random.ts"

function recordAll(exchanges: readonly Exchange[]): Stats {
  const sums = createSums()
  for (const one of exchanges) sums.add(one)
  return sums.current()
}
const sumOf = (parts: Iterable<{ readonly tally: Tally }>): Tally =>
  [...parts].reduce((sum, { tally }) => addTallies(sum, tally), emptyTally)

test("one request", () => {
  const stats = recordAll([
    exchange({
      session: "s",
      agent: "a",
      client: "key-1",
      endedAt: 1_000,
      costUsd: 0.5,
      usage: usage(10, 7, {
        cache_read_input_tokens: 20,
        cache_creation_input_tokens: 3,
        output_tokens_details: { thinking_tokens: 4 },
      }),
    }),
  ])
  const tally: Tally = {
    requests: 1,
    failures: 0,
    inputTokens: 33,
    outputTokens: 7,
    cacheReadTokens: 20,
    cacheCreationTokens: 3,
    reasoningTokens: 4,
    estimated: 0,
    costUsd: 0.5,
    costKnown: 1,
    costUnknown: 0,
  }
  expect(stats).toEqual({
    total: tally,
    models: new Map([["openai/gpt-4o", { provider: "openai", model: "gpt-4o", tally }]]),
    sessions: new Map([["s", { tally, lastUsed: 1_000 }]]),
    agents: new Map([["a", { tally, lastUsed: 1_000 }]]),
    clients: new Map([["key-1", { tally, lastUsed: 1_000 }]]),
  })
})

property("the models together are the total", 200, (random) => {
  const exchanges = Array.from({ length: random.integer(0, 60) }, () => randomExchange(random))
  const { total, models } = recordAll(exchanges)
  expect(sumOf(models.values())).toEqual(total)
  expect(total.requests).toBe(exchanges.length)
  for (const [name, use] of models) expect(modelName(use)).toBe(name)
})

property("sessions, agents and clients are the total of those that name one", 200, (random) => {
  const exchanges = Array.from({ length: random.integer(0, 60) }, () => randomExchange(random))
  const stats = recordAll(exchanges)
  const parts = [
    [stats.sessions, exchanges.filter(({ session }) => session !== undefined)],
    [stats.agents, exchanges.filter(({ agent }) => agent !== undefined)],
    [stats.clients, exchanges.filter(({ client }) => client !== undefined)],
  ] as const
  for (const [uses, named] of parts) expect(sumOf(uses.values())).toEqual(recordAll(named).total)
})

property("every request is failed or not, its cost known, unknown, or nothing", 100, (random) => {
  const exchanges = Array.from({ length: random.integer(0, 60) }, () => randomExchange(random))
  const { total } = recordAll(exchanges)
  const free = exchanges.filter(
    (one) => one.costUsd === undefined && recordAll([one]).total.costUnknown === 0,
  ).length
  expect(total.costKnown + total.costUnknown + free).toBe(total.requests)
  expect(total.failures).toBe(exchanges.filter(({ outcome }) => outcome.kind === "failed").length)
})

test("what is recorded changes nothing that was there before", () => {
  const sums = createSums()
  sums.add(exchange({ session: "s" }))
  const before = sums.current()
  const copy = structuredClone(before)
  sums.add(exchange({ session: "s", outcome: failed }))
  expect(before).toEqual(copy)
})

describe("names without end", () => {
  test("models beyond the limit are counted together", () => {
    const many = Array.from({ length: mostModels + 50 }, (_, index) => exchange({ model: `m${index}` }))
    const { models, total } = recordAll([...many, exchange({ model: "m0" })])
    expect(models.size).toBe(mostModels + 1)
    expect(models.get(otherModels)?.tally.requests).toBe(50)
    expect(models.get("openai/m0")?.tally.requests).toBe(2)
    expect(sumOf(models.values())).toEqual(total)
  })

  test("of sessions those are forgotten that were not used for the longest time", () => {
    const many = Array.from({ length: mostUses }, (_, index) => exchange({ session: `s${index}` }))
    const { sessions, total } = recordAll([
      ...many,
      exchange({ session: "s0" }),
      exchange({ session: "new" }),
    ])
    expect(sessions.size).toBe(mostUses)
    expect([...sessions.keys()].at(0)).toBe("s2")
    expect([...sessions.keys()].slice(-2)).toEqual(["s0", "new"])
    expect(total.requests).toBe(mostUses + 2)
  })

  test("a model's name is kept as far as a name goes", () => {
    const { models } = recordAll([exchange({ model: "x".repeat(100_000) })])
    expect([...models.keys()].map((name) => name.length)).toEqual(["openai/".length + 128])
  })
})
