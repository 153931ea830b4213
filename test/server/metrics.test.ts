// GET /metrics of a proxy that has something to tell: every way a request can end, read with a parser of the format.
import { afterEach, describe, expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import {
  chatReply,
  chatUsage,
  finishChunk,
  roleChunk,
  textChunk,
  toolChunk,
  usageChunk,
} from "../support/chunks.ts"
import { checkExposition, figure, samplesOf } from "../support/prometheus.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { send as sendDirect, startDirect } from "./direct-support.ts"
import { chain, chat } from "./fallbacks-support.ts"
import { basicBody, listen, post, postStream, start, startProxy, stopAll, type TestProxy } from "./support.ts"

afterEach(stopAll)

type Labels = Readonly<Record<string, string>>

async function textOf(proxy: TestProxy, init: BunFetchRequestInit = {}): Promise<string> {
  const text = await (await fetch(`${proxy.url}/metrics`, init)).text()
  expect(checkExposition(text)).toEqual([])
  return text
}

/** The requests that were counted, by model, status and stream. */
async function requestsOf(proxy: TestProxy): Promise<Readonly<Record<string, number>>> {
  const text = await textOf(proxy)
  const own = samplesOf(text).filter(({ name }) => name === "claude_proxy_requests_total")
  return Object.fromEntries(
    own.map(({ labels, value }) => [`${labels["model"]} ${labels["status"]} ${labels["stream"]}`, value]),
  )
}

async function figureOf(proxy: TestProxy, name: string, labels?: Labels): Promise<number | undefined> {
  return figure(await textOf(proxy), `claude_proxy_${name}`, labels)
}

const good: Turn = {
  kind: "stream",
  chunks: [roleChunk(), textChunk("fine"), finishChunk("stop"), usageChunk(30, 7, 10)],
}
const whole: Turn = { kind: "json", body: chatReply({ content: "fine" }, "stop", chatUsage(30, 7, 10)) }
const failing = (status: number): Turn => ({ kind: "json", status, body: { error: { message: "no" } } })
const quick = { speed: 100, times: { commitMs: 1_000_000 } }

test("a new proxy tells of itself, in the format's own content type, also by HEAD", async () => {
  const { proxy } = start([])
  const reply = await fetch(`${proxy.url}/metrics`)
  expect(reply.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
  const text = await reply.text()
  expect(checkExposition(text)).toEqual([])
  expect(figure(text, "claude_proxy_build_info", { version: "0.0.0-test" })).toBe(1)
  expect(figure(text, "process_resident_memory_bytes")).toBeGreaterThan(1_000_000)
  expect(Math.abs((figure(text, "process_start_time_seconds") ?? 0) - Date.now() / 1000)).toBeLessThan(3_600)
  expect(figure(text, "claude_proxy_requests_in_flight")).toBe(0)
  const head = await fetch(`${proxy.url}/metrics`, { method: "HEAD" })
  expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
    "",
  ])
  // To ask for figures, or whether it is well, is no request that is counted.
  await fetch(`${proxy.url}/health`)
  expect(await requestsOf(proxy)).toEqual({})
})

test("it asks for a client key where they are set", async () => {
  const proxy = startProxy("http://127.0.0.1:9/v1", { env: { ALLOWED_API_KEYS: "right-key" } })
  expect((await fetch(`${proxy.url}/metrics`)).status).toBe(401)
  const text = await textOf(proxy, { headers: { "x-api-key": "right-key" } })
  expect(figure(text, "claude_proxy_requests_total", { model: "none", status: "401" })).toBe(1)
})

