// The short cuts for chunks that are alike must never show: whatever comes, the inputs, and the events made of them,
// are those of the way that parses every line.
import { describe, expect, test } from "bun:test"
import type { StreamInput } from "../../src/protocol/chat/chat.ts"
import { withText } from "../../src/protocol/chat/chat-run.ts"
import { isObject } from "../../src/protocol/json.ts"
import { createSseDecoder } from "../../src/protocol/sse.ts"
import { textsOf, wholeOf } from "../../src/protocol/texts.ts"
import { parseMessages, startParsing } from "../../src/upstream/chunk-parser.ts"
import { createChunkReader, flushChunks, pushChunks } from "../../src/upstream/chunk-reader.ts"
import {
  deltaChunk,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunk,
} from "../support/chunks.ts"
import {
  encodeChunks,
  errorContext,
  listFixtures,
  optionsFor,
  play,
  readerOptions,
  readStream,
  toolNames,
} from "../support/fixtures.ts"
import { mutateLines } from "../support/mutations.ts"
import { property, type Random } from "../support/random.ts"

type Inputs = readonly StreamInput[]

/** Every line decoded and parsed, as if there were no short cut. */
function slowly(pieces: readonly Uint8Array[]): Inputs {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  const sse = createSseDecoder()
  const parsing = startParsing(errorContext)
  const read: StreamInput[] = []
  const texts = pieces.map((piece) => decoder.decode(piece, { stream: true }))
  for (const text of [...texts, decoder.decode()]) {
    read.push(...parseMessages(parsing, sse.push(text)))
    if (isOver(read)) return read
  }
  return [...read, ...parseMessages(parsing, sse.flush())]
}

function quickly(pieces: readonly Uint8Array[]): Inputs {
  const reader = createChunkReader(errorContext)
  const read: StreamInput[] = []
  for (const piece of pieces) {
    read.push(...pushChunks(reader, Buffer.from(piece).toString("latin1")))
    if (isOver(read)) return read
  }
  return [...read, ...flushChunks(reader)]
}

const isOver = (inputs: Inputs): boolean => ["end", "fault"].includes(inputs.at(-1)?.kind ?? "")

/** Runs as the chunks they stand for; the padding, which nobody reads, is left out. */
const spread = (inputs: Inputs): Inputs => inputs.flatMap(chunksOf).map(bare)

function chunksOf(input: StreamInput): Inputs {
  if (input.kind !== "run") return [input]
  return textsOf(input.run).map((text) => ({ kind: "chunk", chunk: withText(input.run, text) }))
}

function bare(input: StreamInput): StreamInput {
  if (input.kind !== "chunk" || !isObject(input.chunk)) return input
  const { obfuscation, ...chunk } = input.chunk
  return { kind: "chunk", chunk }
}

const runs = (inputs: Inputs): readonly (readonly string[])[] =>
  inputs.flatMap((input) => (input.kind === "run" ? [textsOf(input.run)] : []))

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

function pieces(random: Random): readonly string[] {
  const some = Array.from({ length: random.integer(1, 12) }, () => random.text(random.pick([2, 8, 30])))
  return some.filter((piece) => piece !== "")
}

/** Text, reasoning and calls as providers send them, with padding or without. */
function randomChunks(random: Random): readonly unknown[] {
  const more = () => (random.chance(0.3) ? { obfuscation: random.text(6) } : {})
  const say = random.pick([
    (piece: string) => ({ ...textChunk(piece), ...more() }),
    (piece: string) => ({ ...reasoningChunk(piece), ...more() }),
    (piece: string) => deltaChunk({ role: "assistant", content: piece, refusal: null }),
    (piece: string) => deltaChunk({ content: "", reasoning: piece }),
  ])
  const name = random.pick(toolNames)
  const args = JSON.stringify({ path: random.text(40), more: [random.json(1)] })
  const size = random.integer(1, 9)
  const fragments = (args.match(new RegExp(`[\\s\\S]{1,${size}}`, "gu")) ?? []).map((part) =>
    toolChunk({ index: 0, args: part }),
  )
  const call = [toolChunk({ index: 0, id: "call_abcdefgh", name, args: "" }), ...fragments]
  const parts = [pieces(random).map(say), pieces(random).map(textChunk), random.chance(0.5) ? call : []]
  return [roleChunk(), ...parts.flat(), finishChunk("stop")]
}

