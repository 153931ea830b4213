// What a bench makes of its samples.
import { describe, expect, test } from "bun:test"
import { renderVerdict } from "../../src/commands/bench/report.ts"
import type { Sample } from "../../src/commands/bench/sample.ts"
import { judge, spreadOf } from "../../src/commands/bench/verdict.ts"

/** Fifty tokens in a second, after a second. */
function sample(firstMs = 1000, totalMs = 2000, output = 50, input = 20): Sample {
  const usage = {
    ...{ input_tokens: input, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    output_tokens: output,
  }
  return { firstMs, totalMs, bytes: 10_000, characters: 200, usage }
}

const unsaid = { ...sample(), usage: undefined }

describe("the rating: both figures must be below", () => {
  test.each([
    ["nothing is lost", sample(), "EXCELLENT"],
    ["sooner", sample(900, 1900), "EXCELLENT"],
    ["49 ms", sample(1049, 2049), "EXCELLENT"],
    ["50 ms", sample(1050, 2050), "GOOD"],
    ["100 ms", sample(1100, 2100), "FAIR"],
    ["200 ms", sample(1200, 2200), "POOR"],
    ["4.8 % slower", sample(1000, 2050), "EXCELLENT"],
    ["9 % slower", sample(1000, 2100), "GOOD"],
    ["17 % slower", sample(1000, 2200), "FAIR"],
    ["20 % slower", sample(1000, 2250), "POOR"],
    ["late and slow", sample(1060, 2280), "FAIR"],
  ] as const)("%s: %p", (_, proxied, rating) => {
    expect(judge([sample()], [proxied], undefined).rating).toBe(rating)
  })

  test("where nobody counts tokens, by the time of the whole reply", () => {
    const slower = { ...unsaid, totalMs: 2600 }
    expect(judge([unsaid], [slower], undefined)).toMatchObject({ rating: "POOR", tokens: "unknown" })
  })

  test("and where one way alone tells of them, the proxy by its estimate", () => {
    const slower = { ...sample(), totalMs: 2600 }
    const { lossPercent, rating } = judge([unsaid], [slower], undefined)
    expect([Math.round(lossPercent), rating]).toEqual([23, "POOR"])
    expect(judge([sample()], [{ ...unsaid, totalMs: 2600 }], undefined).rating).toBe("POOR")
  })

  test("a reply in one piece is measured from the request on, by both ways", () => {
    const whole = sample(2000, 2000)
    const { direct, proxied, lossPercent } = judge([whole], [sample(2001, 2010)], undefined)
    expect([direct.tokensPerSecond?.median, Math.round(proxied.tokensPerSecond?.median ?? 0)]).toEqual([
      25, 25,
    ])
    expect(lossPercent).toBeCloseTo(0.5, 1)
  })
})

test.each([
  ["same", [sample()], [sample()]],
  ["prompt", [sample()], [sample(1000, 2000, 51)]],
  ["different", [sample()], [sample(1000, 2000, 50, 21)]],
  ["unknown", [sample()], [unsaid]],
  ["unknown", [sample(1000, 2000, 0)], [sample()]],
] as const)("tokens: %s", (tokens, direct, proxied) => {
  expect(judge(direct, proxied, undefined).tokens).toBe(tokens)
})

test.each([
  [[3], { median: 3, least: 3, most: 3 }],
  [[4, 1], { median: 2.5, least: 1, most: 4 }],
  [[9, 1, 2], { median: 2, least: 1, most: 9 }],
])("the spread of %p", (numbers, spread) => {
  expect(spreadOf(numbers)).toEqual(spread)
})

test("as a table", () => {
  const prices = { input: 1e-6, output: 1e-5, cacheRead: undefined }
  const direct = [sample(900), sample(1000), sample(1200)]
  const proxied = [sample(1010), sample(1020), sample(1030)].map((one) => ({ ...one, bytes: 8_000 }))
  expect(renderVerdict(judge(direct, proxied, prices), false).split("\n")).toEqual([
    "                 direct                       through the proxy            difference",
    "first chunk      1000 ms (900 ms – 1200 ms)   1020 ms (1010 ms – 1030 ms)  +20.0 ms",
    "whole reply      2000 ms                      2000 ms                      0.0 ms",
    "tokens a second  50.0 (45.5 – 62.5)           51.0 (50.5 – 51.5)           +2.0 %",
    "bytes            10.0 kB                      8000 B                       −20.0 % a character",
    "tokens           20 in, 50 out                20 in, 50 out                the same",
    "cost of one      $0.0005                      $0.0005",
    "",
    "EXCELLENT: the first chunk comes 20.0 ms later, and no throughput is lost (under 50 ms and 5 %)",
    "The upstream alone varied by 300 ms to its first chunk, which is more than lies between the two ways: more --rounds tell more.",
    "",
  ])
})
