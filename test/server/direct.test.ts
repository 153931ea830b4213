// Upstreams that speak Messages themselves: what goes there, what comes back, and what is known of it after.
import { afterEach, describe, expect, test } from "bun:test"
import { messageOfStream, streamOfMessage } from "../../src/convert/direct/direct-form.ts"
import { objectOf } from "../../src/protocol/json.ts"
import { stop } from "../../src/server/outcome/outcome.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import {
  type ByteStep,
  type MessagesTurn,
  nativeEvent,
  nativeEvents,
  nativeStream,
  stall,
} from "../support/anthropic-upstream.ts"
import { property } from "../support/random.ts"
import { until } from "../support/upstream.ts"
import { send, startDirect, upstreamKey } from "./direct-support.ts"
import { jsonOf, listen, stopAll, typesOf } from "./support.ts"

afterEach(stopAll)

const never = new Promise<void>(() => {})
const asked = '{"model":"opus","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
const streamed = '{"model":"opus","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
const bytesOf = (text: string) => new TextEncoder().encode(text)

const message = JSON.stringify({
  ...{ id: "msg_1", type: "message", role: "assistant", model: "claude-opus-5-5" },
  content: [{ type: "text", text: "hello" }],
  ...{ stop_reason: "end_turn", stop_sequence: null },
  usage: { input_tokens: 5, cache_read_input_tokens: 6, output_tokens: 7, service_tier: "standard" },
})
const json = { "content-type": "application/json" }
const plainTurn: MessagesTurn = { headers: json, steps: [` ${message}\n`] }
const streamTurn = (...steps: readonly ByteStep[]): MessagesTurn => ({ steps })

/** As escape sequences of JSON. */
const coded = (text: string): string =>
  [...text].map((character) => `\\u00${character.charCodeAt(0).toString(16)}`).join("")

function errorTurn(status: number, type: string, text: string, headers = {}): MessagesTurn {
  const body = { type: "error", error: { type, message: text }, request_id: "req_theirs" }
  return {
    status,
    headers: { ...json, "request-id": "req_theirs", ...headers },
    steps: [JSON.stringify(body)],
  }
}

