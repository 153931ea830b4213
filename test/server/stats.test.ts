// GET /v1/stats, and what a request leaves behind for it.
import { afterEach, describe, expect, test } from "bun:test"
import { type AllTime, emptyTally } from "../../src/observe/stats.ts"
import { objectOf } from "../../src/protocol/json.ts"
import { nativeStream } from "../support/anthropic-upstream.ts"
import { chatReply } from "../support/chunks.ts"
import { failed as failedOutcome } from "../support/exchanges.ts"
import type { Turn } from "../support/script.ts"
import { send, startDirect } from "./direct-support.ts"
import { eventsOf, jsonOf, post, postStream, start, startProxy, stopAll, type TestProxy } from "./support.ts"

afterEach(stopAll)

const nowhere = "http://127.0.0.1:9/v1"
const noPrices: Readonly<Record<string, string>> = {}
const prices: Readonly<Record<string, string>> = {
  DEFAULT_INPUT_COST_PER_TOKEN: "0.001",
  DEFAULT_OUTPUT_COST_PER_TOKEN: "0.002",
}
const counts = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 40 },
  completion_tokens_details: { reasoning_tokens: 8 },
}

const answered = (more = {}): Turn => ({
  kind: "json",
  body: { ...chatReply({ content: "hi" }), usage: { ...counts, ...more } },
})

const refusal: Turn = { kind: "json", status: 401, body: { error: { message: "wrong key" } } }

const statsOf = (proxy: Pick<TestProxy, "url">, init: RequestInit = {}) =>
  jsonOf(fetch(`${proxy.url}/v1/stats`, init))

const promised = [
  ...["session_start_time", "session_duration_seconds", "total_requests", "total_input_tokens"],
  ...["total_output_tokens", "total_tokens", "total_cache_read_tokens", "total_cache_creation_tokens"],
  ...["total_reasoning_tokens", "total_cost_usd", "model_usage_count"],
]

test("the keys, before anything has happened", async () => {
  const stats = await statsOf(startProxy(nowhere))
  expect(Object.keys(stats).toSorted()).toEqual(
    [
      ...promised,
      ...["cost_known_requests", "cost_unknown_requests", "failed_requests", "estimated_requests"],
      ...["models", "sessions", "agents", "clients", "all_time"],
    ].toSorted(),
  )
  expect(stats).toMatchObject({
    session_start_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    session_duration_seconds: expect.any(Number),
    total_requests: 0,
    total_tokens: 0,
    total_cost_usd: 0,
    cost_known_requests: 0,
    cost_unknown_requests: 0,
    model_usage_count: {},
    models: {},
    sessions: {},
    agents: {},
    clients: {},
    all_time: null,
  })
})

test("requests, tokens and cost, by model, session, agent and client", async () => {
  const env = { ...prices, ALLOWED_API_KEYS: "sk-first-client-key,sk-second-client-key" }
  const { proxy } = start(() => answered(), { env })
  const headers = {
    authorization: "Bearer sk-second-client-key",
    "x-claude-code-session-id": "5e551044-0000-4000-8000-000000000001",
  }
  await (await post(proxy, {}, { headers })).text()
  await (
    await post(proxy, { model: "haiku" }, { headers: { ...headers, "x-claude-code-agent-id": "a1" } })
  ).text()
  const row = {
    requests: 1,
    failed_requests: 0,
    input_tokens: 100,
    output_tokens: 20,
    cache_read_tokens: 40,
    cache_creation_tokens: 0,
    reasoning_tokens: 8,
    cost_usd: 0.14,
    cost_known_requests: 1,
    cost_unknown_requests: 0,
    estimated_requests: 0,
  }
  const both = {
    ...row,
    ...{ requests: 2, input_tokens: 200, output_tokens: 40, cache_read_tokens: 80 },
    ...{
      reasoning_tokens: 16,
      cost_usd: 0.28,
      cost_known_requests: 2,
      last_used: expect.stringMatching(/Z$/),
    },
  }
  const text = await (await fetch(`${proxy.url}/v1/stats`, { headers })).text()
  expect(JSON.parse(text)).toEqual({
    session_start_time: expect.any(String),
    session_duration_seconds: expect.any(Number),
    total_requests: 2,
    total_input_tokens: 200,
    total_output_tokens: 40,
    total_tokens: 240,
    total_cache_read_tokens: 80,
    total_cache_creation_tokens: 0,
    total_reasoning_tokens: 16,
    total_cost_usd: 0.28,
    cost_known_requests: 2,
    cost_unknown_requests: 0,
    failed_requests: 0,
    estimated_requests: 0,
    model_usage_count: { "big-model": 1, "small-model": 1 },
    models: { "generic/big-model": row, "generic/small-model": row },
    sessions: { "5e551044-0000-4000-8000-000000000001": both },
    agents: { a1: { ...row, last_used: expect.any(String) } },
    clients: { "key-2": both },
    all_time: null,
  })
  expect(text).not.toContain("client-key")
})

