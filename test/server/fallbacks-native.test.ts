// Fallbacks between upstreams of different kinds, for clients of either kind: before anything was said, and behind the
// beginning of a message.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import { objectOf } from "../../src/protocol/json.ts"
import { removeFolders } from "../config/support.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { type MessagesTurn, nativeEvent, nativeEvents, nativeStream } from "../support/anthropic-upstream.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import {
  address,
  answering,
  chain,
  chat,
  fine,
  native,
  nativeError,
  nativeFine,
  nativeMessage,
  nativeWhole,
  replyText,
} from "./fallbacks-support.ts"
import {
  eventsOf,
  jsonOf,
  listen,
  post,
  postStream,
  stopAll,
  type TestProxy,
  textOf,
  typesOf,
} from "./support.ts"

afterEach(stopAll)
afterAll(removeFolders)

const dead = (kind: "chat" | "native") => address(kind, "http://127.0.0.1:9/v1")
const broken: Turn = { kind: "json", status: 500, body: { error: { message: "broken" } } }
const never = new Promise<void>(() => {})

// A message with everything that only its own API has.
const strange: readonly JsonObject[] = [
  ...nativeEvents("").slice(0, 1),
  { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } },
  {
    type: "content_block_delta",
    index: 0,
    delta: { type: "signature_delta", signature: "EqQBCkYIBRgCKkD0" },
  },
  { type: "content_block_stop", index: 0 },
  { type: "content_block_start", index: 1, content_block: { type: "redacted_thinking", data: "EqQB" } },
  { type: "content_block_stop", index: 1 },
  { type: "content_block_start", index: 2, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 2, delta: { type: "text_delta", text: "漢字 🎯" } },
  { type: "content_block_stop", index: 2 },
  { type: "brand_new_event", n: 1 },
  {
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: 25 },
  },
  { type: "message_stop" },
]
const strangeTurn: MessagesTurn = { steps: [strange.map((event) => nativeEvent(event)).join("")] }

/** Without what tells nothing but that somebody is there. */
const withoutComments = (text: string) => text.replaceAll(": waiting for the upstream\n\n", "")

const quiet = (events: readonly JsonObject[]) => events.filter(({ type }) => type !== "ping")