describe("the request", () => {
  test("is the client's own, but for the model's name", async () => {
    const body =
      '{ "stream":true,"n":9007199254740993, "model" : "opus","max_tokens":1.0e2,"messages":[{"content":"\\u00e9 é 漢\\n","role":"user"}],"brand_new":{"a":[ ]} }\n'
    const { upstream, url, exchanges } = startDirect([streamTurn(nativeStream("hi"))])
    await (await send({ url }, body)).text()
    expect(upstream.calls.map(({ text }) => text)).toEqual([body.replace('"opus"', '"claude-opus-5-5"')])
    expect(exchanges[0]?.notes).toEqual([
      { kind: "changed", path: "model", why: "claude-opus-5-5 at this upstream" },
    ])
  })

  test("case 33: our thinking removed, genuine kept, betas and query forwarded", async () => {
    const genuine = '{"type":"thinking","thinking":"\\u0061b","signature":"EqQBCkYIBRgCKkD0+/=="}'
    const ours = '{"type":"thinking","thinking":"x","signature":"ccp1.abc"}'
    const body = (blocks: string) =>
      `{"model":"claude-opus-5-5","max_tokens":5,"messages":[{"role":"assistant","content":[${blocks}]},{"role":"user","content":"go"}]}`
    const { upstream, url } = startDirect([plainTurn])
    const betas = "claude-code-20250219,interleaved-thinking-2025-05-14"
    const headers = { "anthropic-beta": betas, "anthropic-version": "2026-10-21" }
    await send({ url }, body(`${ours} , ${genuine}`), { headers }, "/v1/messages?beta=true")
    const [call] = upstream.calls
    expect(call?.text).toBe(body(genuine))
    expect(call?.path).toBe("/v1/messages?beta=true")
    expect(call?.headers).toMatchObject(headers)
  })

  test("thread goes to Anthropic untouched", async () => {
    const body =
      '{"model":"claude-opus-5-5","max_tokens":5,"thread":{"type":"continue","previous_message_id":"msg_1"},"messages":[]}'
    const { upstream, url } = startDirect([plainTurn])
    expect((await send({ url }, body)).status).toBe(200)
    expect(upstream.calls[0]?.text).toBe(body)
  })

  test("thread goes nowhere else, not even to be counted", async () => {
    const body = '{"model":"opus","thread":{"type":"continue","previous_message_id":"msg_1"},"messages":[]}'
    const { upstream, url, exchanges } = startDirect([plainTurn], { genuineOnly: false })
    const reply = await send({ url }, body, {}, "/v1/messages/count_tokens")
    expect(reply.status).toBe(404)
    expect(objectOf((await jsonOf(reply))["error"])["details"]).toEqual({ error_code: "thread_not_found" })
    expect([upstream.calls.length, exchanges.length]).toEqual([0, 0])
  })

  test("max_tokens is put in where there is none", async () => {
    const { upstream, url } = startDirect([plainTurn], { env: { DEFAULT_MAX_TOKENS: "2048" } })
    await send({ url }, '{"model":"claude-opus-5-5","messages":[]}')
    expect(upstream.calls[0]?.text).toBe('{"max_tokens":2048,"model":"claude-opus-5-5","messages":[]}')
  })

  test("its headers: the client's where they are meant for the model, the proxy's key, nothing else", async () => {
    const { upstream, url } = startDirect([streamTurn(nativeStream("hi"))], {
      profile: { headers: { "X-Row": "row" } },
      route: { headers: { "X-Own": "own", "user-agent": "configured" } },
    })
    const headers = {
      ...{ "x-api-key": "client-key-1", authorization: "Bearer client-key-2", cookie: "a=client-key-3" },
      ...{ "x-app": "cli", "user-agent": "claude-cli/2.1.329", accept: "text/event-stream" },
      ...{ "x-claude-code-session-id": "s1", "x-stainless-os": "Linux", "x-other": "client-key-4" },
      ...{ traceparent: "00-1-2-01", "proxy-authorization": "client-key-5", te: "trailers" },
      ...{ "content-type": "text/plain", "accept-encoding": "br" },
    }
    await (await send({ url }, streamed, { headers }, "/v1/messages?beta=true&key=client-key-6")).text()
    const [call] = upstream.calls
    const { host, connection, "content-length": length, ...rest } = call?.headers ?? {}
    expect(rest).toEqual({
      "x-api-key": upstreamKey,
      "anthropic-version": "2023-06-01",
      accept: "text/event-stream",
      "accept-encoding": "identity",
      "content-type": "application/json",
      "user-agent": "configured",
      "x-app": "cli",
      "x-claude-code-session-id": "s1",
      traceparent: "00-1-2-01",
      "x-row": "row",
      "x-own": "own",
    })
    expect(length).toBe(String(bytesOf(call?.text ?? "").length))
    expect([connection, host].join()).not.toContain("client-key")
    expect(call?.path).toBe("/v1/messages?beta=true")
  })

  test("a key as Bearer, and none at all", async () => {
    const bearer = startDirect([plainTurn], { profile: { auth: "bearer" } })
    await send(bearer, asked, { headers: { "x-api-key": "client" } })
    expect(bearer.upstream.calls[0]?.headers["authorization"]).toBe(`Bearer ${upstreamKey}`)
    expect(bearer.upstream.calls[0]?.headers["x-api-key"]).toBeUndefined()
    const keyless = startDirect([plainTurn], { route: { apiKey: undefined } })
    await send(keyless, asked, { headers: { authorization: "Bearer client" } })
    expect(keyless.upstream.calls[0]?.headers["authorization"]).toBeUndefined()
    expect(keyless.upstream.calls[0]?.headers["user-agent"]).toStartWith("Bun/")
  })
})

