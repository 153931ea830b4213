// What holds for every stream: however its bytes are cut, its fragments ordered, or its chunks made up.
import { expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { toolInput } from "../../src/convert/tool-calls/json-scan.ts"
import type { StreamInput } from "../../src/protocol/chat/chat.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import {
  chatReply,
  chatUsage,
  deltaChunk,
  finishChunk,
  reasoningChunk,
  roleChunk,
  type ToolPiece,
  textChunk,
  toolChunk,
  usageChunk,
} from "../support/chunks.ts"
import {
  decodeBytes,
  encodeChunks,
  eventsOf,
  inputs,
  inputsOf,
  listFixtures,
  optionsFor,
  play,
  readerOptions,
  readStream,
  replyEvents,
  toolNames,
} from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { property, type Random } from "../support/random.ts"

interface Call {
  readonly id: string
  readonly name: string
  readonly args: string
}

/** Pieces of random size, never cutting a character in two. */
function pieces(random: Random, text: string): readonly string[] {
  const characters = [...text]
  const most = random.pick([1, 4, 40])
  const out: string[] = []
  while (characters.length > 0) out.push(characters.splice(0, random.integer(1, most)).join(""))
  return out
}

function randomCall(random: Random, at: number): Call {
  const input = { path: random.text(12), nested: [random.json(2)] }
  return { id: `call_${at}_abcd`, name: random.pick(toolNames), args: JSON.stringify(input) }
}

/** The fragments of one call: id and name first, then its arguments. */
function fragments(random: Random, call: Call, index: number): readonly ToolPiece[] {
  const { id, name, args } = call
  return [{ index, id, name, args: "" }, ...pieces(random, args).map((args) => ({ index, args }))]
}

interface Message {
  readonly reasoning: string
  readonly text: string
  readonly calls: readonly Call[]
}

function randomMessage(random: Random): Message {
  const say = () => (random.chance(0.3) ? "" : `${random.pick(["So", "é", "漢"])}${random.text(40)}`)
  const calls = Array.from({ length: random.integer(0, 3) }, (_, at) => randomCall(random, at))
  return { reasoning: say(), text: say(), calls }
}

function streamOf(random: Random, { reasoning, text, calls }: Message): readonly JsonObject[] {
  const reason = calls.length > 0 ? "tool_calls" : "stop"
  return [
    roleChunk(),
    ...pieces(random, reasoning).map((piece) => reasoningChunk(piece)),
    ...pieces(random, text).map(textChunk),
    ...calls.flatMap((call, index) => fragments(random, call, index).map(toolChunk)),
    finishChunk(reason),
    usageChunk(50, 20, 10),
  ]
}

/** What was said, of either kind, by the deltas alone. */
function said(events: readonly MessagesEvent[]): { readonly text: string; readonly thinking: string } {
  let [text, thinking] = ["", ""]
  for (const event of events) {
    if (event.type !== "content_block_delta") continue
    if (event.delta.type === "text_delta") text += event.delta.text
    if (event.delta.type === "thinking_delta") thinking += event.delta.thinking
  }
  return { text, thinking }
}

property("split: any cut of the bytes gives the same events", 150, (random) => {
  const fixture = readStream(random.pick(listFixtures("streams")))
  const options = optionsFor(fixture)
  const bytes = encodeChunks(fixture.chunks, fixture.done)
  const events = play(decodeBytes(random.cut(bytes)), options)
  expect(events).toEqual(play(inputsOf(fixture), options))
  expect(checkGrammar(events)).toEqual([])
})

property("split: any cut of a message into fragments gives the same message", 300, (random) => {
  const message = randomMessage(random)
  const once = foldEvents(play(decodeBytes(random.cut(encodeChunks(streamOf(random, message))))))
  const again = foldEvents(play(decodeBytes(random.cut(encodeChunks(streamOf(random, message))))))
  expect(again).toEqual(once)
})

