// Whole replies, and the message that a client assembles: ours and the SDK's must be the same.
import { describe, expect, test } from "bun:test"
import Anthropic from "@anthropic-ai/sdk"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { encodeEvent } from "../../src/protocol/messages/encode.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { chatReply, deltaChunk, finishChunk } from "../support/chunks.ts"
import {
  foldOf,
  inputsOf,
  listFixtures,
  optionsFor,
  play,
  readFixture,
  readStream,
  replyEvents,
} from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { readable } from "../support/signatures.ts"

/** What a whole reply becomes. */
function fold(reply: unknown, toolJson = true) {
  const events = replyEvents(reply)
  expect(checkGrammar(events, { toolJson })).toEqual([])
  return foldEvents(events)
}

const content = (message: Record<string, unknown>, reason?: string) =>
  fold(chatReply(message, reason)).reply?.content

describe("fixtures", () => {
  test.each(listFixtures("replies"))("%s", (name) => {
    const { reply, provider, model } = readFixture("replies", name)
    const events = replyEvents(reply, optionsFor({ provider: String(provider), model: String(model) }))
    expect(checkGrammar(events)).toEqual([])
    const folded = foldEvents(events)
    expect(folded.reply === undefined ? folded.fault : readable(folded.reply)).toMatchSnapshot()
  })
})

describe("treacherous cases", () => {
  const bash = { type: "tool_use", id: "toolu_Seed00", name: "Bash", input: { command: "ls" } } as const

  test("case 68: the old function_call", () => {
    const message = { content: null, function_call: { name: "Bash", arguments: '{"command":"ls"}' } }
    expect(content(message, "function_call")).toEqual([bash])
  })

  test("a reply in an envelope, and one that says that there is none", () => {
    const reply = chatReply({ content: "hello" })
    expect(fold({ data: reply, success: true }).reply?.content).toMatchObject([
      { type: "text", text: "hello" },
    ])
    expect(fold({ data: null, success: false, error: "it failed" }).fault?.message).toContain("it failed")
  })

  test("case 69: several choices are one answer, with the reason that is not a plain stop", () => {
    const { reply } = readFixture("replies", "copilot/choices")
    expect(fold(reply).reply).toMatchObject({
      stop_reason: "tool_use",
      content: [
        { type: "text", text: "Looking." },
        { type: "tool_use", name: "Read", input: { file_path: "/a" } },
      ],
    })
  })

  test("case 70: arguments as an object, or encoded twice", () => {
    for (const args of [{ command: "ls" }, '"{\\"command\\":\\"ls\\"}"']) {
      expect(content({ tool_calls: [{ function: { name: "Bash", arguments: args } }] })).toEqual([bash])
    }
  })

  test("case 71: a filter that left nothing is explained, and the turn ends normally", () => {
    expect(fold(chatReply({ content: null }, "content_filter")).reply).toMatchObject({
      stop_reason: "end_turn",
      content: [{ type: "text", text: "[The provider's content filter stopped this reply.]" }],
    })
  })

  test.each([
    [
      { choices: null, base_resp: { status_code: 1008, status_msg: "insufficient balance" } },
      402,
      "billing_error",
    ],
    [{ object: "error", message: "bad", type: "BadRequestError", code: 400 }, 400, "invalid_request_error"],
    [{ code: 50505, message: "Model service overloaded" }, 529, "overloaded_error"],
    [{ error: "model is loading", status: 503 }, 529, "overloaded_error"],
    [{ detail: "Not authenticated" }, 502, "api_error"],
    [{ status: 429, title: "Too Many Requests" }, 429, "rate_limit_error"],
    [[{ error: { code: 400, message: "bad", status: "INVALID_ARGUMENT" } }], 400, "invalid_request_error"],
    [
      {
        choices: [
          { message: { content: "" }, finish_reason: "error", error: { code: 502, message: "lost" } },
        ],
      },
      502,
      "api_error",
    ],
  ])("case 72: an error inside a 200: %j", (reply, status, kind) => {
    expect<unknown>(fold(reply).fault).toMatchObject({ status, kind })
  })

  test("a refusal, parts and a single part are text", () => {
    expect(content({ content: null, refusal: "No." })).toEqual([{ type: "text", text: "No." }])
    expect(content({ content: [{ type: "refusal", refusal: "No." }] })).toEqual([
      { type: "text", text: "No." },
    ])
    expect(content({ content: { type: "text", text: "Yes." } })).toEqual([{ type: "text", text: "Yes." }])
  })

  test("what is said in a sound is text, unless it is written as well", () => {
    const audio = { id: "audio_1", data: "AAAA", expires_at: 1, transcript: "Hello." }
    const hello = [{ type: "text", text: "Hello." }] as const
    expect(content({ content: null, audio })).toEqual([...hello])
    expect(content({ content: "Hello.", audio })).toEqual([...hello])
    expect(content({ content: "", audio: { data: "AAAA" } })).toEqual([
      { type: "text", text: "[audio omitted]" },
    ])
    expect(content({ content: "Hello.", audio: { data: "AAAA" } })).toEqual([...hello])
    const heard = (...pieces: readonly JsonObject[]) =>
      foldOf([...pieces.map((piece) => deltaChunk({ audio: piece })), finishChunk("stop")]).reply?.content
    expect(heard({ id: "audio_1", transcript: "Hel" }, { data: "AAAA" }, { transcript: "lo." })).toEqual([
      ...hello,
    ])
    expect(heard({ data: "AAAA" }, { data: "AAAA" })).toEqual([{ type: "text", text: "[audio omitted]" }])
  })

  test("a base_resp or a code that says all is well is no error", () => {
    const reply = {
      ...chatReply({ content: "Yes." }),
      base_resp: { status_code: 0, status_msg: "" },
      code: 0,
      message: "ok",
    }
    expect(fold(reply).reply?.content).toEqual([{ type: "text", text: "Yes." }])
  })

  test("arguments that are no JSON stay visible", () => {
    const reply = chatReply({ tool_calls: [{ function: { name: "Bash", arguments: '{"command":' } }] })
    expect(fold(reply, false).reply?.content).toEqual([{ ...bash, input: { _raw_arguments: '{"command":' } }])
  })
})

