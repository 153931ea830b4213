// GET /test-connection: what it answers, what it costs, and how long it takes at most.
import { afterEach, describe, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { chatReply } from "../support/chunks.ts"
import { until } from "../support/upstream.ts"
import { jsonOf, start, startProxy, stopAll, type TestProxy } from "./support.ts"

afterEach(stopAll)

const good = { kind: "json", body: chatReply({ content: "OK" }) } as const
const bad = {
  kind: "json",
  status: 401,
  body: { error: { message: "Incorrect API key: sk-upstream-key-1" } },
} as const
const ask = (proxy: Pick<TestProxy, "url">) => fetch(`${proxy.url}/test-connection`)
const advice =
  "refuses the key in OPENAI_API_KEY: check that it is whole, not revoked, and made for this host"

const works = (model: string) => ({
  ...{ model, provider: "generic", ok: true, latency_ms: expect.any(Number) },
  ...{ error: null, suggestion: null },
})
const fails = (model: string) => ({
  ...{ model, provider: "generic", ok: false, latency_ms: expect.any(Number) },
  error:
    "[generic] the upstream refused the API key (the key comes from OPENAI_API_KEY): Incorrect API key: [redacted]",
  suggestion: expect.stringContaining(advice),
})
const when = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

test("200 when every model answers, each asked once and plainly", async () => {
  const { upstream, proxy } = start(() => good)
  const response = await ask(proxy)
  expect(response.status).toBe(200)
  expect(await jsonOf(response)).toEqual({
    ...{ status: "success", message: "all 3 models can be reached", model_used: "big-model" },
    ...{ timestamp: when, response_id: expect.stringMatching(/^msg_/) },
    results: { big: works("big-model"), middle: works("middle-model"), small: works("small-model") },
    suggestions: [],
  })
  const sent = upstream.turns().map(({ body }) => [body["model"], body["stream"], body["tools"]])
  expect(sent.toSorted()).toEqual([
    ["big-model", undefined, undefined],
    ["middle-model", undefined, undefined],
    ["small-model", undefined, undefined],
  ])
})

test("207 when some do", async () => {
  const { proxy } = start((body) => (body["model"] === "middle-model" ? good : bad))
  const response = await ask(proxy)
  const json = await jsonOf(response)
  expect([response.status, JSON.stringify(json).includes("sk-upstream")]).toEqual([207, false])
  expect(json).toEqual({
    ...{ status: "partial", message: "1 of 3 models can be reached", model_used: "middle-model" },
    ...{ timestamp: when, response_id: expect.stringMatching(/^msg_/) },
    results: { big: fails("big-model"), middle: works("middle-model"), small: fails("small-model") },
    suggestions: [expect.stringContaining(advice)],
  })
})

test("503 when none does", async () => {
  const { proxy } = start(() => bad, { env: { BIG_MODEL: "one", MIDDLE_MODEL: "one", SMALL_MODEL: "one" } })
  const response = await ask(proxy)
  expect(response.status).toBe(503)
  expect(await jsonOf(response)).toEqual({
    ...{ status: "failed", message: "the model cannot be reached", model_used: "one" },
    ...{ timestamp: when, response_id: null },
    results: { big: fails("one"), middle: fails("one"), small: fails("one") },
    suggestions: [expect.stringContaining(advice)],
  })
})

test("routes are among the results, and ask for nothing that a tier has asked", async () => {
  const { upstream, proxy } = start(() => good, {
    env: { ROUTER_THINK: "big-model", ROUTER_BACKGROUND: "tiny" },
  })
  const { results } = await jsonOf(ask(proxy))
  expect(Object.keys(objectOf(results)).toSorted()).toEqual(["background", "big", "middle", "small", "think"])
  expect(objectOf(objectOf(results)["small"])["model"]).toBe("tiny")
  expect(upstream.turns()).toHaveLength(3)
})

test("failures are not tried again: they are what is asked for", async () => {
  const turn = { kind: "json", status: 503, body: { error: { message: "overloaded" } } } as const
  const { upstream, proxy } = start(() => turn, {
    env: { MIDDLE_MODEL: "big-model", SMALL_MODEL: "big-model" },
  })
  expect((await ask(proxy)).status).toBe(503)
  expect(upstream.turns()).toHaveLength(1)
})

test("requests at the same time, and soon after, share one answer", async () => {
  const { upstream, proxy } = start(() => good)
  const first = await Promise.all([ask(proxy), ask(proxy), ask(proxy)].map((one) => jsonOf(one)))
  const soon = await jsonOf(ask(proxy))
  expect(new Set([...first, soon].map((json) => json["response_id"])).size).toBe(1)
  expect(upstream.turns()).toHaveLength(3)
})

test("some seconds later there is a new answer", async () => {
  const { upstream, proxy } = start(() => good, { speed: 50 })
  await ask(proxy)
  await Bun.sleep(150)
  await ask(proxy)
  expect(upstream.turns()).toHaveLength(6)
})

test("it never hangs, whatever the upstream does", async () => {
  const { upstream, proxy } = start(() => ({ kind: "stall" }), { speed: 60 })
  const begun = performance.now()
  const response = await ask(proxy)
  expect(response.status).toBe(503)
  expect(performance.now() - begun).toBeLessThan(10_000)
  const big = objectOf(objectOf((await jsonOf(response))["results"])["big"])
  expect(big["error"]).toBe("no complete reply within 30 s")
  await until(() => upstream.inFlight() === 0)
})

describe("who may ask", () => {
  test("whoever has a client key", async () => {
    const { upstream, proxy } = start(() => good, { env: { ALLOWED_API_KEYS: "right-key" } })
    expect((await ask(proxy)).status).toBe(401)
    expect(upstream.requests).toEqual([])
    const headers = { "x-api-key": "right-key" }
    expect((await fetch(`${proxy.url}/test-connection`, { headers })).status).toBe(200)
  })

  test("by GET alone", async () => {
    const proxy = startProxy("http://127.0.0.1:9/v1")
    const response = await fetch(`${proxy.url}/test-connection`, { method: "POST" })
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"])
  })
})

test("its requests are accounted for like all others", async () => {
  const { proxy } = start(() => good)
  await ask(proxy)
  expect(proxy.exchanges.map(({ outcome }) => outcome.kind)).toEqual(["completed", "completed", "completed"])
})
