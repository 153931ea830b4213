// Routing by content as requests meet it: what counts as thinking and as long, and what the reply's header says.
import { afterEach, describe, expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import { chatReply, finishChunk, textChunk } from "../support/chunks.ts"
import { post, start, stopAll } from "./support.ts"

afterEach(stopAll)

const header = "x-claude-proxy-route"
const env = {
  ROUTER_DEFAULT: "custom/plain",
  ROUTER_BACKGROUND: "custom/small",
  ROUTER_THINK: "custom/thinker",
  ROUTER_LONG_CONTEXT: "custom/long",
  LONG_CONTEXT_THRESHOLD: "2000",
}
const whole = { kind: "json", body: chatReply({ content: "ok" }, "stop") } as const

type Case = readonly [what: string, more: JsonObject, model: string, told: string]

const cases: readonly Case[] = [
  ["nothing said", {}, "plain", "generic/plain; opus -> ROUTER_DEFAULT"],
  ["adaptive", { thinking: { type: "adaptive" } }, "thinker", "generic/thinker; thinking -> ROUTER_THINK"],
  [
    "enabled",
    { thinking: { type: "enabled", budget_tokens: 1024 }, max_tokens: 2000 },
    "thinker",
    "generic/thinker; thinking -> ROUTER_THINK",
  ],
  ["disabled", { thinking: { type: "disabled" } }, "plain", "generic/plain; opus -> ROUTER_DEFAULT"],
  ["effort alone", { output_config: { effort: "max" } }, "plain", "generic/plain; opus -> ROUTER_DEFAULT"],
  ["haiku", { model: "claude-haiku-4-5" }, "small", "generic/small; haiku -> ROUTER_BACKGROUND"],
]

test.each(cases)("%s", async (_, more, model, told) => {
  const { upstream, proxy } = start([whole], { env })
  const response = await post(proxy, more)
  expect([response.status, upstream.turns()[0]?.body["model"], response.headers.get(header)]).toEqual([
    200,
    model,
    told,
  ])
})

test("a long prompt goes to the model for long ones, tools and system included", async () => {
  const { upstream, proxy } = start([whole, whole], { env })
  const words = "words and more words ".repeat(1_000)
  for (const more of [{ system: words }, { tools: [{ name: "t", description: words, input_schema: {} }] }]) {
    const response = await post(proxy, { ...more, thinking: { type: "adaptive" } })
    expect(response.headers.get(header)).toMatch(
      /^generic\/long; \d+ tokens, more than 2000 -> ROUTER_LONG_CONTEXT$/,
    )
  }
  expect(upstream.turns().map(({ body }) => body["model"])).toEqual(["long", "long"])
})

describe("the header", () => {
  test("is on streams, errors, and the answers to OpenAI's clients", async () => {
    const stream = { kind: "stream", chunks: [textChunk("a"), finishChunk("stop")] } as const
    const refusal = { kind: "json", status: 401, body: { error: { message: "no" } } } as const
    const { proxy } = start([stream, refusal, whole])
    const streamed = await post(proxy, { stream: true })
    await streamed.text()
    const refused = await post(proxy)
    const openai = await fetch(`${proxy.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "hi" }] }),
    })
    expect([streamed, refused, openai].map(({ headers, status }) => [status, headers.get(header)])).toEqual([
      [200, "generic/big-model; opus -> BIG_MODEL"],
      [401, "generic/big-model; opus -> BIG_MODEL"],
      [200, "generic/gpt-4o; model named by the client"],
    ])
  })

  test("holds whatever a model is called", async () => {
    const { proxy } = start([whole, whole])
    const response = await post(proxy, { model: "模型\u0007\n-x" })
    expect(response.headers.get(header)).toBe("generic/????-x; model named by the client")
    const long = await post(proxy, { model: "m".repeat(2_000) })
    expect(long.headers.get(header)?.length).toBe(300)
  })

  test("is not on what was refused unread", async () => {
    const { proxy } = start([])
    const response = await post(proxy, {}, { body: "{" })
    expect([response.status, response.headers.get(header)]).toEqual([400, null])
  })
})
