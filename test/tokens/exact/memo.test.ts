import { describe, expect, test } from "bun:test"
import { createDigest, createMemo } from "../../../src/tokens/exact/memo.ts"
import { property } from "../../support/random.ts"

describe("createMemo", () => {
  test("forgets what was used least recently when its bytes are full", () => {
    const memo = createMemo(3 * 128)
    for (const [index, key] of ["a", "b", "c"].entries()) memo.set(key, index)
    expect(memo.get("a")).toBe(0)
    memo.set("d", 3)
    expect(["a", "b", "c", "d"].map(memo.get)).toEqual([0, undefined, 2, 3])
  })

  test("keeps one at least", () => {
    const memo = createMemo(0)
    memo.set("a", 1)
    expect(memo.get("a")).toBe(1)
    memo.set("b", 2)
    expect([memo.get("a"), memo.get("b")]).toEqual([undefined, 2])
  })
})

const digest = createDigest()

describe("createDigest", () => {
  property("tells texts apart that differ in one character, or in the order of two", 200, (random) => {
    const text = `${random.text(50)}ab${random.text(50)}`.toWellFormed()
    const at = random.integer(0, text.length - 1)
    const other = `${text.slice(0, at)}${text.charAt(at) === "q" ? "r" : "q"}${text.slice(at + 1)}`
    expect(digest(other)).not.toBe(digest(text))
    expect(digest(text.replace("ab", "ba"))).not.toBe(digest(text))
    expect(digest(`${text} `)).not.toBe(digest(text))
    expect(digest(text)).toBe(createDigest()(text))
  })

  test("looks at the whole of a long text, and does not remember the one before", () => {
    const long = "漢字 and more ".repeat(10_000)
    const before = digest(long)
    expect(digest(`${long.slice(0, -1)}x`)).not.toBe(before)
    expect(digest(`x${long.slice(1)}`)).not.toBe(before)
    expect(digest("ab")).toBe(createDigest()("ab"))
    expect(digest(long)).toBe(before)
  })

  test("no two of a hundred thousand lines have the same", () => {
    const seen = new Set(Array.from({ length: 100_000 }, (_, line) => digest(`line ${line} of the file`)))
    expect(seen.size).toBe(100_000)
  })
})
