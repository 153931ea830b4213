// How many requests a minute a client may send, in one process.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { isObject } from "../../src/protocol/json.ts"
import { startServer } from "../../src/server/server.ts"
import { configFrom, configOf, folderWith, load, removeFolders } from "../config/support.ts"
import { createMessagesUpstream, nativeStream } from "../support/anthropic-upstream.ts"
import { chatReply } from "../support/chunks.ts"
import type { Turn } from "../support/script.ts"
import {
  basicBody,
  cleanUp,
  jsonOf,
  post,
  postStream,
  scripted,
  start,
  startProxy,
  stopAll,
} from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const setting = "RATE_LIMIT_REQUESTS_PER_MINUTE"
const reply = (): Turn => ({ kind: "json", body: chatReply({ content: "hi" }) })
const limit = (count: number, more: Readonly<Record<string, string>> = {}) => ({
  env: { [setting]: String(count), ...more },
})

const names = ["limit", "remaining", "reset"]
const anthropicHeaders = (response: Response) =>
  names.map((name) => response.headers.get(`anthropic-ratelimit-requests-${name}`))
const openAiHeaders = (response: Response) =>
  names.map((name) => response.headers.get(`x-ratelimit-${name}-requests`))

const chatBody = { model: "big-model", messages: [{ role: "user", content: "hi" }] }

/** POST with a body as JSON. */
function send(url: string, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  return fetch(`${url}${path}`, { method: "POST", body: JSON.stringify(body), headers })
}

/** The message of an error body, whoever's shape it has. */
async function messageOf(response: Response): Promise<string> {
  const { error } = await jsonOf(response)
  return isObject(error) ? String(error["message"]) : ""
}

test("what is left is told with every reply, and beyond it there is a 429 in Anthropic's words", async () => {
  const { proxy, upstream } = start(reply, limit(2))
  const first = await post(proxy)
  expect(first.status).toBe(200)
  const [most, left, reset] = anthropicHeaders(first)
  expect([most, left]).toEqual(["2", "1"])
  expect(reset).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  const inMs = Date.parse(reset ?? "") - Date.now()
  expect(inMs).toBeGreaterThan(25_000)
  expect(inMs).toBeLessThan(32_000)
  expect(openAiHeaders(first)).toEqual([null, null, null])

  const second = await postStream(proxy)
  expect(second.status).toBe(200)
  expect(anthropicHeaders(second).slice(0, 2)).toEqual(["2", "0"])
  await second.text()

  const refused = await post(proxy)
  expect(refused.status).toBe(429)
  expect(anthropicHeaders(refused).slice(0, 2)).toEqual(["2", "0"])
  expect(refused.headers.get("retry-after")).toMatch(/^(29|30)$/)
  expect(refused.headers.get("x-should-retry")).toBe(null)
  const body = await jsonOf(refused)
  const message = `rate limit: 2 requests a minute for all clients together (${setting}), counted by this proxy alone; try again in ${refused.headers.get("retry-after")} s`
  expect(body).toEqual({
    type: "error",
    error: { type: "rate_limit_error", message },
    request_id: String(refused.headers.get("request-id")),
  })
  expect(upstream.turns().length).toBe(2)
})

test("OpenAI's clients hear of it in their words", async () => {
  const { proxy } = start(reply, limit(1))
  const path = "/v1/chat/completions"
  const first = await send(proxy.url, path, chatBody)
  expect(first.status).toBe(200)
  expect(openAiHeaders(first)).toEqual(["1", "0", expect.stringMatching(/^(1m0s|59s)$/)])
  expect(anthropicHeaders(first).slice(0, 2)).toEqual(["1", "0"])
  const refused = await send(proxy.url, path, chatBody)
  expect(refused.status).toBe(429)
  expect(openAiHeaders(refused).slice(0, 2)).toEqual(["1", "0"])
  expect(refused.headers.get("retry-after")).toMatch(/^(59|60)$/)
  const { error } = await jsonOf(refused)
  expect(error).toMatchObject({ message: expect.stringContaining(setting), type: "rate_limit_error" })
})

test.each([
  ["/v1/messages", basicBody],
  ["/v1/v1/messages?beta=true", basicBody],
  ["/anthropic/v1/messages/", basicBody],
  ["/v1/messages/test_conversion", { ...basicBody, model: "big-model" }],
  ["/v1/chat/completions", chatBody],
])("%s takes from the one bucket of messages", async (path, body) => {
  const { proxy } = start(reply, limit(1))
  expect((await send(proxy.url, path, body)).status).toBe(200)
  expect((await post(proxy)).status).toBe(429)
  expect((await send(proxy.url, path, body)).status).toBe(429)
})

