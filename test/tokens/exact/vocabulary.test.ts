import { describe, expect, test } from "bun:test"
import { createMerge, longestPiece } from "../../../src/tokens/exact/merge.ts"
import { readVocabulary, type Vocabulary } from "../../../src/tokens/exact/vocabulary.ts"

function read(text: string): Vocabulary {
  const reading = readVocabulary(text)
  for (;;) {
    const step = reading.next()
    if (step.done === true) return step.value
  }
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const listOf = (words: readonly string[]): string =>
  words.map((word) => Buffer.from(word).toString("base64")).join(" ")

describe("readVocabulary", () => {
  test("finds each word by its bytes, and nothing else", () => {
    const words = ["a", "b", "ab", "é", "漢字", "aba", "ba"]
    const vocabulary = read(`! 0 ${listOf(words)}`)
    const rank = (text: string): number => vocabulary.rankOf(bytesOf(text), 0, bytesOf(text).length)
    expect(words.map(rank)).toEqual(words.map((_, index) => index))
    expect(["", "c", "abb", "漢", "A"].map(rank)).toEqual([-1, -1, -1, -1, -1])
    expect(vocabulary.rankOf(bytesOf("xabax"), 1, 4)).toBe(5)
  })

  test("takes several lines, and blanks at the end", () => {
    const vocabulary = read(`! 0 ${listOf(["a", "b"])}\n! 2 ${listOf(["c"])} \n`)
    expect(["a", "b", "c"].map((text) => vocabulary.rankOf(bytesOf(text), 0, 1))).toEqual([0, 1, 2])
  })

  test("of no words at all", () => {
    expect(read("").rankOf(bytesOf("a"), 0, 1)).toBe(-1)
  })
})

describe("createMerge", () => {
  const merge = createMerge(read(`! 0 ${listOf(["a", "b", "c", "bc", "ab", "abc", "cc"])}`))
  const count = (text: string): number => merge(bytesOf(text), bytesOf(text).length)

  test.each([
    ["", 0],
    ["a", 1],
    ["abc", 1], // A word of its own.
    ["aab", 2], // a, ab
    ["abcc", 2], // The lower rank goes first: bc, then abc; c.
    ["cccc", 2],
    ["cccccc", 3],
    ["acb", 3],
    ["xyz", 3], // Bytes that are in no word.
  ])("%j is %d", (text, tokens) => {
    expect(count(text)).toBe(tokens)
  })

  test("takes the longest piece there may be, and the next one is not confused by it", () => {
    expect(count("a".repeat(longestPiece))).toBe(longestPiece)
    expect(count("abc")).toBe(1)
    expect(count("cc".repeat(longestPiece / 2))).toBe(longestPiece / 2)
  })
})