describe("the reply", () => {
  const strange = [
    ...nativeEvents("漢字 🎯 é").slice(0, 4),
    { type: "brand_new_event", n: 1 },
    ...nativeEvents("").slice(4),
  ]
  const bodies: Readonly<Record<string, string>> = {
    "line feeds": strange.map((event) => nativeEvent(event)).join(""),
    CRLF: strange.map((event) => nativeEvent(event, "\r\n")).join(""),
    CR: strange.map((event) => nativeEvent(event, "\r")).join(""),
    "comments, ids and odd spaces": `: hello\n\nid: 1\nevent:message_start\ndata:${JSON.stringify(strange[0])}\n\n: more\n\n${nativeStream("x").slice(nativeStream("x").indexOf("event: content_block_start"))}`,
    "without event lines": strange.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""),
    "without the last blank line": nativeStream("x").trimEnd(),
    "something after the end": `${nativeStream("x")}: bye\n\ndata: [DONE]\n\n`,
  }

  test.each(Object.entries(bodies))("byte for byte: %s", async (_name, body) => {
    const { url, exchanges } = startDirect([streamTurn(body)])
    const reply = await send({ url }, streamed)
    expect(await reply.text()).toBe(body)
    const [exchange] = exchanges
    expect(exchange?.outcome).toEqual({ kind: "completed" })
    expect(exchange?.usage).toEqual({
      ...{ input_tokens: 12, cache_creation_input_tokens: 3, cache_read_input_tokens: 40, output_tokens: 25 },
    })
  })

  property("byte for byte, however it is cut", 40, async (random) => {
    const body = random.pick(Object.values(bodies))
    const { url, exchanges, timers } = startDirect([streamTurn(...random.cut(bytesOf(body)))])
    const reply = await send({ url }, streamed)
    expect(new Uint8Array(await reply.arrayBuffer())).toEqual(bytesOf(body))
    expect(exchanges.map(({ outcome, usage }) => [outcome.kind, usage.output_tokens])).toEqual([
      ["completed", 25],
    ])
    await until(() => timers() === 0)
    await stopAll()
  })

  test("events arrive when they are sent", async () => {
    const go = Promise.withResolvers<void>()
    const all = nativeEvents("now").map((event) => nativeEvent(event))
    const { url, exchanges } = startDirect([
      streamTurn(...all.slice(0, 4), { until: go.promise }, ...all.slice(4)),
    ])
    const heard = await listen(send({ url }, streamed))
    await until(() => heard.text() === all.slice(0, 4).join(""))
    go.resolve()
    expect(await heard.ended).toBe("complete")
    expect(heard.text()).toBe(all.join(""))
    expect(exchanges[0]?.firstContentMs).toBeLessThan(exchanges[0]?.durationMs ?? 0)
  })

  test("a whole message, and what is known of it", async () => {
    const { url, exchanges, timers, running } = startDirect([plainTurn])
    const reply = await send({ url }, asked)
    expect(await reply.text()).toBe(` ${message}\n`)
    expect(exchanges).toMatchObject([
      {
        ...{ requestId: "req_ours", requestedModel: "opus", model: "claude-opus-5-5", provider: "anthropic" },
        ...{ stream: false, attempts: 1, estimated: false, outcome: { kind: "completed" } },
        usage: {
          ...{
            input_tokens: 5,
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 6,
            output_tokens: 7,
          },
        },
      },
    ])
    expect(exchanges[0]?.firstContentMs).toBeNumber()
    expect([timers(), running.size]).toEqual([0, 0])
  })

  test("compressed for the proxy, plain for the client", async () => {
    const { url } = startDirect([
      { headers: { ...json, "content-encoding": "gzip" }, steps: [Bun.gzipSync(bytesOf(message))] },
    ])
    const reply = await send({ url }, asked)
    expect(reply.headers.get("content-encoding")).toBeNull()
    expect(await reply.text()).toBe(message)
  })

  test("its headers", async () => {
    const kept = {
      ...{ "request-id": "req_theirs", "anthropic-ratelimit-tokens-remaining": "5" },
      ...{ "anthropic-organization-id": "org", "anthropic-workspace-id": "wrk" },
      "anthropic-ratelimit-unified-status": "allowed",
    }
    const gone = { "set-cookie": "a=b", server: "cloudflare", "cf-ray": "1", "x-ratelimit-x": "1" }
    const { url } = startDirect([
      { headers: { ...kept, ...gone, "content-type": "text/event-stream; x=1" }, steps: [nativeStream("a")] },
      plainTurn,
    ])
    const reply = await send({ url }, streamed)
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      ...kept,
      ...{ "content-type": "text/event-stream; x=1", "cache-control": "no-cache", "x-accel-buffering": "no" },
    })
    for (const name of Object.keys(gone)) expect(reply.headers.get(name)).toBeNull()
    await reply.text()
    expect((await send({ url }, asked)).headers.get("request-id")).toBe("req_ours")
  })

  test("usage that nobody reports is estimated", async () => {
    const bare = JSON.stringify({ type: "message", content: [] })
    const { url, exchanges } = startDirect([{ headers: json, steps: [bare] }])
    await send({ url }, asked)
    expect(exchanges[0]).toMatchObject({ estimated: true, usage: { input_tokens: 77 } })
  })

  test("a message where a stream was asked for becomes its events", async () => {
    const { url, exchanges } = startDirect([plainTurn])
    const response = await send({ url }, streamed)
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8")
    const events = parseAnthropicSse(await response.text())
    expect(events.map(({ type }) => type)).toEqual([
      ...["message_start", "content_block_start", "content_block_delta", "content_block_stop"],
      ...["message_delta", "message_stop"],
    ])
    expect(messageOfStream(events)).toEqual(JSON.parse(message))
    expect(exchanges[0]).toMatchObject({ stream: true, usage: { output_tokens: 7 } })
  })

  test("a stream where a message was asked for becomes the message", async () => {
    const { url, exchanges } = startDirect([
      streamTurn(...streamOfMessage(JSON.parse(message)).split(/(?=d)/)),
    ])
    const response = await send({ url }, asked)
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"])
    expect(await jsonOf(response)).toEqual(JSON.parse(message))
    expect(exchanges[0]).toMatchObject({ stream: false, usage: { output_tokens: 7 } })
  })

  test("a stream that breaks off is no message: it is asked for again", async () => {
    const cut = streamOfMessage(JSON.parse(message)).split("event: message_stop")[0] ?? ""
    const { url, exchanges } = startDirect([streamTurn(cut), plainTurn])
    expect(await jsonOf(await send({ url }, asked))).toEqual(JSON.parse(message))
    expect(exchanges[0]?.attempts).toBe(2)
  })
})

