// POST /v1/chat/completions: OpenAI's clients through the same routing, keys and accounting.
import { afterEach, describe, expect, test } from "bun:test"
import type { Exchange } from "../../src/observe/exchange.ts"
import { arrayOf, type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { eventReply } from "../../src/server/http/event-reply.ts"
import { startServer } from "../../src/server/server.ts"
import { configFrom } from "../config/support.ts"
import {
  createMessagesUpstream,
  type MessagesTurn,
  nativeEvent,
  nativeStream,
} from "../support/anthropic-upstream.ts"
import {
  chatReply,
  chatUsage,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { later } from "../upstream/later.ts"
import { cleanUp, createClock, jsonOf, listen, start, stopAll, type TestProxy } from "./support.ts"

afterEach(stopAll)

const hello = { role: "user", content: "hi" }
const clock = {
  type: "function",
  function: { name: "clock", parameters: { type: "object", properties: {} } },
}

function ask(
  proxy: Pick<TestProxy, "url">,
  more: JsonObject = {},
  init: RequestInit = {},
): Promise<Response> {
  const body = JSON.stringify({ model: "gpt-x", messages: [hello], ...more })
  return fetch(`${proxy.url}/v1/chat/completions`, { method: "POST", body, ...init })
}

/** The data lines of a body, parsed; comments and `[DONE]` as they are. */
function linesOf(text: string): readonly unknown[] {
  const lines = text.split("\n\n")
  expect(lines.pop()).toBe("")
  return lines.map((line) => {
    if (line.startsWith(":")) return line
    expect(line).toStartWith("data: ")
    const parsed = parseJson(line.slice(6))
    return parsed.ok ? parsed.value : line.slice(6)
  })
}

const deltasOf = (lines: readonly unknown[]): readonly unknown[] =>
  lines.flatMap((line) => arrayOf(objectOf(line)["choices"]).map((choice) => objectOf(choice)["delta"]))

const callReply = chatReply(
  {
    content: "Let me look.",
    reasoning_content: "A clock helps.",
    tool_calls: [
      { id: "call_1", type: "function", function: { name: "clock", arguments: '{"zone":"UTC"}' } },
    ],
  },
  "tool_calls",
  chatUsage(100, 9, 60),
)

test("a whole reply, with thoughts, words and a call", async () => {
  const { proxy, upstream } = start([{ kind: "json", body: callReply }])
  const response = await ask(proxy, { tools: [clock], max_completion_tokens: 50, seed: 1 })
  expect(response.status).toBe(200)
  expect(response.headers.get("x-request-id")).toMatch(/^req_/)
  expect(response.headers.get("x-request-id")).toBe(response.headers.get("request-id"))
  const json = await jsonOf(response)
  expect(json).toMatchObject({
    object: "chat.completion",
    model: "gpt-x",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: "Let me look.",
          refusal: null,
          reasoning_content: "A clock helps.",
          tool_calls: [{ type: "function", function: { name: "clock", arguments: '{"zone":"UTC"}' } }],
        },
        finish_reason: "tool_calls",
      },
    ],
    usage: {
      prompt_tokens: 100,
      completion_tokens: 9,
      total_tokens: 109,
      prompt_tokens_details: { cached_tokens: 60 },
    },
  })
  expect(json["id"]).toMatch(/^chatcmpl-\w{10,}$/)
  expect(Math.abs(Number(json["created"]) - Date.now() / 1000)).toBeLessThan(10)
  expect(upstream.turns()[0]?.body).toMatchObject({
    ...{ model: "gpt-x", messages: [hello], max_tokens: 50 },
    tools: [clock],
  })
  const [exchange] = proxy.exchanges
  expect(exchange).toMatchObject({
    ...{ requestedModel: "gpt-x", model: "gpt-x", stream: false, outcome: { kind: "completed" } },
    usage: { input_tokens: 40, cache_read_input_tokens: 60, output_tokens: 9 },
  })
  expect(exchange?.notes).toContainEqual(expect.objectContaining({ kind: "dropped", path: "seed" }))
})

const streamTurn: Turn = {
  kind: "stream",
  chunks: [
    ...[roleChunk(), reasoningChunk("A clock "), reasoningChunk("helps."), textChunk("Let me look.")],
    ...[...toolChunks(0, "call_1", "clock", { zone: "UTC" }), finishChunk("tool_calls"), usageChunk(12, 7)],
  ],
}

