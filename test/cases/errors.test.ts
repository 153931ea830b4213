// Treacherous errors of upstreams, one test for each number, as a client hears of them over HTTP.
import { afterEach, expect, test } from "bun:test"
import { faultFromError } from "../../src/protocol/errors/upstream-error.ts"
import { type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { jsonOf, post, postStream, start, stopAll } from "../server/support.ts"
import { finishChunk, roleChunk } from "../support/chunks.ts"
import { errorContext } from "../support/fixtures.ts"
import type { Turn } from "../support/script.ts"

afterEach(stopAll)

interface Heard {
  readonly status: number
  readonly type: unknown
  readonly message: string
  readonly header: (name: string) => string | null
  /** How often the upstream was asked. */
  readonly asked: number
}

/** What a client hears of this upstream, plain and as a stream: the same in all but the id. */
async function hear(turn: Turn, more: JsonObject = {}): Promise<Heard> {
  const heard: Heard[] = []
  // However slow the machine is: no stream begins before its upstream has answered.
  const { proxy, upstream } = start(() => turn, { speed: 50, times: { commitMs: 1_000_000 } })
  for (const ask of [post, postStream]) {
    const before = upstream.turns().length
    const response = await ask(proxy, more)
    const body = await jsonOf(response)
    expect(body).toMatchObject({ type: "error", request_id: response.headers.get("request-id") })
    const { type, message } = objectOf(body["error"])
    const header = (name: string) => response.headers.get(name)
    heard.push({
      status: response.status,
      type,
      message: String(message),
      header,
      asked: upstream.turns().length - before,
    })
  }
  const [plain, streamed] = heard
  if (plain === undefined || streamed === undefined) throw new Error("nothing was heard")
  expect([streamed.status, streamed.type, streamed.message]).toEqual([
    plain.status,
    plain.type,
    plain.message,
  ])
  return plain
}

const failed = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Turn => ({
  ...{ kind: "json", status, body, headers },
})

test("73: too much input and output together is said in the words that make a client ask for less output", async () => {
  const message =
    "This model's maximum context length is 128000 tokens. However, you requested 130000 tokens (98000 in the messages, 32000 in the completion). Please reduce the length of the messages or completion."
  const error = { message, type: "invalid_request_error", param: "messages", code: "context_length_exceeded" }
  const heard = await hear(failed(400, { error }))
  expect([heard.status, heard.type, heard.asked]).toEqual([400, "invalid_request_error", 1])
  expect(heard.message).toStartWith(
    "input length and `max_tokens` exceed context limit: 98000 + 32000 > 128000",
  )
})

test("74: too much input is said in the words that make a client compact the conversation", async () => {
  const message =
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens. Please reduce the length of the messages."
  for (const status of [400, 413, 422]) {
    const heard = await hear(failed(status, { error: { message, code: "context_length_exceeded" } }))
    expect([heard.status, heard.type, heard.asked]).toEqual([400, "invalid_request_error", 1])
    expect(heard.message).toStartWith("prompt is too long: 130000 tokens > 128000 maximum")
  }
})

test("75: a window that is full before the first word is a prompt that is too long", async () => {
  const chunks = [roleChunk(), finishChunk("model_context_window_exceeded")]
  const heard = await hear({ kind: "stream", chunks })
  expect([heard.status, heard.type]).toEqual([400, "invalid_request_error"])
  const [, tokens = "0", maximum = "0"] =
    /^prompt is too long: (\d+) tokens > (\d+) maximum/.exec(heard.message) ?? []
  expect(Number(tokens)).toBeGreaterThan(Number(maximum))
})

test("76: a refused key is final, and so is an empty account that calls itself a rate limit", async () => {
  const key = {
    error: { message: "Incorrect API key provided: sk-abcdefgh12345678", code: "invalid_api_key" },
  }
  const refused = await hear(failed(401, key))
  expect([refused.status, refused.type]).toEqual([401, "authentication_error"])
  expect([refused.header("x-should-retry"), refused.asked]).toEqual(["false", 1])
  expect(refused.message).not.toContain("sk-abcdefgh")
  const quota = {
    message: "You exceeded your current quota, please check your plan",
    code: "insufficient_quota",
  }
  const empty = await hear(failed(429, { error: quota }))
  expect([empty.status, empty.type]).toEqual([402, "billing_error"])
  expect([empty.header("x-should-retry"), empty.asked]).toEqual(["false", 1])
})

test("77: Gemini's list with a retry delay of 34 s is a rate limit that says when to come back", async () => {
  const error = {
    ...{ code: 429, message: "You exceeded your current quota", status: "RESOURCE_EXHAUSTED" },
    details: [
      { "@type": "type.googleapis.com/google.rpc.Help", links: [] },
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34s" },
    ],
  }
  const heard = await hear(failed(429, [{ error }]))
  expect([heard.status, heard.type]).toEqual([429, "rate_limit_error"])
  expect([heard.header("retry-after"), heard.asked]).toEqual(["34", 1])
  expect(heard.message).toContain("You exceeded your current quota")
})

test("78: a page of HTML becomes a short text, and an empty 400 to a huge prompt a prompt that is too long", async () => {
  const page = `<html><head><title>502 Bad Gateway</title><style>p{}</style></head><body>${"<p>nginx</p>".repeat(900)}</body></html>`
  const heard = await hear({ kind: "text", status: 502, body: page })
  expect([heard.status, heard.type]).toEqual([502, "api_error"])
  expect(heard.message).toContain("502 Bad Gateway")
  expect(heard.message).not.toMatch(/[<>]/)
  expect(heard.message.length).toBeLessThan(600)
  const huge = { messages: [{ role: "user", content: "many words in a row ".repeat(25_000) }] }
  for (const status of [400, 413]) {
    const nothing: Turn = { kind: "text", status, body: "" }
    const long = await hear(nothing, huge)
    expect([long.status, long.message]).toEqual([
      400,
      expect.stringMatching(/^prompt is too long: \d+ tokens > \d+/),
    ])
    expect((await hear(nothing)).message).not.toContain("too long")
  }
  const cerebras = {
    ...errorContext,
    provider: "cerebras",
    inputTokens: () => 140_000,
    contextWindow: 131_072,
  }
  expect(faultFromError({ status: 400, header: () => null, body: "" }, cerebras)).toMatchObject({
    ...{ kind: "invalid_request_error", status: 400 },
    message: "prompt is too long: 140000 tokens > 131072 maximum",
  })
})

test("79: a 404 of a wrong base URL is not taken for a missing model, but names the URL", async () => {
  const bodies = [
    { error: "not found" },
    { detail: "Not Found" },
    { error: { message: "Invalid URL (POST /chat/completions)" } },
  ]
  for (const body of bodies) {
    const heard = await hear(failed(404, body))
    expect([body, heard.status, heard.type]).toEqual([body, 502, "api_error"])
    expect(heard.message).toMatch(/http:\/\/127\.0\.0\.1:\d+\/v1\/chat\/completions/)
    expect([heard.header("x-should-retry"), heard.asked]).toEqual(["false", 1])
  }
  const page = await hear({ kind: "text", status: 404, body: "<html><body><h1>404</h1></body></html>" })
  expect([page.status, page.type]).toEqual([502, "api_error"])
  const message = "The model `big-model` does not exist or you do not have access to it."
  const model = await hear(failed(404, { error: { message, code: "model_not_found" } }))
  expect([model.status, model.type]).toEqual([404, "not_found_error"])
  expect(model.message).toStartWith("model: big-model")
})