describe("refusals", () => {
  test.each([
    [errorTurn(400, "invalid_request_error", "messages: Field required"), 400, null],
    [errorTurn(413, "request_too_large", "Request exceeds the maximum size"), 413, null],
    [errorTurn(400, "invalid_request_error", "nope", { "x-should-retry": "true" }), 400, "true"],
    [errorTurn(429, "rate_limit_error", "slow down", { "retry-after": "30" }), 429, null],
    [errorTurn(500, "api_error", "broken", { "x-should-retry": "false" }), 500, "false"],
  ])("%j goes through as it is", async (turn, status, retry) => {
    const { upstream, url, exchanges, timers } = startDirect([turn])
    const reply = await send({ url }, streamed)
    expect(reply.status).toBe(status)
    expect(await reply.text()).toBe(String(turn.steps[0]))
    expect(reply.headers.get("x-should-retry")).toBe(retry)
    expect(reply.headers.get("request-id")).toBe("req_theirs")
    expect(reply.headers.get("content-type")).toBe("application/json")
    expect(reply.headers.get("retry-after")).toBe(turn.headers?.["retry-after"] ?? null)
    expect(exchanges.map(({ outcome }) => outcome.kind)).toEqual(["failed"])
    expect([upstream.calls.length, timers()]).toEqual([1, 0])
  })

  // Claude Code would take its own key for wrong, and its user for one who is not logged in.
  test.each([
    ["invalid x-api-key", "invalid API key"],
    ["token limit exceeded for this key", "token limit exceeded for this key"],
  ])("of a key: it is ours that is meant (%s)", async (theirs, told) => {
    const { url } = startDirect([errorTurn(401, "authentication_error", theirs)])
    const reply = await send({ url }, streamed)
    expect([reply.status, reply.headers.get("x-should-retry")]).toEqual([401, "false"])
    expect(reply.headers.get("request-id")).toBe("req_theirs")
    const message = `[anthropic] the upstream refused the API key (the key comes from ANTHROPIC_API_KEY): ${told}`
    expect(await jsonOf(reply)).toEqual({
      ...{ type: "error", error: { type: "authentication_error", message }, request_id: "req_theirs" },
    })
  })

  test("our key is never in it", async () => {
    const { url } = startDirect([errorTurn(400, "invalid_request_error", `bad key ${upstreamKey}!`)])
    const text = await (await send({ url }, asked)).text()
    expect(text).toContain("bad key [redacted]!")
    expect(text).not.toContain(upstreamKey)
  })

  test("nor with escape sequences", async () => {
    const body = JSON.stringify({ type: "error", error: { type: "api_error", message: "bad key @!" } })
    const steps = [body.replace("@", () => coded(upstreamKey))]
    const { url } = startDirect([{ status: 400, headers: json, steps }])
    expect(await (await send({ url }, asked)).text()).toBe(body.replace("@", "[redacted]"))
  })

  test.each<[string, MessagesTurn, number, string]>([
    ["HTML", { status: 404, steps: ["<title>Not here</title>"] }, 502, "no such endpoint"],
    ["OpenAI's shape", { status: 400, steps: ['{"error":{"message":"no"}}'] }, 400, "[anthropic] no"],
    [
      "a redirect",
      { status: 307, headers: { location: "http://x/y" }, steps: [] },
      502,
      "redirects to http://x/y",
    ],
  ])("in another shape: %s", async (_name, turn, status, words) => {
    const { upstream, url, exchanges } = startDirect([turn])
    const reply = await send({ url }, asked)
    expect(reply.status).toBe(status)
    expect(String(objectOf((await jsonOf(reply))["error"])["message"])).toContain(words)
    expect([upstream.calls.length, exchanges.length]).toEqual([1, 1])
  })

  const overloaded = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
  test.each<[string, string, MessagesTurn, number, string]>([
    [
      "an error as the first event",
      streamed,
      streamTurn(`event: error\ndata: ${overloaded}\n\n`),
      529,
      overloaded,
    ],
    ["an error as a document", asked, { headers: json, steps: [overloaded] }, 529, overloaded],
    ["a web page", asked, { steps: ["<html>"] }, 502, "an HTML page"],
    ["broken JSON", asked, { steps: ['{"type":"mess'] }, 502, "broken JSON"],
    ["nothing", streamed, { steps: [] }, 502, "before its reply began"],
    [
      "half an event",
      streamed,
      { steps: ['event: message_start\ndata: {"ty'] },
      502,
      "before its reply began",
    ],
  ])("%s with a 200 is an error with a status of its own", async (_name, body, turn, status, words) => {
    const { upstream, url, exchanges } = startDirect([turn, turn, turn], { speed: 100 })
    const reply = await send({ url }, body)
    expect(reply.status).toBe(status)
    expect(reply.headers.get("content-type")).toContain("application/json")
    expect(await reply.text()).toContain(words)
    expect(exchanges.map(({ outcome, attempts }) => [outcome.kind, attempts])).toEqual([["failed", 3]])
    expect(upstream.calls.length).toBe(3)
  })

  test("nobody there", async () => {
    const { url } = startDirect([], { url: "http://127.0.0.1:9/v1/messages", speed: 100 })
    const reply = await send({ url }, asked)
    expect(reply.status).toBe(502)
    expect(await reply.text()).toContain("connection refused")
  })
})

