import { expect, test } from "bun:test"
import { estimateRequest, estimateText } from "../../src/tokens/estimate.ts"
import { createKnownTexts } from "../../src/tokens/known-texts.ts"

const digest = (text: string): bigint => Bun.hash.wyhash(text)

const textOf = (number: number): string => `${number} words and more words `.repeat(40)

function counting() {
  const counted: string[] = []
  const count = (text: string): number => {
    counted.push(text)
    return estimateText(text)
  }
  return { counted, count }
}

test("a long text is estimated once, a short one each time", () => {
  const texts = createKnownTexts(digest)
  const { counted, count } = counting()
  for (const text of [textOf(1), "short", textOf(1), "short"])
    expect(texts.tokensOf(text, count)).toBe(estimateText(text))
  expect(counted).toEqual([textOf(1), "short", "short"])
})

test("what is asked for again is kept, what is not is forgotten", () => {
  const texts = createKnownTexts(digest, 10)
  const { counted, count } = counting()
  for (let turn = 0; turn < 100; turn++) {
    texts.tokensOf(textOf(0), count)
    texts.tokensOf(textOf(turn + 1), count)
  }
  expect(counted.filter((text) => text === textOf(0))).toHaveLength(1)
  texts.tokensOf(textOf(1), count)
  texts.tokensOf(textOf(100), count)
  expect(counted.filter((text) => text === textOf(1))).toHaveLength(2)
  expect(counted.filter((text) => text === textOf(100))).toHaveLength(1)
})

test("a conversation's estimate is the same with what is known and without", () => {
  const texts = createKnownTexts(digest)
  const estimate = (text: string): number => texts.tokensOf(text, estimateText)
  const messages = [0, 1, 2].map((number) => ({
    role: "user" as const,
    content: [{ type: "text" as const, text: textOf(number) }],
  }))
  for (const length of [1, 2, 3]) {
    const request = { system: [textOf(9)], messages: messages.slice(0, length) }
    expect(estimateRequest(request, estimate)).toBe(estimateRequest(request))
  }
})
