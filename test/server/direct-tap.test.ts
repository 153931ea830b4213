// Whole events and nothing else pass the gate, and the tap reads them in any form they may have.
import { expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import { createEventGate, createTap } from "../../src/server/direct/direct-tap.ts"
import { nativeEvents, nativeStream } from "../support/anthropic-upstream.ts"
import { property } from "../support/random.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

test.each([
  ["a: 1\n\nb: 2", "a: 1\n\n", "b: 2"],
  ["a: 1\r\n\r\nb: 2\r\n", "a: 1\r\n\r\n", "b: 2\r\n"],
  ["a: 1\r\rb: 2\r", "a: 1\r\r", "b: 2\r"],
  ["a: 1\n\r\nb: 2", "a: 1\n\r\n", "b: 2"],
  ["a: 1\r\r\nb: 2", "a: 1\r\r\n", "b: 2"],
  ["a: 1\r\n", "", "a: 1\r\n"],
  ["a: 1\n", "", "a: 1\n"],
  ["a\n\nb\n\n", "a\n\nb\n\n", ""],
  ["", "", ""],
])("%j: %j may go", (text, whole, rest) => {
  const gate = createEventGate()
  expect(textOf(gate.push(bytesOf(text)))).toBe(whole)
  expect(textOf(gate.rest())).toBe(rest)
  expect(gate.pending()).toBe(rest.length)
})

property("nothing is lost, and what has gone always ends with a blank line", 500, (random) => {
  const lines = () => random.pick(["\n", "\n", "\r\n", "\r", "a: é漢", "b"])
  const text = Array.from({ length: random.integer(0, 40) }, lines).join("")
  const gate = createEventGate()
  let gone = ""
  for (const piece of random.cut(bytesOf(text))) {
    gone += Buffer.from(gate.push(piece)).toString("latin1")
    expect(gone).toMatch(/^$|(\n\n|\r\r|[\r\n]\r\n)$/)
  }
  expect(gone + Buffer.from(gate.rest()).toString("latin1")).toBe(Buffer.from(text).toString("latin1"))
})

function listen() {
  const heard: unknown[] = []
  const tap = createTap({
    usage: (usage: JsonObject) => heard.push(usage["output_tokens"]),
    content: () => heard.push("content"),
    event: () => {},
    error: (data) => heard.push(data),
  })
  return { tap, heard }
}

test.each<[string, string, readonly unknown[], string]>([
  ["as Anthropic writes it", nativeStream("hi"), [1, "content", 25], "stopped"],
  [
    "without event lines",
    nativeEvents("hi")
      .map((event) => `data: ${JSON.stringify(event)}\n\n`)
      .join(""),
    [1, "content", 25],
    "stopped",
  ],
  [
    "no JSON",
    "event: message_start\ndata: x\n\nevent: message_delta\ndata: [1]\n\n",
    [undefined, undefined],
    "running",
  ],
  [
    "an error, and what follows it",
    `event: error\ndata: no\n\n${nativeStream("hi")}`,
    ["no", "content"],
    "failed",
  ],
  ["after the end", `${nativeStream("hi")}event: error\ndata: no\n\n`, [1, "content", 25], "stopped"],
  ["comments", ": a\n\n: b\n\n", [], "waiting"],
])("%s", (_name, text, expected, phase) => {
  const { tap, heard } = listen()
  tap.push(bytesOf(text))
  expect(heard).toEqual([...expected])
  expect(String(tap.phase())).toBe(phase)
})

test("one event of two megabytes in single bytes costs no more than its length", () => {
  const gate = createEventGate()
  const { tap } = listen()
  const bytes = bytesOf(`data: ${"x".repeat(2_000_000)}\n\n`)
  const from = performance.now()
  for (let at = 0; at < bytes.length; at++) {
    const whole = gate.push(bytes.subarray(at, at + 1))
    if (whole.length > 0) tap.push(whole)
  }
  expect(gate.pending()).toBe(0)
  expect(performance.now() - from).toBeLessThan(3000)
})

/** What the tap takes for the words of one delta. */
function wordsIn(data: string): readonly string[] {
  const heard: string[] = []
  const content = (words: string) => heard.push(words)
  const tap = createTap({ usage: () => {}, content, event: () => {}, error: () => {} })
  tap.push(bytesOf(`event: content_block_delta\ndata: ${data}\n\n`))
  return heard
}

test.each([
  ['{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}', "hi"],
  ['{"delta":{"text":"hi","type":"text_delta"},"index":0,"type":"content_block_delta"}', "hi"],
  ['{"delta":{"thinking" : "hm","type":"thinking_delta"},"type":"content_block_delta"}', "hm"],
  [
    String.raw`{"delta":{"partial_json":"{\"a\":\"\\\\\"","type":"input_json_delta"}}`,
    String.raw`{\"a\":\"\\\\\"`,
  ],
  [String.raw`{"delta":{"text":"a\\","type":"text_delta"}}`, String.raw`a\\`],
  ['{"delta":{"text":"","type":"text_delta"}}', ""],
  ['{"delta":{"text":"never ended', ""],
  ['{"delta":{"type":"signature_delta","signature":"abc"}}', ""],
])("the words of %s", (data, words) => {
  expect(wordsIn(data)).toEqual([words])
})

test.each([
  ["backslashes", "\\".repeat(2e6)],
  ["escaped quotes", '\\"'.repeat(1e6)],
])("a delta of two megabytes of %s takes no longer than its length", (_name, text) => {
  const started = performance.now()
  expect(wordsIn(`{"delta":{"text":"${text}","type":"text_delta"}}`)).toEqual([text])
  expect(wordsIn(`{"delta":{"text":"${text}`)).toEqual([""])
  expect(performance.now() - started).toBeLessThan(2000)
})