test.each(["So far", null])("what a content filter stopped says so, after %p", async (said) => {
  const chunks = [roleChunk(), ...(said === null ? [] : [textChunk(said)]), finishChunk("content_filter")]
  const { proxy } = start([
    { kind: "json", body: chatReply({ content: said }, "content_filter") },
    { kind: "stream", chunks },
  ])
  const message = { content: said ?? "", refusal: null }
  expect(await jsonOf(await ask(proxy))).toMatchObject({
    choices: [{ message, finish_reason: "content_filter" }],
  })
  const lines = linesOf(await (await ask(proxy, { stream: true })).text())
  expect(lines.at(-2)).toMatchObject({ choices: [{ delta: {}, finish_reason: "content_filter" }] })
  const texts = deltasOf(lines).map((delta) => objectOf(delta)["content"] ?? "")
  expect(texts.join("")).toBe(said ?? "")
})

test("a stream", async () => {
  const { proxy } = start([streamTurn])
  const more = { stream: true, tools: [clock], stream_options: { include_usage: true } }
  const response = await ask(proxy, more)
  expect(response.headers.get("content-type")).toStartWith("text/event-stream")
  expect(response.headers.get("x-request-id")).toMatch(/^req_/)
  const lines = linesOf(await response.text())
  expect(lines.at(-1)).toBe("[DONE]")
  expect(lines.at(-2)).toMatchObject({
    ...{ object: "chat.completion.chunk", choices: [] },
    usage: { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 },
  })
  expect(lines.at(-3)).toMatchObject({ choices: [{ delta: {}, finish_reason: "tool_calls" }], usage: null })
  const [first, ...deltas] = deltasOf(lines).map(objectOf)
  expect(first).toEqual({ role: "assistant", content: "", refusal: null })
  const joined = (field: string) => deltas.map((delta) => String(delta[field] ?? "")).join("")
  expect([joined("reasoning_content"), joined("content")]).toEqual(["A clock helps.", "Let me look."])
  const calls = deltas.flatMap((delta) => arrayOf(delta["tool_calls"]).map(objectOf))
  expect(calls[0]).toMatchObject({ index: 0, type: "function", function: { name: "clock", arguments: "" } })
  const args = calls.map((call) => String(objectOf(call["function"])["arguments"])).join("")
  expect(JSON.parse(args)).toEqual({ zone: "UTC" })
  expect(proxy.exchanges[0]).toMatchObject({ stream: true, outcome: { kind: "completed" } })
})

test("results go back to the calls they answer", async () => {
  const { proxy, upstream } = start([{ kind: "json", body: chatReply({ content: "Noon." }) }])
  const call = { id: "call_1", type: "function", function: { name: "clock", arguments: '{"zone":"UTC"}' } }
  const messages = [
    { role: "system", content: "Be brief." },
    hello,
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "call_1", content: "12:00" },
  ]
  expect(objectOf(arrayOf((await jsonOf(ask(proxy, { messages })))["choices"])[0])).toMatchObject({
    message: { content: "Noon." },
    finish_reason: "stop",
  })
  expect(upstream.turns()[0]?.body["messages"]).toEqual(messages)
})

test("an older client gets function_call", async () => {
  const { proxy } = start([{ kind: "json", body: callReply }, streamTurn])
  const functions = [{ name: "clock", parameters: { type: "object" } }]
  const whole = objectOf(arrayOf((await jsonOf(ask(proxy, { functions })))["choices"])[0])
  expect(whole).toMatchObject({
    message: { function_call: { name: "clock", arguments: '{"zone":"UTC"}' } },
    finish_reason: "function_call",
  })
  const lines = linesOf(await (await ask(proxy, { functions, stream: true })).text())
  expect(lines.at(-2)).toMatchObject({ choices: [{ finish_reason: "function_call" }] })
})