describe("access", () => {
  test("a client key is needed where one is asked for", async () => {
    const proxy = startProxy(nowhere, { env: { ALLOWED_API_KEYS: "sk-first-client-key" } })
    expect((await fetch(`${proxy.url}/v1/stats`)).status).toBe(401)
    const headers = { "x-api-key": "sk-first-client-key" }
    expect((await fetch(`${proxy.url}/v1/stats`, { headers })).status).toBe(200)
  })

  test("POST is not allowed", async () => {
    const response = await fetch(`${startProxy(nowhere).url}/v1/stats`, { method: "POST" })
    expect(response.status).toBe(405)
    expect(response.headers.get("allow")).toBe("GET, HEAD, OPTIONS")
  })
})

describe("the cost of a request", () => {
  test.each([
    [
      "the provider's word counts before prices",
      { cost: 0.5 },
      prices,
      { costUsd: 0.5, costFrom: "provider" },
    ],
    ["a zero of the provider's does not", { cost: 0 }, prices, { costUsd: 0.14, costFrom: "prices" }],
    ["prices", { cost: undefined }, prices, { costUsd: 0.14, costFrom: "prices" }],
    ["nobody knows", { cost: undefined }, noPrices, { costUsd: undefined, costFrom: undefined }],
  ] as const)("%s", async (_, more, env, expected) => {
    const { proxy } = start(() => answered(more), { env })
    expect(await (await post(proxy)).text()).not.toContain("cost")
    const [exchange] = proxy.exchanges
    expect({ costUsd: exchange?.costUsd, costFrom: exchange?.costFrom }).toEqual(expected)
  })

  test("what is not known is null, never nothing", async () => {
    const { proxy } = start(() => answered())
    await (await post(proxy)).text()
    const stats = await statsOf(proxy)
    expect(stats).toMatchObject({ total_cost_usd: 0, cost_known_requests: 0, cost_unknown_requests: 1 })
    expect(objectOf(objectOf(stats["models"])["generic/big-model"])).toMatchObject({
      cost_usd: null,
      cost_unknown_requests: 1,
    })
  })

  test("a request that was refused used nothing", async () => {
    const { proxy } = start(() => refusal, { env: { ...prices, MAX_RETRIES: "0" } })
    await (await post(proxy)).text()
    expect(proxy.exchanges[0]?.outcome.kind).toBe(failedOutcome.kind)
    expect(await statsOf(proxy)).toMatchObject({
      ...{ total_requests: 1, failed_requests: 1, estimated_requests: 0 },
      ...{ total_tokens: 0, total_cost_usd: 0, cost_unknown_requests: 0 },
    })
  })

  test("a stream tells it at its end", async () => {
    const chunks = [
      { choices: [{ index: 0, delta: { content: "hi" } }] },
      { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
      { choices: [], usage: { ...counts, cost_in_usd_ticks: 2_500_000_000 } },
    ]
    const { proxy } = start(() => ({ kind: "stream", chunks }))
    expect(JSON.stringify(await eventsOf(postStream(proxy)))).not.toContain("cost")
    expect(proxy.exchanges[0]).toMatchObject({ costUsd: 0.25, costFrom: "provider" })
  })

  test("so does an upstream that is passed through", async () => {
    const usage = { input_tokens: 5, output_tokens: 7, cost: 0.75 }
    const message = { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], usage }
    const json = { "content-type": "application/json" }
    const { url, exchanges } = startDirect([{ headers: json, steps: [JSON.stringify(message)] }])
    const body = '{"model":"opus","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
    await (await send({ url }, body)).text()
    expect(exchanges[0]).toMatchObject({ costUsd: 0.75, costFrom: "provider" })
  })
})

