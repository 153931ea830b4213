import { expect, test } from "bun:test"
import { costUsd } from "../../src/observe/cost.ts"

const usage = {
  input_tokens: 1000,
  cache_creation_input_tokens: 200,
  cache_read_input_tokens: 5000,
  output_tokens: 300,
}

test.each([
  ["every price known", { input: 2, output: 10, cacheRead: 0.5 }, 1200 * 2 + 5000 * 0.5 + 300 * 10],
  ["cached tokens without a price of their own", { input: 2, output: 10, cacheRead: undefined }, 15_400],
  ["cached tokens for nothing", { input: 2, output: 10, cacheRead: 0 }, 5400],
  ["a free model", { input: 0, output: 0, cacheRead: undefined }, 0],
  ["no prices", undefined, undefined],
])("%s", (_, prices, expected) => {
  expect(costUsd(prices, usage)).toBe(expected)
})
