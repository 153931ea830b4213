import { expect, test } from "bun:test"
import { CountRequest } from "../../src/protocol/messages/messages.ts"
import { estimateRequest } from "../../src/tokens/estimate.ts"
import { createKnownTexts } from "../../src/tokens/known-texts.ts"
import type { Countable } from "../../src/tokens/pieces.ts"
import { estimateInSteps } from "../../src/tokens/steps.ts"
import { createRandom } from "../support/random.ts"

const knownTexts = () => createKnownTexts(Bun.hash.wyhash)

function count(request: Countable, texts = knownTexts()) {
  const steps = estimateInSteps(request, texts)
  for (let yields = 0; ; yields++) {
    const step = steps.next()
    if (step.done === true) return { tokens: step.value, yields }
  }
}

const user = (...texts: readonly string[]) => ({
  role: "user" as const,
  content: texts.map((text) => ({ type: "text" as const, text })),
})

const alphabets = [
  "the quick brown fox, it's 1234 (or so).\n\n  const x = { a: 1 }\t",
  "naïve → “quoted” Übergrößenträger été",
  "汉字和かな交じり文。한국어 русский عربى",
  "🙂🎉\ud83d\u{1f9e0}x\udc00 ~~~///---\r\n",
]

test("the steps end in what is estimated in one go, wherever a long text is cut", () => {
  const random = createRandom(7)
  for (let round = 0; round < 40; round++) {
    const letters = [...random.pick(alphabets), ...random.pick(alphabets)]
    const textOf = (length: number) => Array.from({ length }, () => random.pick(letters)).join("")
    const request = CountRequest.parse({
      system: textOf(300),
      tools: [{ name: "Read", description: textOf(50), input_schema: { type: "object" } }],
      messages: [user(textOf(random.integer(0, 40_000)), textOf(10)), user(textOf(9_000))],
    })
    expect(count(request).tokens).toBe(estimateRequest(request))
  }
})

test("what was estimated is known the next time, also to who estimates in one go", () => {
  const texts = knownTexts()
  const request = { messages: [user("some words ".repeat(10_000))] }
  const first = count(request, texts)
  expect(first.yields).toBeGreaterThan(10)
  const again = count(request, texts)
  expect(again.tokens).toBe(first.tokens)
  expect(again.yields).toBeLessThan(3)
  const tokens = texts.tokensOf("some words ".repeat(10_000), () => Number.NaN)
  expect(tokens).toBeGreaterThan(1_000)
})

test("many short texts are steps too", () => {
  const request = { messages: [user(...Array.from({ length: 4_000 }, (_, at) => `text ${at}`))] }
  const { tokens, yields } = count(request)
  expect(tokens).toBe(estimateRequest(request))
  expect(yields).toBeGreaterThan(10)
})

test("nothing is nothing", () => {
  expect(count({})).toEqual({ tokens: 0, yields: 0 })
})
