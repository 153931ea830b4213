// Messages replies and streams as OpenAI's clients read them.
import { describe, expect, test } from "bun:test"
import {
  type ChatOutput,
  type ChatWriterOptions,
  initialChatWriter,
  writeChat,
} from "../../src/convert/reverse/chunks.ts"
import { encodeChat } from "../../src/convert/reverse/encode.ts"
import { readMessagesFault, toChatErrorBody } from "../../src/convert/reverse/error.ts"
import { readMessagesEvent } from "../../src/convert/reverse/events.ts"
import { convertMessagesReply, mapFinishReason, noteLostBlock } from "../../src/convert/reverse/reply.ts"
import { type FaultKind, fault } from "../../src/protocol/fault.ts"
import { arrayOf, type JsonObject, objectOf, parseJson, textOf } from "../../src/protocol/json.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { quoteAll } from "../../src/protocol/texts.ts"
import { property } from "../support/random.ts"
import { eventsOf, randomReply } from "./reverse-support.ts"

const plain = { created: 7, legacyCalls: false }
const call = (id: string, input: JsonObject) => ({ type: "tool_use", id, name: "clock", input })
const message = (content: readonly unknown[], more: JsonObject = {}) => ({
  ...{ id: "msg_1", type: "message", role: "assistant", model: "m", content, stop_reason: "end_turn" },
  ...more,
})
const said = (content: readonly unknown[], more: JsonObject = {}, options = plain) =>
  convertMessagesReply(message(content, more), options).choices[0]

test("a whole reply", () => {
  const content = [
    { type: "thinking", thinking: "Hm. ", signature: "x" },
    { type: "text", text: "Let me " },
    { type: "thinking", thinking: "", signature: "z" },
    { type: "text", text: "look." },
    { type: "server_tool_use", id: "srv_1", name: "web_search", input: {} },
    { type: "thinking", thinking: "Noon.", signature: "y" },
    { type: "text", text: "It is noon." },
    call("toolu_1", { zone: "UTC" }),
    call("toolu_2", {}),
  ]
  const usage = {
    ...{ input_tokens: 10, cache_read_input_tokens: 20, cache_creation_input_tokens: 5, output_tokens: 7 },
    output_tokens_details: { thinking_tokens: 3 },
  }
  expect(convertMessagesReply(message(content, { stop_reason: "tool_use", usage }), plain)).toEqual({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 7,
    model: "m",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: "Let me look.\n\nIt is noon.",
          refusal: null,
          reasoning_content: "Hm. Noon.",
          tool_calls: [
            { id: "toolu_1", type: "function", function: { name: "clock", arguments: '{"zone":"UTC"}' } },
            { id: "toolu_2", type: "function", function: { name: "clock", arguments: "{}" } },
          ],
        },
        logprobs: null,
        finish_reason: "tool_calls",
      },
    ],
    usage: {
      prompt_tokens: 35,
      completion_tokens: 7,
      total_tokens: 42,
      prompt_tokens_details: { cached_tokens: 20 },
      completion_tokens_details: { reasoning_tokens: 3 },
    },
  })
})

test("calls alone have no content, nothing at all has an empty one", () => {
  expect(said([call("a", {})])?.message.content).toBe(null)
  expect(said([])?.message).toEqual({ role: "assistant", content: "", refusal: null })
})

test("an older client gets one call, as function_call", () => {
  const legacy = { created: 7, legacyCalls: true }
  const choice = said([call("a", { x: 1 }), call("b", {})], { stop_reason: "tool_use" }, legacy)
  expect(choice?.message).toEqual({
    ...{ role: "assistant", content: null, refusal: null },
    function_call: { name: "clock", arguments: '{"x":1}' },
  })
  expect(choice?.finish_reason).toBe("function_call")
})

test.each([
  ["end_turn", false, "stop"],
  ["stop_sequence", false, "stop"],
  ["pause_turn", false, "stop"],
  ["max_tokens", false, "length"],
  ["max_tokens", true, "length"],
  ["model_context_window_exceeded", false, "length"],
  ["tool_use", true, "tool_calls"],
  ["refusal", false, "content_filter"],
  ["reason_of_tomorrow", false, "stop"],
  ["reason_of_tomorrow", true, "tool_calls"],
  ["constructor", false, "stop"],
  [undefined, true, "tool_calls"],
] as const)("stop_reason %p with calls: %p is finish_reason %s", (reason, called, expected) => {
  expect(mapFinishReason(reason, called, false)).toBe(expected)
})

