// How each model counts, learnt from what it reports: the numbers, and where they come to bear.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import type { ChatMessage } from "../../src/protocol/chat/chat.ts"
import { arrayOf, type JsonObject, objectOf, textOf } from "../../src/protocol/json.ts"
import { applyDelta, baseProfile } from "../../src/providers/base-profile.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"
import type { Route } from "../../src/providers/route.ts"
import { createRatios } from "../../src/server/learned/ratios.ts"
import {
  learnPrompt,
  measurePrompt,
  mostTokens,
  promptTokens,
  settlePrompt,
} from "../../src/server/request/prompt.ts"
import { measureSent } from "../../src/server/request/sent.ts"
import { weighBody } from "../../src/server/request/weight.ts"
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
const routeWith = (delta: ProfileDelta): Route => ({
  ...{ provider: "generic", url: "https://upstream.test/v1/messages", apiKeys: [], apiKey: undefined },
  ...{ keyName: "K", model: "m", requestedModel: "m", headers: {}, defaults: {}, tuning: false },
  ...{
    prices: undefined,
    fallbacks: [],
    reason: "test",
    routed: false,
    profile: applyDelta(baseProfile, delta),
  },
})
const silent = { log: { debug: () => {} } }
const one = route("one")

describe("the ratio of a model", () => {
  test("is one until something is known, and the first large prompt is believed at once", () => {
    const ratios = createRatios(silent)
    expect(ratios.correct(one, 1000)).toBe(1000)
    expect(ratios.isSure(one)).toBe(false)
    ratios.learn(one, 30_000, 39_000)
    expect(ratios.correct(one, 1000)).toBe(1300)
  })

  test("is relied upon when three prompts agree, of 30,000 tokens or more together", () => {
    const ratios = createRatios(silent)
    for (const isSure of [false, false, true]) {
      ratios.learn(one, 30_000, 39_000)
      expect(ratios.isSure(one)).toBe(isSure)
    }
    const two = route("two")
    for (const isSure of [false, false, false, true]) {
      ratios.learn(two, 8_000, 13_000)
      expect(ratios.isSure(two)).toBe(isSure)
    }
  })

  test("is settled when enough was seen, even of what is not believed", () => {
    const ratios = createRatios(silent)
    for (const isSettled of [false, false, true]) {
      ratios.learn(one, 30_000, 300)
      expect(ratios.isSettled(one)).toBe(isSettled)
    }
    expect(ratios.isSure(one)).toBe(false)
    expect(ratios.correct(one, 1000)).toBe(1000)
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
    for (let at = 0; at < 10; at++) ratios.learn(one, 30_000, 30_000)
    ratios.learn(one, 30_000, 42_000)
    expect(ratios.correct(one, 1000)).toBe(1100)
    for (let at = 0; at < 30; at++) ratios.learn(one, 30_000, 42_000)
    expect(ratios.correct(one, 1000)).toBe(1400)
  })

  test("is moved little by a small prompt, whatever it says", () => {
    const ratios = createRatios(silent)
    ratios.learn(one, 3_000, 6_000)
    expect(ratios.correct(one, 1000)).toBe(1100)
    ratios.learn(one, 30_000, 30_000)
    expect(ratios.correct(one, 1000)).toBeLessThan(1100)
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
    ratios.learn(one, 30_000, 39_000)
    expect(said).toEqual([
      "token ratio",
      { provider: "generic", model: "one", ratio: 1.3, estimate: 30_000, reported: 39_000 },
    ])
  })

  test("is forgotten of the model that was not used for the longest time", () => {
    const ratios = createRatios({ ...silent, limit: 2 })
    ratios.learn(one, 30_000, 39_000)
    ratios.learn(route("two"), 30_000, 39_000)
    ratios.correct(one, 1)
    ratios.learn(route("three"), 30_000, 39_000)
    const corrected = ["one", "three", "two"].map((model) => ratios.correct(route(model), 10))
    expect(corrected).toEqual([13, 13, 10])
  })

  property("whatever is reported, it stays between a half and two", 200, (random) => {
    const ratios = createRatios(silent)
    for (let at = 0; at < 20; at++) ratios.learn(one, random.integer(1, 200_000), random.integer(0, 400_000))
    const corrected = ratios.correct(one, 1_000_000)
    expect(corrected).toBeGreaterThanOrEqual(500_000)
    expect(corrected).toBeLessThanOrEqual(2_000_000)
  })
})

const text = "The quick brown fox jumps over the lazy dog and reads the file again. ".repeat(2_400)
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
  for (let turn = 0; turn < 3; turn++) await jsonOf(post(proxy, body))
  expect(upstream.turns().map(({ body: sent }) => sent["model"])).toEqual(["s", "s", "l"])
})

