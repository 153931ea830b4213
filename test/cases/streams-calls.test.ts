// Treacherous streams, one test for each number: tool calls in the shapes in which they arrive.
import { expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import type { ReplyBlock } from "../../src/protocol/messages/messages.ts"
import {
  deltaChunk,
  finishChunk,
  roleChunk,
  type ToolPiece,
  textChunk,
  toolChunk,
} from "../support/chunks.ts"
import { eventsOf, foldOf, inputs, optionsFor, play, renderEvents } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { strictProviders } from "../support/strict/providers.ts"

type Options = Parameters<typeof foldOf>[1]

const brief = (block: ReplyBlock) => (block.type === "tool_use" ? [block.name, block.id, block.input] : block)

/** Name, id and input of every call in these chunks: the same by the row of every provider. */
function callsIn(
  chunks: readonly JsonObject[],
  options: Options = {},
  word = "tool_calls",
): readonly unknown[] {
  const given = [roleChunk(), ...chunks, finishChunk(word)]
  const found = strictProviders.map(({ id, models }) => {
    const own = optionsFor({ provider: id, model: models[0] ?? "m" }, options)
    const events = play(inputs(given), own)
    expect(checkGrammar(events)).toEqual([])
    return JSON.stringify((foldEvents(events).reply?.content ?? []).map(brief))
  })
  const calls = (foldOf(given, options).reply?.content ?? []).map(brief)
  expect(new Set(found)).toEqual(new Set([JSON.stringify(calls)]))
  return calls
}

const calls = (pieces: readonly ToolPiece[], options: Options = {}) => callsIn(pieces.map(toolChunk), options)

const a = { a: 1 }
const b = { b: 2 }
const first = { id: "call_aaaa", name: "Read" }
const second = { id: "call_bbbb", name: "Bash" }
const minted = (count: number) => `toolu_Seed0${count}`

test("41: two parallel calls whose arguments arrive interleaved become two whole calls", () => {
  const opened = [
    { index: 0, ...first, args: "" },
    { index: 1, ...second, args: "" },
  ]
  const pieces = [
    { index: 0, args: '{"a"' },
    { index: 1, args: '{"b"' },
    { index: 0, args: ":1}" },
    { index: 1, args: ":2}" },
  ]
  const expected = [
    ["Read", "call_aaaa", a],
    ["Bash", "call_bbbb", b],
  ]
  expect(calls([...opened, ...pieces])).toEqual(expected)
  const letters = [...'{"a":1}'].flatMap((letter, at) => [
    { index: 0, args: letter },
    { index: 1, args: '{"b":2}'.charAt(at) },
  ])
  expect(calls([...opened, ...letters])).toEqual(expected)
})

test("42: calls without index, one in a chunk, twice the same tool, are two calls", () => {
  const twice = [{ name: "Read", args: '{"a":1}' }]
  expect(calls([...twice, ...twice])).toEqual([
    ["Read", minted(0), a],
    ["Read", minted(1), a],
  ])
  expect(
    calls([
      { id: "call_aaaa", name: "Read", args: '{"a":1}' },
      { id: "call_bbbb", name: "Read", args: '{"a":1}' },
    ]),
  ).toEqual([
    ["Read", "call_aaaa", a],
    ["Read", "call_bbbb", a],
  ])
})

test("43: parallel calls that all have index 0 and ids of their own stay apart", () => {
  expect(
    calls([
      { index: 0, ...first, args: '{"a":1}' },
      { index: 0, ...second, args: '{"b"' },
      { index: 0, args: ":2}" },
      { index: 0, id: "call_cccc", name: "Bash", args: '{"b":2}' },
    ]),
  ).toEqual([
    ["Read", "call_aaaa", a],
    ["Bash", "call_bbbb", b],
    ["Bash", "call_cccc", b],
  ])
})

test("44: id and name repeated in every chunk are one call, and its name is not doubled", () => {
  const pieces = ["", '{"a"', ":1}", ""].map((args) => ({ index: 0, ...first, args }))
  expect(calls(pieces)).toEqual([["Read", "call_aaaa", a]])
  expect(calls(pieces.map(({ index, ...rest }) => rest))).toEqual([["Read", "call_aaaa", a]])
})

test("45: empty ids and names in later chunks say nothing", () => {
  const later = ['{"a"', ":1}"].map((args) => ({ index: 0, id: "", name: "", args }))
  expect(calls([{ index: 0, ...first, args: "" }, ...later])).toEqual([["Read", "call_aaaa", a]])
})

test("46: arguments before the name, or a name in two pieces, give one right start", () => {
  const expected = [["Read", "call_aaaa", a]]
  const { id } = first
  expect(
    calls([
      { index: 0, id, args: '{"a"' },
      { index: 0, args: ":1}" },
      { index: 0, name: "Read" },
    ]),
  ).toEqual(expected)
  expect(
    calls([
      { index: 0, id, name: "Re" },
      { index: 0, name: "ad" },
      { index: 0, args: '{"a":1}' },
    ]),
  ).toEqual(expected)
  const events = eventsOf([
    ...[
      { index: 0, id, name: "Re" },
      { index: 0, name: "ad", args: '{"a":1}' },
    ].map(toolChunk),
    finishChunk("tool_calls"),
  ])
  expect(renderEvents(events).filter((line) => line.includes("tool_use R"))).toEqual([
    "0 tool_use Read call_aaaa",
  ])
})

test("47: empty, missing or null arguments are an empty input, and never broken JSON", () => {
  for (const args of ["", undefined, "null", null, "{}", " \n"]) {
    const chunk = deltaChunk({
      tool_calls: [{ index: 0, id: first.id, function: { name: "Read", arguments: args } }],
    })
    expect([args, callsIn([chunk])]).toEqual([args, [["Read", "call_aaaa", {}]]])
    const events = eventsOf([chunk, finishChunk("tool_calls")])
    const json = events.flatMap((event) =>
      event.type === "content_block_delta" && event.delta.type === "input_json_delta"
        ? [event.delta.partial_json]
        : [],
    )
    expect(["", "{}"]).toContain(json.join(""))
  }
})

test("48: a call that comes whole with the finish reason is whole", () => {
  const call = { index: 0, id: first.id, type: "function", function: { name: "Read", arguments: '{"a":1}' } }
  const last = {
    ...deltaChunk({}),
    choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: "tool_calls" }],
  }
  const { reply } = foldOf([textChunk("So."), last])
  expect(reply?.content).toEqual([
    { type: "text", text: "So." },
    { type: "tool_use", ...first, input: a },
  ])
  expect(reply?.stop_reason).toBe("tool_use")
})