describe("what is wrong is said in OpenAI's shape", () => {
  const error = (message: unknown, type: string, code: string | null, param: string | null = null) => ({
    error: { message, type, param, code },
  })

  test.each([
    [{ messages: [] }, "messages", "invalid_value"],
    [{ messages: [{ role: "user" }] }, "messages[0].content", "missing_required_parameter"],
    [{ n: 3 }, "n", "unsupported_value"],
  ])("%j", async (more, param, code) => {
    const { proxy, upstream } = start([])
    const response = await ask(proxy, more)
    expect(response.status).toBe(400)
    const message = expect.stringContaining(`'${param}'`)
    expect(await jsonOf(response)).toEqual(error(message, "invalid_request_error", code, param))
    expect(response.headers.get("x-request-id")).toMatch(/^req_/)
    expect([upstream.turns().length, proxy.exchanges.length]).toEqual([0, 0])
    expect(proxy.logs.some(({ message }) => message === "request refused")).toBe(true)
  })

  test("a body that is no JSON", async () => {
    const { proxy } = start([])
    const response = await ask(proxy, {}, { body: "{" })
    expect(response.status).toBe(400)
    expect(await jsonOf(response)).toEqual(
      error(expect.stringContaining("not valid JSON"), "invalid_request_error", null),
    )
  })

  test("a wrong key", async () => {
    const { proxy } = start([], { env: { ALLOWED_API_KEYS: "right" } })
    const response = await ask(proxy, {}, { headers: { authorization: "Bearer wrong" } })
    expect(response.status).toBe(401)
    expect(await jsonOf(response)).toEqual(
      error(expect.any(String), "authentication_error", "invalid_api_key"),
    )
  })

  const failures: readonly (readonly [number, JsonObject, number, string, string | null])[] = [
    [400, { message: "no" }, 400, "invalid_request_error", null],
    [401, { message: "no" }, 401, "authentication_error", "invalid_api_key"],
    [402, { message: "no" }, 402, "insufficient_quota", "insufficient_quota"],
    [404, { message: "no", code: "model_not_found" }, 404, "invalid_request_error", "model_not_found"],
    [429, { message: "no" }, 429, "rate_limit_error", "rate_limit_exceeded"],
    [500, { message: "no" }, 500, "server_error", null],
  ]

  test.each(failures)("the upstream's %d %j", async (status, given, expected, type, code) => {
    const headers = status === 429 ? { "retry-after": "7" } : {}
    const turn: Turn = { kind: "json", status, body: { error: given }, headers }
    const { proxy } = start(() => turn, { env: { MAX_RETRIES: "0" } })
    for (const stream of [false, true]) {
      const response = await ask(proxy, { stream })
      expect(response.status).toBe(expected)
      expect(await jsonOf(response)).toEqual(error(expect.any(String), type, code))
      if (status === 429) expect(response.headers.get("retry-after")).toBe("7")
    }
    expect(proxy.exchanges.map(({ outcome }) => outcome.kind)).toEqual(["failed", "failed"])
  })

  const named: readonly (readonly [JsonObject, string | null, string | null])[] = [
    [{ param: "messages[0].content", code: "invalid_image" }, "messages[0].content", "invalid_image"],
    [{ param: null, code: "content_filter" }, null, "content_filter"],
    [{ param: "top_p", code: null, type: "invalid_request_error" }, "top_p", null],
    // A number is a status, and what is longer than any name is none.
    [{ code: 400, param: "x".repeat(300) }, null, null],
    [{ code: "sk-canary-0123456789", param: "" }, null, "[redacted]"],
  ]

  test.each(named)("what the upstream names as to blame is handed on: %j", async (more, param, code) => {
    const turn: Turn = { kind: "json", status: 400, body: { error: { message: "no", ...more } } }
    const { proxy } = start(() => turn, { env: { MAX_RETRIES: "0" } })
    for (const stream of [false, true]) {
      const response = await ask(proxy, { stream })
      expect(await jsonOf(response)).toEqual(error(expect.any(String), "invalid_request_error", code, param))
    }
  })

  test("and an agent reads the code it knows, whatever the upstream calls it", async () => {
    const turn: Turn = { kind: "json", status: 401, body: { error: { message: "no", code: "AuthError" } } }
    const { proxy } = start(() => turn, { env: { MAX_RETRIES: "0" } })
    const body = await jsonOf(await ask(proxy))
    expect(body).toEqual(error(expect.any(String), "authentication_error", "invalid_api_key"))
  })

  test("a stream that is cut ends in an error, without [DONE]", async () => {
    const cut: Turn = { kind: "stream", chunks: [roleChunk(), textChunk("Well")], cut: "clean" }
    const { proxy } = start([cut])
    const lines = linesOf(await (await ask(proxy, { stream: true })).text())
    expect(deltasOf(lines).at(-1)).toEqual({ content: "Well" })
    expect(lines.at(-1)).toEqual(error(expect.any(String), "server_error", null))
  })
})

