// The response cache: what it answers, what it never does, and that nobody can tell the difference.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import Anthropic from "@anthropic-ai/sdk"
import { usageLine } from "../../src/observe/log-exchange.ts"
import { arrayOf, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import { configFrom, removeFolders } from "../config/support.ts"
import {
  chatReply,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  toolChunks,
  usageChunk,
} from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Script, Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { chain, chat, whole } from "./fallbacks-support.ts"
import {
  basicBody,
  eventsOf,
  jsonOf,
  post,
  postStream,
  start,
  stopAll,
  type TestProxy,
  textOf,
} from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const env = { CACHE_ENABLED: "true" }
const header = "x-claude-proxy-cache"
const long = `${"Words and words, and 漢字 and 🎯 too. ".repeat(40)}\n${"x".repeat(900)}🎯${"漢".repeat(500)}`

/** Every turn says something else, in the form that was asked for. */
const counting: Script = (body, turn) => {
  const text = `${long} ${turn}`
  if (body["stream"] !== true) return { kind: "json", body: chatReply({ content: text }) }
  return {
    kind: "stream",
    chunks: [roleChunk(), ...text.split(/(?<= )/).map(textChunk), finishChunk("stop"), usageChunk(12, 5)],
  }
}

interface Answer {
  readonly cache: string | null
  readonly id: unknown
  readonly model: unknown
  readonly text: string
  readonly usage: JsonObject
  readonly stop: unknown
}

/** Asks in one of the two forms, and reads the answer whole. */
async function ask(
  proxy: TestProxy,
  stream: boolean,
  body: JsonObject = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await post(proxy, { ...body, stream }, { headers })
  expect(response.status).toBe(200)
  const cache = response.headers.get(header)
  if (!stream) {
    const { id, model, content, usage, stop_reason: stop } = await jsonOf(response)
    const text = arrayOf(content)
      .map((block) => objectOf(block)["text"] ?? "")
      .join("")
    return { cache, id, model, text, usage: objectOf(usage), stop }
  }
  const events = await eventsOf(response)
  expect(checkGrammar(events)).toEqual([])
  const { id, model } = objectOf(events[0]?.["message"])
  const end = events.find(({ type }) => type === "message_delta")
  const usage = objectOf(end?.["usage"])
  return { cache, id, model, text: textOf(events), usage, stop: objectOf(end?.["delta"])["stop_reason"] }
}

describe.each([
  [false, false],
  [false, true],
  [true, false],
  [true, true],
])("asked as a stream: first %p, then %p", (first, second) => {
  test("the second one has the reply of the first", async () => {
    const { upstream, proxy } = start(counting, { env })
    const one = await ask(proxy, first)
    await until(() => proxy.exchanges.length === 1)
    const two = await ask(proxy, second, { model: "claude-opus-4-8" })
    await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
    expect([one.cache, two.cache]).toEqual(["miss", "hit"])
    expect(two.text).toBe(`${long} 0`)
    expect(two.text).toBe(one.text)
    expect(String(two.id)).toMatch(/^msg_/)
    expect(two.id).not.toBe(one.id)
    expect([one.model, two.model]).toEqual(["claude-opus-5-5", "claude-opus-4-8"])
    expect(two.usage).toMatchObject({ input_tokens: 12, output_tokens: 5 })
    expect(two.stop).toBe("end_turn")
    expect(upstream.turns().length).toBe(1)
    const [asked, kept] = proxy.exchanges
    expect(asked).toMatchObject({ cache: "miss", attempts: 1, usage: { input_tokens: 12, output_tokens: 5 } })
    expect(kept).toMatchObject({
      ...{ cache: "hit", attempts: 0, costUsd: 0, stream: second, outcome: { kind: "completed" } },
      usage: { input_tokens: 0, output_tokens: 0 },
    })
    if (kept === undefined) throw new Error("no exchange")
    expect(usageLine(kept)).toEndWith("| Input: 0 | Output: 0 | Total: 0 | Cost: $0.0000 | Cache: hit")
  })
})

test("a stream out of the cache comes in pieces, none of which breaks a character", async () => {
  const { proxy } = start(counting, { env })
  await ask(proxy, false)
  const events = await eventsOf(postStream(proxy))
  const pieces = events.flatMap(({ delta }) => {
    const { text } = objectOf(delta)
    return typeof text === "string" ? [text] : []
  })
  expect(pieces.length).toBeGreaterThan(10)
  expect(pieces.every((piece) => piece.isWellFormed() && piece.length <= 200)).toBe(true)
  const usage = objectOf(objectOf(events[0]?.["message"])["usage"])
  expect(usage).toMatchObject({ input_tokens: 12, output_tokens: 0 })
})

test("off unless it is switched on: everybody asks, and nothing is said of a cache", async () => {
  const { upstream, proxy } = start(counting)
  const answers = [await ask(proxy, false), await ask(proxy, false), await ask(proxy, true)]
  expect(answers.map(({ cache }) => cache)).toEqual([null, null, null])
  expect(upstream.turns().length).toBe(3)
  expect(proxy.exchanges.map(({ cache }) => cache)).toEqual([undefined, undefined, undefined])
})

describe("two requests are the same", () => {
  const same: Readonly<Record<string, readonly [JsonObject, Record<string, string>?]>> = {
    "from another client": [{}, { "x-api-key": "another" }],
    "in another session": [{ metadata: { user_id: '{"session_id":"s"}' } }],
    "in another session, by its header": [
      {},
      { "x-claude-code-session-id": "s", "x-claude-code-agent-id": "a" },
    ],
    "with another name of the same model": [{ model: "opus" }],
    "with text as a block": [{ messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }] }],
    "with no tools at all": [{ tools: [] }],
    "with a billing header in front": [
      { system: [{ type: "text", text: "x-anthropic-billing-header: cc_version=2.1.329.abc; cch=12345;" }] },
    ],
  }
  test.each(Object.entries(same))("%s", async (_name, [body, headers]) => {
    const { upstream, proxy } = start(counting, { env })
    await ask(proxy, false)
    expect((await ask(proxy, false, body, headers)).cache).toBe("hit")
    expect(upstream.turns().length).toBe(1)
  })
})

