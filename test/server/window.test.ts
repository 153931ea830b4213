// The model's real window: what cannot fit is refused before it is sent, and what fits gets the room there is.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { convertMessagesBody } from "../../src/commands/convert/request.ts"
import { bodyOf } from "../../src/convert/request/body-of.ts"
import { convertRequest } from "../../src/convert/request/request.ts"
import { isObject, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { MessagesRequest } from "../../src/protocol/messages/messages.ts"
import { applyDelta, baseProfile } from "../../src/providers/base-profile.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"
import type { Route } from "../../src/providers/route.ts"
import { unlearnt } from "../../src/server/learned/ratios.ts"
import { fitWindow } from "../../src/server/request/fit.ts"
import { type MeasuredPrompt, measurePrompt } from "../../src/server/request/prompt.ts"
import { measureSent } from "../../src/server/request/sent.ts"
import { weighBody } from "../../src/server/request/weight.ts"
import { estimateRequest } from "../../src/tokens/estimate.ts"
import { configFrom, folderWith, removeFolders } from "../config/support.ts"
import { anyTextTurn } from "../e2e/session.ts"
import { createMessagesUpstream, nativeStream } from "../support/anthropic-upstream.ts"
import { chatReply, finishChunk, textChunk, usageChunk } from "../support/chunks.ts"
import { environmentFor } from "../support/conversation-plan.ts"
import { property } from "../support/random.ts"
import { messageItem } from "../support/responses/items.ts"
import { proxiesFor, startResponses } from "../support/responses/proxy.ts"
import { until } from "../support/upstream.ts"
import { samples } from "../tokens/samples.ts"
import { cleanUp, eventsOf, jsonOf, post, postStream, scripted, startProxy, stopAll } from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const limits = { defaultMaxTokens: 8192, minTokensLimit: 1, maxTokensLimit: undefined }

function routeWith(delta: ProfileDelta): Route {
  return {
    ...{
      provider: "generic",
      url: "https://upstream.test/v1/chat/completions",
      apiKeys: [],
      apiKey: undefined,
    },
    ...{ keyName: "K", model: "m", requestedModel: "m", headers: {}, defaults: {}, tuning: false },
    ...{
      prices: undefined,
      fallbacks: [],
      reason: "test",
      routed: false,
      profile: applyDelta(baseProfile, delta),
    },
  }
}

interface Wanted {
  readonly window: number | null
  readonly tokens: number
  readonly reply: number
  readonly sure?: boolean
  readonly delta?: ProfileDelta
  readonly more?: JsonObject
  /** Of what is sent; by default all that the client said. */
  readonly sentTokens?: number
  readonly hasMedia?: boolean
  /** Without the correction, where there is one. */
  readonly estimate?: number
}

function fitted(wanted: Wanted) {
  const { window, tokens, reply, sure = false, delta = {}, more = {}, hasMedia = false } = wanted
  const estimate = wanted.estimate ?? tokens
  const sentTokens = wanted.sentTokens ?? estimate
  const route = routeWith({ ...delta, contextWindow: window })
  const request = MessagesRequest.parse({
    max_tokens: reply,
    messages: [{ role: "user", content: "hi" }],
    ...more,
  })
  const prompt: MeasuredPrompt = {
    ...measurePrompt({ body: {}, tokens: () => estimate }, route, unlearnt),
    ...{ sure, corrected: tokens, weight: { atMost: 2 * tokens, hasMedia } },
  }
  const sent = () => ({ tokens: sentTokens, hasMedia })
  return fitWindow(convertRequest(request, route, limits, undefined), route, prompt, sent)
}

describe("a prompt of a known length", () => {
  test.each<[string, Wanted, number]>([
    ["far below the window", { window: 128_000, tokens: 10_000, reply: 32_000 }, 32_000],
    ["near the window", { window: 128_000, tokens: 90_000, reply: 32_000 }, 32_000],
    ["beside which the reply has less room", { window: 128_000, tokens: 100_000, reply: 32_000 }, 28_000],
    ["beside which there is hardly any", { window: 128_000, tokens: 126_000, reply: 32_000 }, 4_096],
    ["whose reply is to be short anyway", { window: 128_000, tokens: 127_500, reply: 1_000 }, 1_000],
    ["that is short, in a window the reply would fill", { window: 8_192, tokens: 50, reply: 8_192 }, 8_142],
    ["where the window is not known", { window: null, tokens: 5_000_000, reply: 32_000 }, 32_000],
    ["that may be too much, by an estimate", { window: 100_000, tokens: 124_000, reply: 1_000 }, 1_000],
    [
      "that may be, by the model's own counts",
      { window: 100_000, tokens: 107_000, reply: 1_000, sure: true },
      1_000,
    ],
    [
      "of which little is sent",
      { window: 100_000, tokens: 200_000, sentTokens: 20_000, reply: 32_000 },
      32_000,
    ],
    [
      "of which a part is sent",
      { window: 100_000, tokens: 200_000, sentTokens: 80_000, reply: 32_000 },
      20_000,
    ],
    [
      "of which a part is sent, as the model counts",
      { window: 100_000, tokens: 240_000, estimate: 200_000, sentTokens: 70_000, reply: 32_000 },
      16_000,
    ],
    [
      "that is too long by the correction alone",
      { window: 100_000, tokens: 180_000, estimate: 90_000, reply: 1_000, sure: true },
      1_000,
    ],
    ["with pictures in it", { window: 100_000, tokens: 300_000, reply: 1_000, hasMedia: true }, 1_000],
  ])("%s", (_name, wanted, reply) => {
    const fits = fitted(wanted)
    expect(fits.ok && fits.conversion.body.max_tokens).toBe(reply)
    expect(fits.ok && fits.notes.length).toBe(reply === wanted.reply ? 0 : 1)
  })

  test.each<[string, Wanted]>([
    ["too much for any doubt", { window: 100_000, tokens: 126_000, reply: 1_000 }],
    ["too much by the model's own counts", { window: 100_000, tokens: 109_000, reply: 1_000, sure: true }],
    [
      "too much as the model counts, and nearly so by the estimate",
      { window: 100_000, tokens: 114_000, estimate: 98_500, reply: 1_000, sure: true },
    ],
    [
      "too much with and without the correction",
      { window: 100_000, tokens: 130_000, estimate: 126_000, reply: 1_000 },
    ],
  ])("is refused where it is %s", (_name, wanted) => {
    const fits = fitted(wanted)
    expect(fits.ok ? undefined : fits.fault).toMatchObject({
      ...{ kind: "invalid_request_error", source: "proxy", status: 400, retry: "no" },
      message: expect.stringContaining(`prompt is too long: ${wanted.tokens} tokens > 100000 maximum`),
    })
  })

  test("says why a reply gets less room", () => {
    const fits = fitted({ window: 128_000, tokens: 100_000, reply: 32_000 })
    const why = "lowered from 32000 to 28000: about 100000 tokens of the window of 128000 are the prompt"
    expect(fits.ok && fits.notes).toEqual([{ kind: "changed", path: "max_tokens", why }])
  })

  test("a thinking budget stays below the reply's limit", () => {
    const delta = { reasoning: { request: "enable-thinking", budgets: { high: 24_000 } } } as const
    const more = { thinking: { type: "enabled", budget_tokens: 20_000 } }
    const fits = fitted({ window: 128_000, tokens: 116_000, reply: 32_000, delta, more })
    expect(fits.ok && fits.conversion.body).toMatchObject({ max_tokens: 12_000, thinking_budget: 6_000 })
    expect(fits.ok && fits.notes.map(({ path }) => path)).toEqual(["max_tokens", "thinking"])
  })

  test("the limit is lowered under the name it goes by", () => {
    const wanted = { window: 128_000, tokens: 100_000, reply: 32_000 }
    const completion = fitted({ ...wanted, delta: { maxTokensField: "max_completion_tokens" } })
    expect(completion.ok && completion.conversion.body).toMatchObject({ max_completion_tokens: 28_000 })
    const responses = fitted({ ...wanted, delta: { dialect: "responses" } })
    expect(responses.ok && bodyOf(responses.conversion)).toMatchObject({ max_output_tokens: 28_000 })
  })

  test("is not counted where it is light", () => {
    const route = routeWith({ contextWindow: 128_000 })
    const request = MessagesRequest.parse({ max_tokens: 1_000, messages: [{ role: "user", content: "hi" }] })
    const conversion = convertRequest(request, route, limits, undefined)
    const tokens = () => {
      throw new Error("counted")
    }
    const weighing = (atMost: number): MeasuredPrompt => ({
      ...measurePrompt({ body: {}, tokens }, route, unlearnt),
      weight: { atMost, hasMedia: false },
    })
    expect(fitWindow(conversion, route, weighing(127_000)).ok).toBe(true)
    expect(() => fitWindow(conversion, route, weighing(127_001))).toThrow("counted")
  })
})

describe("the weight of a body", () => {
  const bodyWith = (content: unknown): JsonObject => ({ messages: [{ role: "user", content }] })
  const tokensIn = (body: JsonObject): number => {
    const request = MessagesRequest.parse(body)
    return estimateRequest(request)
  }

  // What people and programs do not write themselves may weigh too little, but not by much.
  const dense: ReadonlySet<string> = new Set(["base64", "hex", "numbers"])

  test.each(samples.map((sample) => [sample.name, sample] as const))("of %s", (_name, sample) => {
    const body = bodyWith(sample.text)
    const least = dense.has(sample.class) ? 0.7 * tokensIn(body) : tokensIn(body)
    expect(weighBody(body).atMost).toBeGreaterThanOrEqual(least)
  })

  test("a body nested deeper than the stack can be weighed", () => {
    let deep: JsonObject = {}
    for (let level = 0; level < 100_000; level++) deep = { items: deep }
    expect(weighBody(deep).atMost).toBeGreaterThan(100_000)
  })

  test.each<[string, unknown]>([
    [
      "a picture",
      { type: "image", source: { type: "base64", media_type: "image/png", data: "A".repeat(4e6) } },
    ],
    ["a picture elsewhere", { type: "image", source: { type: "url", url: "https://x.test/a.png" } }],
    [
      "a document",
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "A".repeat(4e6) } },
    ],
    [
      "a text in base64",
      { type: "document", source: { type: "base64", media_type: "text/plain", data: "QUJD".repeat(5e4) } },
    ],
  ])("%s weighs what it counts for, and not its bytes", (_name, block) => {
    const body = bodyWith([block])
    const { atMost, hasMedia } = weighBody(body)
    expect(hasMedia).toBe(true)
    expect(atMost).toBeGreaterThanOrEqual(tokensIn(body))
    expect(atMost).toBeLessThan(3 * tokensIn(body) + 3_000)
  })

  property("any JSON can be weighed", 200, (random) => {
    const value = random.json(4)
    expect(weighBody(isObject(value) ? value : { value }).atMost).toBeGreaterThanOrEqual(0)
  })
})

