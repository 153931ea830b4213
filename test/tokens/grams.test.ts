import { expect, test } from "bun:test"
import {
  highest,
  lowest,
  pairSlot,
  readGrams,
  runCost,
  tripleSlot,
  writeCost,
} from "../../src/tokens/grams.ts"
import { latinGrams } from "../../src/tokens/latin-grams.ts"
import { scriptGrams, signGrams } from "../../src/tokens/other-grams.ts"

test("a table is read as it was written, to a step", () => {
  const costs = Array.from({ length: 128 }, (_, index) => lowest + ((highest - lowest) * index) / 127)
  const grams = readGrams(0.5, costs.map(writeCost).join(""))
  expect(grams.base).toBe(0.5)
  expect(grams.costs.length).toBe(128)
  const slots = [pairSlot(7, 65, grams.shift), tripleSlot(0, 7, 65, grams.shift)]
  const cost = slots.reduce((sum, slot) => sum + (costs[slot] ?? 0), 0)
  expect(Math.abs(runCost(grams, "xAx", 1, 2, 7) - cost)).toBeLessThanOrEqual(0.0301)
  expect([writeCost(-9), writeCost(9)]).toEqual([writeCost(lowest), writeCost(highest)])
})

test("no cost is written as a character that a string would have to escape", () => {
  for (let cost = lowest; cost < highest; cost += 0.01) expect(writeCost(cost)).toMatch(/^[!#-[\]-}]$/)
})

test.each([
  ["latin", latinGrams],
  ["script", scriptGrams],
  ["sign", signGrams],
])("every look-up in the table of %s letters hits a place in it", (_, grams) => {
  for (let code = 0; code < 0xffff; code += 97) {
    expect(pairSlot(code, 0xffff - code, grams.shift)).toBeLessThan(grams.costs.length)
    expect(tripleSlot(7, code, 0xffff - code, grams.shift)).toBeLessThan(grams.costs.length)
    expect(Number.isFinite(runCost(grams, String.fromCharCode(code), 0, 1, 7))).toBe(true)
  }
})
