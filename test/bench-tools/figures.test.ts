// Medians, percentiles, ratios and verdicts of the bench.
import { describe, expect, test } from "bun:test"
import { goals, judge, verdictOf } from "../bench/speed/goals.ts"
import { figuresTable, goalsTable } from "../bench/speed/report.ts"
import { noiseOf, type Results, ratioSpread } from "../bench/speed/results.ts"
import { median, percentile, percentilesOf, spreadOf } from "../bench/speed/statistics.ts"
import type { Slot } from "../bench/speed/talk.ts"
import { workNamed } from "../bench/speed/work.ts"

test.each<readonly [readonly number[], number]>([
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[7], 7],
  [[], Number.NaN],
])("the median of %j is %d", (values, middle) => {
  expect(median(values)).toBe(middle)
})

test("percentiles are values that were seen", () => {
  const values = Array.from({ length: 200 }, (_, at) => 200 - at)
  expect(percentilesOf(values)).toEqual({ p50: 100, p95: 190, p99: 198, most: 200 })
  expect(percentile([1, 2], 0.99)).toBe(2)
  expect(percentilesOf([])).toBeUndefined()
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3 })
})

const slotOf = (chunks: number, more: Partial<Slot> = {}): Slot => ({
  ...{ requests: chunks / 200, chunks, seconds: 1, errors: 0, wrong: 0, problems: [] },
  ...more,
})

interface Made {
  readonly limit: number
  readonly own: number
  readonly foreign?: number
}

const name = "text-200-16"

function resultsOf(rounds: readonly Made[], more: Partial<Slot> = {}): Results {
  return {
    machine: {
      ...{ processors: 2, model: "test", memoryGb: 1, system: "Linux", bun: "1", commit: "0" },
      ...{ loadAtStart: 0, at: "2026-01-01" },
    },
    rounds: rounds.map(({ limit, own, foreign = 0 }) => ({
      slots: {
        [name]: {
          direct: slotOf(limit * 2),
          "limit-bun": slotOf(limit, { cpuSeconds: limit / 4e6, foreign }),
          us: slotOf(own, { cpuSeconds: own / 1e6, foreign, ...more }),
        },
      },
      peakKb: { us: 102_400, "limit-bun": 51_200 },
      counts: {},
      yardstickMs: 2,
    })),
    starts: {},
    skipped: [],
    seconds: 1,
  }
}

const work = workNamed(name)
const goalNamed = (text: string) => goals.find(({ title }) => title.startsWith(text))

describe("a ratio", () => {
  const results = resultsOf([
    { limit: 1000, own: 700 },
    { limit: 900, own: 810 },
    { limit: 1100, own: 660 },
  ])

  test("is taken within each round", () => {
    if (work === undefined) throw new Error("no such work")
    expect(ratioSpread(results, work, "us")).toEqual({ median: 0.7, least: 0.6, most: 0.9 })
  })

  test("is judged by its median", () => {
    const rows = goalsTable(results, "us").rows.map(([title = "", , , measured, beside, verdict]) => [
      title.slice(0, 24),
      measured,
      beside,
      verdict,
    ])
    expect(rows).toEqual([
      ["errors and wrong replies", "0.00", "", "met"],
      ["streams of 200 chunks, 1", "0.70 (0.60..0.90)", "", "met"],
      ["processor time per chunk", "1.00", "0.25", "met"],
      ["memory at its highest, M", "100", "50.0", "aim met"],
    ])
    expect(figuresTable(results, ["us"]).rows).toEqual([
      [
        ...["200 chunks of text, 16 at once, chunks/s", "2000 (1800..2200)", "1000 (900..1100)"],
        ...["700 (660..810)", "0.70 (0.60..0.90)"],
      ],
    ])
  })

  test("counts for nothing when the machine was noisy", () => {
    if (work === undefined) throw new Error("no such work")
    const unsteady = resultsOf([
      { limit: 1000, own: 900 },
      { limit: 700, own: 600 },
    ])
    const disturbed = resultsOf([{ limit: 1000, own: 900, foreign: 0.3 }])
    expect(noiseOf(results, work)).toBeUndefined()
    expect(noiseOf(unsteady, work)).toBe("limit-bun itself varied by 35 %")
    expect(noiseOf(disturbed, work)).toBe("others used 30 % of the machine")
    const goal = goalNamed("streams of 200 chunks")
    if (goal === undefined) throw new Error("no such goal")
    expect([results, unsteady, disturbed].map((one) => judge(one, goal, "us").verdict)).toEqual([
      "met",
      "not judged",
      "not judged",
    ])
  })
})

test("one wrong reply is one too many", () => {
  const [goal] = goals
  if (goal === undefined) throw new Error("no goals")
  expect(judge(resultsOf([{ limit: 1, own: 1 }], { wrong: 1 }), goal, "us").verdict).toBe("MISSED")
})

test("what was not measured is not judged, and not shown", () => {
  const titles = goalsTable(resultsOf([{ limit: 1, own: 1 }]), "us").rows.map(([title]) => title)
  expect(titles.some((title) => title?.includes("5 MB"))).toBe(false)
})

test.each([
  ["more", 0.6, "met"],
  ["more", 0.59, "MISSED"],
  ["more", 0.8, "aim met"],
  ["less", 0.8, "MISSED"],
  ["less", 0.6, "met"],
] as const)("when %s is better, %d is %s", (better, value, verdict) => {
  const bounds = better === "more" ? { must: 0.6, aim: 0.8 } : { must: 0.7, aim: 0.5 }
  expect(verdictOf(better, { median: value }, bounds, undefined)).toBe(verdict)
  expect(verdictOf(better, { median: value }, bounds, "noisy")).toBe("not judged")
  expect(verdictOf(better, undefined, bounds, undefined)).toBe("not measured")
})
