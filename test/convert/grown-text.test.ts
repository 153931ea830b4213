import { expect, test } from "bun:test"
import { addText, isNoText, noText, textOf } from "../../src/convert/common/grown-text.ts"
import { property } from "../support/random.ts"

property("the text is its pieces, one behind the other", 300, (random) => {
  let text = noText
  let plain = ""
  for (let count = random.integer(0, 60); count > 0; count--) {
    const piece = random.text(random.pick([4, 4, 4, 12, 160]))
    text = addText(text, piece)
    plain += piece
    expect(textOf(text)).toBe(plain)
    expect(isNoText(text)).toBe(plain === "")
  }
})

test("a million pieces cost in proportion to their number", () => {
  const timed = (count: number) => {
    const begun = performance.now()
    let text = noText
    for (let at = 0; at < count; at++) text = addText(text, "twenty characters...")
    expect(textOf(text).length).toBe(20 * count)
    return performance.now() - begun
  }
  timed(10_000)
  expect(timed(1_000_000)).toBeLessThan(10_000)
})