describe("two requests are not the same", () => {
  const other: Readonly<Record<string, JsonObject>> = {
    "another text": { messages: [{ role: "user", content: "hi!" }] },
    "another model": { model: "claude-haiku-4-5" },
    "another system prompt": { system: "Be brief." },
    "another limit": { max_tokens: 101 },
    "another temperature": { temperature: 0.5 },
    "stop sequences": { stop_sequences: ["END"] },
    "more stop sequences than the upstream takes": { stop_sequences: ["a1", "b1", "c1", "d1", "e1"] },
    "a form": { output_config: { format: { type: "json_schema", schema: { type: "object" } } } },
    "a longer conversation": {
      messages: [
        { role: "user", content: "hi" },
        { role: "assistant", content: "hello" },
        { role: "user", content: "hi" },
      ],
    },
  }
  test.each(Object.entries(other))("%s", async (_name, body) => {
    const { upstream, proxy } = start(counting, { env })
    await ask(proxy, false)
    expect((await ask(proxy, false, body)).cache).toBe("miss")
    expect((await ask(proxy, false, body)).cache).toBe("hit")
    expect(upstream.turns().length).toBe(2)
  })

  test("they differ in a stop sequence that is watched for here", async () => {
    const { upstream, proxy } = start(counting, { env })
    const stops = (last: string) => ({ stop_sequences: ["a1", "b1", "c1", "d1", last] })
    await ask(proxy, false, stops("e1"))
    expect((await ask(proxy, false, stops("e2"))).cache).toBe("miss")
    expect(upstream.turns().length).toBe(2)
  })
})

