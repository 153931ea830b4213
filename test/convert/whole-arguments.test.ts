// Arguments in one piece, for clients that fail at anything but JSON. The judge is Anthropic's own SDK, which
// gets the events over HTTP as it would from a server.
import { describe, expect, test } from "bun:test"
import Anthropic from "@anthropic-ai/sdk"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { isBeginning } from "../../src/convert/tool-calls/json-prefix.ts"
import { repair } from "../../src/convert/tool-calls/repairs.ts"
import { readToolCalls } from "../../src/convert/tool-calls/tool-calls.ts"
import { endToolCalls } from "../../src/convert/tool-calls/tool-end.ts"
import { initialTools } from "../../src/convert/tool-calls/tool-slots.ts"
import { parseJson } from "../../src/protocol/json.ts"
import { encodeEvent } from "../../src/protocol/messages/encode.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { chatReply, finishChunk, textChunk, toolChunk } from "../support/chunks.ts"
import { eventsOf, readerOptions, renderEvents, replyEvents } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { property, type Random } from "../support/random.ts"

const wholeArguments = true
const tools = { wholeArguments }

/** The blocks of text and calls that the SDK makes of these events. */
async function accumulate(events: readonly MessagesEvent[]): Promise<readonly unknown[]> {
  const body = events.map((event) => encodeEvent(event, "req_test")).join("")
  const answer = async () => new Response(body, { headers: { "content-type": "text/event-stream" } })
  const fetch = Object.assign(answer, { preconnect: () => undefined })
  const client = new Anthropic({ apiKey: "any", maxRetries: 0, fetch })
  const messages = [{ role: "user", content: "Hi" }] as const
  const stream = client.messages.stream({ model: "claude-opus-5-5", max_tokens: 10, messages: [...messages] })
  const { content } = await stream.finalMessage()
  return content.map((block) => (block.type === "tool_use" ? block.input : block))
}

const first = toolChunk({ index: 0, id: "call_aaaa", name: "Bash", args: "" })
const chunksOf = (fragments: readonly string[], reason = "tool_calls") => [
  first,
  ...fragments.map((args) => toolChunk({ index: 0, args })),
  finishChunk(reason),
]

/** In one piece, in two at every place, and character by character. */
const cuts = (text: string): readonly (readonly string[])[] => [
  [text],
  ...Array.from(text, (_, at) => [text.slice(0, at), text.slice(at)]).slice(1),
  text.split(""),
]

const raw = (text: string) => ({ _raw_arguments: text })

const cases: readonly (readonly [string, string, unknown])[] = [
  ["valid", '{"command":"ls"}', { command: "ls" }],
  ["quotes in a string", '{"command":"echo "hi""}', raw('{"command":"echo "hi""}')],
  ["a comma missing", '{"command":"a" "timeout":5}', raw('{"command":"a" "timeout":5}')],
  ["an odd quote in a string", '{"command":"echo "hi"}', raw('{"command":"echo "hi"}')],
  ["the end of a string missing", '{"command":"a', raw('{"command":"a')],
  ["a bracket of the wrong kind", '{"a":[1}', raw('{"a":[1}')],
  ["an unknown word", '{"a":yes}', raw('{"a":yes}')],
  ["single quotes further in", "{\"a\": 'b'}", { a: "b" }],
  ["single quotes", "{'a': 'b'}", { a: "b" }],
  ["a name without quotes further in", '{"a":{b:1}}', { a: { b: 1 } }],
  ["brackets missing", '{"a":[1', { a: [1] }],
  ["a trailing comma", '{"a":1,}', { a: 1 }],
  ["prose", "ls please", raw("ls please")],
  ["nothing", "", {}],
  ["an empty object", "{}", {}],
  ["a list", "[1]", {}],
]

