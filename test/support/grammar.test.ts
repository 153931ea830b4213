import { expect, test } from "bun:test"
import { parseAnthropicSse } from "./anthropic-sse.ts"
import { checkGrammar } from "./grammar.ts"

const start = {
  type: "message_start",
  message: {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 0 },
  },
}
const ping = { type: "ping" }
const open = (index: number, block: object) => ({ type: "content_block_start", index, content_block: block })
const delta = (index: number, given: object) => ({ type: "content_block_delta", index, delta: given })
const stop = (index: number) => ({ type: "content_block_stop", index })
const text = { type: "text", text: "" }
const thinking = { type: "thinking", thinking: "", signature: "" }
const tool = (id: string) => ({ type: "tool_use", id, name: "Read", input: {} })
const say = (index: number, words: string) => delta(index, { type: "text_delta", text: words })
const args = (index: number, json: string) => delta(index, { type: "input_json_delta", partial_json: json })
const sign = (index: number) => delta(index, { type: "signature_delta", signature: "s" })
const end = (reason: string | null) => ({
  type: "message_delta",
  delta: { stop_reason: reason, stop_sequence: null },
  usage: { output_tokens: 1 },
})
const over = { type: "message_stop" }
const failed = { type: "error", error: { type: "api_error", message: "gone" } }
const say0 = [open(0, text), say(0, "a"), stop(0)]

const right: readonly (readonly [string, readonly unknown[]])[] = [
  ["nothing but an end", [start, end("end_turn"), over]],
  ["text with pings", [start, ping, ...say0, ping, end("end_turn"), ping, over]],
  [
    "all kinds of blocks",
    [
      ...[start, open(0, thinking), delta(0, { type: "thinking_delta", thinking: "x" }), sign(0), stop(0)],
      ...[
        open(1, text),
        say(1, ""),
        stop(1),
        open(2, tool("a")),
        args(2, ""),
        args(2, '{"b"'),
        args(2, ":1}"),
      ],
      ...[stop(2), open(3, tool("b")), stop(3), end("tool_use"), over],
    ],
  ],
  ["interim message_delta", [start, end(null), ...say0, end(null), end("end_turn"), over]],
  ["an error first", [failed]],
  ["an error in an open block", [start, open(0, text), failed]],
  ["our own fault", [start, { type: "error", fault: { kind: "api_error", message: "gone" } }]],
  [
    "half arguments at max_tokens",
    [start, open(0, tool("a")), args(0, '{"a'), stop(0), end("max_tokens"), over],
  ],
  ["half arguments at an error", [start, open(0, tool("a")), args(0, '{"a'), failed]],
]

test.each(right)("right: %s", (_name, events) => {
  expect(checkGrammar(events)).toEqual([])
})

const done = [end("end_turn"), over]
const wrong: readonly (readonly [string, readonly unknown[], readonly string[]])[] = [
  ["nothing", [], ["no message_stop and no error at the end"]],
  ["no start", done, ["0 message_delta: before message_start"]],
  ["a ping first", [ping, start, ...done], ["0 ping: before message_start"]],
  ["two starts", [start, start, ...done], ["1 message_start: not the first event"]],
  ["no end", [start, ...say0], ["no message_stop and no error at the end"]],
  ["no final delta", [start, end(null), over], ["2 message_stop: without a final message_delta"]],
  [
    "two final deltas",
    [start, ...done.slice(0, 1), ...done],
    ["2 message_delta: after the final message_delta"],
  ],
  ["after the end", [start, ...done, ping], ["3 ping: after the end"]],
  [
    "after an error",
    [start, failed, over],
    ["2 message_stop: after the end", "2 message_stop: without a final message_delta"],
  ],
  [
    "a gap",
    [start, open(1, text), ...done],
    ["1 content_block_start: index 1 instead of 0", "2 message_delta: block 0 is still open"],
  ],
  [
    "two open",
    [start, open(0, text), open(1, text), stop(1), ...done],
    ["2 content_block_start: block 0 is still open"],
  ],
  [
    "a late block",
    [start, end("end_turn"), open(0, text), over],
    ["2 content_block_start: after the final message_delta"],
  ],
  ["a delta without a block", [start, say(0, "a"), ...done], ["1 content_block_delta: no block is open"]],
  ["a stop without a block", [start, stop(0), ...done], ["1 content_block_stop: no block is open"]],
  [
    "the wrong index",
    [start, open(0, text), say(1, "a"), stop(0), ...done],
    ["2 content_block_delta: index 1 instead of 0"],
  ],
  [
    "the wrong delta",
    [start, open(0, text), args(0, ""), stop(0), ...done],
    ["2 content_block_delta: input_json_delta in a text block"],
  ],
  [
    "two signatures",
    [start, open(0, thinking), sign(0), sign(0), stop(0), ...done],
    ["3 content_block_delta: signature_delta after the signature"],
  ],
  [
    "text in the start",
    [start, open(0, { type: "text", text: "a" }), stop(0), ...done],
    ["1 content_block_start: text does not start empty"],
  ],
  [
    "input in the start",
    [start, open(0, { ...tool("a"), input: { b: 1 } }), stop(0), ...done],
    ["1 content_block_start: input does not start as {}"],
  ],
  [
    "a strange tool id",
    [start, open(0, tool("a:0")), stop(0), ...done],
    ['1 content_block_start: tool id "a:0"'],
  ],
  [
    "a tool id twice",
    [start, open(0, tool("a")), stop(0), open(1, tool("a")), stop(1), ...done],
    ["3 content_block_start: tool id a twice"],
  ],
  [
    "half arguments",
    [start, open(0, tool("a")), args(0, '{"a'), stop(0), end("tool_use"), over],
    ['4 message_delta: tool arguments are not JSON: {"a'],
  ],
  [
    "a delta without usage",
    [start, { ...end("end_turn"), usage: {} }, over],
    ["1 message_delta: no usage.output_tokens"],
  ],
  ["an unknown event", [start, { type: "hello" }, ...done], ["1 hello: no such event"]],
  ["no object", [start, null, ...done], ["1 undefined: no such event"]],
  ["an empty error", [{ type: "error", error: {} }], ["0 error: no error type", "0 error: no error message"]],
]

test.each(wrong)("wrong: %s", (_name, events, expected) => {
  expect(checkGrammar(events)).toEqual([...expected])
})

test("nonsense as arguments can be allowed", () => {
  const events = [start, open(0, tool("a")), args(0, "nonsense"), stop(0), end("tool_use"), over]
  expect(checkGrammar(events, { toolJson: false })).toEqual([])
})

test("events are read from their two lines", () => {
  const events =
    'event: ping\ndata: {"type":"ping"}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
  expect(parseAnthropicSse(events)).toEqual([{ type: "ping" }, { type: "message_stop" }])
  expect(parseAnthropicSse("")).toEqual([])
})

test.each([
  ['data: {"type":"ping"}\n\n', "not an event line and a data line"],
  ['event: ping\ndata: {"type":"pong"}\n\n', "named ping and typed pong"],
  ["event: ping\ndata: hello\n\n", "no JSON object"],
  ['event: ping\ndata: {"type":"ping"}\n', "not complete"],
])("bytes that are refused: %p", (bytes, message) => {
  expect(() => parseAnthropicSse(bytes)).toThrow(message)
})
