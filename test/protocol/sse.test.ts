// Event streams as servers write them, correct or not, in any pieces.
import { expect, test } from "bun:test"
import { createSseDecoder, encodeSse, type SseMessage } from "../../src/protocol/sse.ts"
import { property } from "../support/random.ts"

function decode(pieces: readonly string[]): readonly SseMessage[] {
  const decoder = createSseDecoder()
  return [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.flush()]
}

const data = (...values: readonly string[]) => values.map((data) => ({ event: undefined, data }))

const cases: readonly (readonly [string, string, readonly SseMessage[]])[] = [
  ["LF", "data: a\n\ndata: b\n\n", data("a", "b")],
  ["CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", data("a", "b")],
  ["CR", "data: a\r\rdata: b\r\r", data("a", "b")],
  ["all three", "data: a\r\n\ndata: b\r\r\ndata: c\n\r", data("a", "b", "c")],
  ["no space after the colon", "data:a\n\n", data("a")],
  ["only one space is taken off", "data:  a\n\n", data(" a")],
  ["several data lines", "data: a\ndata: b\n\n", data("a\nb")],
  ["a field without colon", "data\n\n", data("")],
  ["JSON in the line below its field", 'data:\n {"a":1}\n\ndata: b\n {"c":1}\n\n', data('{"a":1}', "b")],
  ["comments and unknown fields", ": hello\nid: 1\nretry: 5\nfoo: bar\ndata: a\n: x\n\n", data("a")],
  ["events without data", "event: ping\n\ndata: a\n\n", data("a")],
  ["a named event", "event: error\ndata: a\n\ndata: b\n\n", [{ event: "error", data: "a" }, ...data("b")]],
  [
    "an error in no field",
    'data: a\n\n{"error":{"message":"b"}}\n\ndata: c\n\n',
    [...data("a"), { event: "error", data: '{"error":{"message":"b"}}' }, ...data("c")],
  ],
  [
    "an error in no field, with no blank line around it",
    'data: a\n{"error":{"message":"b"}}\ndata: [DONE]\n\n',
    [...data("a"), { event: "error", data: '{"error":{"message":"b"}}' }, ...data("[DONE]")],
  ],
  ["other JSON in no field", 'data: a\n\n{"error":null}\n\n{"a":"error"}\n\n', data("a")],
  [
    "an error in a field of its own",
    "data: a\n\nerror: b\n\n",
    [...data("a"), { event: "error", data: "b" }],
  ],
  [
    "and with no blank line behind it",
    "data: a\n\nerror: b\ndata: [DONE]\n\n",
    [...data("a"), { event: "error", data: "b" }, ...data("[DONE]")],
  ],
  [
    "an error as it would be a body",
    'data: a\n\n{"error":"gone"}\n',
    [...data("a"), { event: "error", data: '{"error":"gone"}' }],
  ],
  ["other JSON in no field", 'data: a\n\n{"a":"b"}\n\n', data("a")],
  ["a byte order mark", "\uFEFFdata: a\n\n", data("a")],
  ["a mark that is not the first thing", "\n\uFEFFdata: a\n\ndata: b\n\n", data("b")],
  ["no blank line at the end", "data: a", data("a")],
  ["a CR at the end", "data: a\r", data("a")],
  ["blank lines alone", "\n\n\r\n", []],
  ["nothing", "", []],
]

test.each(cases)("%s", (_name, text, expected) => {
  expect(decode([text])).toEqual(expected)
  expect(decode([...text])).toEqual(expected)
})

property("any cut of the text gives the same messages", 500, (random) => {
  const parts = ["data: a", "data:", "event: x", ":", "\n", "\r", "\r\n", "\n\n", "\uFEFF", "b"]
  const text = Array.from({ length: random.integer(0, 12) }, () => random.pick(parts)).join("")
  const pieces: string[] = []
  for (let at = 0; at < text.length; ) {
    const to = at + random.integer(0, 5)
    pieces.push(text.slice(at, to))
    at = to
  }
  expect(decode(pieces)).toEqual(decode([text]))
})

test("who is not to hear of it passes over an error in a field of its own", () => {
  expect(createSseDecoder(false).push("data: a\n\nerror: b\n\n")).toEqual(data("a"))
  expect(createSseDecoder(false).push('data: a\n\n{"error":"b"}\n\n')).toEqual(data("a"))
})

test("what waits for its end is counted", () => {
  const decoder = createSseDecoder()
  decoder.push("data: abc\ndata: de")
  expect(decoder.pending()).toBe("abc".length + "data: de".length)
  decoder.push("\n\n")
  expect(decoder.pending()).toBe(0)
})

test("what is written can be read", () => {
  expect(decode([encodeSse("ping", '{"type":"ping"}')])).toEqual([{ event: "ping", data: '{"type":"ping"}' }])
})