describe("what the SDK makes of a stream", () => {
  test.each(cases)("%s", async (_, text, input) => {
    for (const fragments of cuts(text)) {
      const events = eventsOf(chunksOf(fragments), { tools })
      expect(checkGrammar(events)).toEqual([])
      expect([fragments, await accumulate(events)]).toEqual([fragments, [input]])
    }
  })

  test.each(cases)("%s: the same as in a whole reply", (_, text, input) => {
    const tool_calls = [{ id: "call_aaaa", function: { name: "Bash", arguments: text } }]
    for (const options of [readerOptions(), readerOptions({ tools })]) {
      const { reply } = foldEvents(replyEvents(chatReply({ tool_calls }, "tool_calls"), options))
      expect(reply?.content).toMatchObject([{ type: "tool_use", input }])
    }
  })

  test("without the option the SDK throws at it", async () => {
    for (const text of ['{"command":"echo "hi""}', '{"command":"a" "timeout":5}']) {
      await expect(accumulate(eventsOf(chunksOf([text])))).rejects.toThrow(/JSON/)
    }
  })

  test("a beginning that the length limit cut off stays one", async () => {
    const text = '{"command":"ls","list":[1,tr'
    const events = eventsOf(chunksOf([text], "length"), { tools })
    expect(renderEvents(events).slice(2, -3)).toEqual(['0   ""', `0   ${JSON.stringify(text)}`])
    expect(await accumulate(events)).toEqual([{ command: "ls", list: [1] }])
    const broken = eventsOf(chunksOf(['{"command":"a" "b'], "length"), { tools })
    expect(await accumulate(broken)).toEqual([raw('{"command":"a" "b')])
    for (const given of [events, broken]) expect(foldEvents(given).reply?.stop_reason).toBe("max_tokens")
  })

  test("one call after the other, each in one piece as soon as it is complete", () => {
    const chunks = [
      ...[
        first,
        toolChunk({ index: 0, args: '{"a":' }),
        toolChunk({ index: 1, id: "call_bbbb", name: "Read" }),
      ],
      ...[toolChunk({ index: 1, args: '{"b":"' }), toolChunk({ index: 0, args: "1}" }), textChunk("x")],
      toolChunk({ index: 1, args: '"}{"c":1}' }),
    ]
    expect(renderEvents(eventsOf(chunks, { tools })).slice(1, -2)).toEqual([
      ...["0 tool_use Bash call_aaaa", '0   ""', '0   "{\\"a\\":1}"', "0 stop"],
      ...["1 tool_use Read call_bbbb", '1   ""', '1   "{\\"b\\":\\"\\"}"', "1 stop"],
      ...["2 text", '2   "x"', "2 stop"],
      ...["3 tool_use Read toolu_Seed02", '3   ""', '3   "{\\"c\\":1}"', "3 stop"],
    ])
  })

  test("the same arguments again, however broken, are no second call", async () => {
    const text = '{"a":"x" "b":1}'
    for (const fragments of [
      [text, text],
      ['{"a"', text.slice(4), text],
      [text.slice(0, 5), text.slice(0, 9), text],
    ]) {
      expect(await accumulate(eventsOf(chunksOf(fragments), { tools }))).toEqual([raw(text)])
    }
  })
})

describe("what is noted", () => {
  const whysOf = (text: string, whole: boolean, cut = false) => {
    const options = { ...readerOptions().tools, wholeArguments: whole }
    const entry = { index: 0, id: "call_aaaa", function: { name: "Bash", arguments: text } }
    const [state, deltas] = readToolCalls(initialTools, [entry], options, false)
    const all = [...deltas, ...endToolCalls(state, options, cut)]
    return all.flatMap((delta) => (delta.kind === "note" ? [delta.note.why] : []))
  }
  const { invalid, unfinished, quote } = repair

  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['{"a":1}', [], []],
    ['{"a":"echo "hi""}', [invalid], [repair.raw]],
    ['{"a":"echo "hi"}', [invalid], [repair.raw]],
    ['{"a":1 "b":2}', [invalid], [repair.raw]],
    ['{"a":[1}', [invalid], [repair.raw]],
    ['{"a":"b', [unfinished], [unfinished, repair.raw]],
    ['{"a":', [unfinished], [unfinished, repair.raw]],
    ["{\"a\":'b'}", [invalid], [quote]],
  ])("%j", (text, plain, whole) => {
    expect(whysOf(text, false)).toEqual([...plain])
    expect(whysOf(text, true)).toEqual([...whole])
  })

  test("what the length limit cut off is said only where more is wrong with it", () => {
    expect(whysOf('{"a":"b', false, true)).toEqual([])
    expect(whysOf('{"a":"b', true, true)).toEqual([])
    expect(whysOf('{"a":1 "b', false, true)).toEqual([invalid])
    expect(whysOf('{"a":1 "b', true, true)).toEqual([repair.raw])
  })
})