describe("replies", () => {
  test("streamed and whole, with their tokens and times", async () => {
    const { proxy } = start([good, whole, good])
    await (await postStream(proxy)).text()
    await (await post(proxy)).text()
    await (await postStream(proxy, { model: "claude-haiku-4-5" })).text()
    const text = await textOf(proxy)
    expect(await requestsOf(proxy)).toEqual({
      "big-model 200 true": 1,
      "big-model 200 false": 1,
      "small-model 200 true": 1,
    })
    for (const name of ["request_duration", "first_token", "upstream_wait"]) {
      const count = (labels: Labels) => figure(text, `claude_proxy_${name}_seconds_count`, labels)
      expect(count({ model: "big-model", stream: "true" })).toBe(1)
      expect(count({ model: "big-model", stream: "false" })).toBe(1)
      expect(count({})).toBe(3)
    }
    const tokens = (kind: string) => figure(text, "claude_proxy_tokens_total", { model: "big-model", kind })
    expect(["input", "output", "cache_read", "cache_creation", "reasoning"].map(tokens)).toEqual([
      ...[40, 14, 20, 0, 0],
    ])
    expect(figure(text, "claude_proxy_cost_unknown_requests_total")).toBe(3)
  })

  test.each<[string, Turn, (proxy: TestProxy) => Promise<Response>]>([
    ["a stream", { ...good, headersDelayMs: 150 }, postStream],
    ["a whole reply", { ...whole, headersDelayMs: 150 }, post],
  ])("%s: the wait for the upstream is a part of the time to the first token", async (_name, turn, ask) => {
    const { proxy } = start([turn])
    await (await ask(proxy)).text()
    const sum = async (name: string) => (await figureOf(proxy, `${name}_seconds_sum`)) ?? -1
    const [waited, first, all] = [
      await sum("upstream_wait"),
      await sum("first_token"),
      await sum("request_duration"),
    ]
    expect(waited).toBeGreaterThanOrEqual(0.149)
    expect(first).toBeGreaterThanOrEqual(waited)
    expect(all).toBeGreaterThanOrEqual(first)
  })

  test("what an OpenAI client asks for is counted like everything else", async () => {
    const { proxy } = start([whole])
    const chat = (body: unknown) =>
      fetch(`${proxy.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(body) })
    await (await chat({ model: "claude-opus-5-5", messages: [{ role: "user", content: "hi" }] })).text()
    await (await chat({ model: "claude-opus-5-5" })).text()
    expect(await requestsOf(proxy)).toEqual({ "big-model 200 false": 1, "none 400 none": 1 })
  })

  test("tools, and arguments that were repaired", async () => {
    const chunks = [
      toolChunk({ index: 0, id: "call_1", name: "Read", args: '{"path":"a",}' }),
      toolChunk({ index: 1, id: "call_2", name: "Read", args: '{"path":"b"}' }),
      finishChunk("tool_calls"),
    ]
    const { proxy } = start([{ kind: "stream", chunks }])
    const tools = [{ name: "Read", input_schema: { type: "object" } }]
    await (await postStream(proxy, { tools })).text()
    expect(await figureOf(proxy, "tool_calls_total", { model: "big-model" })).toBe(2)
    expect(await figureOf(proxy, "repaired_arguments_total", { model: "big-model" })).toBe(1)
  })

  test("fields that were dropped", async () => {
    const { proxy } = start([whole])
    await (await post(proxy, { top_k: 5 })).text()
    const labels = { field: "top_k", action: "dropped" }
    expect(await figureOf(proxy, "request_fields_total", labels)).toBe(1)
  })

  test("passed through: the wait is measured too", async () => {
    const direct = startDirect([{ steps: ['{"type":"message","content":[]}'] }])
    await (await sendDirect(direct, JSON.stringify(basicBody))).text()
    expect(
      direct.exchanges.map(
        ({ upstreamWaitMs = -1, durationMs }) => upstreamWaitMs > 0 && upstreamWaitMs <= durationMs,
      ),
    ).toEqual([true])
  })
})

describe("failures", () => {
  test.each([
    ["streamed", postStream, "true"],
    ["whole", post, "false"],
  ] as const)(
    "%s: one that the upstream refuses, one that it never answers well",
    async (_name, ask, stream) => {
      const { proxy } = start([failing(403), ...Array.from({ length: 3 }, () => failing(500))], quick)
      await (await ask(proxy)).text()
      await (await ask(proxy)).text()
      expect(await requestsOf(proxy)).toEqual({
        [`big-model 403 ${stream}`]: 1,
        [`big-model 500 ${stream}`]: 1,
      })
      const text = await textOf(proxy)
      const errors = (kind: string) => figure(text, "claude_proxy_upstream_errors_total", { kind })
      expect([errors("permission_error"), errors("api_error")]).toEqual([1, 3])
      expect(figure(text, "claude_proxy_retries_total")).toBe(2)
      expect(figure(text, "claude_proxy_request_duration_seconds_count")).toBe(2)
      expect(figure(text, "claude_proxy_first_token_seconds_count")).toBe(0)
      expect(figure(text, "claude_proxy_upstream_wait_seconds_count")).toBe(0)
      // It cost nothing, and no token was read.
      expect(figure(text, "claude_proxy_tokens_total")).toBe(0)
      expect(figure(text, "claude_proxy_cost_unknown_requests_total")).toBe(0)
    },
  )

  test("one that is answered when it is tried again: the wait is that for the answer", async () => {
    const slow: Turn = { kind: "raw", steps: [{ pauseMs: 400 }], cut: "reset" }
    const { proxy } = start([slow, good], quick)
    await (await postStream(proxy)).text()
    expect(await requestsOf(proxy)).toEqual({ "big-model 200 true": 1 })
    expect(await figureOf(proxy, "retries_total")).toBe(1)
    expect(await figureOf(proxy, "upstream_errors_total", { kind: "api_error" })).toBe(1)
    const waited = (await figureOf(proxy, "upstream_wait_seconds_sum")) ?? -1
    const first = (await figureOf(proxy, "first_token_seconds_sum")) ?? -1
    expect(first).toBeGreaterThanOrEqual(0.399)
    expect(first - waited).toBeGreaterThanOrEqual(0.399)
  })

  test("a stream that breaks off has the status of its error", async () => {
    const { proxy } = start([{ kind: "stream", chunks: [roleChunk(), textChunk("half")], cut: "clean" }])
    expect((await postStream(proxy)).status).toBe(200)
    await until(() => proxy.exchanges.length === 1)
    expect(await requestsOf(proxy)).toEqual({ "big-model 502 true": 1 })
    expect(await figureOf(proxy, "first_token_seconds_count")).toBe(1)
  })

  test("a key that is refused rests", async () => {
    const env = { OPENAI_API_KEY: "sk-upstream-one-1,sk-upstream-two-2" }
    const { proxy } = start([failing(401), good], { env })
    await (await postStream(proxy)).text()
    expect(await requestsOf(proxy)).toEqual({ "big-model 200 true": 1 })
    expect(await figureOf(proxy, "key_rests_total")).toBe(1)
    expect(await textOf(proxy)).not.toContain("sk-upstream")
  })
})

describe("a client that leaves", () => {
  test("is under way until then, and no failure", async () => {
    const never = new Promise<void>(() => {})
    const { proxy } = start(() => ({ kind: "stream", chunks: [textChunk("one"), { until: never }] }))
    const [first, second] = [new AbortController(), new AbortController()]
    const stream = await listen(postStream(proxy, {}, { signal: first.signal }))
    await until(() => stream.text().includes("one"))
    const plain = post(proxy, {}, { signal: second.signal }).catch(() => "left")
    const inFlight = async () => [
      await figureOf(proxy, "requests_in_flight"),
      await figureOf(proxy, "streams_in_flight"),
    ]
    while ((await inFlight())[0] !== 2) await Bun.sleep(5)
    expect(await inFlight()).toEqual([2, 1])
    first.abort()
    second.abort()
    await until(() => proxy.exchanges.length === 2)
    expect(await plain).toBe("left")
    expect(await inFlight()).toEqual([0, 0])
    expect(await requestsOf(proxy)).toEqual({ "big-model cancelled true": 1, "big-model cancelled false": 1 })
    expect(await figureOf(proxy, "upstream_errors_total")).toBeUndefined()
  })
})

describe("requests that are refused before a model is asked", () => {
  const bad = (body: string, path = "/v1/messages", init: BunFetchRequestInit = {}) =>
    [path, { method: "POST", body, ...init }] as const
  test.each<[string, readonly [string, BunFetchRequestInit], string]>([
    ["no JSON", bad("{"), "400"],
    ["no Messages request", bad('{"model":"x"}'), "400"],
    ["an unknown encoding", bad("{}", "/v1/messages", { headers: { "content-encoding": "zip" } }), "400"],
    ["tokens of nothing", bad("{}", "/v1/messages/count_tokens"), "400"],
    ["an unknown path", ["/v2/nothing", {}], "404"],
    ["a wrong method", ["/v1/messages", { method: "GET" }], "405"],
    [
      "nested too deeply",
      bad(`{"model":"m","max_tokens":1,"messages":${"[".repeat(50_000)}${"]".repeat(50_000)}}`),
      "400",
    ],
  ])("%s", async (_name, [path, init], status) => {
    const { proxy, upstream } = start([])
    const reply = await fetch(proxy.url + path, init)
    await reply.text()
    expect(String(reply.status)).toBe(status)
    expect(await requestsOf(proxy)).toEqual({ [`none ${status} none`]: 1 })
    expect(upstream.turns()).toEqual([])
    expect(proxy.exchanges).toEqual([])
  })

  test("a count of tokens that is given is none of them", async () => {
    const { proxy } = start([])
    const body = JSON.stringify({ ...basicBody, max_tokens: undefined } satisfies JsonObject)
    const reply = await fetch(`${proxy.url}/v1/messages/count_tokens`, { method: "POST", body })
    expect(reply.status).toBe(200)
    expect(await requestsOf(proxy)).toEqual({})
  })
})

describe("what a proxy does beside asking", () => {
  test("a model that fails, and another one that answers: who failed, and who was asked again", async () => {
    const places = [chat(() => failing(500)), chat([good])]
    const proxy = chain(places, { env: { MAX_RETRIES: "1" } })
    await (await postStream(proxy, { model: "m0" })).text()
    expect(await requestsOf(proxy)).toEqual({ "u1 200 true": 1 })
    expect(await figureOf(proxy, "fallbacks_total", { from: "u0", to: "u1" })).toBe(1)
    expect(await figureOf(proxy, "retries_total")).toBe(1)
    expect(await figureOf(proxy, "upstream_errors_total", { kind: "api_error" })).toBe(2)
  })

  test("what the response cache had, and what not", async () => {
    const { proxy } = start([whole], { env: { CACHE_ENABLED: "true" } })
    for (let count = 0; count < 3; count++) await (await post(proxy, { temperature: 0 })).text()
    expect(await requestsOf(proxy)).toEqual({ "big-model 200 false": 3 })
    expect(await figureOf(proxy, "cache_misses_total")).toBe(1)
    expect(await figureOf(proxy, "cache_hits_total")).toBe(2)
    // Tokens are those of the one reply that was asked for.
    expect(await figureOf(proxy, "tokens_total", { kind: "output" })).toBe(7)
    expect(await figureOf(proxy, "upstream_wait_seconds_count")).toBe(1)
  })

  test("a failure that equal requests share is no hit", async () => {
    const held = Promise.withResolvers<void>()
    const refused: Turn = { kind: "stream", chunks: [{ until: held.promise }, { error: { code: 400 } }] }
    const { proxy } = start([refused], { env: { CACHE_ENABLED: "true" }, times: { commitMs: 1 } })
    const streams = []
    for (let count = 0; count < 2; count++) {
      const stream = await listen(postStream(proxy, { temperature: 0 }))
      await until(() => stream.text().includes("message_start"))
      streams.push(stream)
    }
    held.resolve()
    for (const { ended, text } of streams) {
      expect(await ended).toBe("complete")
      expect(text()).toContain("event: error")
    }
    expect(await figureOf(proxy, "cache_misses_total")).toBe(1)
    expect(await figureOf(proxy, "cache_hits_total")).toBe(0)
    expect(await figureOf(proxy, "shared_replies_total")).toBe(1)
  })

  test("clients beyond their limit, each by its label", async () => {
    const env = { RATE_LIMIT_REQUESTS_PER_MINUTE: "1", ALLOWED_API_KEYS: "first-key,second-key" }
    const { proxy } = start([whole, whole], { env })
    const as = (key: string) => ({ headers: { "x-api-key": key } })
    for (const key of ["first-key", "second-key", "second-key"]) await (await post(proxy, {}, as(key))).text()
    const text = await textOf(proxy, as("first-key"))
    expect(figure(text, "claude_proxy_rate_limited_total", { client: "key-2" })).toBe(1)
    expect(figure(text, "claude_proxy_rate_limited_total")).toBe(1)
    expect(figure(text, "claude_proxy_requests_total", { model: "none", status: "429" })).toBe(1)
    expect(text).not.toContain("second-key")
  })

  test("a body that is too large", async () => {
    const { proxy } = start([], { env: { MAX_BODY_BYTES: "2000" } })
    expect((await post(proxy, { system: "x".repeat(3_000) })).status).toBe(413)
    expect(await requestsOf(proxy)).toEqual({ "none 413 none": 1 })
  })

  test("more requests at once than it runs", async () => {
    const held = Promise.withResolvers<void>()
    const slow: Turn = {
      kind: "stream",
      chunks: [textChunk("one"), { until: held.promise }, finishChunk("stop")],
    }
    const { proxy } = start([slow], { env: { MAX_CONCURRENT_REQUESTS: "1" } })
    const stream = await listen(postStream(proxy))
    expect((await post(proxy)).status).toBe(529)
    held.resolve()
    expect(await stream.ended).toBe("complete")
    expect(await requestsOf(proxy)).toEqual({ "big-model 200 true": 1, "none 529 none": 1 })
  })
})

test("80 models and a key in place of a model: strict, bounded, and nothing secret", async () => {
  const { proxy } = start(() => failing(400))
  const names = Array.from({ length: 80 }, (_, index) => `openai/m"\\${index}\n🎯`)
  for (const model of names) await (await post(proxy, { model })).text()
  await (await post(proxy, { model: "openai/sk-upstream-key-1" })).text()
  const text = await textOf(proxy)
  expect(figure(text, "claude_proxy_requests_total", { status: "400" })).toBe(81)
  expect(new Set(samplesOf(text).map(({ labels }) => labels["model"])).size).toBe(52)
  expect(text).not.toContain("sk-upstream")
})