test("silence is bridged by comments, however long it lasts", async () => {
  const turn: Turn = {
    kind: "stream",
    // Fifty beats, so that a busy machine may miss most of them.
    chunks: [roleChunk(), textChunk("a"), { pauseMs: 1_000 }, textChunk("b"), finishChunk("stop")],
  }
  const { proxy } = start([turn], { times: { pingMs: 20, keepAliveMs: 60 } })
  const listener = await listen(ask(proxy, { stream: true }))
  expect(await listener.ended).toBe("complete")
  const lines = linesOf(listener.text())
  expect(lines.filter((line) => line === ": ping").length).toBeGreaterThan(8)
  expect(lines.at(-1)).toBe("[DONE]")
})

test("events that say nothing to a client do not stop its stream", async () => {
  const stop: MessagesEvent = { type: "content_block_stop", index: 0 }
  const batches: (readonly MessagesEvent[])[] = [[stop], [stop, stop], [{ type: "message_stop" }]]
  const source = {
    next: later(() => batches.shift()),
    keepAlive: () => [],
    leave: () => {},
    left: new AbortController().signal,
    fail: () => {
      throw new Error("failed")
    },
  }
  const encode = ({ type }: MessagesEvent) => (type === "message_stop" ? "end" : "")
  const times = { pingMs: 60_000, keepAliveMs: 60_000 }
  const options = { requestId: "req_1", clock: createClock(), times, encoder: { encode, ping: "ping" } }
  // A stream that stops here is never pulled again: the test would not end.
  expect(await eventReply([], source, options).text()).toBe("end")
  expect([batches.length, options.clock.live()]).toEqual([0, 0])
})

test("a client that leaves ends the upstream's reply", async () => {
  const { proxy, upstream } = start([
    { kind: "stream", chunks: [roleChunk(), textChunk("Well"), { pauseMs: 60_000 }] },
  ])
  const controller = new AbortController()
  const listener = await listen(ask(proxy, { stream: true }, { signal: controller.signal }))
  await until(() => listener.text().includes("Well"))
  controller.abort()
  await upstream.until(() => upstream.turns()[0]?.cancelledAt !== undefined, 1000)
  expect(proxy.exchanges[0]?.outcome).toEqual({ kind: "cancelled" })
})

