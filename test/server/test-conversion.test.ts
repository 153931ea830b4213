// POST /v1/messages/test_conversion: exactly the model that is named, in the shapes of /v1/messages.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import { configOf, folderWith, load, removeFolders } from "../config/support.ts"
import { chatReply, finishChunk, textChunk } from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import {
  basicBody,
  eventsOf,
  jsonOf,
  scripted,
  startProxy,
  stopAll,
  type TestProxy,
  textOf,
} from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const other = "- { model_id: unkeyed, provider: deepseek }\n"

const yaml = (url: string) =>
  [
    "- model_id: mine",
    "  model_name: vendor-name",
    `  api_base: ${url}`,
    "  api_key_name: MY_KEY",
    other,
  ].join("\n")

function start() {
  const upstream = scripted((body) =>
    body["stream"] === true
      ? { kind: "stream", chunks: [textChunk("hel"), textChunk("lo"), finishChunk("stop")] }
      : { kind: "json", body: chatReply({ content: "hello" }) },
  )
  const env = {
    ...{ OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-main-key-0001", MY_KEY: "sk-mine-key-0001" },
    ...{ BIG_MODEL: "big", ROUTER_DEFAULT: "routed", ROUTER_THINK: "thinker", ROUTER_LONG_CONTEXT: "long" },
    LONG_CONTEXT_THRESHOLD: "10",
  }
  const result = load({ env, configDir: folderWith({ "models.yaml": yaml(upstream.url) }) })
  return { upstream, proxy: startProxy("", { config: { ...configOf(result), port: 0 } }) }
}

const convert = ({ url }: TestProxy, more: JsonObject = {}) =>
  fetch(`${url}/v1/messages/test_conversion`, {
    method: "POST",
    body: JSON.stringify({ ...basicBody, ...more }),
  })

describe("no rule of routing applies", () => {
  test.each([
    ["claude-opus-5-5", "claude-opus-5-5", "sk-main-key-0001"],
    ["gpt-4o", "gpt-4o", "sk-main-key-0001"],
    ["mine", "vendor-name", "sk-mine-key-0001"],
    ["custom/mine", "vendor-name", "sk-mine-key-0001"],
    ["big", "big", "sk-main-key-0001"],
  ])("%s is sent as %s", async (model, sent, key) => {
    const { upstream, proxy } = start()
    const thinking = { type: "enabled", budget_tokens: 2000 }
    const messages = [{ role: "user", content: "word ".repeat(100) }]
    const response = await convert(proxy, { model, thinking, messages, max_tokens: 4000 })
    expect(response.status).toBe(200)
    expect(upstream.turns().map(({ body, headers }) => [body["model"], headers["authorization"]])).toEqual([
      [sent, `Bearer ${key}`],
    ])
    expect(await jsonOf(response)).toMatchObject({ model, content: [{ type: "text", text: "hello" }] })
  })
})

test("plain, the answer is a message", async () => {
  const { proxy } = start()
  const response = await convert(proxy, { model: "m" })
  expect(response.headers.get("content-type")).toStartWith("application/json")
  expect(await jsonOf(response)).toMatchObject({
    ...{ type: "message", role: "assistant", model: "m", stop_reason: "end_turn" },
    content: [{ type: "text", text: "hello" }],
  })
  expect(proxy.exchanges.map(({ model, stream, outcome }) => [model, stream, outcome.kind])).toEqual([
    ["m", false, "completed"],
  ])
})

test("streamed, the answer is events", async () => {
  const { proxy } = start()
  const response = await convert(proxy, { model: "m", stream: true })
  expect(response.headers.get("content-type")).toStartWith("text/event-stream")
  const events = await eventsOf(response)
  expect(checkGrammar(events)).toEqual([])
  expect(textOf(events)).toBe("hello")
})

test.each([[undefined], [null], [""], [" "], [7]])("the model %j is none", async (model) => {
  const { upstream, proxy } = start()
  const response = await convert(proxy, { model })
  expect(response.status).toBe(400)
  const { error } = await jsonOf(response)
  expect(error).toMatchObject({ type: "invalid_request_error", message: expect.stringContaining("model") })
  expect(upstream.requests).toEqual([])
})

test("a model that cannot be reached is refused by what it lacks", async () => {
  const { upstream, proxy } = start()
  const response = await convert(proxy, { model: "unkeyed" })
  expect(response.status).toBe(400)
  const { error } = await jsonOf(response)
  expect(error).toMatchObject({ message: expect.stringContaining("DEEPSEEK_API_KEY") })
  expect(upstream.requests).toEqual([])
})

test("a client key is asked for", async () => {
  const upstream = scripted(() => ({ kind: "json", body: chatReply({ content: "hi" }) }))
  const proxy = startProxy(upstream.url, { env: { ALLOWED_API_KEYS: "right-key" } })
  expect((await convert(proxy)).status).toBe(401)
  expect(upstream.requests).toEqual([])
})