test("interim message_deltas keep what message_start said", () => {
  const usage = {
    input_tokens: 7,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 0,
  }
  const message = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  } as const
  const events: readonly MessagesEvent[] = [
    { type: "message_start", message },
    { type: "message_delta", delta: { stop_reason: null, stop_sequence: null }, usage: { output_tokens: 0 } },
    {
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: 3 },
    },
    { type: "message_stop" },
  ]
  expect(foldEvents(events).reply).toEqual({
    ...message,
    stop_reason: "end_turn",
    usage: { ...usage, output_tokens: 3 },
  })
})

test("no events make no message", () => {
  expect(foldEvents([])).toEqual({ reply: undefined, fault: undefined })
})

/** The events as the SDK reads them off the wire. */
function sdkStream(events: readonly MessagesEvent[]) {
  const body = events.map((event) => encodeEvent(event, "req_1")).join("")
  const answer = async () => new Response(body, { headers: { "content-type": "text/event-stream" } })
  const client = new Anthropic({
    apiKey: "none",
    baseURL: "http://upstream.test",
    fetch: answer,
    maxRetries: 0,
  })
  return client.messages.stream({ model: "m", max_tokens: 1, messages: [{ role: "user", content: "hi" }] })
}

describe("the SDK's accumulator agrees", () => {
  // Arguments cut by the limit: the SDK completes them as well as it can, we keep the text.
  const different = ["openai/tool-cut-by-length"]

  test.each(listFixtures("streams").filter((name) => !different.includes(name)))("%s", async (name) => {
    const fixture = readStream(name)
    const events = play(inputsOf(fixture), optionsFor(fixture, { stopSequences: ["END"] }))
    const { reply, fault } = foldEvents(events)
    const stream = sdkStream(events)
    if (reply === undefined) {
      await expect(stream.finalMessage()).rejects.toThrow(String(fault?.message).slice(0, 40))
      return
    }
    const { id, type, role, model, content, stop_reason, stop_sequence, usage } = await stream.finalMessage()
    const plain: unknown = JSON.parse(
      JSON.stringify({ id, type, role, model, content, stop_reason, stop_sequence, usage }),
    )
    expect(plain).toEqual(JSON.parse(JSON.stringify(reply)))
  })

  test("arguments cut by the limit do not break it", async () => {
    const fixture = readStream("openai/tool-cut-by-length")
    const message = await sdkStream(play(inputsOf(fixture), optionsFor(fixture))).finalMessage()
    expect(message.stop_reason).toBe("max_tokens")
    expect(message.content).toMatchObject([{ type: "tool_use", name: "Write", input: { file_path: "/a" } }])
  })
})
