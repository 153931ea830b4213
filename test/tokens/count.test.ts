import { describe, expect, test } from "bun:test"
import { Tiktoken } from "js-tiktoken/lite"
import ranks from "js-tiktoken/ranks/o200k_base"
import { MessagesRequest } from "../../src/protocol/messages.ts"
import { countParts, createCounter } from "../../src/tokens/count.ts"
import { estimateParts, estimateText } from "../../src/tokens/estimate.ts"
import { slicesOf } from "../../src/tokens/slices.ts"
import { property } from "../support/random.ts"
import { samples } from "./samples.ts"

const encoding = new Tiktoken(ranks)
const exact = (text: string): number => encoding.encode(text, [], []).length
const counter = createCounter()

describe("slicesOf", () => {
  property("gives the text back, whatever it is", 300, (random) => {
    const text =
      random.text(60) + random.pick(["x", "漢", "!", " ", "🎯", "\ud800"]).repeat(random.integer(0, 3000))
    expect([...slicesOf(text)].map((slice) => slice.text).join("")).toBe(text)
  })

  test("no slice of running text is longer than it takes to breathe", () => {
    const text = samples.map((sample) => sample.text).join("\n")
    expect(Math.max(...[...slicesOf(text)].map((slice) => slice.text.length))).toBeLessThan(10_000)
  })

  test("a run of letters is cut, and estimated when it is no word at all", () => {
    const shapes = (text: string): readonly (readonly [number, boolean])[] =>
      [...slicesOf(text)].map((slice) => [slice.text.length, slice.exact] as const)
    expect(shapes(`see ${"x".repeat(250)}.`)).toEqual([
      [4, true],
      [120, true],
      [120, true],
      [10, true],
      [1, true],
    ])
    expect(shapes(`see ${"x".repeat(1001)}.`)).toEqual([
      [4, true],
      [1001, false],
      [1, true],
    ])
  })
})

describe("counter", () => {
  test.each(samples.map((sample) => [sample.name, sample.text] as const))("%s: exact", async (_, text) => {
    expect(await counter.count(text)).toBe(exact(text))
  })

  test.each([
    ["", 0],
    ["hello world", 2],
    ["<|endoftext|>", 7],
    ["<|endofprompt|> and more", 9],
  ])("%j is %d", async (text, tokens) => {
    expect(await counter.count(text)).toBe(tokens)
    expect(exact(text)).toBe(tokens)
  })

  test.each([
    ["one letter", "a".repeat(1e6)],
    ["blanks", " ".repeat(1e6)],
    ["a letter and a mark", "a\ufe0f".repeat(5e5)],
    ["letters of two scripts", "a漢".repeat(5e5)],
    ["lone surrogates", "\ud800a\udc00漢".repeat(2.5e5)],
    ["words of 500 letters", `${"qzxkvjw".repeat(71)} `.repeat(2000)],
  ])("a megabyte of %s neither throws nor hangs", async (_, text) => {
    const started = performance.now()
    expect(await counter.count(text)).toBeGreaterThan(10_000)
    expect(performance.now() - started).toBeLessThan(4000)
  })

  test("5 MB of everything in bounded time", async () => {
    const everything = samples.map((sample) => sample.text).join("\n")
    const started = performance.now()
    const tokens = await counter.count(everything.repeat(Math.ceil(5e6 / everything.length)))
    expect(tokens).toBeGreaterThan(1_000_000)
    expect(performance.now() - started).toBeLessThan(30_000)
  }, 40_000)

  test("pauses between slices", async () => {
    let pauses = 0
    const pause = async (): Promise<void> => {
      pauses++
    }
    await createCounter({ pause }).count("hello world ".repeat(2000))
    expect(pauses).toBeGreaterThan(4)
  })
})

test("counter and estimator split a request alike", async () => {
  const request = MessagesRequest.parse({
    system: samples[0]?.text,
    tools: [
      { name: "Grep", description: samples[0]?.text, input_schema: { type: "object", properties: {} } },
    ],
    messages: [
      { role: "user", content: samples[1]?.text },
      { role: "assistant", content: [{ type: "tool_use", id: "t", name: "Grep", input: { pattern: "x" } }] },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "t", content: samples[3]?.text },
          { type: "image", source: { type: "url", url: "https://x.test/a.png" } },
        ],
      },
    ],
  })
  const counted = await countParts(request, counter)
  const estimated = estimateParts(request)
  expect(counted.total).toBe(counted.system + counted.messages + (counted.tools[0]?.tokens ?? 0))
  expect(counted.tools.map((tool) => tool.name)).toEqual(estimated.tools.map((tool) => tool.name))
  for (const key of ["system", "messages", "total"] as const) {
    expect(Math.abs(estimated[key] / counted[key] - 1)).toBeLessThan(0.08)
  }
  expect(estimateText(samples[0]?.text ?? "") + 3).toBe(estimated.system)
})
