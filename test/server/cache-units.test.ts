// The parts of the response cache by themselves: how long replies live, how they are told as a stream, and how the
// events of a reply are kept while others may still want them.
import { describe, expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { pieces, retell } from "../../src/convert/reply/retell.ts"
import type { MessagesEvent, MessagesReply } from "../../src/protocol/messages/messages.ts"
import { cacheWish } from "../../src/server/cache/cache-key.ts"
import { lifeOf, longLifeMs, shortLifeMs } from "../../src/server/cache/cache-life.ts"
import { append, createEventLog, endOf, forget, pack, since } from "../../src/server/flights/event-log.ts"
import { lingerMs } from "../../src/server/flights/flight-reader.ts"
import { checkGrammar } from "../support/grammar.ts"
import { property } from "../support/random.ts"

describe("how long a reply lives", () => {
  const life = (words: string, text = "Some words.", json = false) =>
    lifeOf({
      messages: [
        {
          role: "user",
          content: [{ type: "text", text: words }],
          output_config: undefined,
          clear_at: undefined,
          cache_control: false,
        },
      ],
      json,
      text,
    })

  test.each([
    "Write a function that sorts a list in Python",
    "What is the capital of France?",
    "Translate 'good morning' into Spanish.",
    "What is 17 * 23?",
    "法国的首都是什么？",
    "Why does `npm run build` fail with TypeError: x is not a function?",
  ])("a day: %s", (words) => {
    expect(life(words)).toBe(longLifeMs)
  })

  test.each([
    "Hello there",
    "hi",
    "Write a poem about autumn",
    "What is the weather in Paris?",
    "Who is the current president?",
    "What are the latest news?",
    "今天天气怎么样",
  ])("an hour: %s", (words) => {
    expect(life(words)).toBe(shortLifeMs)
  })

  test("what the reply is made of counts as well", () => {
    expect(life("hi", "```js\nlet a\n```")).toBe(longLifeMs)
    expect(life("hi", '{"a":1}', true)).toBe(longLifeMs)
    expect(life("what changed today", "```js\nlet a\n```")).toBe(shortLifeMs)
  })
})

test.each([
  [undefined, "use"],
  ["max-age=0", "use"],
  ["no-cache", "refresh"],
  ["No-Cache, max-age=0", "refresh"],
  ["no-cache, no-store", "none"],
  ["private,no-store", "none"],
  ["not-no-store", "use"],
] as const)("cache-control %p: %s", (value, expected) => {
  expect(cacheWish(new Headers(value === undefined ? {} : { "cache-control": value }))).toBe(expected)
})

test.each([
  [0, 0],
  [999, 0],
  [1_000, 1_000],
  [3_000, 1_000],
  [9_000, 3_000],
  [30_000, 10_000],
  [600_000, 10_000],
])("given up after %d ms: waited for %d more", (waited, expected) => {
  expect(lingerMs(waited)).toBe(expected)
})

const reply = (...texts: readonly string[]): MessagesReply => ({
  ...{ id: "msg_1", type: "message", role: "assistant", model: "m" },
  content: texts.map((text) => ({ type: "text", text })),
  ...{ stop_reason: "end_turn", stop_sequence: null },
  usage: { input_tokens: 3, cache_creation_input_tokens: 0, cache_read_input_tokens: 2, output_tokens: 7 },
})

property("a reply told as a stream says the same", 200, (random) => {
  const texts = Array.from({ length: random.integer(1, 3) }, () => random.text(1_000))
  const events = [...retell(reply(...texts))]
  expect(checkGrammar(events)).toEqual([])
  expect(foldEvents(events).reply).toEqual(reply(...texts))
  for (const text of texts) {
    for (const piece of pieces(text)) expect(piece.length).toBeWithin(1, 201)
    expect([...pieces(text)].every((piece) => piece.isWellFormed())).toBe(text.isWellFormed())
  }
})

test("a long text without a space is cut in linear time", () => {
  const from = performance.now()
  let count = 0
  for (const piece of pieces("漢".repeat(4_000_000))) count += piece.length
  expect(count).toBe(4_000_000)
  expect(performance.now() - from).toBeLessThan(1_000)
})

property("a log gives each reader what it has not read, whatever was forgotten or packed", 100, (random) => {
  const log = createEventLog()
  const event = (at: number): MessagesEvent => ({
    type: "content_block_delta",
    index: 0,
    delta: { type: "text_delta", text: `${at} ` },
  })
  const textOf = (events: readonly MessagesEvent[]) =>
    events
      .map((one) =>
        one.type === "content_block_delta" && one.delta.type === "text_delta" ? one.delta.text : "",
      )
      .join("")
  let said = 0
  let read = 0
  let heard = ""
  for (let step = 0; step < 400; step++) {
    if (random.chance(0.7)) append(log, [event(said++)])
    if (random.chance(0.2)) {
      heard += textOf(since(log, read))
      read = endOf(log)
    }
    if (random.chance(0.3)) pack(log, read)
    expect(endOf(log)).toBe(said)
    expect(textOf(since(log, 0))).toStartWith("0 ".slice(0, said * 2))
  }
  heard += textOf(since(log, read))
  const all = Array.from({ length: said }, (_, at) => `${at} `).join("")
  expect(heard).toBe(all)
  expect(textOf(since(log, 0))).toBe(all)
  forget(log, endOf(log))
  expect([log.size, endOf(log), since(log, endOf(log)).length]).toEqual([0, said, 0])
})

test("a packed log takes little more than its text", () => {
  const log = createEventLog()
  for (let at = 0; at < 10_000; at++) {
    append(log, [{ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "word" } }])
    pack(log, endOf(log))
  }
  expect(log.size).toBeLessThan(10_000 * 4 * 2 + 64 * 300)
  expect(since(log, 0).length).toBeLessThan(70)
})