test.each([
  [{}, "", "stop"],
  [{ content: "text", usage: [], id: 4 }, "", "stop"],
  [{ content: [1, { type: "text" }, { type: "text", text: 5 }, { type: "text", text: "a" }] }, "a", "stop"],
])("a reply with holes: %j", (reply, content, finish) => {
  const { choices, usage } = convertMessagesReply(reply, plain)
  expect([choices[0]?.message.content ?? null, choices[0]?.finish_reason ?? null]).toEqual([content, finish])
  expect(usage.total_tokens).toBe(0)
})

test("what is lost of a reply is named", () => {
  const lost = (block: JsonObject) => noteLostBlock(block, "content.0")?.path
  expect(lost({ type: "text" })).toBeUndefined()
  expect(lost({ type: "thinking" })).toBe("content.0.signature")
  expect(lost({ type: "web_search_tool_result" })).toBe("content.0")
})

const streaming: ChatWriterOptions = { ...plain, includeUsage: false }

function write(
  events: readonly MessagesEvent[],
  options: ChatWriterOptions = streaming,
): readonly ChatOutput[] {
  let state = initialChatWriter(options)
  return events.flatMap((event) => {
    const [next, outputs] = writeChat(state, event)
    state = next
    return outputs
  })
}

/** The data lines of the wire, parsed; `[DONE]` as it is. */
function dataOf(outputs: readonly ChatOutput[]): readonly unknown[] {
  const lines = encodeChat(outputs).split("\n\n")
  expect(lines.pop()).toBe("")
  return lines.map((line) => {
    expect(line).toStartWith("data: ")
    const parsed = parseJson(line.slice(6))
    return parsed.ok ? parsed.value : line.slice(6)
  })
}

const usage = {
  input_tokens: 4,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 6,
  output_tokens: 1,
}
const start: MessagesEvent = {
  type: "message_start",
  message: {
    ...{ id: "msg_1", type: "message", role: "assistant", model: "m", content: [], stop_reason: null },
    ...{ stop_sequence: null, usage },
  },
}
const open = (index: number, content_block: JsonObject) =>
  readMessagesEvent({ type: "content_block_start", index, content_block })
const delta = (index: number, one: JsonObject) =>
  readMessagesEvent({ type: "content_block_delta", index, delta: one })
const stop = (index: number): MessagesEvent => ({ type: "content_block_stop", index })
const end = (reason: string, output_tokens = 5) => [
  ...readMessagesEvent({ type: "message_delta", delta: { stop_reason: reason }, usage: { output_tokens } }),
  ...readMessagesEvent({ type: "message_stop" }),
]

const conversation: readonly MessagesEvent[] = [
  start,
  ...open(0, { type: "thinking", thinking: "", signature: "" }),
  ...delta(0, { type: "thinking_delta", thinking: "Hm." }),
  ...delta(0, { type: "signature_delta", signature: "x" }),
  stop(0),
  ...open(1, { type: "text", text: "" }),
  ...delta(1, { type: "text_delta", text: "" }),
  ...delta(1, { type: "text_delta", text: "Look:" }),
  stop(1),
  ...open(2, { type: "server_tool_use", id: "s", name: "web_search", input: {} }),
  ...delta(2, { type: "input_json_delta", partial_json: '{"query":"x"}' }),
  stop(2),
  ...open(3, { type: "tool_use", id: "toolu_1", name: "clock", input: {} }),
  ...delta(3, { type: "input_json_delta", partial_json: "" }),
  ...delta(3, { type: "input_json_delta", partial_json: '{"zone":' }),
  ...delta(3, { type: "input_json_delta", partial_json: '"UTC"}' }),
  stop(3),
  ...open(4, { type: "tool_use", id: "toolu_2", name: "clock", input: {} }),
  stop(4),
  ...readMessagesEvent({ type: "message_delta", delta: { stop_reason: null }, usage: { output_tokens: 0 } }),
  ...end("tool_use"),
]

const chunk = (delta: JsonObject, finish: string | null = null, more: JsonObject = {}) => ({
  ...{ id: "chatcmpl-1", object: "chat.completion.chunk", created: 7, model: "m" },
  choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  ...more,
})
const args = (index: number, text: string) =>
  chunk({ tool_calls: [{ index, function: { arguments: text } }] })
const named = (index: number, id: string) =>
  chunk({ tool_calls: [{ index, id, type: "function", function: { name: "clock", arguments: "" } }] })
const role = { role: "assistant", content: "", refusal: null }