describe("never asked", () => {
  const tool = { name: "Read", input_schema: { type: "object" } }
  const used = { type: "tool_use", id: "toolu_1", name: "Read", input: {} }
  const result = { type: "tool_result", tool_use_id: "toolu_1", content: "text" }
  const say = (content: unknown) => ({ role: "user", content })
  const requests: Readonly<Record<string, JsonObject>> = {
    tools: { tools: [tool] },
    "a call and its result in the history": {
      messages: [say("hi"), { role: "assistant", content: [used] }, say([result])],
    },
    "thinking in the history": {
      messages: [
        say("a"),
        { role: "assistant", content: [{ type: "thinking", thinking: "b", signature: "" }] },
        say("c"),
      ],
    },
    thinking: { thinking: { type: "adaptive" } },
    "thinking with a budget": { thinking: { type: "enabled", budget_tokens: 2000 }, max_tokens: 4000 },
    "a tool that comes with a message": {
      messages: [
        say("hi"),
        {
          role: "system",
          content: [{ type: "tool_addition", tool: { type: "tool_definition", definition: tool } }],
        },
      ],
    },
    "a summary": { compaction: { type: "summarize" } },
  }
  test.each(Object.entries(requests))("%s", async (_name, body) => {
    const { upstream, proxy } = start(counting, { env })
    for (let times = 0; times < 2; times++) {
      const response = await post(proxy, body)
      expect(response.status).toBe(200)
      expect(response.headers.get(header)).toBeNull()
    }
    expect(upstream.turns().length).toBe(2)
    expect(proxy.exchanges.map(({ cache }) => cache)).toEqual([undefined, undefined])
  })

  test("a test of a conversion", async () => {
    const { upstream, proxy } = start(counting, { env })
    for (let times = 0; times < 2; times++) {
      const body = JSON.stringify({ ...basicBody, model: "openai/big-model" })
      const response = await fetch(`${proxy.url}/v1/messages/test_conversion`, { method: "POST", body })
      expect(response.status).toBe(200)
      expect(response.headers.get(header)).toBeNull()
    }
    expect(upstream.turns().length).toBe(2)
  })
})

describe("never kept", () => {
  const stream = (...chunks: JsonObject[]): Turn => ({ kind: "stream", chunks })
  const text = textChunk("words")
  const turns: Readonly<Record<string, Turn>> = {
    "a call": stream(...toolChunks(0, "call_1", "Read", {}), finishChunk("tool_calls")),
    reasoning: stream(reasoningChunk("hm"), text, finishChunk("stop")),
    "what was cut by its limit": stream(text, finishChunk("length")),
    "what a filter stopped": stream(text, finishChunk("content_filter")),
    "an end that nobody knows": stream(text, finishChunk("something_new")),
    "an end without a reason": stream(text),
    "a stream that broke off": { kind: "stream", chunks: [text], cut: "clean" },
    "an error within": stream(text, { error: { message: "no", code: 500 } }),
    "an error": { kind: "json", status: 400, body: { error: { message: "no" } } },
  }
  test.each(Object.entries(turns))("%s", async (_name, turn) => {
    const { upstream, proxy } = start((_body, at) => (at === 0 ? turn : numbered(at)), { env })
    await (await postStream(proxy)).text()
    const second = await post(proxy)
    expect(second.headers.get(header)).toBe("miss")
    await second.text()
    expect(upstream.turns().length).toBe(2)
  })

  test("an error says that the cache was asked", async () => {
    const { proxy } = start([{ kind: "json", status: 400, body: { error: { message: "no" } } }], { env })
    const response = await post(proxy)
    expect(response.status).toBe(400)
    expect(response.headers.get(header)).toBe("miss")
  })
})

function numbered(turn: number): Turn {
  return { kind: "json", body: chatReply({ content: `turn ${turn}` }) }
}

describe("cache-control", () => {
  test("no-cache asks, and keeps what it hears", async () => {
    const { upstream, proxy } = start(counting, { env })
    await ask(proxy, false)
    const fresh = await ask(proxy, false, {}, { "cache-control": "max-age=0, No-Cache" })
    expect([fresh.cache, fresh.text.at(-1)]).toEqual([null, "1"])
    const known = await ask(proxy, true)
    expect([known.cache, known.text.at(-1)]).toEqual(["hit", "1"])
    expect(upstream.turns().length).toBe(2)
  })

  test("no-store asks, and keeps nothing", async () => {
    const { upstream, proxy } = start(counting, { env })
    const secret = await ask(proxy, false, {}, { "cache-control": "no-store" })
    expect([secret.cache, secret.text.at(-1)]).toEqual([null, "0"])
    expect((await ask(proxy, false)).cache).toBe("miss")
    expect((await ask(proxy, false, {}, { "cache-control": "no-store" })).text.at(-1)).toBe("2")
    expect((await ask(proxy, false)).text.at(-1)).toBe("1")
    expect(upstream.turns().length).toBe(3)
  })
})

