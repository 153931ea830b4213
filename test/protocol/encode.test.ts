// Events on the wire: an event line and one line of JSON, whatever is in them.
import { expect, test } from "bun:test"
import { encodeText } from "../../src/protocol/byte-text.ts"
import { fault } from "../../src/protocol/fault.ts"
import { encodeEvent, pingEvent } from "../../src/protocol/messages/encode.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { quoteAll } from "../../src/protocol/texts.ts"
import { encodeBytes } from "../../src/server/http/event-bytes.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { eventsOfRun } from "../support/write-each.ts"

const odd = 'a"b\\c\n\r\u0000\ud800🎯'
const delta = (delta: Extract<MessagesEvent, { type: "content_block_delta" }>["delta"]): MessagesEvent => ({
  type: "content_block_delta",
  index: 3,
  delta,
})

test.each([
  delta({ type: "text_delta", text: odd }),
  delta({ type: "thinking_delta", thinking: odd }),
  delta({ type: "input_json_delta", partial_json: odd }),
  delta({ type: "signature_delta", signature: "ccp1.x" }),
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_start", index: 1, content_block: { type: "text", text: odd } },
  { type: "content_block_start", index: 2, content_block: { type: "thinking", thinking: "", signature: "" } },
  { type: "content_block_stop", index: 20 },
  { type: "message_delta", delta: { stop_reason: null, stop_sequence: null }, usage: { output_tokens: 0 } },
  { type: "message_stop" },
] satisfies readonly MessagesEvent[])("%j", (event) => {
  const text = encodeEvent(event, "req_1")
  expect(text).toBe(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  expect<unknown>(parseAnthropicSse(text)).toEqual([JSON.parse(JSON.stringify(event))])
})

const run = (
  index: number,
  kind: "text_delta" | "thinking_delta" | "input_json_delta",
  ...texts: string[]
) => ({
  ...{ type: "content_block_deltas" as const, index, delta: kind },
  ...quoteAll(texts),
})

test.each([
  run(0, "text_delta", "a", "b"),
  run(15, "thinking_delta", "a", odd, "c"),
  run(16, "input_json_delta", odd, "b", "c"),
  run(400, "text_delta", "one", "two"),
])("a run is its deltas: %j", (event) => {
  const texts = [...event.quoted]
  const each = eventsOfRun(event).map((one) => encodeEvent(one, "req_1"))
  expect(encodeEvent(event, "req_1")).toBe(each.join(""))
  for (const [at, one] of eventsOfRun(event).entries())
    expect(each[at]).toBe(`event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`)
  expect(event.quoted).toEqual(texts)
})

test("a run of bytes is the same as one of text, and what is no UTF-8 in it is replaced", () => {
  const texts = ["→ 漢", odd.toWellFormed(), "plain", "é🎯"]
  const { quoted } = quoteAll(texts)
  const asBytes = (bytes: readonly string[]) => ({
    ...{ type: "content_block_deltas" as const, index: 2, delta: "text_delta" as const },
    ...{ quoted: bytes, joined: bytes.join(""), wide: true, whole: undefined },
  })
  const given = asBytes(quoted.map(encodeText))
  const expected = encodeEvent(run(2, "text_delta", ...texts), "req_1")
  expect(encodeEvent(given, "req_1")).toBe(expected)
  expect(encodeBytes(given, "req_1")).toEqual(Buffer.from(expected))
  expect(eventsOfRun(given)).toEqual(eventsOfRun(run(2, "text_delta", ...texts)))
  const broken = asBytes(["a\xe6\xbc", "\xff", "b"])
  const replaced = encodeEvent(run(2, "text_delta", "a\ufffd", "\ufffd", "b"), "req_1")
  expect(encodeEvent(broken, "req_1")).toBe(replaced)
  expect(encodeBytes(broken, "req_1")).toBe(replaced)
})

test("an error event has the shape of an error body", () => {
  const given = fault({ kind: "overloaded_error", source: "upstream", message: "busy", code: "a_code" })
  expect(parseAnthropicSse(encodeEvent({ type: "error", fault: given }, "req_1"))).toEqual([
    {
      type: "error",
      error: { type: "overloaded_error", message: "busy", details: { error_code: "a_code" } },
      request_id: "req_1",
    },
  ])
})

// What Claude Code does then is test/e2e/claude.e2e.ts's to say.
test.each([
  ["rate_limit_error", "before-first-byte", true, "overloaded_error"],
  ["invalid_request_error", "once", true, "overloaded_error"],
  ["timeout_error", "before-first-byte", true, "timeout_error"],
  ["api_error", "before-first-byte", true, "api_error"],
  ["rate_limit_error", "before-first-byte", false, "rate_limit_error"],
  ["rate_limit_error", "no", true, "rate_limit_error"],
  ["billing_error", "no", true, "billing_error"],
] as const)("%s, to be sent again: %s, midway: %p", (kind, retry, midway, type) => {
  const given = fault({ kind, source: "upstream", message: "wait", retry })
  const event = { type: "error", fault: given, ...(midway && { midway }) } as const
  expect(parseAnthropicSse(encodeEvent(event, "req_1"))).toMatchObject([{ error: { type, message: "wait" } }])
})

test("a ping is an event", () => {
  expect(parseAnthropicSse(pingEvent)).toEqual([{ type: "ping" }])
})
