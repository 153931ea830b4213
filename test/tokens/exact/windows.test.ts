import { expect, test } from "bun:test"
import { windowsOf } from "../../../src/tokens/exact/windows.ts"
import { property } from "../../support/random.ts"

property("gives the text back, whatever it is, in parts that are not too long", 100, (random) => {
  const filler = random.pick(["x", "漢", "! ", " ", "word and ", "🎯", "\ud800", "\n\n"])
  const text = random.text(60) + filler.repeat(random.integer(0, 60_000)) + random.text(60)
  const windows = [...windowsOf(text)]
  expect(windows.join("")).toBe(text)
  expect(Math.max(0, ...windows.map((window) => window.length))).toBeLessThanOrEqual(16_384)
})

test("cuts before a blank that ends a word", () => {
  const windows = [...windowsOf("some words. ".repeat(5000))]
  expect(windows.length).toBe(4)
  for (const window of windows.slice(1)) expect(window).toMatch(/^ (?:some|words)/)
})

test("keeps pairs whole where there is no blank", () => {
  for (const window of windowsOf(`x${"🎯".repeat(20_000)}`)) {
    expect(window.isWellFormed()).toBe(true)
  }
})