const words = "The quick brown fox jumps over the lazy dog and reads the file again. "
const long = { messages: [{ role: "user", content: words.repeat(4_000) }] }
const tokens = estimateRequest({
  messages: [{ role: "user", content: [{ type: "text", text: words.repeat(4_000) }] }],
})

/** A proxy whose model `mine` has this window. */
function windowed(window: number | undefined, more: JsonObject = {}) {
  const upstream = scripted((body) => anyTextTurn(body, "Hello."))
  const place = { id: "mine", url: upstream.url, provider: "vllm", model: "m" }
  const proxy = proxiesFor([
    { ...place, more: { ...(window === undefined ? {} : { max_input_tokens: window }), ...more } },
  ])()
  return { upstream, proxy }
}

describe("through the proxy", () => {
  const tooLong = {
    type: "invalid_request_error",
    message: expect.stringMatching(/^prompt is too long: \d+ tokens > 32768 maximum/),
  }

  test.each([true, false])("what cannot fit is refused before it is sent; streamed: %p", async (stream) => {
    const { upstream, proxy } = windowed(32_768)
    const response = await post(proxy, { ...long, model: "mine", stream })
    expect(response.status).toBe(400)
    expect(response.headers.get("content-type")).toContain("application/json")
    expect(response.headers.get("x-claude-proxy-route")).toStartWith("vllm/m")
    expect(await jsonOf(response)).toMatchObject({ type: "error", error: tooLong })
    expect(upstream.requests).toEqual([])
    // As with every request that is refused unsent: said in the log, and no exchange.
    expect(proxy.logs.filter(({ level }) => level === "warn").map(({ message }) => message)).toEqual([
      "request refused",
    ])
    expect(proxy.exchanges).toEqual([])
  })

  test("OpenAI's clients hear it in their own shape", async () => {
    const { upstream, proxy } = windowed(32_768)
    const init = { method: "POST", body: JSON.stringify({ ...long, model: "mine" }) }
    const response = await fetch(`${proxy.url}/v1/chat/completions`, init)
    expect(response.status).toBe(400)
    expect(await jsonOf(response)).toMatchObject({ error: tooLong })
    expect(upstream.requests).toEqual([])
  })

  test("a model of the Responses API is asked for less, too, and not at all for too much", async () => {
    const turn = { kind: "output", output: [messageItem("1", "Hello.")] } as const
    const { upstream, proxy } = startResponses(() => turn, { more: { max_input_tokens: tokens + 10_000 } })
    await jsonOf(post(proxy, { ...long, model: "mine", max_tokens: 32_000 }))
    expect(upstream.requests[0]?.body["max_output_tokens"]).toBe(10_000)
    const small = startResponses(() => turn, { more: { max_input_tokens: 32_768 } })
    expect((await post(small.proxy, { ...long, model: "mine" })).status).toBe(400)
    expect(small.upstream.requests).toEqual([])
  })

  test("what fits gets the room there is, and the record says so", async () => {
    const { upstream, proxy } = windowed(tokens + 10_000)
    await jsonOf(post(proxy, { ...long, model: "mine", max_tokens: 32_000 }))
    expect(upstream.turns()[0]?.body["max_tokens"]).toBe(10_000)
    expect(proxy.exchanges[0]?.notes).toContainEqual({
      ...{ kind: "changed", path: "max_tokens" },
      why: expect.stringContaining("lowered from 32000 to 10000"),
    })
  })

  test.each([
    ["whose window is not known", undefined],
    ["whose window is large enough", 1_000_000],
  ])("a model %s is sent everything", async (_name, window) => {
    const { upstream, proxy } = windowed(window)
    await jsonOf(post(proxy, { ...long, model: "mine", max_tokens: 32_000 }))
    expect(upstream.turns()[0]?.body["max_tokens"]).toBe(32_000)
  })

  test("once the model itself has counted, there is less doubt", async () => {
    // By our estimate it is hardly too long, and the model counts a little more.
    const window = Math.round(tokens / 1.12)
    const usage = { prompt_tokens: Math.round(tokens * 0.52), completion_tokens: 2 }
    const upstream = scripted(() => ({ kind: "json", body: chatReply({ content: "a" }, "stop", usage) }))
    const place = {
      id: "mine",
      url: upstream.url,
      provider: "vllm",
      model: "m",
      more: { max_input_tokens: window },
    }
    const proxy = proxiesFor([place])()
    const half = { messages: [{ role: "user", content: words.repeat(2_000) }], model: "mine" }
    expect((await post(proxy, { ...long, model: "mine" })).status).toBe(200)
    for (let turn = 0; turn < 12; turn++) await jsonOf(post(proxy, half))
    expect((await post(proxy, { ...long, model: "mine" })).status).toBe(400)
    expect(upstream.turns().length).toBe(13)
  })

  test("an over-estimate does not refuse what fits: the model counts a fifth less", async () => {
    const window = Math.round(tokens * 0.82)
    const upstream = scripted(() => ({
      kind: "stream",
      chunks: [textChunk("a"), finishChunk("stop"), usageChunk(Math.round(tokens * 0.8), 2)],
    }))
    const place = {
      id: "mine",
      url: upstream.url,
      provider: "vllm",
      model: "m",
      more: { max_input_tokens: window },
    }
    const proxy = proxiesFor([place])()
    for (let turn = 0; turn < 3; turn++) {
      const events = await eventsOf(postStream(proxy, { ...long, model: "mine" }))
      expect(events.at(-1)?.["type"]).toBe("message_stop")
    }
  })

  test("with ROUTER_LONG_CONTEXT it has been moved before", async () => {
    const upstream = scripted((body) => anyTextTurn(body, "Hello."))
    const place = { url: upstream.url, provider: "vllm" }
    const places = [
      { ...place, id: "small", model: "s", more: { max_input_tokens: 32_768 } },
      { ...place, id: "large", model: "l", more: { max_input_tokens: 1_000_000 } },
    ]
    const proxy = proxiesFor(places, { ROUTER_DEFAULT: "small", ROUTER_LONG_CONTEXT: "large" })()
    expect((await post(proxy, long)).status).toBe(200)
    expect(upstream.turns().map(({ body }) => body["model"])).toEqual(["l"])
    expect((await post(proxy)).status).toBe(200)
    expect(upstream.turns().at(-1)?.body["model"]).toBe("s")
  })

  test("an upstream of the Messages API is asked whatever the window: it knows its own", async () => {
    const upstream = createMessagesUpstream([{ steps: [nativeStream("Hello.")] }])
    cleanUp(upstream.stop)
    const entry = { model_id: "mine", direct: true, api_base: upstream.url.replace("/v1/messages", "") }
    const models = JSON.stringify([{ ...entry, api_key_name: "SCRIPTED_API_KEY", max_input_tokens: 32_768 }])
    const file = join(folderWith({ "models.yaml": models }), "models.yaml")
    const proxy = startProxy("http://127.0.0.1:9/v1", { env: environmentFor("http://127.0.0.1:9/v1", file) })
    const response = await postStream(proxy, { ...long, model: "mine" })
    expect(response.status).toBe(200)
    await response.text()
    await until(() => proxy.exchanges.length === 1)
    expect(objectOf(JSON.parse(upstream.calls[0]?.text ?? ""))["max_tokens"]).toBe(100)
  })
})