describe("the beginning of JSON", () => {
  const yes = [
    "",
    "{",
    '{"',
    '{"a',
    '{"a"',
    '{"a":',
    '{"a":-',
    '{"a":1.',
    '{"a":1e',
    '{"a":1e+',
    '{"a":t',
    "[",
    "[1,",
  ]
  const open = [
    '{"a":1,',
    '{"a":[[',
    '["\\',
    '["\\\\',
    '["\\u',
    '["\\u12',
    '["\\\\u',
    '{"a":fals',
    '{"a":{}',
    "[nul",
  ]
  const no = [
    "}",
    "{a",
    '{"a" 1',
    '{"a":1 "b',
    '{"a":[1}',
    '{"a":tru,',
    '{"a":x',
    '["\\x',
    '["\n',
    "[1 2",
    "{,",
    '{"a":1}}',
  ]
  test.each([...yes, ...open].map((text) => [text]))("%j is one", (text) =>
    expect(isBeginning(text)).toBe(true),
  )
  test.each(no.map((text) => [text]))("%j is none", (text) => expect(isBeginning(text)).toBe(false))

  const value = (random: Random) => JSON.stringify({ [random.text(5)]: random.json(3), b: random.text(9) })

  property("every beginning of every text", 2_000, (random) => {
    const text = value(random)
    expect(isBeginning(text.slice(0, random.integer(0, text.length)))).toBe(true)
  })

  test("in linear time", () => {
    const started = performance.now()
    for (const unit of ["[", '{"a":', "\\", "a", '\\"', "1"]) isBeginning(`["${unit.repeat(300_000)}`)
    for (const unit of ["[", '{"a":', "1", "1,", "a"]) isBeginning(`[${unit.repeat(300_000)}`)
    expect(performance.now() - started).toBeLessThan(3_000)
  })
})

property("what a client gets of a call is JSON, whatever came and however it was cut", 2_000, (random) => {
  const text = JSON.stringify({ path: random.text(12), more: random.json(3) })
  const at = random.integer(1, text.length)
  const put = random.pick(["", ",", "'", '"', "{", "}", "\\", "/", "\n", "x", "None", ":", " ", '"}'])
  const broken = text.slice(0, at) + put + text.slice(at + random.integer(0, 2))
  const most = random.pick([1, 3, 30])
  const fragments: string[] = []
  for (let from = 0; from < broken.length; ) {
    const to = from + random.integer(1, most)
    fragments.push(broken.slice(from, to))
    from = to
  }
  const events = eventsOf(chunksOf(fragments), { tools })
  expect(checkGrammar(events)).toEqual([])
  const blocks = events.filter(({ type }) => type === "content_block_start").length
  for (let index = 0; index < blocks; index++) {
    const pieces = events.flatMap((event) =>
      event.type === "content_block_delta" && event.index === index && event.delta.type === "input_json_delta"
        ? [event.delta.partial_json]
        : [],
    )
    const parsed = parseJson(pieces.join("") || "{}")
    expect([broken, pieces, parsed.ok]).toEqual([broken, pieces, true])
    expect(pieces.length).toBeLessThan(3)
  }
})