describe("retries before the first byte", () => {
  test.each<[string, string, MessagesTurn]>([
    ["overloaded", streamed, errorTurn(529, "overloaded_error", "Overloaded")],
    ["a server error", asked, errorTurn(500, "api_error", "oops")],
    [
      "a rate limit that is soon over",
      streamed,
      errorTurn(429, "rate_limit_error", "wait", { "retry-after": "1" }),
    ],
    ["a connection that breaks", streamed, { steps: ["event: message_start\n"], reset: true }],
    ["a message that breaks off", asked, { headers: json, steps: [message.slice(0, 30)], reset: true }],
  ])("%s", async (_name, body, turn) => {
    const good = body === asked ? plainTurn : streamTurn(nativeStream("a"))
    const { upstream, url, exchanges, logs } = startDirect([turn, good], { speed: 100 })
    const reply = await send({ url }, body)
    expect(reply.status).toBe(200)
    expect(await reply.text()).toBe(String(good.steps[0]))
    expect(upstream.calls.map(({ text }) => text)).toEqual(
      Array.from({ length: 2 }, () => body.replace('"opus"', '"claude-opus-5-5"')),
    )
    expect(exchanges.map(({ outcome, attempts }) => [outcome.kind, attempts])).toEqual([["completed", 2]])
    expect(logs.filter(({ level }) => level === "warn").length).toBe(1)
  })
})