describe("from Chat Completions to Messages", () => {
  test("streamed: every event but the first goes out as it came", async () => {
    const proxy = chain([dead("chat"), native([strangeTurn])])
    const response = await postStream(proxy)
    const events = parseAnthropicSse(await response.text())
    expect(events.slice(1, -2)).toEqual([...strange.slice(1, -2)])
    const [start] = events
    expect(objectOf(start?.["message"])).toMatchObject({ model: "claude-opus-5-5", content: [] })
    const input = { input_tokens: 12, cache_creation_input_tokens: 3, cache_read_input_tokens: 40 }
    expect(events.at(-2)).toEqual({ ...strange.at(-2), usage: { output_tokens: 25, ...input } })
    expect(proxy.exchanges).toMatchObject([
      { model: "u1", usage: { ...input, output_tokens: 25 }, reply: { thought: true }, estimated: false },
    ])
    await until(() => proxy.timers() === 0)
  })

  test("plain: every block and field", async () => {
    const content = [
      { type: "thinking", thinking: "hm", signature: "EqQBCkYIBRgCKkD0" },
      { type: "redacted_thinking", data: "EqQB" },
      { type: "text", text: "yes", citations: [{ type: "char_location", cited_text: "a" }] },
      { type: "tool_use", id: "toolu_1", name: "Read", input: { n: [1, { a: null }] } },
    ]
    const message = { ...nativeMessage(""), content, stop_reason: "tool_use", container: { id: "c" } }
    const turn = { headers: { "content-type": "application/json" }, steps: [JSON.stringify(message)] }
    const proxy = chain([dead("chat"), native([turn])])
    const reply = await jsonOf(post(proxy))
    expect(reply).toMatchObject({ content, stop_reason: "tool_use", usage: message.usage })
    expect(proxy.exchanges).toMatchObject([{ model: "u1", reply: { calls: { Read: 1 } } }])
  })

  test("behind the beginning of a message, with pings and real events meanwhile", async () => {
    const go = Promise.withResolvers<void>()
    const first = chat([{ kind: "stream", chunks: [{ until: go.promise }], cut: "reset" }])
    const proxy = chain([first, native([strangeTurn])], {
      env: { MAX_RETRIES: "0" },
      speed: 1,
      times: { commitMs: 20, pingMs: 10, keepAliveMs: 60 },
    })
    const heard = await listen(postStream(proxy))
    expect(heard.response.headers.get("x-claude-proxy-route")).toContain("/u0; ")
    await until(() => heard.text().split("event: message_delta").length > 2)
    go.resolve()
    expect(await heard.ended).toBe("complete")
    const events = parseAnthropicSse(heard.text())
    expect(typesOf(events).filter((type) => type === "message_start")).toHaveLength(1)
    const from = events.findIndex(({ type }) => type === "content_block_start")
    expect(quiet(events.slice(from)).slice(0, -2)).toEqual([...strange.slice(1, -2)])
    expect(events.at(-1)).toEqual({ type: "message_stop" })
    expect(proxy.exchanges).toMatchObject([
      { model: "u1", fallbackFrom: "u0", outcome: { kind: "completed" } },
    ])
    await until(() => proxy.timers() === 0)
  })

  test.each<[string, MessagesTurn, string]>([
    ["breaks off", { steps: [nativeStream("half").slice(0, -120)], reset: true }, "broke"],
    ["ends too early", { steps: [nativeStream("half").slice(0, -120)] }, "closed the connection"],
    [
      "says that it failed",
      {
        steps: [
          nativeEvents("half")
            .slice(0, 4)
            .map((event) => nativeEvent(event))
            .join(""),
          'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
        ],
      },
      "Overloaded",
    ],
  ])(
    "a reply that %s after its first words is an error, and nobody else is asked",
    async (_name, turn, words) => {
      const third = chat(answering("third"))
      const proxy = chain([dead("chat"), native([turn]), third])
      const events = await eventsOf(postStream(proxy))
      expect(checkGrammar(events)).toEqual([])
      expect(textOf(events)).toBe("half")
      expect(String(objectOf(events.at(-1)?.["error"])["message"])).toContain(words)
      expect(third.asked()).toBe(0)
      expect(proxy.exchanges).toMatchObject([{ model: "u1", outcome: { kind: "failed" } }])
      await until(() => proxy.timers() === 0)
    },
  )

  test("a document where a stream was asked for, and a stream where none was", async () => {
    const proxy = chain([dead("chat"), native([nativeWhole("whole"), nativeFine("events")])])
    const events = await eventsOf(postStream(proxy))
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe("whole")
    expect(replyText(await jsonOf(post(proxy)))).toBe("events")
  })

  test("its own failure leads on", async () => {
    const second = native([nativeError(529, "overloaded_error"), nativeError(529, "overloaded_error")])
    const proxy = chain([dead("chat"), second, chat(answering("third"))], { env: { MAX_RETRIES: "1" } })
    expect(replyText(await jsonOf(post(proxy)))).toBe("third")
    expect(second.asked()).toBe(2)
    expect(proxy.exchanges).toMatchObject([{ model: "u2", fallbackFrom: "u0", attempts: 4 }])
  })

  test.each<[string, (finished: string) => MessagesTurn]>([
    ["closed", (finished) => ({ steps: [finished] })],
    ["reset", (finished) => ({ steps: [finished], reset: true })],
    ["never closed", (finished) => ({ steps: [finished, { until: never }] })],
  ])("a message is complete behind the reason of its end: %s", async (_name, turn) => {
    const [finished = ""] = nativeStream("all").split("event: message_stop")
    const proxy = chain([dead("chat"), native([turn(finished)])], { times: { afterFinishMs: 50 } })
    const events = await eventsOf(postStream(proxy))
    expect(checkGrammar(events)).toEqual([])
    expect([textOf(events), typesOf(events).at(-1)]).toEqual(["all", "message_stop"])
    await until(() => proxy.timers() === 0)
    expect(proxy.exchanges).toMatchObject([{ model: "u1", outcome: { kind: "completed" } }])
  })

  test("what goes on behind the reason of its end is waited for", async () => {
    const [begin = "", ...others] = nativeEvents("all").map((event) => nativeEvent(event))
    const block = others.slice(0, 4).join("")
    const more = block.replaceAll('"index":0', '"index":1')
    const [reason = "", stop = ""] = others.slice(4)
    const steps = [begin, block, reason, { pauseMs: 20 }, more.slice(0, 160), { pauseMs: 200 }]
    const turn = { steps: [...steps, more.slice(160), reason, stop] }
    const proxy = chain([dead("chat"), native([turn])], { speed: 1, times: { afterFinishMs: 60 } })
    const events = await eventsOf(postStream(proxy))
    expect([textOf(events), typesOf(events).at(-1)]).toEqual(["allall", "message_stop"])
    await until(() => proxy.timers() === 0)
  })

  test("a message that begins and fails before its first block leads on", async () => {
    const begun = nativeEvents("")
      .slice(0, 1)
      .map((event) => nativeEvent(event))
      .join("")
    const error = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    const turn: MessagesTurn = { steps: [begun, { pauseMs: 20 }, `event: error\ndata: ${error}\n\n`] }
    const proxy = chain([native([turn]), native([turn]), chat(answering("third"))], {
      env: { MAX_RETRIES: "0" },
    })
    const events = await eventsOf(postStream(proxy))
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe("third")
  })
})

