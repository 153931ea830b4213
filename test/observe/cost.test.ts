import { describe, expect, test } from "bun:test"
import { costOf, costUsd, isCostUnknown, renderDollars } from "../../src/observe/cost.ts"
import { exchange, failed, usage as tokens } from "../support/exchanges.ts"

const usage = {
  input_tokens: 1000,
  cache_creation_input_tokens: 200,
  cache_read_input_tokens: 5000,
  output_tokens: 300,
}

test.each([
  ["every price known", { input: 2, output: 10, cacheRead: 0.5, cacheWrite: 2.5 }, 8000],
  ["written tokens without one of their own", { input: 2, output: 10, cacheRead: 0.5 }, 7900],
  ["cached tokens without a price of their own", { input: 2, output: 10, cacheRead: undefined }, 15_400],
  ["cached tokens for nothing", { input: 2, output: 10, cacheRead: 0, cacheWrite: 0 }, 5000],
  ["a free model", { input: 0, output: 0, cacheRead: undefined }, 0],
  ["no prices", undefined, undefined],
])("%s", (_, prices, expected) => {
  expect(costUsd(prices, usage)).toBe(expected)
})

describe("who says so", () => {
  const prices = { input: 1, output: 1, cacheRead: undefined }
  test.each([
    ["the provider, whatever the prices are", 0.25, prices, { costUsd: 0.25, costFrom: "provider" }],
    [
      "the prices, where the provider says nothing but zero",
      0,
      prices,
      { costUsd: 6500, costFrom: "prices" },
    ],
    ["the provider, for nothing, without prices", 0, undefined, { costUsd: 0, costFrom: "provider" }],
    ["the prices", undefined, prices, { costUsd: 6500, costFrom: "prices" }],
    ["nobody", undefined, undefined, {}],
  ] as const)("%s", (_, reported, known, expected) => {
    expect(costOf(reported, known, usage)).toEqual(expected)
  })

  test("prices say nothing of tokens that nobody counted", () => {
    expect(costOf(undefined, prices, tokens(0, 0))).toEqual({})
    expect(costOf(undefined, prices, tokens(0, 50))).toEqual({})
    expect(costOf(undefined, prices, tokens(0, 50, { cache_read_input_tokens: 5 }))).toEqual({
      ...{ costUsd: 55, costFrom: "prices" },
    })
  })
})

test.each([
  ["a request without a cost", exchange(), true],
  ["one with a cost", exchange({ costUsd: 0 }), false],
  ["a failure that used nothing", exchange({ outcome: failed, usage: tokens(0, 0) }), false],
  ["a failure within the reply", exchange({ outcome: failed }), true],
  ["a request the client gave up", exchange({ outcome: { kind: "cancelled" }, usage: tokens(0, 0) }), true],
  ["a reply whose tokens nobody counted", exchange({ usage: tokens(0, 0) }), true],
])("is something missing without %s?", (_, given, expected) => {
  expect(isCostUnknown(given)).toBe(expected)
})

test.each([
  [0, "$0.0000"],
  [0.000_09, "under $0.0001"],
  [0.0001, "$0.0001"],
  [1234.567_89, "$1,234.5679"],
])("%d is %s", (amount, expected) => {
  expect(renderDollars(amount)).toBe(expected)
})
