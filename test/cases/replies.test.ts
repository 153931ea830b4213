// Treacherous whole replies, one test for each number.
import { afterEach, expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { jsonOf, post, postStream, start, stopAll } from "../server/support.ts"
import { chatReply, chatUsage } from "../support/chunks.ts"
import { optionsFor, replyEvents } from "../support/fixtures.ts"
import { strictProviders } from "../support/strict/providers.ts"
import { blocksOf } from "./support.ts"

afterEach(stopAll)

/** The blocks and the stop reason of a whole reply, the same by the row of every provider. */
function read(reply: JsonObject): readonly unknown[] {
  const found = strictProviders.map(({ id, models }) => {
    const events = replyEvents(reply, optionsFor({ provider: id, model: models[0] ?? "m" }))
    return JSON.stringify([...blocksOf(events), foldEvents(events).reply?.stop_reason])
  })
  const [first = "null"] = found
  expect(new Set(found)).toEqual(new Set([first]))
  return JSON.parse(first)
}

test("68: the old function_call beside content null is a call", () => {
  const function_call = { name: "Read", arguments: '{"a":1}' }
  expect(read(chatReply({ content: null, function_call }, "function_call"))).toEqual([
    'Read {"a":1}',
    "tool_use",
  ])
  expect(read(chatReply({ content: null, function_call }, "stop"))).toEqual(['Read {"a":1}', "tool_use"])
  const { reply } = foldEvents(replyEvents(chatReply({ content: null, function_call })))
  expect(reply?.content).toMatchObject([{ id: expect.stringMatching(/^toolu_[a-zA-Z0-9]+$/) }])
})

test("69: one answer over several choices is one message", () => {
  const call = (id: string, name: string) => ({
    id,
    type: "function",
    function: { name, arguments: '{"a":1}' },
  })
  const choice = (index: number, message: JsonObject, finish_reason: string) => ({
    ...{ index, finish_reason },
    message: { role: "assistant", ...message },
  })
  const reply = {
    ...{ id: "x", object: "chat.completion", usage: chatUsage(3, 2) },
    choices: [
      choice(0, { content: "Let me see. " }, "stop"),
      choice(1, { content: null, tool_calls: [call("call_aaaa", "Read")] }, "tool_calls"),
      choice(2, { content: null, tool_calls: [call("call_bbbb", "Bash")] }, "tool_calls"),
    ],
  }
  expect(read(reply)).toEqual(["text: Let me see. ", 'Read {"a":1}', 'Bash {"a":1}', "tool_use"])
  const length = { choices: [choice(0, { content: "a" }, "stop"), choice(1, { content: "b" }, "length")] }
  expect(read(length)).toEqual(["text: ab", "max_tokens"])
})

test("70: arguments encoded twice, or given as an object, are an object", () => {
  const cases: readonly (readonly [unknown, string])[] = [
    ['"{\\"a\\":1}"', '{"a":1}'],
    [{ a: 1 }, '{"a":1}'],
    ['{"a":1}', '{"a":1}'],
    ["null", "{}"],
    ["", "{}"],
    [null, "{}"],
    ["[1]", "{}"],
    ["7", "{}"],
    ['```json\n{"a":1}\n```', '{"a":1}'],
    ['{"a":1,}', '{"a":1}'],
  ]
  for (const [given, expected] of cases) {
    const tool_calls = [{ id: "call_aaaa", type: "function", function: { name: "Read", arguments: given } }]
    const found = read(chatReply({ content: null, tool_calls }, "tool_calls"))
    expect([given, found]).toEqual([given, [`Read ${expected}`, "tool_use"]])
  }
})

test("71: a filter that leaves no text is explained in a few words, and ends the turn", () => {
  for (const word of ["content_filter", "sensitive", "SAFETY", "RECITATION", "moderation"]) {
    const [said, reason, ...more] = read(chatReply({ content: "" }, word))
    expect([word, said, reason, more]).toEqual([
      word,
      expect.stringMatching(/^text: .*filter/),
      "end_turn",
      [],
    ])
    expect([word, read(chatReply({ content: "So" }, word))]).toEqual([word, ["text: So", "end_turn"]])
  }
})

test("72: an error in a 200 without any choice is an HTTP error, however it is written", async () => {
  const cases: readonly (readonly [unknown, number, string, string])[] = [
    [
      { base_resp: { status_code: 1004, status_msg: "bad key" }, choices: null },
      401,
      "authentication_error",
      "bad key",
    ],
    [{ base_resp: { status_code: 1002, status_msg: "rpm" } }, 429, "rate_limit_error", "rpm"],
    [{ object: "error", message: "too busy", code: 503 }, 529, "overloaded_error", "too busy"],
    [
      { object: "error", message: "bad", type: "BadRequestError", code: 400 },
      400,
      "invalid_request_error",
      "bad",
    ],
    [{ code: 20012, message: "no such thing", data: null }, 502, "api_error", "no such thing"],
    [{ code: "InvalidParameter", message: "bad range" }, 400, "invalid_request_error", "bad range"],
    [
      { error: { code: "1301", message: "sensitive words" } },
      400,
      "invalid_request_error",
      "sensitive words",
    ],
    [{ error: "the engine is gone" }, 502, "api_error", "the engine is gone"],
    [{ detail: "model is loading" }, 502, "api_error", "model is loading"],
    [{ status: 404, title: "Not Found" }, 502, "api_error", "Not Found"],
    [
      [{ error: { code: 400, message: "bad call", status: "INVALID_ARGUMENT" } }],
      400,
      "invalid_request_error",
      "bad call",
    ],
  ]
  for (const [body, status, type, words] of cases) {
    const { proxy } = start([...[0, 1].map(() => ({ kind: "json", body }) as const)], {
      env: { MAX_RETRIES: "0" },
    })
    for (const ask of [post, postStream]) {
      const response = await ask(proxy)
      const error = objectOf((await jsonOf(response))["error"])
      expect([body, response.status, error["type"]]).toEqual([body, status, type])
      expect(error["message"]).toContain(words)
    }
  }
})