test("a stream", () => {
  expect(dataOf(write(conversation))).toEqual([
    chunk(role),
    chunk({ reasoning_content: "Hm." }),
    chunk({ content: "Look:" }),
    named(0, "toolu_1"),
    args(0, '{"zone":'),
    args(0, '"UTC"}'),
    named(1, "toolu_2"),
    args(1, "{}"),
    chunk({}, "tool_calls"),
    "[DONE]",
  ])
})

const texts = (index: number, ...all: readonly string[]) => [
  ...open(index, { type: "text", text: "" }),
  ...all.flatMap((text) => delta(index, { type: "text_delta", text })),
  stop(index),
]
const ran = (index: number) => [
  ...open(index, { type: "server_tool_use", id: "srv_1", name: "web_search", input: {} }),
  stop(index),
]

test.each([
  ["Found", ["Look.", "\n\n", "Found", " it."]],
  ["\nFound", ["Look.", "\nFound", " it."]],
])("texts with a call between them are two paragraphs: %j", (first, expected) => {
  const events = [start, ...ran(0), ...texts(1, "Look."), ...ran(2), ...texts(3, first, " it."), ...texts(4)]
  const run: MessagesEvent = {
    ...{ type: "content_block_deltas", index: 3, delta: "text_delta" },
    ...quoteAll([first, " it."]),
  }
  const asRun = [...events.slice(0, -5), run]
  for (const given of [events, asRun])
    expect(dataOf(write(given)).slice(1)).toEqual(expected.map((content) => chunk({ content })))
})

test("usage only when it was asked for, in a chunk of its own", () => {
  const events = [start, ...end("end_turn")]
  const none = { usage: null }
  const last = {
    ...chunk({}),
    choices: [],
    usage: {
      ...{ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
      ...{ prompt_tokens_details: { cached_tokens: 6 } },
    },
  }
  expect(dataOf(write(events, { ...streaming, includeUsage: true }))).toEqual([
    chunk(role, null, none),
    chunk({}, "stop", none),
    last,
    "[DONE]",
  ])
  expect(dataOf(write(events))).toEqual([chunk(role), chunk({}, "stop"), "[DONE]"])
})

test("an older client's stream", () => {
  expect(dataOf(write(conversation, { ...streaming, legacyCalls: true }))).toEqual([
    chunk(role),
    chunk({ reasoning_content: "Hm." }),
    chunk({ content: "Look:" }),
    chunk({ function_call: { name: "clock", arguments: "" } }),
    chunk({ function_call: { arguments: '{"zone":' } }),
    chunk({ function_call: { arguments: '"UTC"}' } }),
    chunk({}, "function_call"),
    "[DONE]",
  ])
})

test("an error ends the stream, without [DONE] and with nothing behind it", () => {
  const failed: MessagesEvent = {
    type: "error",
    fault: fault({ kind: "overloaded_error", source: "upstream", message: "too busy" }),
  }
  const error = { message: "too busy", type: "server_error", param: null, code: "overloaded" }
  expect(dataOf(write([failed]))).toEqual([{ error }])
  expect(dataOf(write([...conversation.slice(0, 3), failed, ...end("end_turn")]))).toEqual([
    chunk(role),
    chunk({ reasoning_content: "Hm." }),
    { error },
  ])
})

test("blocks of two calls at once, as some proxies send them", () => {
  const tool = (index: number) => open(index, { type: "tool_use", id: `t${index}`, name: "clock", input: {} })
  const piece = (index: number, partial_json: string) =>
    delta(index, { type: "input_json_delta", partial_json })
  const events = [start, ...tool(0), ...tool(1), ...piece(1, "[1"), ...piece(0, "[0"), ...piece(1, "]")]
  expect(dataOf(write(events)).slice(1)).toEqual([
    named(0, "t0"),
    named(1, "t1"),
    args(1, "[1"),
    args(0, "[0"),
    args(1, "]"),
  ])
})

interface Folded {
  readonly content: string
  readonly reasoning: string
  readonly calls: readonly unknown[]
  readonly finish: unknown
  readonly usage: unknown
}

/** What a client puts together from the chunks. */
function fold(outputs: readonly ChatOutput[]): Folded {
  const calls: { id: unknown; name: unknown; json: string }[] = []
  let [content, reasoning] = ["", ""]
  let finish: unknown
  let usage: unknown
  for (const value of dataOf(outputs)) {
    const { choices, usage: counted } = {
      choices: arrayOf(objectOf(value)["choices"]),
      usage: objectOf(value)["usage"],
    }
    usage = counted ?? usage
    const choice = objectOf(choices[0])
    const piece = objectOf(choice["delta"])
    finish = choice["finish_reason"] ?? finish
    content += textOf(piece["content"]) ?? ""
    reasoning += textOf(piece["reasoning_content"]) ?? ""
    for (const one of arrayOf(piece["tool_calls"]).map(objectOf)) {
      const index = Number(one["index"])
      const given = objectOf(one["function"])
      const { name, json } = { name: given["name"], json: textOf(given["arguments"]) ?? "" }
      expect(index).toBeWithin(0, calls.length + 1)
      const known = calls[index]
      if (known === undefined) calls.push({ id: one["id"], name, json })
      else known.json += json
    }
  }
  return {
    content,
    reasoning,
    calls: calls.map((one) => ({ ...one, json: JSON.parse(one.json) })),
    finish,
    usage,
  }
}

property("folding the chunks gives what the whole reply converts to", 500, (random) => {
  const whole = randomReply(random)
  const outputs = write(eventsOf(random, whole), { ...streaming, includeUsage: true })
  const { choices, usage } = convertMessagesReply(whole, plain)
  const expected = choices[0]?.message
  expect(fold(outputs)).toEqual({
    content: expected?.content ?? "",
    reasoning: expected?.reasoning_content ?? "",
    calls: (expected?.tool_calls ?? []).map(({ id, function: { name, arguments: json } }) => ({
      ...{ id, name },
      json: JSON.parse(json),
    })),
    finish: choices[0]?.finish_reason,
    usage,
  })
})

property("any JSON as events never throws, and an end comes once", 500, (random) => {
  const types = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "message_delta",
    "message_stop",
  ]
  const mess = Array.from({ length: random.integer(0, 9) }, () => ({
    ...objectOf(random.json(3)),
    ...{ type: random.pick([...types, "error", "x"]), index: random.integer(0, 2) },
    ...{ content_block: random.pick([random.json(2), { type: "tool_use" }]), delta: random.json(2) },
  }))
  const outputs = write([
    ...mess.flatMap((value) => readMessagesEvent(value)),
    ...readMessagesEvent({ type: "message_stop" }),
  ])
  expect(outputs.filter(({ kind }) => kind !== "chunk").length).toBe(1)
  expect(outputs.at(-1)?.kind).not.toBe("chunk")
})