describe("what is no measure of the text", () => {
  const line = "The quick brown fox jumps over the lazy dog and reads the file again. "
  const asking = (tokens: number) => ({
    ...{ model: "mine", max_tokens: 8_000 },
    messages: [{ role: "user", content: line.repeat(Math.round(tokens / 15)) }],
  })

  /** A model with a window of 128,000 that counts `more` besides its prompt. */
  function counted(more: number) {
    const upstream = scripted((given) => {
      const texts = arrayOf(given["messages"]).map((message) => textOf(objectOf(message)["content"]) ?? "")
      const prompt = texts.reduce((sum, each) => sum + estimateText(each), more)
      const usage = { prompt_tokens: prompt, completion_tokens: 2 }
      return { kind: "json", body: chatReply({ content: "a" }, "stop", usage) }
    })
    const place = { url: upstream.url, provider: "vllm", model: "m", more: { max_input_tokens: 128_000 } }
    return { upstream, proxy: proxiesFor([{ ...place, id: "mine" }])() }
  }

  test.each([1, 12])(
    "5,000 tokens nobody sees, in %d prompts of 8,000, refuse none of 90,000",
    async (times) => {
      const { upstream, proxy } = counted(5_000)
      for (let turn = 0; turn < times; turn++) await jsonOf(post(proxy, asking(8_000)))
      expect((await post(proxy, asking(90_000))).status).toBe(200)
      expect(upstream.turns().length).toBe(times + 1)
    },
  )

  test("thinking that is not sent on changes no later count", async () => {
    const { proxy } = counted(0)
    const before = Number(await count(proxy, "mine"))
    const thought = [
      { type: "thinking", thinking: line.repeat(1_000), signature: "s" },
      { type: "text", text: "Yes." },
    ]
    const [question] = asking(20_000).messages
    const messages = [question, { role: "assistant", content: thought }, { role: "user", content: "Go on." }]
    for (let turn = 0; turn < 5; turn++) await jsonOf(post(proxy, { model: "mine", messages }))
    await until(() => proxy.logs.some(({ message }) => message === "token ratio"))
    expect(Math.abs(Number(await count(proxy, "mine")) / before - 1)).toBeLessThan(0.03)
  })

  test.each<[string, number]>([
    ["believed", 60_000],
    ["not believed", 400],
  ])("what is passed through is estimated three times for this, and no more: %s", (_name, reported) => {
    const ratios = createRatios(silent)
    let estimates = 0
    const tokens = () => {
      estimates++
      return 50_000
    }
    const direct = routeWith({ dialect: "messages" })
    for (let turn = 0; turn < 10; turn++)
      learnPrompt(measurePrompt({ body, tokens }, direct, ratios), reported)
    expect(estimates).toBe(3)
  })
})

property("no prompt without tools has more tokens than bytes", 300, (random) => {
  const letters = ["a", "Z", "7", " ", "\n", "🎯", "漢", "ß", "\u0000", "{", '"', "__", "é", "한", "\u200d"]
  const text = () => Array.from({ length: random.integer(0, 40) }, () => random.pick(letters)).join("")
  const call = () =>
    ({ id: text(), type: "function", function: { name: text(), arguments: text() } }) as const
  const message = (): ChatMessage => {
    if (random.chance(0.3)) return { role: "assistant", content: null, tool_calls: [call(), call()] }
    return { role: "user", content: random.chance(0.5) ? text() : [{ type: "text", text: text() }] }
  }
  const body = { model: "m", messages: Array.from({ length: random.integer(1, 5) }, message) }
  expect(measureSent(body).tokens).toBeLessThanOrEqual(2 * weighBody(body).atMost)
})

describe("a prompt whose reply has begun", () => {
  const words = "These are words of a prompt. ".repeat(4_000)
  const picture = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }
  const asked = (content: unknown): JsonObject => ({ model: "m", messages: [{ role: "user", content }] })
  const sentAs = (content: string) => ({
    model: "m",
    messages: [{ role: "user" as const, content }],
  })

  test.each<[string, unknown, string | undefined]>([
    ["sent as it is", words, words],
    ["sent with less", words, words.slice(0, words.length / 2)],
    ["sent with more", words, words + words],
    ["passed through", words, undefined],
    ["with a picture", [{ type: "text", text: words }, picture], words],
  ])("teaches the same without its words: %s", (_name, content, sent) => {
    const body = asked(content)
    const converted = sent === undefined ? undefined : { body: sentAs(sent), responses: undefined }
    const learned = [false, true].map((settled) => {
      const ratios = createRatios(silent)
      let gone = false
      const tokens = (): number => {
        if (gone) throw new Error("the words are gone")
        return estimateText(words)
      }
      const prompt = measurePrompt({ body, tokens, countText: estimateText }, routeWith({}), ratios)
      const before = promptTokens(prompt)
      prompt.sent = converted
      if (settled) {
        settlePrompt(prompt)
        settlePrompt(prompt)
        gone = true
        expect(prompt.sent).toBeUndefined()
        expect(prompt.counted.body).toEqual({})
      }
      learnPrompt(prompt, estimateText(words) * 1.3)
      return [before, promptTokens(prompt), mostTokens(prompt), ratios.correct(routeWith({}), 100_000)]
    })
    expect(learned[1]).toEqual(learned[0] ?? [])
  })
})