describe("from Messages", () => {
  test.each([
    ["to Chat Completions", () => chat(answering("other"))],
    ["to Messages, streamed", () => native([nativeFine("other")])],
  ])("%s", async (_name, make) => {
    const proxy = chain([native([nativeError(500, "api_error"), nativeError(500, "api_error")]), make()], {
      env: { MAX_RETRIES: "1" },
    })
    const response = await postStream(proxy)
    expect([response.status, response.headers.get("x-claude-proxy-route")?.split(";")[0]]).toEqual([
      200,
      expect.stringContaining("/u1"),
    ])
    const events = await eventsOf(response)
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe("other")
    await until(() => proxy.timers() === 0)
    expect(proxy.exchanges).toMatchObject([
      { model: "u1", fallbackFrom: "u0", attempts: 3, outcome: { kind: "completed" } },
    ])
  })

  test("to Messages: byte for byte, with the other model's name and key", async () => {
    const second = native([nativeWhole("plain"), nativeFine("stream")])
    const proxy = chain([dead("native"), second])
    expect(await (await post(proxy)).text()).toBe(String(nativeWhole("plain").steps[0]))
    expect(await (await postStream(proxy)).text()).toBe(nativeStream("stream"))
    expect(second.texts().map((text) => JSON.parse(text).model)).toEqual(["u1", "u1"])
    expect(second.headers().map((headers) => headers["authorization"] ?? headers["x-api-key"])).toEqual([
      expect.stringContaining("sk-key-of-model-1"),
      expect.stringContaining("sk-key-of-model-1"),
    ])
    expect(proxy.exchanges.map(({ model, attempts }) => [model, attempts])).toEqual([
      ["u1", 2],
      ["u1", 2],
    ])
  })

  const slow = { env: { MAX_RETRIES: "0" }, speed: 1, times: { commitMs: 20, pingMs: 10, keepAliveMs: 60 } }

  test.each<[string, MessagesTurn]>([
    ["nothing", { steps: [{ until: Bun.sleep(0).then(() => never) }] }],
    ["the beginning of a message", { steps: [nativeEvent(nativeEvents("")[0] ?? {}), { until: never }] }],
  ])("a stream of which %s has come is kept alive, and led on", async (_name, turn) => {
    const proxy = chain([native([turn]), chat(answering("other"))], {
      ...slow,
      env: { ...slow.env, REQUEST_TIMEOUT: "0.6" },
    })
    const heard = await listen(postStream(proxy))
    expect(heard.response.status).toBe(200)
    expect(heard.text()).not.toContain("event:")
    expect(await heard.ended).toBe("complete")
    expect(heard.text().split(": waiting for the upstream\n\n").length).toBeGreaterThan(3)
    const events = parseAnthropicSse(withoutComments(heard.text()))
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe("other")
    await until(() => proxy.timers() === 0)
    expect(proxy.exchanges).toMatchObject([{ model: "u1", attempts: 2, outcome: { kind: "completed" } }])
  })

  test("a stream that is kept alive and refused in the end", async () => {
    const first = native([{ steps: [{ pauseMs: 80 }], reset: true }])
    const proxy = chain([first, native([nativeError(400, "invalid_request_error")])], slow)
    const heard = await listen(postStream(proxy))
    expect(await heard.ended).toBe("complete")
    const events = parseAnthropicSse(withoutComments(heard.text()))
    expect(typesOf(events)).toEqual(["error"])
    expect(events[0]).toMatchObject({ error: { type: "api_error" } })
    await until(() => proxy.timers() === 0)
    expect(proxy.exchanges).toMatchObject([{ model: "u0", outcome: { kind: "failed" } }])
  })

  test("without any fallback a silent stream is kept alive too", async () => {
    const proxy = chain([native([{ steps: [{ pauseMs: 100 }, nativeStream("late")] }])], slow)
    const text = await (await postStream(proxy)).text()
    expect(text).toStartWith(": waiting for the upstream\n\n: waiting")
    expect(withoutComments(text)).toBe(nativeStream("late"))
    await until(() => proxy.timers() === 0)
  })

  test("a client that leaves while it is kept alive", async () => {
    const second = chat(answering("other"))
    const proxy = chain([native([{ steps: [{ until: never }] }]), second], slow)
    const leaving = new AbortController()
    const heard = await listen(postStream(proxy, {}, { signal: leaving.signal }))
    await until(() => heard.text().includes("waiting"))
    leaving.abort()
    await until(() => proxy.exchanges.length === 1 && proxy.timers() === 0)
    expect(proxy.exchanges[0]?.outcome.kind).toBe("cancelled")
    expect([second.asked(), proxy.logs.filter(({ level }) => level === "warn")]).toEqual([0, []])
  })
})

