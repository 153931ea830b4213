// Messages as events and back again, with what nobody here knows.
import { expect, test } from "bun:test"
import { messageOfStream, streamOfMessage } from "../../src/convert/direct/direct-form.ts"
import { arrayOf, objectOf } from "../../src/protocol/json.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"

const head = { id: "msg_1", type: "message", role: "assistant", model: "m", container: { id: "c" } }
const citation = { type: "char_location", cited_text: "a" }

const contents: ReadonlyArray<readonly [string, readonly object[]]> = [
  ["nothing", []],
  ["text", [{ type: "text", text: "hé\n\nllo" }]],
  ["empty text", [{ type: "text", text: "" }]],
  ["cited text", [{ type: "text", text: "a", citations: [citation, citation] }]],
  [
    "thinking",
    [
      { type: "thinking", thinking: "hm", signature: "c2ln" },
      { type: "redacted_thinking", data: "x" },
    ],
  ],
  [
    "a call",
    [{ type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls", deep: [1, { a: null }] } }],
  ],
  ["a call without arguments", [{ type: "tool_use", id: "toolu_1", name: "Bash", input: {} }]],
  [
    "a search",
    [
      { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "q" } },
      {
        type: "web_search_tool_result",
        tool_use_id: "srvtoolu_1",
        content: [{ type: "web_search_result", url: "u" }],
      },
    ],
  ],
  ["a block of tomorrow", [{ type: "hologram", depth: 3, parts: [{ text: "x" }] }]],
]

test.each(contents)("%s: to events and back", (_, content) => {
  const message = {
    ...{ ...head, content, stop_reason: "end_turn", stop_sequence: null },
    usage: { input_tokens: 3, output_tokens: 4, service_tier: "standard" },
  }
  const events = parseAnthropicSse(streamOfMessage(message))
  expect(messageOfStream(events)).toEqual(message)
  expect(events[0]).toMatchObject({ message: { content: [], stop_reason: null } })
  expect(messageOfStream(events.slice(0, -1))).toBe(undefined)
  expect(messageOfStream(events.slice(1))).toBe(undefined)
})

test("citations without end cost no more than their number", () => {
  const delta = { type: "citations_delta", citation }
  const events = [
    { type: "message_start", message: head },
    {
      type: "content_block_start",
      index: 0,
      content_block: { type: "text", text: "", citations: [citation] },
    },
    ...Array.from({ length: 40_000 }, () => ({ type: "content_block_delta", index: 0, delta })),
    { type: "message_stop" },
  ]
  const from = performance.now()
  const [block] = arrayOf(messageOfStream(events)?.["content"])
  expect(performance.now() - from).toBeLessThan(1_000)
  expect(arrayOf(objectOf(block)["citations"]).length).toBe(40_001)
})

test("input that is no JSON is kept as it came", () => {
  const events = [
    { type: "message_start", message: head },
    {
      type: "content_block_start",
      index: 0,
      content_block: { type: "tool_use", id: "a", name: "b", input: {} },
    },
    { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: '{"a":' } },
    { type: "message_stop" },
  ]
  expect(messageOfStream(events)?.["content"]).toEqual([
    { type: "tool_use", id: "a", name: "b", input: { _raw_arguments: '{"a":' } },
  ])
})
