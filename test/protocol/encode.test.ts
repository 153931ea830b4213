// Events on the wire: an event line and one line of JSON, whatever is in them.
import { expect, test } from "bun:test"
import { encodeEvent, pingEvent } from "../../src/protocol/encode.ts"
import { fault } from "../../src/protocol/fault.ts"
import type { MessagesEvent } from "../../src/protocol/messages.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"

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
  { type: "message_delta", delta: { stop_reason: null, stop_sequence: null }, usage: { output_tokens: 0 } },
  { type: "message_stop" },
] satisfies readonly MessagesEvent[])("%j", (event) => {
  const text = encodeEvent(event, "req_1")
  expect(text).toBe(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  expect<unknown>(parseAnthropicSse(text)).toEqual([JSON.parse(JSON.stringify(event))])
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

test("a ping is an event", () => {
  expect(parseAnthropicSse(pingEvent)).toEqual([{ type: "ping" }])
})