describe("a stream that breaks off", () => {
  const all = nativeEvents("some words").map((event) => nativeEvent(event))
  const half = all[3] ?? ""
  const whole = all.slice(0, 3).join("")
  test.each<[string, MessagesTurn, string]>([
    ["between events, cleanly", streamTurn(whole), whole],
    ["between events, with a reset", { steps: [whole], reset: true }, whole],
    ["within an event", streamTurn(whole, half.slice(0, 40)), whole],
    ["within an event, with a reset", { steps: [whole, half.slice(0, 40)], reset: true }, whole],
    ["after an event's line", streamTurn(whole, "event: message_stop\n"), whole],
    ["before the blank line", streamTurn(whole, half.trimEnd()), whole + half],
    ["within a character", streamTurn(whole, bytesOf(half.replace("some", "漢")).slice(0, -22)), whole],
  ])("%s: whole events, then an error", async (_name, turn, expected) => {
    const { url, exchanges, timers } = startDirect([turn])
    const text = await (await send({ url }, streamed)).text()
    expect(text.startsWith(expected)).toBe(true)
    const events = parseAnthropicSse(text)
    expect(events.at(-1)).toMatchObject({
      type: "error",
      error: { type: "api_error" },
      request_id: "req_ours",
    })
    expect(typesOf(events).filter((type) => type === "error").length).toBe(1)
    expect(events.length).toBe(parseAnthropicSse(expected).length + 1)
    expect(exchanges.map(({ outcome, usage }) => [outcome.kind, usage.input_tokens])).toEqual([
      ["failed", 12],
    ])
    await until(() => timers() === 0)
  })

  test.each<[string, (finished: string) => MessagesTurn]>([
    ["closed", (finished) => streamTurn(finished)],
    ["reset", (finished) => ({ steps: [finished], reset: true })],
    ["closed within the event", (finished) => streamTurn(finished, "event: message_stop\nda")],
    ["never closed", (finished) => streamTurn(finished, { until: never })],
  ])("behind the reason of its end it is complete, and gets its last event: %s", async (_name, turn) => {
    const text = nativeStream("a")
    const finished = text.split("event: message_stop")[0] ?? ""
    const { url, exchanges, timers } = startDirect([turn(finished)], { times: { afterFinishMs: 50 } })
    expect(await (await send({ url }, streamed)).text()).toBe(text)
    expect(exchanges.map(({ outcome, usage }) => [outcome.kind, usage.input_tokens])).toEqual([
      ["completed", 12],
    ])
    await until(() => timers() === 0)
  })

  const [begin = "", ...others] = nativeEvents("a").map((event) => nativeEvent(event))
  const block = others.slice(0, 4).join("")
  const [reason = "", last = ""] = others.slice(4)
  test("what goes on behind the reason of its end is waited for, and no half of it is complete", async () => {
    const more = block.replaceAll('"index":0', '"index":1')
    const late = [begin, block, reason, { pauseMs: 20 }, more.slice(0, 200), { pauseMs: 200 }] as const
    const times = { afterFinishMs: 60 }
    const whole = startDirect([streamTurn(...late, more.slice(200), reason, last)], { times })
    expect(await (await send({ url: whole.url }, streamed)).text()).toBe(
      begin + block + reason + more + reason + last,
    )
    const half = startDirect([streamTurn(...late)], { times })
    expect(parseAnthropicSse(await (await send({ url: half.url }, streamed)).text()).at(-1)).toMatchObject({
      type: "error",
    })
    expect(half.exchanges.map(({ outcome }) => outcome.kind)).toEqual(["failed"])
    await until(() => whole.timers() + half.timers() === 0)
  })

  test("an error in a field that clients pass over does not take the place of one they read", async () => {
    const { url } = startDirect([streamTurn(whole, 'error: {"message":"overloaded"}\n\n')])
    const text = await (await send({ url }, streamed)).text()
    expect(text).toStartWith(whole)
    expect(text).toContain("event: error\n")
  })

  test("the upstream's own error is the last word", async () => {
    const error = `event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n`
    const { url, exchanges } = startDirect([streamTurn(whole, error)])
    expect(await (await send({ url }, streamed)).text()).toBe(whole + error)
    expect(exchanges.map(({ outcome }) => outcome)).toMatchObject([
      { kind: "failed", fault: { kind: "overloaded_error", source: "upstream" } },
    ])
  })

  test("the upstream's own error does not hold our key", async () => {
    const error = (key: string) =>
      `event: error\ndata: {"type":"error","error":{"type":"api_error","message":"key ${key}"}}\n\n`
    for (const key of [upstreamKey, coded(upstreamKey)]) {
      const { url } = startDirect([streamTurn(whole, { pauseMs: 20 }, error(key))])
      expect(await (await send({ url }, streamed)).text()).toBe(whole + error("[redacted]"))
    }
  })

  test("silence for too long", async () => {
    const { url, exchanges, timers } = startDirect([streamTurn(whole, { until: never })], {
      speed: 30,
      env: { REQUEST_TIMEOUT: "20" },
    })
    const events = parseAnthropicSse(await (await send({ url }, streamed)).text())
    expect(events.at(-1)).toMatchObject({ type: "error", error: { type: "timeout_error" } })
    expect(typesOf(events)).toContain("ping")
    expect(exchanges.map(({ outcome }) => outcome.kind)).toEqual(["failed"])
    await until(() => timers() === 0)
  })

  test("an event that never ends", async () => {
    const piece = "x".repeat(1024 * 1024)
    const pieces = Array.from({ length: 18 }, () => piece)
    const { upstream, url } = startDirect([streamTurn(whole, "data: ", ...pieces, { until: never })])
    const text = await (await send({ url }, streamed)).text()
    expect(text).toStartWith(whole)
    expect(text.slice(whole.length)).toContain("more than 16 MiB")
    await until(() => upstream.calls[0]?.cancelledAt() !== undefined)
  })

  test("the end of the proxy", async () => {
    const { url, exchanges, running } = startDirect([streamTurn(whole, { until: never })])
    const heard = await listen(send({ url }, streamed))
    await until(() => heard.text() === whole)
    for (const one of running) stop(one)
    await heard.ended
    expect(heard.text().slice(whole.length)).toContain("the proxy was stopped")
    expect(exchanges.map(({ outcome }) => outcome)).toMatchObject([
      { kind: "failed", fault: { source: "proxy" } },
    ])
  })
})