describe("the same inputs and events as without the short cut", () => {
  property("of random streams, however they are cut", 1_500, (random) => {
    const texts = random.cut(encodeChunks(randomChunks(random)))
    const [slow, quick] = [slowly(texts), quickly(texts)]
    expect(spread(quick)).toEqual(spread(slow))
    const options = readerOptions({ tools: { wholeArguments: random.chance(0.3) } })
    expect(play(quick, options)).toEqual(play(slow, options))
  })

  property("of lines with something broken in them", 1_500, (random) => {
    const lines = randomChunks(random).map((chunk) => `data: ${JSON.stringify(chunk)}`)
    const text = mutateLines(random, lines).join("\n\n")
    const texts = random.cut(bytesOf(`${text}\n\n`))
    const [slow, quick] = [slowly(texts), quickly(texts)]
    expect(spread(quick)).toEqual(spread(slow))
    expect(play(quick)).toEqual(play(slow))
  })

  property("of what real providers sent", 300, (random) => {
    const fixture = readStream(random.pick(listFixtures("streams")))
    const texts = random.cut(encodeChunks(fixture.chunks, fixture.done))
    const [slow, quick] = [slowly(texts), quickly(texts)]
    expect(spread(quick)).toEqual(spread(slow))
    expect(play(quick, optionsFor(fixture))).toEqual(play(slow, optionsFor(fixture)))
  })

  property("of what stands in place of texts and may be none", 1_500, (random) => {
    const odd = [
      '\\"',
      "\\",
      "\\\\",
      "\\n",
      "\\u00",
      "\\u007f",
      "e9",
      "\u007f",
      '"',
      '","',
      "\t",
      "\n",
      "\n\n",
      "\r",
      "é",
      "a",
      "a",
      "a",
    ]
    const raws = Array.from({ length: random.integer(1, 8) }, () =>
      Array.from({ length: random.integer(1, random.pick([2, 6])) }, () => random.pick(odd)).join(""),
    )
    const [head = "", tail = ""] = JSON.stringify(textChunk("@")).split("@")
    const lines = ["ok", ...raws].map((raw) => `data: ${head}${raw}${tail}\n\n`)
    const texts = (random.chance(0.5) ? [lines.join("")] : lines).map(bytesOf)
    expect(spread(quickly(texts))).toEqual(spread(slowly(texts)))
  })

  property("of bytes that are no UTF-8, cut over texts", 800, (random) => {
    const some = [
      "\xe2",
      "\x82",
      "\xac",
      "\xf0\x9f",
      "\x98\x80",
      "\xe2\x82\xac",
      "\xff",
      "a",
      "\\n",
      "\\u00e9",
    ]
    const [head = "", tail = ""] = JSON.stringify(textChunk("@")).split("@")
    const raws = Array.from({ length: random.integer(1, 8) }, () =>
      Array.from({ length: random.integer(1, 3) }, () => random.pick(some)).join(""),
    )
    const lines = ["ok", ...raws].map((raw) => `data: ${head}${raw}${tail}\n\n`)
    const bytes = Buffer.from(lines.join(""), "latin1")
    const [slow, quick] = [slowly([bytes]), quickly([bytes])]
    expect(spread(quick)).toEqual(spread(slow))
    expect(play(quick)).toEqual(play(slow))
    for (const input of quick)
      if (input.kind === "run") expect(wholeOf(input.run)).toBe(textsOf(input.run).join(""))
  })

  property("of long runs with something else here and there", 60, (random) => {
    const odd = ["\\n", '\\"', "\\", '"', '","', "\n", ""]
    const share = random.pick([0, 0.01, 0.2, 0.9])
    const [head = "", tail = ""] = JSON.stringify({
      ...textChunk("@"),
      ...random.pick([{ obfuscation: "xy" }, {}]),
    }).split("@")
    const line = () => `data: ${head}a${random.chance(share) ? random.pick(odd) : ""}${tail}\n\n`
    const bytes = bytesOf(Array.from({ length: random.integer(2, 1_000) }, line).join(""))
    const [slow, quick] = [slowly([bytes]), quickly([bytes])]
    expect(spread(quick)).toEqual(spread(slow))
    for (const input of quick)
      if (input.kind === "run") expect(wholeOf(input.run)).toBe(textsOf(input.run).join(""))
  })

  property("where text is looked through for tags and calls, and for repetitions", 400, (random) => {
    const marks = ["`", "```\n", "```", "~~~", "> ", "[", "[TOOL_CALLS]", "</tool_call>", ": ", "\n\n"]
    const words = ["<think>", "so", "</think>", "<tool_call>", '{"name"', "it is", "\n", " ", "a", "<", "ab"]
    const call = '<tool_call>{"name":"Read","arguments":{"a":1}}</tool_call>'
    const pieces = [...words, ...words, ...marks, call]
    const said = Array.from({ length: random.integer(2, 40) }, () => textChunk(random.pick(pieces)))
    const texts = random.cut(encodeChunks([roleChunk(), ...said, finishChunk("stop")]))
    const { profile } = readerOptions()
    const reasoning = {
      ...profile.reasoning,
      thinkTags: random.pick(["never", "start", "implicit"] as const),
    }
    const changes = { textToolCalls: random.chance(0.5), cumulative: random.chance(0.3) }
    const options = readerOptions({ profile: { ...profile, ...changes, reasoning } })
    expect(play(quickly(texts), options)).toEqual(play(slowly(texts), options))
  })
})