test("a megabyte in pieces of one character is linear", () => {
  const piece = delta(0, { type: "input_json_delta", partial_json: "x" })
  const events = [start, ...open(0, { type: "tool_use", id: "t", name: "n", input: {} })]
  const from = performance.now()
  let [state] = writeChat(initialChatWriter(streaming), start)
  for (const event of events) [state] = writeChat(state, event)
  for (let count = 0; count < 300_000; count++) for (const event of piece) [state] = writeChat(state, event)
  expect(performance.now() - from).toBeLessThan(3000)
})

describe("errors", () => {
  const kinds: readonly (readonly [FaultKind, string, string | null])[] = [
    ["invalid_request_error", "invalid_request_error", null],
    ["authentication_error", "authentication_error", "invalid_api_key"],
    ["billing_error", "insufficient_quota", "insufficient_quota"],
    ["permission_error", "permission_error", null],
    ["not_found_error", "invalid_request_error", "model_not_found"],
    ["conflict_error", "invalid_request_error", null],
    ["request_too_large", "invalid_request_error", "request_too_large"],
    ["rate_limit_error", "rate_limit_error", "rate_limit_exceeded"],
    ["api_error", "server_error", null],
    ["timeout_error", "server_error", "timeout"],
    ["overloaded_error", "server_error", "overloaded"],
  ]

  test.each(kinds)("%s", (kind, type, code) => {
    const given = fault({ kind, source: "upstream", message: "why" })
    expect(toChatErrorBody(given)).toEqual({ error: { message: "why", type, param: null, code } })
    expect(readMessagesFault({ type: "error", error: { type: kind, message: "why" } })).toMatchObject({
      ...{ kind, message: "why" },
    })
  })

  test("a prompt that is too long has OpenAI's code", () => {
    const message = "prompt is too long: 5 tokens > 4 maximum"
    const given = fault({ kind: "invalid_request_error", source: "upstream", message })
    expect(toChatErrorBody(given).error.code).toBe("context_length_exceeded")
  })

  test.each([undefined, null, "x", {}, { error: 5 }, { error: { type: "constructor" } }])(
    "no error body: %j",
    (body) => {
      expect(readMessagesFault(body)).toMatchObject({ kind: "api_error", status: 500 })
    },
  )
})
