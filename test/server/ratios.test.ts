// How each model counts, learnt from what it reports: the numbers, and where they come to bear.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { applyDelta, baseProfile } from "../../src/providers/base-profile.ts"
import { createRatios } from "../../src/server/ratios.ts"
import { startServer } from "../../src/server/server.ts"
import { estimateRequest, estimateText } from "../../src/tokens/estimate.ts"
import { configFrom, removeFolders } from "../config/support.ts"
import { createMessagesUpstream } from "../support/anthropic-upstream.ts"
import { chatReply, finishChunk, textChunk, usageChunk } from "../support/chunks.ts"
import { property } from "../support/random.ts"
import { proxiesFor } from "../support/responses/proxy.ts"
import { until } from "../support/upstream.ts"
import {
  cleanUp,
  eventsOf,
  jsonOf,
  post,
  postStream,
  scripted,
  start,
  stopAll,
  type TestProxy,
} from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const route = (model: string, contextWindow: number | null = null, provider = "generic") => ({
  ...{ provider, model, profile: applyDelta(baseProfile, { contextWindow }) },
})
const silent = { log: { debug: () => {} } }
const one = route("one")

describe("the ratio of a model", () => {
  test("is one until something is known, and the first large prompt is believed at once", () => {
    const ratios = createRatios(silent)
    expect(ratios.correct(one, 1000)).toBe(1000)
    expect(ratios.isSure(one)).toBe(false)
    ratios.learn(one, 10_000, 13_000)
    expect(ratios.correct(one, 1000)).toBe(1300)
    expect(ratios.isSure(one)).toBe(true)
  })

  test("belongs to one model of one provider", () => {
    const ratios = createRatios(silent)
    ratios.learn(one, 10_000, 13_000)
    for (const other of [route("two"), route("one", null, "openai")]) {
      expect(ratios.correct(other, 1000)).toBe(1000)
      expect(ratios.isSure(other)).toBe(false)
    }
  })

  test("follows what comes later, by a quarter of the difference", () => {
    const ratios = createRatios(silent)
    for (let at = 0; at < 10; at++) ratios.learn(one, 10_000, 10_000)
    ratios.learn(one, 10_000, 14_000)
    expect(ratios.correct(one, 1000)).toBe(1100)
    for (let at = 0; at < 30; at++) ratios.learn(one, 10_000, 14_000)
    expect(ratios.correct(one, 1000)).toBe(1400)
  })

  test("is moved little by a small prompt, whatever it says", () => {
    const ratios = createRatios(silent)
    ratios.learn(one, 800, 1600)
    expect(ratios.correct(one, 1000)).toBe(1100)
    expect(ratios.isSure(one)).toBe(false)
    ratios.learn(one, 8_000, 8_000)
    expect(ratios.correct(one, 1000)).toBeLessThan(1100)
    expect(ratios.isSure(one)).toBe(true)
  })

  test.each<[string, number, number]>([
    ["a prompt of less than 500 tokens", 499, 700],
    ["a prompt that was cut", 10_000, 3_900],
    ["a count that is no prompt's", 10_000, 41_000],
    ["nothing", 10_000, 0],
  ])("is not learnt from %s", (_name, estimate, reported) => {
    const ratios = createRatios(silent)
    ratios.learn(one, estimate, reported)
    expect(ratios.correct(one, 1000)).toBe(1000)
  })

  test("is not learnt from what does not fit, which may have been cut", () => {
    const ratios = createRatios(silent)
    const small = route("small", 32_768)
    ratios.learn(small, 50_000, 32_768)
    expect(ratios.correct(small, 1000)).toBe(1000)
    ratios.learn(small, 30_000, 33_000)
    expect(ratios.correct(small, 1000)).toBe(1100)
  })

  test("is said at DEBUG, and nowhere else", () => {
    const said: unknown[] = []
    const ratios = createRatios({ log: { debug: (message, fields) => said.push(message, fields?.()) } })
    ratios.learn(one, 10_000, 13_000)
    expect(said).toEqual([
      "token ratio",
      { provider: "generic", model: "one", ratio: 1.3, estimate: 10_000, reported: 13_000 },
    ])
  })

  test("is forgotten of the model that was not used for the longest time", () => {
    const ratios = createRatios({ ...silent, limit: 2 })
    ratios.learn(one, 10_000, 13_000)
    ratios.learn(route("two"), 10_000, 13_000)
    ratios.correct(one, 1)
    ratios.learn(route("three"), 10_000, 13_000)
    expect(["one", "two", "three"].map((model) => ratios.isSure(route(model)))).toEqual([true, false, true])
  })

  property("whatever is reported, it stays between a half and two", 200, (random) => {
    const ratios = createRatios(silent)
    for (let at = 0; at < 20; at++) ratios.learn(one, random.integer(1, 200_000), random.integer(0, 400_000))
    const corrected = ratios.correct(one, 1_000_000)
    expect(corrected).toBeGreaterThanOrEqual(500_000)
    expect(corrected).toBeLessThanOrEqual(2_000_000)
  })
})

const text = "The quick brown fox jumps over the lazy dog and reads the file again. ".repeat(800)
const body = { messages: [{ role: "user", content: text }] }
const estimate = estimateRequest({ messages: [{ role: "user", content: [{ type: "text", text }] }] })
const half = Math.round(estimate * 1.5)