describe("what is recognised", () => {
  const stream = (chunks: readonly unknown[]) => [encodeChunks(chunks)]

  test.each([
    ["text", [textChunk("a"), textChunk("b"), textChunk('c\n"d" é 漢')], [["b", 'c\n"d" é 漢']]],
    ["reasoning", [reasoningChunk("a"), reasoningChunk("b")], [["b"]]],
    [
      "arguments",
      [
        toolChunk({ index: 0, args: "{" }),
        toolChunk({ index: 0, args: '"a\\n' }),
        toolChunk({ index: 0, args: '"' }),
      ],
      [['"a\\n', '"']],
    ],
    [
      "text with padding",
      ["a", "b", "c"].map((text, at) => ({ ...textChunk(text), obfuscation: "x".repeat(9 - at) })),
      [["b", "c"]],
    ],
  ])("%s", (_name, chunks, found) => {
    expect(runs(quickly(stream(chunks)))).toEqual(found)
  })

  test.each([
    [
      "a call with its name",
      ["a", "b"].map((args) => toolChunk({ index: 0, id: "call_1", name: "Read", args })),
    ],
    ["usage in every chunk", ["a", "b"].map((text) => ({ ...textChunk(text), usage: { prompt_tokens: 1 } }))],
    [
      "logprobs",
      ["a", "b"].map((text) => ({
        ...textChunk(text),
        choices: [{ delta: { content: text }, logprobs: {} }],
      })),
    ],
    ["two texts", ["a", "b"].map((text) => deltaChunk({ content: text, reasoning: "r" }))],
    ["nothing", ["", ""].map(textChunk)],
  ])("not %s", (_name, chunks) => {
    expect(runs(quickly(stream(chunks)))).toEqual([])
  })

  test("a carriage return, a control character and half an escape are left to the parser", () => {
    const [head = "", tail = ""] = JSON.stringify(textChunk("@")).split("@")
    const lines = ["ok", "fine", "a\rb", "a\u0001b", "a\\", "\\ud83d\\ude00"].map((text) =>
      bytesOf(`data: ${head}${text}${tail}\n\n`),
    )
    expect(spread(quickly(lines))).toEqual(spread(slowly(lines)))
  })

  test("however many lines are no texts, they are looked at in linear time", () => {
    const [head = "", tail = ""] = JSON.stringify(textChunk("@")).split("@")
    const lines = ["a", "\\n", "\\"].map((raw) => `data: ${head}${raw}${tail}\n\n`)
    const started = performance.now()
    expect(quickly([bytesOf(lines.join("").repeat(20_000))]).length).toBeGreaterThan(20_000)
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})
