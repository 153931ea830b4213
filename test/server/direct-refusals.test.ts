// A prompt that is too long for an upstream that speaks Messages itself, in the words Claude Code acts upon.
import { afterEach, describe, expect, test } from "bun:test"

import { rewordRefusal } from "../../src/convert/direct/direct-errors.ts"

import { send, startDirect } from "./direct-support.ts"
import { stopAll } from "./support.ts"

afterEach(stopAll)

const asked = '{"model":"opus","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
const streamed = '{"model":"opus","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'

const errorOf = (type: string, message: string) =>
  JSON.stringify({ type: "error", error: { type, message }, request_id: "req_theirs" })

/** Wordings of upstreams that are not Anthropic, and what stands before them afterwards. */
const overflows: readonly (readonly [string, string])[] = [
  [
    "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens (139000 in the messages, 1000 in the completion). Please reduce the length of the messages or completion.",
    "prompt is too long: 139000 tokens > 131072 maximum",
  ],
  [
    "Invalid request: Your request exceeded model token limit: 262144 (requested: 270000)",
    "prompt is too long: 270000 tokens > 262144 maximum",
  ],
  ["Prompt exceeds max length", "prompt is too long: 77 tokens > 76 maximum"],
  [
    "This model's maximum context length is 131072 tokens. However, you requested 160000 tokens (98000 in the messages, 62000 in the completion).",
    "input length and `max_tokens` exceed context limit: 98000 + 62000 > 131072, decrease input length or `max_tokens` and try again",
  ],
]

const json = { "content-type": "application/json", "request-id": "req_theirs" }

describe("another upstream's overflow", () => {
  test.each(overflows)("%s", async (message, expected) => {
    const steps = [errorOf("invalid_request_error", message)]
    const { url, exchanges } = startDirect([{ status: 400, headers: json, steps }], { genuineOnly: false })
    const reply = await send({ url }, streamed)
    expect([reply.status, reply.headers.get("request-id")]).toEqual([400, "req_theirs"])
    const words = `${expected} (upstream: ${message})`
    expect(await reply.text()).toBe(errorOf("invalid_request_error", words))
    expect(exchanges.map(({ outcome }) => outcome)).toMatchObject([
      { kind: "failed", fault: { kind: "invalid_request_error", message: words } },
    ])
  })

  const [[message, expected] = ["", ""]] = overflows
  const reworded = errorOf("invalid_request_error", `${expected} (upstream: ${message})`)

  test("as the first event of a stream, and for a count", async () => {
    const body = errorOf("invalid_request_error", message)
    const { url } = startDirect(
      [{ steps: [`event: error\ndata: ${body}\n\n`] }, { status: 400, headers: json, steps: [body] }],
      { genuineOnly: false },
    )
    const first = await send({ url }, streamed)
    expect([first.status, await first.text()]).toEqual([400, reworded])
    const count = await send({ url }, asked, {}, "/v1/messages/count_tokens")
    expect([count.status, await count.text()]).toEqual([400, reworded])
  })

  test("is Anthropic's own when Anthropic says it", async () => {
    const body = errorOf("invalid_request_error", message)
    const { url } = startDirect([{ status: 400, headers: json, steps: [body] }])
    expect(await (await send({ url }, asked)).text()).toBe(body)
  })

  test.each<[number, string, string]>([
    [429, "rate_limit_error", "Too many tokens, please wait before trying again."],
    [402, "billing_error", "token limit exceeded: your balance is used up"],
    [400, "invalid_request_error", "prompt is too long: 213000 tokens > 200000 maximum"],
    [400, "invalid_request_error", "messages: Prompt is too long"],
    [
      400,
      "invalid_request_error",
      "input length and `max_tokens` exceed context limit: 188059 + 64000 > 200000",
    ],
    [400, "invalid_request_error", "messages: Field required"],
  ])("is nothing else: %d %s %s", async (status, type, text) => {
    const body = errorOf(type, text)
    const turn = { status, headers: json, steps: [body] }
    const { url } = startDirect([turn, turn, turn], { genuineOnly: false, env: { MAX_RETRIES: "0" } })
    const reply = await send({ url }, asked)
    expect([reply.status, await reply.text()]).toEqual([status, body])
  })
})

describe("only the message is changed", () => {
  const context = { inputTokens: () => 500, contextWindow: 400 }
  const words = "prompt is too long: 500 tokens > 400 maximum"

  test.each([
    [
      '{ "type":"error", "error" : {"n":9007199254740993,"type":"x","message" : "Prompt exceeds max length" , "code":"a"}}\n',
      `{ "type":"error", "error" : {"n":9007199254740993,"type":"x","message" : "${words} (upstream: Prompt exceeds max length)" , "code":"a"}}\n`,
    ],
    [
      '{"message":"Prompt exceeds max length","error":{"message":"no","m\\u0065ssage":"Prompt \\u0065xceeds max length"}}',
      `{"message":"Prompt exceeds max length","error":{"message":"no","m\\u0065ssage":"${words} (upstream: Prompt exceeds max length)"}}`,
    ],
    [
      '{"type":"error","error":{"type":"invalid_request_error","message":"API 调用参数有误，图片输入格式/解析错误"}}',
      '{"type":"error","error":{"type":"invalid_request_error","message":"Could not process image (API 调用参数有误，图片输入格式/解析错误)"}}',
    ],
    [
      '{"type":"error","error":{"type":"invalid_request_error","message":"Content Exists Risk"}}',
      '{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy (Content Exists Risk)"}}',
    ],
    [
      '{"error":{"code":"1301","message":"sensitive"}}',
      '{"error":{"code":"1301","message":"Output blocked by content filtering policy (sensitive)"}}',
    ],
    [
      '{"error":{"code":1261,"message":"\\"太长\\""}}',
      `{"error":{"code":1261,"message":"${words} (upstream: \\"太长\\")"}}`,
    ],
  ])("%s", (text, expected) => {
    expect(rewordRefusal(text, context)).toBe(expected)
  })

  test.each([
    "",
    "Prompt exceeds max length",
    "[]",
    '{"error":"Prompt exceeds max length"}',
    '{"error":{"message":["Prompt exceeds max length"]}}',
    '{"error":{"type":"overloaded_error","message":"Overloaded"}}',
    '{"error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}',
    '{"error":{"message":"messages.1.content.0.image: image dimensions exceed max allowed size: 8000 pixels"}}',
  ])("%j stays as it is, and its prompt is not counted", (text) => {
    const counted = {
      contextWindow: null,
      inputTokens: () => {
        throw new Error("counted")
      },
    }
    expect(rewordRefusal(text, counted)).toBe(text)
  })
})
