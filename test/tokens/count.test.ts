import { describe, expect, test } from "bun:test"
import { Tiktoken } from "js-tiktoken/lite"
import cl100k from "js-tiktoken/ranks/cl100k_base"
import o200k from "js-tiktoken/ranks/o200k_base"
import { MessagesRequest } from "../../src/protocol/messages/messages.ts"
import { countParts, createCounter } from "../../src/tokens/count.ts"
import { estimateParts, estimateText } from "../../src/tokens/estimate.ts"
import { property } from "../support/random.ts"
import { samples } from "./samples.ts"

// js-tiktoken's own reader and encoder say what is right; they are too slow and too large for a proxy.
const exact = (encoding: Tiktoken) => (text: string) => encoding.encode(text, [], []).length
const references = {
  o200k_base: exact(new Tiktoken(o200k)),
  cl100k_base: exact(new Tiktoken(cl100k)),
} as const
const names = ["o200k_base", "cl100k_base"] as const
const counter = createCounter()

const pauseForReal = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe.each(names)("%s", (encoding) => {
  const reference = references[encoding]

  test("every sample is counted exactly", async () => {
    for (const { name, text } of samples) {
      expect([name, await counter.count(text, encoding)]).toEqual([name, reference(text)])
    }
  })

  property("and so is any text", 300, async (random) => {
    const text = random.text(80)
    expect(await counter.count(text, encoding)).toBe(reference(text))
  })

  property("and the bytes of any characters", 200, async (random) => {
    const codes = Array.from({ length: 40 }, () =>
      random.pick([random.integer(0, 0xffff), random.integer(0, 0x2ff), random.integer(0x10000, 0x1ffff)]),
    )
    const text = String.fromCodePoint(...codes)
    expect(await counter.count(text, encoding)).toBe(reference(text))
  })

  test.each([
    "",
    "hello world",
    "<|endoftext|>",
    "<|endofprompt|> and more",
    " \n\t \r\n x",
    "\ud83d x \udc00",
  ])("%j", async (text) => {
    expect(await counter.count(text, encoding)).toBe(reference(text))
  })
})

describe("long texts", () => {
  test("are cut for breath where it does no harm", async () => {
    const text = everyText.slice(0, 120_000)
    expect(await counter.count(text)).toBe(references.o200k_base(text))
  }, 30_000)

  test.each([
    ["one letter", "a".repeat(1e6)],
    ["blanks", " ".repeat(1e6)],
    ["a letter and a mark", "a\ufe0f".repeat(5e5)],
    ["letters of two scripts", "a漢".repeat(5e5)],
    ["lone surrogates", "\ud800a\udc00漢".repeat(2.5e5)],
    ["words of 500 letters", `${"qzxkvjw".repeat(71)} `.repeat(2000)],
    ["Han characters in runs of 170", `${"漢字仮名交".repeat(34)} `.repeat(5000)],
  ])(
    "a megabyte of %s neither throws nor takes long",
    async (_, text) => {
      let tokens = 0
      const spent = await timeOf(async () => {
        tokens = await createCounter().count(text)
      })
      expect(tokens).toBeGreaterThan(10_000)
      // Some 100 to 500 ms, the vocabulary included.
      expect(spent).toBeLessThan(2000)
    },
    20_000,
  )

  test("what is no word at all is estimated", async () => {
    const run = "漢字".repeat(300)
    expect(await counter.count(`see ${run}!`)).toBe(1 + estimateText(` ${run}`) + 1)
  })

  test("every few thousand characters others may work", async () => {
    const stretches: number[] = []
    let since = performance.now()
    const pause = async (): Promise<void> => {
      stretches.push(performance.now() - since)
      await pauseForReal()
      since = performance.now()
    }
    const breathing = createCounter({ pause })
    await breathing.count("load the vocabulary")
    const loading = stretches.length
    expect(loading).toBeGreaterThan(100)
    const text = everyText.slice(0, 163_840)
    expect(text).toHaveLength(163_840)
    since = performance.now()
    expect(await breathing.count(text)).toBe(references.o200k_base(text))
    const counting = stretches.slice(loading)
    expect(counting.length).toBeGreaterThanOrEqual(9)
    // The median, because this machine may be doing other things.
    for (const times of [stretches.slice(0, loading), counting]) {
      expect(times.toSorted((a, b) => a - b)[times.length >> 1]).toBeLessThan(20)
    }
  })
})

const everyText = samples.map((sample) => sample.text).join("\n")

/** Turns of a conversation as Claude Code has them: a call, and a result of 4,000 characters. */
function conversation(turns: number): MessagesRequest {
  const messages = Array.from({ length: turns }, (_, turn) => {
    const from = (turn * 997) % (everyText.length - 4000)
    const content = `turn ${turn}\n${everyText.slice(from, from + 4000)}`
    return [
      { role: "assistant", content: [{ type: "tool_use", id: `t${turn}`, name: "Read", input: { turn } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: `t${turn}`, content }] },
    ]
  }).flat()
  return MessagesRequest.parse(JSON.parse(JSON.stringify({ system: "Be brief.", messages })))
}

/** Of the processor, in milliseconds: what other programs do meanwhile does not count. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

describe("a conversation that grows", () => {
  test("costs its last turn: under 5 % of the whole, at 1 MB", async () => {
    const growing = createCounter()
    await growing.count("load the vocabulary")
    const before = conversation(260)
    expect(JSON.stringify(before).length).toBeGreaterThan(1_000_000)
    const whole = await timeOf(() => countParts(before, growing))
    // Several times: the first time some of the code is compiled meanwhile, and rubbish is collected at any time.
    const requests = Array.from({ length: 12 }, (_, turn) => conversation(261 + turn))
    const again: number[] = []
    for (const request of requests) again.push(await timeOf(() => countParts(request, growing)))
    expect(Math.min(...again)).toBeLessThan(whole * 0.05)
    const anew = createCounter()
    for (const request of requests) {
      expect(await countParts(request, growing)).toEqual(await countParts(request, anew))
    }
  }, 30_000)

  test("is remembered by encoding, and within bounds", async () => {
    const small = createCounter({ memoBytes: 256 })
    const texts = samples.slice(0, 6).map((sample) => sample.text)
    for (const text of [...texts, ...texts]) {
      expect(await small.count(text)).toBe(references.o200k_base(text))
      expect(await small.count(text, "cl100k_base")).toBe(references.cl100k_base(text))
    }
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