describe("what is not sent does not count", () => {
  const said = (text: string) => ({ role: "assistant", content: [{ type: "text", text }] })
  const thought = words.repeat(200)
  const turns = Array.from({ length: 40 }, (_, at) => [
    { role: "user", content: `Question ${at}` },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: thought, signature: "s".repeat(200) },
        { type: "text", text: "Yes." },
      ],
    },
  ]).flat()
  const picture = { type: "base64", media_type: "image/png", data: "A".repeat(4_000) }
  const pictures = Array.from({ length: 20 }, () => ({ type: "image", source: picture }))
  const pdf = { type: "base64", media_type: "application/pdf", data: "A".repeat(10e6) }
  const more = { role: "user", content: "Go on." }

  test.each<[string, number, JsonObject, readonly unknown[]]>([
    ["40 turns' thinking", 100_000, {}, [...turns, more]],
    [
      "20 pictures for a model that sees none",
      16_384,
      { vision: false },
      [{ role: "user", content: pictures }],
    ],
    [
      "a PDF of 10 MB where none is taken",
      128_000,
      {},
      [{ role: "user", content: [{ type: "document", source: pdf }] }, said("Yes."), more],
    ],
  ])("%s", async (_name, window, entry, messages) => {
    const { upstream, proxy } = windowed(window, entry)
    const asked = MessagesRequest.parse({ messages, max_tokens: 8_000 })
    expect(estimateRequest(asked)).toBeGreaterThan(1.08 * window)
    const response = await post(proxy, { messages, model: "mine", max_tokens: 8_000 })
    expect(response.status).toBe(200)
    expect(upstream.turns()[0]?.body["max_tokens"]).toBe(8_000)
  })

  test("and where what is sent is too long, it is refused all the same", async () => {
    const { upstream, proxy } = windowed(32_768)
    const messages = [...turns, ...long.messages]
    expect((await post(proxy, { messages, model: "mine" })).status).toBe(400)
    expect(upstream.requests).toEqual([])
  })

  test("pictures that are sent are the upstream's to judge", async () => {
    const { upstream, proxy } = windowed(16_384, { vision: true })
    const messages = [{ role: "user", content: pictures }]
    expect((await post(proxy, { messages, model: "mine" })).status).toBe(200)
    expect(upstream.turns().length).toBe(1)
  })

  test.each<[string, ProfileDelta]>([
    ["Chat Completions", {}],
    ["the Responses API", { dialect: "responses" }],
  ])("what is sent whole is measured as what was said: %s", (_name, delta) => {
    const call = {
      type: "tool_use",
      id: "toolu_1",
      name: "Read",
      input: { file_path: "/a/b.ts", limit: 100 },
    }
    const result = { type: "tool_result", tool_use_id: "toolu_1", content: words.repeat(20) }
    const schema = {
      type: "object",
      properties: { file_path: { type: "string" }, limit: { type: "integer" } },
    }
    const request = MessagesRequest.parse({
      ...{ max_tokens: 100, system: words.repeat(10) },
      tools: [{ name: "Read", description: words.repeat(3), input_schema: schema }],
      messages: Array.from({ length: 50 }, () => [
        { role: "user", content: "Read it." },
        { role: "assistant", content: [{ type: "text", text: "So I do." }, call] },
        { role: "user", content: [result] },
      ]).flat(),
    })
    const sent = measureSent(bodyOf(convertRequest(request, routeWith(delta), limits, undefined)))
    expect(sent.hasMedia).toBe(false)
    expect(Math.abs(sent.tokens / estimateRequest(request) - 1)).toBeLessThan(0.03)
  })
})

test("convert shows what a live request becomes: less room for the reply, or a refusal", () => {
  const config = configFrom({ OPENAI_API_KEY: "sk-1", BIG_MODEL: "gpt-4o" })
  const explained = (times: number) => {
    const messages = [{ role: "user", content: words.repeat(times) }]
    const body = { model: "claude-opus-5-5", max_tokens: 16_000, messages }
    const converted = convertMessagesBody(body, undefined, config, false)
    return converted.ok ? { body: objectOf(converted.body), text: converted.explanation() } : undefined
  }
  const near = explained(8_000)
  expect(near?.body["max_tokens"]).toBeLessThan(16_000)
  expect(near?.text).toMatch(
    /changed {2}max_tokens: lowered from 16000 to \d+: about \d+ tokens of the window/,
  )
  expect(near?.text).toContain("fits the model's window of 128000")
  const beyond = explained(12_000)
  expect(beyond?.body["max_tokens"]).toBe(16_000)
  expect(beyond?.text).toMatch(
    /refused {2}a live request is answered 400: prompt is too long: \d+ tokens > 128000/,
  )
})