test("a request that is nested too deeply", async () => {
  const { proxy } = start([])
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`
  const call = `{"id":"a","function":{"name":"b","arguments":{"x":${deep}}}}`
  const body = `{"messages":[{"role":"assistant","tool_calls":[${call}]}]}`
  const response = await ask(proxy, {}, { body })
  expect(response.status).toBe(400)
  expect(objectOf((await jsonOf(response))["error"])["type"]).toBe("invalid_request_error")
})

/** An upstream that speaks the Messages API, and a proxy that passes requests on to it. */
function startDirect(script: readonly MessagesTurn[]) {
  const upstream = createMessagesUpstream(script)
  cleanUp(upstream.stop)
  const exchanges: Exchange[] = []
  const settings = {
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: "sk-upstream-key-1",
    PORT: "0",
    MAX_RETRIES: "0",
  }
  const config = configFrom(settings)
  const { row } = config.upstream
  const native = { ...row, delta: { ...row.delta, dialect: "messages" as const } }
  const quiet = () => {}
  const server = startServer({
    config: { ...config, upstream: { ...config.upstream, row: native } },
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    version: "0.0.0-test",
    onExchange: (exchange) => exchanges.push(exchange),
  })
  cleanUp(() => server.stop(0))
  const sent = () => upstream.calls.map(({ text }) => objectOf(JSON.parse(text)))
  return { upstream, proxy: server, exchanges, sent }
}

describe("an upstream that speaks the Messages API itself", () => {
  const json = { "content-type": "application/json" }

  test("gets the converted request, and its reply is converted", async () => {
    const reply = {
      ...{ id: "msg_1", type: "message", role: "assistant", model: "native", stop_reason: "end_turn" },
      content: [{ type: "text", text: "hello" }],
      usage: { input_tokens: 5, cache_read_input_tokens: 6, output_tokens: 7 },
    }
    const { proxy, sent, exchanges } = startDirect([{ headers: json, steps: [JSON.stringify(reply)] }])
    const response = await ask(proxy, { model: "native", temperature: 1.5, max_tokens: 9, seed: 1 })
    expect(response.headers.get("x-request-id")).toMatch(/^req_/)
    expect(await jsonOf(response)).toMatchObject({
      ...{ id: "chatcmpl-1", object: "chat.completion", model: "native" },
      choices: [{ message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
    })
    expect(sent()).toEqual([
      {
        ...{ model: "native", max_tokens: 9, temperature: 1 },
        messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
      },
    ])
    expect(exchanges[0]).toMatchObject({ outcome: { kind: "completed" }, usage: { output_tokens: 7 } })
    expect(exchanges[0]?.notes.map(({ path }) => path)).toEqual(["seed", "temperature"])
  })

  test("is not asked for what Claude refuses", async () => {
    const reply = { type: "message", role: "assistant", content: [{ type: "text", text: "hello" }] }
    const { proxy, sent, exchanges } = startDirect([{ headers: json, steps: [JSON.stringify(reply)] }])
    const response = await ask(proxy, { model: "openai/claude-opus-4-7", temperature: 0, max_tokens: 9 })
    expect(response.status).toBe(200)
    expect(Object.keys(sent()[0] ?? {}).toSorted()).toEqual(["max_tokens", "messages", "model"])
    expect(exchanges[0]?.notes.map(({ path }) => path)).toContain("temperature")
  })

  test("streams, and what says nothing to an OpenAI client is a comment", async () => {
    const [head = "", tail = ""] = nativeStream("hé").split("event: content_block_stop")
    const bytes = new TextEncoder().encode(head)
    const pieces = Array.from(bytes, (byte) => new Uint8Array([byte]))
    const silence = [{ pauseMs: 50 }, nativeEvent({ type: "ping" }), { pauseMs: 50 }]
    const steps = [...pieces, ...silence, `event: content_block_stop${tail}`]
    const { proxy, exchanges } = startDirect([{ steps }])
    const lines = linesOf(await (await ask(proxy, { stream: true })).text())
    expect(lines.at(-1)).toBe("[DONE]")
    expect(lines).toContain(": ping")
    const words = deltasOf(lines).map((delta) => String(objectOf(delta)["content"] ?? ""))
    expect(words.join("")).toBe("hé")
    expect(lines.at(-2)).toMatchObject({ choices: [{ finish_reason: "stop" }] })
    expect(exchanges[0]).toMatchObject({ stream: true, outcome: { kind: "completed" } })
  })

  test("fails in OpenAI's shape, whole and streamed", async () => {
    const body = { type: "error", error: { type: "rate_limit_error", message: "slow down" } }
    const refusal = { status: 429, headers: { ...json, "retry-after": "3" }, steps: [JSON.stringify(body)] }
    const late = [nativeStream("hi").split("event: content_block_stop")[0] ?? "", nativeEvent(body)]
    const { proxy } = startDirect([refusal, { steps: late }])
    const error = { message: "slow down", type: "rate_limit_error", param: null, code: "rate_limit_exceeded" }
    const refused = await ask(proxy)
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "3"])
    expect(objectOf((await jsonOf(refused))["error"])).toMatchObject({
      ...error,
      message: expect.any(String),
    })
    const lines = linesOf(await (await ask(proxy, { stream: true })).text())
    expect(lines.at(-1)).toEqual({ error })
  })

  test("is let go when the client leaves", async () => {
    const steps = [nativeStream("hi").split("event: content_block_stop")[0] ?? "", { pauseMs: 60_000 }]
    const { proxy, upstream, exchanges } = startDirect([{ steps }])
    const controller = new AbortController()
    const listener = await listen(ask(proxy, { stream: true }, { signal: controller.signal }))
    await until(() => listener.text().includes("hi"))
    controller.abort()
    await until(() => upstream.calls[0]?.cancelledAt() !== undefined, 1000)
    expect(exchanges[0]?.outcome).toEqual({ kind: "cancelled" })
  })
})