/** Counts half as many tokens again as we do. */
const counting = (given: JsonObject) =>
  given["stream"] === true
    ? ({ kind: "stream", chunks: [textChunk("a"), finishChunk("stop"), usageChunk(half, 2)] } as const)
    : ({
        kind: "json",
        body: chatReply({ content: "a" }, "stop", { prompt_tokens: half, completion_tokens: 2 }),
      } as const)

/** The estimate that a message begins with. */
async function beginning(proxy: Pick<TestProxy, "url">, more: JsonObject = {}): Promise<unknown> {
  const [first] = await eventsOf(postStream(proxy, { ...body, ...more }))
  return objectOf(objectOf(first?.["message"])["usage"])["input_tokens"]
}

const count = async (proxy: Pick<TestProxy, "url">, model = "claude-opus-5-5"): Promise<unknown> => {
  const init = { method: "POST", body: JSON.stringify({ ...body, model }) }
  return (await jsonOf(fetch(`${proxy.url}/v1/messages/count_tokens`, init)))["input_tokens"]
}

describe("what was learnt", () => {
  test.each([true, false])(
    "corrects what later messages begin with, and count_tokens; streamed: %p",
    async (stream) => {
      const { proxy } = start(counting)
      expect(await count(proxy)).toBe(estimate)
      await (await post(proxy, { ...body, stream })).text()
      await until(() => proxy.exchanges.length === 1)
      expect(await beginning(proxy)).toBe(half)
      expect(await count(proxy)).toBe(half)
      expect(await count(proxy, "claude-haiku-5-5")).toBe(estimate)
      expect(
        proxy.logs.filter(({ message }) => message === "token ratio").map(({ level }) => level),
      ).toContain("debug")
    },
  )

  test("corrects the estimates of requests whose usage is not reported", async () => {
    const answer = "The answer to it all. ".repeat(50)
    const { proxy } = start((given, turn) =>
      turn === 0 ? counting(given) : { kind: "stream", chunks: [textChunk(answer), finishChunk("stop")] },
    )
    for (let turn = 0; turn < 2; turn++) await (await postStream(proxy, body)).text()
    await until(() => proxy.exchanges.length === 2)
    expect(proxy.exchanges[1]).toMatchObject({
      estimated: true,
      usage: { input_tokens: half, output_tokens: Math.round(estimateText(answer) * 1.5) },
    })
  })

  const picture = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }
  test.each<[string, JsonObject]>([
    ["with a picture in it", { messages: [{ role: "user", content: [picture, { type: "text", text }] }] }],
    ["with a search in it", { tools: [{ type: "web_search_20250305", name: "web_search" }] }],
  ])("is nothing from a prompt %s", async (_name, more) => {
    const upstream = scripted(counting)
    const place = { id: "mine", url: upstream.url, provider: "openrouter", model: "x" }
    const proxy = proxiesFor([place])()
    await (await postStream(proxy, { ...body, ...more, model: "mine" })).text()
    await until(() => proxy.exchanges.length === 1)
    expect(proxy.exchanges[0]?.usage.input_tokens).toBe(half)
    expect(proxy.logs.filter(({ message }) => message === "token ratio")).toEqual([])
  })

  test("corrects the count of a model that is passed through to, where its upstream has none", async () => {
    const usage = { input_tokens: half, output_tokens: 2 }
    const reply = JSON.stringify({ type: "message", content: [{ type: "text", text: "a" }], usage })
    const turn = { headers: { "content-type": "application/json" }, steps: [reply] }
    const upstream = createMessagesUpstream([turn, { status: 404, steps: ["{}"] }])
    cleanUp(upstream.stop)
    const address = upstream.url.replace("/v1/messages", "")
    const proxy = proxiesFor([
      { id: "mine", url: address, provider: "generic", model: "m", more: { direct: true } },
    ])()
    expect(await jsonOf(post(proxy, { ...body, model: "mine" }))).toMatchObject({ usage })
    expect(await count(proxy, "mine")).toBe(half)
    expect(upstream.calls.map(({ path }) => path)).toEqual(["/v1/messages", "/v1/messages/count_tokens"])
  })

  test("outlives a change of the configuration", async () => {
    const upstream = scripted(counting)
    const config = configFrom({
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: "sk-1",
      PORT: "0",
      BIG_MODEL: "big",
    })
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
    const server = startServer({ config, log, version: "0.0.0-test", onExchange: () => {} })
    cleanUp(() => server.stop(0))
    await (await postStream(server, body)).text()
    server.reload({ ...config, defaultMaxTokens: 100 })
    expect(await beginning(server)).toBe(half)
  })
})

test("what a model turned out to count decides whether a request is long", async () => {
  const text = "The quick brown fox jumps over the lazy dog and reads the file again. ".repeat(800)
  const body = { messages: [{ role: "user", content: text }] }
  const usage = { prompt_tokens: 17_400, completion_tokens: 2 }
  const upstream = scripted(() => ({ kind: "json", body: chatReply({ content: "a" }, "stop", usage) }))
  const place = { url: upstream.url, provider: "vllm" }
  const places = [
    { ...place, id: "small", model: "s", more: { max_input_tokens: 16_384 } },
    { ...place, id: "large", model: "l" },
  ]
  const proxy = proxiesFor(places, { ROUTER_DEFAULT: "small", ROUTER_LONG_CONTEXT: "large" })()
  for (let turn = 0; turn < 2; turn++) await jsonOf(post(proxy, body))
  expect(upstream.turns().map(({ body: sent }) => sent["model"])).toEqual(["s", "l"])
})