describe("how long", () => {
  test("CACHE_TTL, where it is set", async () => {
    const { proxy } = start(counting, { env: { ...env, CACHE_TTL: "60" }, speed: 200 })
    await ask(proxy, false)
    expect((await ask(proxy, false)).cache).toBe("hit")
    await Bun.sleep(350)
    expect((await ask(proxy, false)).cache).toBe("miss")
  })

  test("CACHE_TTL 0: nothing is kept, and nothing is looked for", async () => {
    const { upstream, proxy } = start(counting, { env: { ...env, CACHE_TTL: "0" } })
    expect((await ask(proxy, false)).cache).toBeNull()
    expect((await ask(proxy, false)).cache).toBeNull()
    expect(upstream.turns().length).toBe(2)
  })

  test("what does not fit is not kept, and the reply is whole all the same", async () => {
    const { upstream, proxy } = start(counting, { env: { ...env, CACHE_MAX_BYTES: "8192" } })
    for (const stream of [false, true]) {
      const { cache, text } = await ask(proxy, stream)
      expect([cache, text.startsWith(long)]).toEqual(["miss", true])
    }
    expect(upstream.turns().length).toBe(2)
  })
})

test("switched on and off while the proxy runs", async () => {
  const { upstream, proxy } = start(counting)
  const settings = (more: Record<string, string>) =>
    configFrom({
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: "sk-k",
      PORT: "0",
      BIG_MODEL: "big-model",
      ...more,
    })
  expect((await ask(proxy, false)).cache).toBeNull()
  proxy.reload(settings(env))
  expect((await ask(proxy, false)).cache).toBe("miss")
  expect((await ask(proxy, false)).cache).toBe("hit")
  proxy.reload(settings({}))
  expect((await ask(proxy, false)).cache).toBeNull()
  proxy.reload(settings(env))
  expect((await ask(proxy, false)).cache).toBe("hit")
})

test("OpenAI's clients share it, in their own words", async () => {
  const { upstream, proxy } = start(counting, { env })
  await ask(proxy, true)
  for (const stream of [false, true]) {
    const response = await fetch(`${proxy.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({
        ...{ model: "claude-opus-5-5", max_tokens: 100, stream },
        messages: [{ role: "user", content: "hi" }],
      }),
    })
    expect(response.headers.get(header)).toBe("hit")
    if (stream) {
      const text = await response.text()
      expect(text).toContain('"finish_reason":"stop"')
      expect(text).toEndWith("data: [DONE]\n\n")
    } else {
      const choices = (await jsonOf(response))["choices"]
      expect(choices).toMatchObject([{ message: { content: `${long} 0` }, finish_reason: "stop" }])
    }
  }
  expect(upstream.turns().length).toBe(1)
})

test("Anthropic's SDK reads a kept stream as any other", async () => {
  const { proxy, upstream } = start(counting, { env })
  const client = new Anthropic({ baseURL: proxy.url, apiKey: "any", maxRetries: 0 })
  const params = {
    model: "claude-opus-5-5",
    max_tokens: 100,
    messages: [{ role: "user" as const, content: "hi" }],
  }
  const one = await client.messages.create(params)
  const two = await client.messages.stream(params).finalMessage()
  for (const { content } of [one, two]) {
    expect(content).toMatchObject([{ type: "text", text: `${long} 0` }])
  }
  expect(two.usage).toMatchObject({ input_tokens: 12, output_tokens: 5 })
  expect(upstream.turns().length).toBe(1)
})

test("a fallback's reply is not kept for the model that it stood in for", async () => {
  const failing: Turn = { kind: "json", status: 500, body: { error: { message: "no" } } }
  const places = [chat((_body, turn) => (turn === 0 ? failing : whole("by m0"))), chat(() => whole("by m1"))]
  const proxy = chain(places, { env: { ...env, MAX_RETRIES: "0" }, speed: 1 })
  const answers = [await ask(proxy, false), await ask(proxy, false), await ask(proxy, false)]
  expect(answers.map(({ cache, text }) => [cache, text])).toEqual([
    ["miss", "by m1"],
    ["miss", "by m0"],
    ["hit", "by m0"],
  ])
})
