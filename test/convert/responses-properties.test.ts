// What holds for every Responses stream: however its bytes are cut, its items interleaved, or its events made up.
import { expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import type { StreamInput } from "../../src/protocol/chat/chat.ts"
import { type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { decodeBytes, errorContext, toolNames } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { encodeLines, mutateLines, readPieces } from "../support/mutations.ts"
import { property, type Random, runProperty } from "../support/random.ts"
import { type EventOptions, encodeEvents, eventsOf } from "../support/responses/events.ts"
import { callItem, encrypted, messageItem, reasoningItem, responseOf } from "../support/responses/items.ts"
import { foldStream, playReply, playStream, responsesOptions, streamed } from "../support/responses/play.ts"

const say = (random: Random) => `${random.pick(["So", "é", "漢"])}${random.text(30)}`
const several = <T>(random: Random, most: number, make: (at: number) => T): readonly T[] =>
  Array.from({ length: random.integer(0, most) }, (_, at) => make(at))

function randomItem(random: Random, at: number): JsonObject {
  const id = `${at}_abcdef`
  switch (random.pick(["reasoning", "message", "call", "call"])) {
    case "reasoning":
      return reasoningItem(
        id,
        several(random, 3, () => say(random)),
        encrypted(`${id} ${random.integer(0, 99)}`),
      )
    case "message":
      return messageItem(id, say(random), ...several(random, 2, () => say(random)))
    default: {
      const input = random.chance(0.2) ? {} : { path: random.text(12), nested: [random.json(2)] }
      return callItem(id, random.pick(toolNames), JSON.stringify(input))
    }
  }
}

const randomOutput = (random: Random): readonly JsonObject[] => [
  randomItem(random, 0),
  ...several(random, 5, (at) => randomItem(random, at + 1)),
]

/** Items open in their order; beyond that any order that keeps each one's own. */
function legal(random: Random): NonNullable<EventOptions["order"]> {
  return (lists) => {
    const waiting = lists.map((list) => [...list])
    const out: JsonObject[] = []
    let opened = 0
    while (waiting.some((list) => list.length > 0)) {
      const ready = waiting.filter((list, index) => index <= opened && list.length > 0)
      const list = random.pick(ready)
      if (list === waiting[opened]) opened += 1
      out.push(...list.splice(0, 1))
    }
    return out
  }
}

function pieces(random: Random): NonNullable<EventOptions["pieces"]> {
  return (text) => {
    const characters = [...text]
    const out: string[] = []
    while (characters.length > 0) out.push(characters.splice(0, random.integer(1, 9)).join(""))
    return out
  }
}

const manners = ["documented", "documented", "done-only", "items-only", "completed-only"] as const

function randomStream(random: Random, output: readonly JsonObject[]): readonly JsonObject[] {
  const rotate = random.chance(0.5)
  return eventsOf(output, {
    ...{ manner: random.pick(manners), rotate },
    ...{ order: legal(random), pieces: pieces(random) },
  })
}

property(
  "order: any interleaving, and any manner of streaming, gives the message of the whole reply",
  400,
  (random) => {
    const output = randomOutput(random)
    const events = playStream(streamed(randomStream(random, output)))
    expect(checkGrammar(events)).toEqual([])
    const whole = foldEvents(playReply(responseOf(output)))
    expect(foldEvents(events)).toEqual(whole)
    const calls = output.filter(({ type }) => type === "function_call").map((item) => item["call_id"])
    const content = whole.reply?.content ?? []
    expect<unknown>(content.flatMap((block) => (block.type === "tool_use" ? [block.id] : []))).toEqual(
      calls as string[],
    )
  },
)

property("split: any cut of the bytes gives the same events", 100, (random) => {
  const events = randomStream(random, randomOutput(random))
  const bytes = new TextEncoder().encode(encodeEvents(events))
  expect(playStream(decodeBytes(random.cut(bytes)))).toEqual(playStream(streamed(events)))
})

property("cut: a stream that stops anywhere but at its end is an error, and the only one", 200, (random) => {
  const events = randomStream(random, randomOutput(random))
  const bytes = new TextEncoder().encode(encodeEvents(events.slice(0, -1)))
  const played = playStream(
    readPieces(random.cut(bytes.slice(0, random.integer(0, bytes.length))), errorContext),
  )
  expect(checkGrammar(played, { toolJson: false })).toEqual([])
  expect(played.at(-1)?.type).toBe("error")
})

const junk: readonly JsonObject[] = [
  { type: "response.output_item.added" },
  { type: "response.output_item.added", output_index: -1, item: null },
  { type: "response.output_item.added", output_index: 1e9, item: { type: "function_call", name: 7 } },
  { type: "response.output_item.done", output_index: 0, item: [] },
  {
    type: "response.output_item.done",
    output_index: 3,
    item: { type: "message", content: [null, { type: 1 }] },
  },
  {
    type: "response.output_item.done",
    output_index: 2,
    item: { type: "reasoning", summary: {}, content: "x" },
  },
  { type: "response.output_text.delta", output_index: "0", delta: null },
  { type: "response.output_text.delta", output_index: 9, delta: "late" },
  { type: "response.function_call_arguments.delta", output_index: 0, delta: "}" },
  { type: "response.function_call_arguments.done", arguments: { a: 1 } },
  { type: "response.reasoning_summary_text.delta", summary_index: "x", delta: "?" },
  { type: "response.completed" },
  { type: "response.completed", response: { output: "x", usage: [], error: "" } },
  { type: "response.incomplete", response: null },
  { type: 7, response: [] },
  { type: "response.constructor.delta", delta: "x" },
]

function mishap(random: Random, events: readonly JsonObject[]): readonly JsonObject[] {
  const from = random.integer(0, events.length)
  switch (random.pick(["nothing", "junk", "swap", "double", "item"])) {
    case "junk":
      return events.toSpliced(from, 0, random.pick(junk))
    case "swap":
      return events.toSpliced(from, 2, ...events.slice(from, from + 2).toReversed())
    case "double":
      return events.toSpliced(from, 0, ...events.slice(from, from + random.integer(1, 5)))
    case "item":
      return events.map((event, at) =>
        at === from ? { ...event, item: random.json(3), delta: random.json(1) } : event,
      )
    default:
      return events
  }
}

const mutated = (random: Random): void => {
  const events = mishap(random, mishap(random, randomStream(random, randomOutput(random))))
  const lines = mutateLines(
    random,
    events.map((event) => JSON.stringify(event)),
  )
  const bytes = encodeLines(random, lines)
  const pieces = random.chance(0.1) ? random.cut(bytes) : [bytes]
  const options = responsesOptions({ showReasoning: random.chance(0.8), ...search(random) })
  const played = playStream(readPieces(pieces, errorContext), options)
  expect(checkGrammar(played, { toolJson: false })).toEqual([])
  const whole = playReply(responseOf(events, { output: random.pick([events, random.json(4)]) }), options)
  expect(checkGrammar(whole, { toolJson: false })).toEqual([])
}

test("mutations: nothing throws or breaks the grammar, and there is one end", () => {
  return runProperty("mutations", 5000, mutated)
}, 60_000)

const search = (random: Random) =>
  random.chance(0.2) ? { search: { query: "q", forced: random.chance(0.5) } } : {}

const fault = { kind: "api_error", source: "upstream", status: 502, retry: "no", message: "reset" } as const

property("totality: any JSON at all ends in exactly one terminal event", 2000, (random) => {
  const typed = () => ({ ...random.pick(junk), ...objectOf(random.json(2)) })
  const chunks = Array.from(
    { length: random.integer(0, 6) },
    random.chance(0.3) ? () => random.json(4) : typed,
  )
  const end: StreamInput = random.chance(0.5)
    ? { kind: "end", clean: random.chance(0.5) }
    : { kind: "fault", fault }
  const given = streamed(chunks).slice(0, -1)
  expect(checkGrammar(playStream([...given, end, ...given]), { toolJson: false })).toEqual([])
  expect(checkGrammar(playReply(chunks[0]), { toolJson: false })).toEqual([])
})

test("the same items, said in one way or another, fold to the same message: an example", () => {
  const output = [
    reasoningItem("1", ["One.", "Two."]),
    messageItem("2", "I read."),
    callItem("3_abcdef", "Read", "{}"),
  ]
  const { reply } = foldStream(eventsOf(output))
  expect(reply?.content).toMatchObject([
    { type: "thinking", thinking: "One.\n\nTwo." },
    { type: "text", text: "I read." },
    { type: "tool_use", id: "call_3_abcdef", name: "Read", input: {} },
  ])
})