test("counting tokens has a bucket of its own", async () => {
  const { proxy } = start(reply, limit(1))
  const count = () => send(proxy.url, "/v1/messages/count_tokens", basicBody)
  expect((await post(proxy)).status).toBe(200)
  const first = await count()
  expect([first.status, ...anthropicHeaders(first).slice(0, 2)]).toEqual([200, "1", "0"])
  const refused = await count()
  expect(refused.status).toBe(429)
  expect(await messageOf(refused)).toStartWith(
    "rate limit: 1 requests to count tokens a minute for all clients",
  )
})

test("what tells something is free, and so is what is no endpoint", async () => {
  const { proxy } = start(reply, limit(1))
  for (const path of ["/", "/health", "/v1/models", "/v1/stats", "/metrics", "/nothing", "/v1/messages"]) {
    const response = await fetch(`${proxy.url}${path}`)
    expect([path, response.status < 500, ...anthropicHeaders(response)]).toEqual([
      path,
      true,
      null,
      null,
      null,
    ])
  }
  await send(proxy.url, "/api/event_logging/batch", {})
  expect((await post(proxy)).status).toBe(200)
})

test("a reply that is an error counts, and says what is left", async () => {
  const { proxy } = start(() => ({ kind: "json", status: 400, body: { error: { message: "no" } } }), limit(4))
  const answers = [
    await post(proxy),
    await post(proxy, { messages: 1 }),
    await send(proxy.url, "/v1/chat/completions", {}),
    await fetch(`${proxy.url}/v1/messages`, { method: "POST", body: "no JSON" }),
  ]
  expect(
    answers.map((one) => [one.status, one.headers.get("anthropic-ratelimit-requests-remaining")]),
  ).toEqual(["3", "2", "1", "0"].map((left) => [400, left]))
  expect((await post(proxy)).status).toBe(429)
})

describe("client keys", () => {
  const keys = { ALLOWED_API_KEYS: "first-client-key, second-client-key" }
  const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })

  test("each has a bucket of its own, whichever header it comes in", async () => {
    const { proxy } = start(reply, limit(2, keys))
    expect((await post(proxy, {}, as("first-client-key"))).status).toBe(200)
    expect((await post(proxy, {}, { headers: { "x-api-key": "first-client-key" } })).status).toBe(200)
    const both = { headers: { "x-api-key": "first-client-key", authorization: "Bearer no-key" } }
    const refused = await post(proxy, {}, both)
    expect(refused.status).toBe(429)
    expect(await messageOf(refused)).toContain("2 requests a minute for each client key")
    expect((await post(proxy, {}, as("second-client-key"))).status).toBe(200)
  })

  test("a wrong key is refused before it counts", async () => {
    const { proxy } = start(reply, limit(1, keys))
    for (let count = 0; count < 3; count++) {
      const response = await post(proxy, {}, as("no-key"))
      expect([response.status, ...anthropicHeaders(response)]).toEqual([401, null, null, null])
    }
    expect((await post(proxy, {}, as("first-client-key"))).status).toBe(200)
  })

  test("the log says whose request it was, by its place, once a second; the key is nowhere", async () => {
    const { proxy } = start(reply, { ...limit(1, keys), speed: 0.001 })
    const answers: string[] = []
    for (let count = 0; count < 5; count++) {
      answers.push(await (await post(proxy, {}, as("second-client-key"))).text())
    }
    const refusals = proxy.logs.filter(({ message }) => message === "request refused by its rate limit")
    expect(refusals.map(({ level }) => level)).toEqual(["warn", "debug", "debug", "debug"])
    expect(refusals[0]?.fields).toMatchObject({ client: "key-2", counted: "requests", limit: 1 })
    expect(JSON.stringify([proxy.logs, answers])).not.toMatch(/client-key["\s]|second-client/)
  })

  test("a client that goes on is told of again, with how often it was refused meanwhile", async () => {
    const { proxy } = start(reply, { ...limit(1, keys), speed: 20 })
    const warnings = () =>
      proxy.logs.filter(({ level, message }) => level === "warn" && /limit/.test(message))
    const deadline = performance.now() + 10_000
    while (warnings().length < 2 && performance.now() < deadline) {
      await post(proxy, {}, as("first-client-key"))
    }
    const refused = proxy.logs.filter(({ message }) => message === "request refused by its rate limit")
    const second = warnings()[1]?.fields["alsoRefused"]
    expect(second).toBe(refused.length > 2 ? refused.length - 2 : undefined)
  })
})

