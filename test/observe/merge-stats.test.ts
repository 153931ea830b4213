import { expect, test } from "bun:test"
import type { Exchange } from "../../src/observe/exchange.ts"
import { mergeStats } from "../../src/observe/merge-stats.ts"
import { createSums, mostModels, mostUses, type Stats } from "../../src/observe/stats.ts"
import { exchange, randomExchange } from "../support/exchanges.ts"
import { property } from "../support/random.ts"

function recordAll(exchanges: readonly Exchange[]): Stats {
  const sums = createSums()
  for (const one of exchanges) sums.add(one)
  return sums.current()
}

const rounded = (stats: Stats): unknown => {
  const cents = (value: unknown): unknown => (typeof value === "number" ? Number(value.toFixed(9)) : value)
  return JSON.parse(
    JSON.stringify({
      total: stats.total,
      models: [...stats.models].toSorted(),
      sessions: [...stats.sessions].toSorted(),
      agents: [...stats.agents].toSorted(),
      clients: [...stats.clients].toSorted(),
    }),
    (_key, value) => cents(value),
  )
}

property("what several have recorded comes to the same as if one had", 200, (random) => {
  const exchanges = Array.from({ length: random.integer(0, 60) }, (_, at) => ({
    ...randomExchange(random),
    endedAt: at,
  }))
  const parts = Array.from({ length: random.integer(1, 5) }, () => [] as Exchange[])
  for (const one of exchanges) parts[random.integer(0, parts.length - 1)]?.push(one)
  expect(rounded(mergeStats(parts.map(recordAll)))).toEqual(rounded(recordAll(exchanges)))
})

test("none is nothing, and one is itself", () => {
  const one = recordAll([exchange({ session: "s", endedAt: 1 })])
  expect(mergeStats([])).toEqual(recordAll([]))
  expect(mergeStats([one])).toBe(one)
})

test("the limits of one hold for all together", () => {
  const many = (from: number) =>
    recordAll(
      Array.from({ length: 150 }, (_, at) =>
        exchange({ model: `model-${from + at}`, session: `session-${from + at}`, endedAt: from + at }),
      ),
    )
  const merged = mergeStats([many(0), many(1_000)])
  expect(merged.total.requests).toBe(300)
  expect(merged.models.size).toBe(mostModels + 1)
  expect([...merged.models.values()].reduce((sum, { tally }) => sum + tally.requests, 0)).toBe(300)
  expect(merged.models.get("(others)")).toMatchObject({ provider: "", model: "(others)" })
  expect(merged.sessions.size).toBe(mostUses)
  // Those that were used last are kept, and the last one stands last.
  expect([...merged.sessions.keys()].at(-1)).toBe("session-1149")
  expect(merged.sessions.has("session-0")).toBe(false)
})