describe("pings", () => {
  test("while the upstream is silent, and only between events", async () => {
    const go = Promise.withResolvers<void>()
    const all = nativeEvents("late").map((event) => nativeEvent(event))
    const [first = "", second = "", third = ""] = all
    const rest = third.slice(10) + all.slice(3).join("")
    const begun = first + second + third.slice(0, 10)
    const { url } = startDirect([streamTurn(begun, { until: go.promise }, rest)], {
      times: { pingMs: 10 },
    })
    const heard = await listen(send({ url }, streamed))
    await until(() => heard.text().split("event: ping").length > 3)
    go.resolve()
    expect(await heard.ended).toBe("complete")
    const types = typesOf(parseAnthropicSse(heard.text()))
    const own = nativeEvents("").map((event) => String(event["type"]))
    expect(types.filter((type) => type !== "ping")).toEqual(own.filter((type) => type !== "ping"))
    expect(types[0]).toBe("message_start")
  })

  test("none before the message has begun, none after it is over", async () => {
    const { url } = startDirect(
      [streamTurn(": wait\n\n", { pauseMs: 60 }, nativeStream("a"), { pauseMs: 60 })],
      {
        times: { pingMs: 5 },
      },
    )
    expect(await (await send({ url }, streamed)).text()).toBe(`: wait\n\n${nativeStream("a")}`)
  })

  test("an upstream that does not close after the end is closed", async () => {
    const { upstream, url, exchanges, timers } = startDirect(
      [streamTurn(nativeStream("a"), { until: never })],
      {
        times: { afterFinishMs: 30 },
      },
    )
    expect(await (await send({ url }, streamed)).text()).toBe(nativeStream("a"))
    await until(() => upstream.calls[0]?.cancelledAt() !== undefined && timers() === 0)
    expect(exchanges.map(({ outcome }) => outcome.kind)).toEqual(["completed"])
  })
})