describe("OpenAI's clients", () => {
  const ask = (proxy: TestProxy, stream: boolean) =>
    fetch(`${proxy.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "m0", stream, messages: [{ role: "user", content: "hi" }] }),
    })

  async function said(response: Response, stream: boolean): Promise<string> {
    expect(response.status).toBe(200)
    const text = await response.text()
    if (!stream) return String(objectOf(objectOf(JSON.parse(text).choices[0])["message"])["content"])
    const lines = text.split("\n\n").filter((line) => line.startsWith("data: {"))
    expect(text).toEndWith("data: [DONE]\n\n")
    return lines.map((line) => JSON.parse(line.slice(6)).choices[0]?.delta.content ?? "").join("")
  }

  const places = {
    "Chat Completions": (_stream: boolean) => chat(answering("other")),
    Messages: (stream: boolean) => native([stream ? nativeFine("other") : nativeWhole("other")]),
  }

  const cases = (["chat", "native"] as const).flatMap((from) =>
    Object.entries(places).flatMap(([to, make]) =>
      [false, true].map((stream) => ({ from, to, make, stream })),
    ),
  )
  test.each(cases)("from $from to $to, streamed: $stream", async ({ from, make, stream }) => {
    const proxy = chain([dead(from), make(stream)], { env: { BIG_MODEL: "m0" } })
    expect(await said(await ask(proxy, stream), stream)).toBe("other")
    await until(() => proxy.timers() === 0)
    expect(proxy.exchanges).toMatchObject([{ model: "u1", fallbackFrom: "u0", attempts: 2 }])
  })

  test("what finally fails is told in their words", async () => {
    const proxy = chain([dead("native"), dead("chat")], { env: { MAX_RETRIES: "0" } })
    const response = await ask(proxy, false)
    expect(response.status).toBe(502)
    expect(objectOf(await jsonOf(response))).toMatchObject({ error: { message: expect.any(String) } })
  })

  test("hear that a silent upstream is waited for", async () => {
    const proxy = chain([native([{ steps: [{ pauseMs: 100 }, nativeStream("late")] }])], {
      speed: 1,
      times: { commitMs: 10, pingMs: 10 },
    })
    const text = await (await ask(proxy, true)).text()
    expect(text).toStartWith(": ping\n\n: ping\n\n")
    expect(text).toContain("late")
  })
})

test("a model of the Responses API has a fallback in Chat Completions", async () => {
  const proxy = chain([chat([broken]), chat([fine("other")])], {
    more: { 0: ["overrides: { dialect: responses }"] },
    env: { MAX_RETRIES: "0" },
  })
  expect(textOf(await eventsOf(postStream(proxy)))).toBe("other")
  expect(proxy.exchanges).toMatchObject([{ model: "u1", fallbackFrom: "u0" }])
})