test("the bucket fills up evenly: after the wait that was told there is one more", async () => {
  const { proxy } = start(reply, { ...limit(3), speed: 100 })
  for (let count = 0; count < 3; count++) await post(proxy)
  const refused = await post(proxy)
  expect(refused.status).toBe(429)
  // Twenty seconds go by in a fifth of one.
  await Bun.sleep(Number(refused.headers.get("retry-after")) * 10)
  expect((await post(proxy)).status).toBe(200)
})

describe("an upstream that is passed through", () => {
  const theirs = {
    "anthropic-ratelimit-requests-limit": "1000",
    "anthropic-ratelimit-requests-remaining": "999",
    "anthropic-ratelimit-requests-reset": "2030-01-01T00:00:00Z",
    "anthropic-ratelimit-tokens-remaining": "50000",
  }
  const headers = { "content-type": "text/event-stream", ...theirs }

  function withNative(env: Readonly<Record<string, string>>) {
    const upstream = createMessagesUpstream([{ headers, steps: [nativeStream("hi")] }])
    cleanUp(upstream.stop)
    const base = upstream.url.replace(/\/messages$/, "")
    const model = [
      "- model_id: native",
      `  api_base: ${base}`,
      "  direct: true",
      "  api_key_name: NATIVE_KEY",
    ]
    const configDir = folderWith({ "models.yaml": model.join("\n") })
    const own = { OPENAI_API_KEY: "sk-upstream-key-1", NATIVE_KEY: "sk-native-key-1", PORT: "0" }
    return startProxy("", { config: configOf(load({ env: { ...own, ...env }, configDir })) })
  }

  test.each([
    ["without a limit of ours its own headers pass", {}, ["1000", "999", "2030-01-01T00:00:00Z"]],
    ["with one, the requests are ours", { [setting]: "5" }, ["5", "4", expect.stringMatching(/Z$/)]],
  ])("%s", async (_name, env, expected) => {
    const proxy = withNative(env)
    const response = await postStream(proxy, { model: "native" })
    expect(response.status).toBe(200)
    expect(anthropicHeaders(response)).toEqual(expected)
    expect(response.headers.get("anthropic-ratelimit-tokens-remaining")).toBe("50000")
    await response.text()
  })
})

describe("what is said at the start", () => {
  const said = (env: Readonly<Record<string, string>>) =>
    startProxy("http://127.0.0.1:9/v1", { env })
      .logs.filter(({ message }) => message.includes(setting))
      .map(({ level, message }) => [level, message])

  test("without Redis, whom the limit is counted for, once", () => {
    expect(said({ [setting]: "60" })).toEqual([
      [
        "info",
        `${setting}: 60 requests a minute for all clients together, counted by this process alone; REDIS_URL lets several proxies and workers count together`,
      ],
    ])
  })

  test("without a limit nothing", () => {
    expect(said({})).toEqual([])
  })
})

test("without a limit there is none, and no header speaks of one", async () => {
  const { proxy } = start(reply)
  const response = await post(proxy)
  expect([response.status, ...anthropicHeaders(response)]).toEqual([200, null, null, null])
})

test("a reload changes the limit, and what was used up stays used up", async () => {
  const upstream = scripted(reply)
  const env = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-upstream-key-1", PORT: "0" }
  const lines: string[] = []
  const write = (message: string) => lines.push(message)
  const log = { debug: () => {}, info: write, warn: () => {}, error: write }
  const server = startServer({ config: configFrom(env), log, version: "test", onExchange: () => {} })
  cleanUp(() => server.stop(0))
  const status = async () => (await post(server)).status
  expect(await status()).toBe(200)
  server.reload(configFrom({ ...env, [setting]: "2" }))
  expect([await status(), await status(), await status()]).toEqual([200, 200, 429])
  // However large a bucket becomes, it is as empty as it was.
  server.reload(configFrom({ ...env, [setting]: "4", BIG_MODEL: "another" }))
  expect(await status()).toBe(429)
  server.reload(configFrom({ ...env, [setting]: "120" }))
  server.reload(configFrom(env))
  expect([await status(), await status()]).toEqual([200, 200])
  expect(lines.filter((line) => line.includes(setting)).length).toBe(3)
})

test("auth in models.yaml asks for a limit without a number", async () => {
  const upstream = scripted(reply)
  const configDir = folderWith({ "models.yaml": "auth: {rate_limit: true}\nmodels: []\n" })
  const env = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-upstream-key-1", PORT: "0" }
  const proxy = startProxy(upstream.url, { config: configOf(load({ env, configDir })) })
  expect(anthropicHeaders(await post(proxy)).slice(0, 2)).toEqual(["60", "59"])
})