describe("who asked", () => {
  const userId = JSON.stringify({ device_id: "d", session_id: "5e551044-0000-4000-8000-000000000002" })

  test("a session may be named in the body", async () => {
    const { proxy } = start(() => answered())
    await (await post(proxy, { metadata: { user_id: userId } })).text()
    expect(proxy.exchanges[0]).toMatchObject({ session: "5e551044-0000-4000-8000-000000000002" })
    expect(proxy.exchanges[0]?.agent).toBe(undefined)
    expect(proxy.exchanges[0]?.client).toBe(undefined)
  })

  test("also of a request that is passed through", async () => {
    const { url, exchanges } = startDirect([{ steps: [nativeStream("hi")] }])
    const body = { model: "opus", max_tokens: 9, stream: true, messages: [{ role: "user", content: "hi" }] }
    await (await send({ url }, JSON.stringify({ ...body, metadata: { user_id: userId } }))).text()
    expect(exchanges[0]).toMatchObject({ session: "5e551044-0000-4000-8000-000000000002" })
  })

  test("secrets, control characters and long texts are no names", async () => {
    const { proxy } = start(() => answered())
    const named = (name: string) => post(proxy, {}, { headers: { "x-claude-code-session-id": name } })
    for (const name of ["my sk-upstream-key-1", "é\u0085 b", "x".repeat(5_000), " "])
      await (await named(name)).text()
    const sessions = proxy.exchanges.map(({ session }) => session)
    expect(sessions).toEqual(["my [redacted]", "b", "x".repeat(64), undefined])
  })

  test("a key that a client sends for a model's name is not shown to the others", async () => {
    const { proxy } = start(() => answered())
    for (const model of ["sk-upstream-key-1", "sk-another-key-of-a-client"])
      await (await post(proxy, { model })).text()
    const stats = await statsOf(proxy)
    expect(JSON.stringify(stats)).not.toContain("key-")
    expect(stats).toMatchObject({
      model_usage_count: { "[redacted]": 2 },
      models: { "generic/[redacted]": { requests: 2, input_tokens: 200 } },
    })
  })
})

describe("what was kept", () => {
  const tally = { ...emptyTally, requests: 3, inputTokens: 30, costUsd: 0.1 + 0.2, costKnown: 3 }
  const allTime: AllTime = {
    since: "2026-01-31",
    total: tally,
    models: [{ provider: "openai", model: "gpt-4o", tally }],
  }
  const history = (kept: AllTime | undefined) => ({
    record: () => {},
    use: () => {},
    allTime: async () => kept,
  })

  test("stands beside the session's own figures", async () => {
    const stats = await statsOf(startProxy(nowhere, { history: history(allTime) }))
    expect(stats["total_requests"]).toBe(0)
    expect(stats["all_time"]).toMatchObject({
      since: "2026-01-31",
      total_requests: 3,
      total_cost_usd: 0.3,
      models: { "openai/gpt-4o": { requests: 3, input_tokens: 30, cost_usd: 0.3 } },
    })
  })

  test("is null where it cannot be had", async () => {
    expect((await statsOf(startProxy(nowhere, { history: history(undefined) })))["all_time"]).toBe(null)
  })
})