test("49: two objects one after the other are two calls, and an empty one before is none", () => {
  const opened = { index: 0, ...first, args: "" }
  const pieces = (text: string) => [opened, ...[...text].map((args) => ({ index: 0, args }))]
  for (const given of [[{ ...opened, args: '{"a":1}{"b":2}' }], pieces('{"a":1}{"b":2}')]) {
    expect(calls(given)).toEqual([
      ["Read", "call_aaaa", a],
      ["Read", minted(1), b],
    ])
  }
  for (const given of [
    [{ ...opened, args: '{}{"a":1}' }],
    pieces('{}{"a":1}'),
    [
      { ...opened, args: "{}" },
      { index: 0, args: '{"a":1}' },
    ],
  ]) {
    expect(calls(given)).toEqual([["Read", "call_aaaa", a]])
  }
})

test("50: a missing id is minted, and one that the conversation knows already is minted anew", () => {
  const args = '{"a":1}'
  expect(calls([{ index: 0, name: "Read", args }])).toEqual([["Read", minted(0), a]])
  const seen = { tools: { seenIds: new Set(["call_0", "call_aaaa"]) } }
  for (const id of ["call_0", "call_aaaa"]) {
    const [made] = calls([{ index: 0, id, name: "Read", args }], seen)
    expect(made).toEqual(["Read", minted(0), a])
  }
  expect(calls([{ index: 0, ...first, args }])).toEqual([["Read", "call_aaaa", a]])
  const strange = calls([{ index: 0, id: "functions.Read:0", name: "Read", args }])
  expect(strange).toEqual([["Read", minted(0), a]])
})

test("51: what was called outweighs the finish reason", () => {
  const called = toolChunk({ index: 0, ...first, args: '{"a":1}' })
  const reason = (...chunks: readonly JsonObject[]) => foldOf(chunks).reply?.stop_reason
  for (const word of ["stop", "end", "eos", "length", "", "whatever"]) {
    expect([word, reason(called, finishChunk(word))]).toEqual([word, "tool_use"])
    expect(callsIn([called], {}, word)).toEqual([["Read", "call_aaaa", a]])
  }
  for (const word of ["tool_calls", "function_call", "tool_use"]) {
    expect([word, reason(textChunk("So."), finishChunk(word))]).toEqual([word, "end_turn"])
  }
})

test("63: the limit in the middle of a call's arguments closes the block and says max_tokens", () => {
  const events = eventsOf([toolChunk({ index: 0, ...first, args: '{"a":"b' }), finishChunk("length")])
  expect(checkGrammar(events)).toEqual([])
  expect(renderEvents(events).slice(1, -2)).toEqual([
    ...["0 tool_use Read call_aaaa", '0   ""', '0   "{\\"a\\":\\"b"', "0 stop"],
  ])
  expect(foldEvents(events).reply?.stop_reason).toBe("max_tokens")
})