describe("the client leaves", () => {
  /** A turn that stops after these steps for ever; `sent` resolves when it has got there. */
  function held(headers: MessagesTurn["headers"], ...steps: readonly ByteStep[]) {
    const sent = Promise.withResolvers<void>()
    const wait = {
      get until() {
        sent.resolve()
        return never
      },
    }
    return {
      turn: { ...(headers === undefined ? {} : { headers }), steps: [...steps, wait] },
      sent: sent.promise,
    }
  }

  test.each([
    ["before the headers", streamed, { turn: stall, sent: Promise.resolve() }, ""],
    ["before the first event", streamed, held(undefined, "event: mess"), ""],
    ["in mid-stream", streamed, held(undefined, nativeStream("one").slice(0, -60)), "one"],
    ["during a plain request", asked, held(json, '{"type":'), ""],
  ])("%s: the upstream is let go within a second", async (_name, body, { turn, sent }, words) => {
    const { upstream, url, exchanges, logs, timers, running } = startDirect([turn])
    const leaving = new AbortController()
    let answered = false
    const pending = send({ url }, body, { signal: leaving.signal }).then((response) => {
      answered = true
      return response
    })
    const gone = pending.catch(() => "left")
    await until(() => upstream.calls.length === 1)
    await sent
    if (words !== "") {
      const heard = await listen(pending)
      await until(() => heard.text().includes(words))
    }
    expect(answered).toBe(words !== "")
    const left = performance.now()
    leaving.abort()
    await gone
    await until(() => upstream.calls[0]?.cancelledAt() !== undefined, 1000)
    expect((upstream.calls[0]?.cancelledAt() ?? 0) - left).toBeLessThan(1000)
    await until(() => exchanges.length === 1 && timers() === 0, 1000)
    expect(exchanges.map(({ outcome }) => outcome)).toEqual([{ kind: "cancelled" }])
    expect(logs.filter(({ level }) => level === "warn" || level === "error")).toEqual([])
    expect([upstream.calls.length, running.size]).toEqual([1, 0])
  })

  test("after the last event: it is complete, not cancelled", async () => {
    const { url, exchanges, timers } = startDirect([streamTurn(nativeStream("a"), { until: never })])
    const leaving = new AbortController()
    const heard = await listen(send({ url }, streamed, { signal: leaving.signal }))
    await until(() => heard.text() === nativeStream("a"))
    leaving.abort()
    await until(() => timers() === 0, 1000)
    expect(exchanges.map(({ outcome }) => outcome.kind)).toEqual(["completed"])
  })
})

describe("count_tokens", () => {
  const path = "/v1/messages/count_tokens"
  const body = '{"model":"opus", "messages":[],"context_management":{"edits":[]}}'

  test("goes to the upstream by the same rules, and is no exchange", async () => {
    const { upstream, url, exchanges } = startDirect([{ headers: json, steps: ['{"input_tokens": 2095}'] }])
    const reply = await send({ url }, body, {}, `${path}?beta=true`)
    expect(await reply.text()).toBe('{"input_tokens": 2095}')
    expect(upstream.calls[0]?.text).toBe(body.replace('"opus"', '"claude-opus-5-5"'))
    expect(upstream.calls[0]?.path).toBe(`${path}?beta=true`)
    expect(exchanges).toEqual([])
  })

  test.each([404, 405])("%d: our own estimate", async (status) => {
    const { url } = startDirect([{ status, steps: ["no such page"] }])
    expect(await jsonOf(send({ url }, body, {}, path))).toEqual({
      input_tokens: 77,
      context_management: { original_input_tokens: 77 },
    })
  })

  test("another refusal goes through", async () => {
    const turn = errorTurn(400, "invalid_request_error", "messages: Field required")
    const { url } = startDirect([turn])
    const reply = await send({ url }, body, {}, path)
    expect([reply.status, await reply.text()]).toEqual([400, String(turn.steps[0])])
  })
})