property(
  "interleave: any order of fragments that keeps each call's own gives whole arguments",
  1000,
  (random) => {
    const calls = Array.from({ length: random.integer(1, 4) }, (_, at) => randomCall(random, at))
    const lists = calls.map((call, index) => fragments(random, call, index))
    const events = eventsOf([...random.interleave(lists).map(toolChunk), finishChunk("tool_calls")])
    expect(checkGrammar(events)).toEqual([])
    const content = foldEvents(events).reply?.content ?? []
    const byId = new Map(content.map((block) => [block.type === "tool_use" ? block.id : "", block]))
    expect(content.length).toBe(calls.length)
    for (const { id, name, args } of calls) {
      expect(byId.get(id)).toEqual({ type: "tool_use", id, name, input: toolInput(args) })
    }
  },
)

property("interleave: text and reasoning between the fragments are kept whole", 500, (random) => {
  const calls = Array.from({ length: random.integer(1, 3) }, (_, at) => randomCall(random, at))
  const words = Array.from({ length: random.integer(0, 5) }, () => `w${random.text(3)}`)
  const lists = [
    ...calls.map((call, index) => fragments(random, call, index).map(toolChunk)),
    words.map(textChunk),
  ]
  const events = eventsOf([...random.interleave(lists), finishChunk("tool_calls")])
  expect(checkGrammar(events)).toEqual([])
  const content = foldEvents(events).reply?.content ?? []
  const inputsById = content.flatMap((block) =>
    block.type === "tool_use" ? [[block.id, block.input] as const] : [],
  )
  expect(new Map(inputsById)).toEqual(new Map(calls.map(({ id, args }) => [id, toolInput(args)])))
  expect(said(events).text).toBe(words.join(""))
})

property("fold: a streamed answer is the whole one", 500, (random) => {
  const message = randomMessage(random)
  const { reasoning, text, calls } = message
  const streamed = foldEvents(eventsOf(streamOf(random, message))).reply
  const tool_calls = calls.map(({ id, name, args }) => ({
    id,
    type: "function",
    function: { name, arguments: args },
  }))
  const reason = calls.length > 0 ? "tool_calls" : "stop"
  const whole = chatReply(
    { content: text, reasoning_content: reasoning, tool_calls },
    reason,
    chatUsage(50, 20, 10),
  )
  const replied = foldEvents(replyEvents(whole)).reply
  expect(streamed?.content ?? []).toEqual(replied?.content ?? [])
  expect([streamed?.stop_reason, streamed?.usage]).toEqual([replied?.stop_reason, replied?.usage])
})

property("no lost payload: text and reasoning come out as they went in", 500, (random) => {
  const message = randomMessage(random)
  const { text, thinking } = said(eventsOf(streamOf(random, message)))
  expect({ text, thinking }).toEqual({ text: message.text, thinking: message.reasoning })
})

property("tags: text in tags at the beginning is reasoning, wherever it is cut", 300, (random) => {
  const inner = `a${random.text(20)}`.replaceAll("<", "")
  const text = `b${random.text(20)}`
  const chunks = pieces(random, `<think>\n${inner}</think>\n\n${text}`).map(textChunk)
  const events = eventsOf([...chunks, finishChunk("stop")])
  expect(checkGrammar(events)).toEqual([])
  expect(said(events)).toEqual({ thinking: inner, text })
})

/** Chunks that look right from afar: the fields we read, with values of any kind. */
function almostChunk(random: Random): unknown {
  const any = () => random.json(2)
  const maybe = (value: unknown) => (random.chance(0.7) ? value : any())
  const call = {
    index: random.pick([0, 1, 2, "0", null, undefined, -1]),
    id: random.pick(["call_aaaa1", "call_bbbb2", "", null, undefined, 7]),
    function: maybe({
      name: random.pick(["Read", "Bash", "Re", "ad", "", null, undefined]),
      arguments: random.pick(['{"a"', ":1}", "{}", '{"a":1}{"b":2}', '"{}"', "", null, "x", { a: 1 }, [1]]),
    }),
  }
  const delta = {
    content: random.pick([undefined, null, "", " ", "a", "<think>", "</think>", any()]),
    reasoning_content: random.pick([undefined, null, "", "r", any()]),
    reasoning_details: random.pick([undefined, [{ text: "d" }], any()]),
    tool_calls: random.pick([undefined, [call], [call, any()], any()]),
    function_call: random.pick([undefined, undefined, { name: "Bash", arguments: "{}" }, any()]),
  }
  const choice = {
    delta: maybe(delta),
    message: random.pick([undefined, undefined, any()]),
    finish_reason: random.pick([
      undefined,
      null,
      null,
      "stop",
      "length",
      "tool_calls",
      "content_filter",
      any(),
    ]),
    error: random.chance(0.02) ? any() : undefined,
  }
  return {
    choices: maybe(random.pick([[], [choice], [choice, choice]])),
    usage: random.pick([undefined, null, chatUsage(1, 2), any()]),
    ...(random.chance(0.02) ? { error: any() } : {}),
  }
}

const fault = { kind: "api_error", source: "upstream", status: 502, retry: "no", message: "reset" } as const
const ends: readonly StreamInput[] = [
  { kind: "end", clean: true },
  { kind: "end", clean: false },
  { kind: "fault", fault },
]

property("totality: any JSON at all ends in exactly one terminal event", 10_000, (random) => {
  const make = random.chance(0.2) ? () => random.json(4) : () => almostChunk(random)
  const chunks = Array.from({ length: random.integer(0, 6) }, make)
  const end = random.pick(ends)
  const options = readerOptions({ showReasoning: random.chance(0.8) })
  // Nothing may follow the end, whatever comes.
  const events = play([...inputs(chunks).slice(0, -1), end, ...inputs(chunks)], options)
  expect(checkGrammar(events, { toolJson: false })).toEqual([])
  const whole = replyEvents(chunks[0], options)
  expect(checkGrammar(whole, { toolJson: false })).toEqual([])
})

const long = 5 * 1024 * 1024

test("5 MB of arguments in 20,000 fragments take linear time", () => {
  const piece = "x".repeat(Math.ceil(long / 20_000))
  const body = Array.from({ length: 20_000 }, () => toolChunk({ index: 0, args: piece }))
  const waiting = Array.from({ length: 20_000 }, () => toolChunk({ index: 1, args: piece }))
  const start = performance.now()
  const events = eventsOf([
    toolChunk({ index: 0, id: "call_aaaa1", name: "Write", args: '{"content":"' }),
    ...body,
    toolChunk({ index: 1, id: "call_bbbb2", name: "Write", args: '{"content":"' }),
    ...waiting,
    toolChunk({ index: 0, args: '"}' }),
    toolChunk({ index: 1, args: '"}' }),
  ])
  const { reply } = foldEvents(events)
  expect(performance.now() - start).toBeLessThan(2000)
  expect(
    reply?.content.map((block) => (block.type === "tool_use" ? String(block.input["content"]).length : 0)),
  ).toEqual([piece.length * 20_000, piece.length * 20_000])
})

test("5 MB of text, and of reasoning in tags, take linear time", () => {
  const piece = "word ".repeat(50)
  const chunks = Array.from({ length: long / 250 }, () => deltaChunk({ content: piece }))
  const start = performance.now()
  const plain = said(eventsOf([...chunks, finishChunk("stop")]))
  const tagged = said(eventsOf([textChunk("<think>"), ...chunks, finishChunk("stop")]))
  expect(performance.now() - start).toBeLessThan(2000)
  expect([plain.text.length, tagged.thinking.length]).toEqual([chunks.length * 250, chunks.length * 250])
})

test("one line of 5 MB in 20,000 pieces is decoded in linear time", () => {
  const bytes = encodeChunks([textChunk("x".repeat(long)), finishChunk("stop")])
  const size = Math.ceil(bytes.length / 20_000)
  const cut = Array.from({ length: 20_000 }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
  const start = performance.now()
  const events = play(decodeBytes(cut))
  expect(performance.now() - start).toBeLessThan(2000)
  expect(said(events).text.length).toBe(long)
})
