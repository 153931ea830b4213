// A client that sends a request again which it gave up waiting for: the upstream is asked once, and whoever waits
// last gets the whole reply.
import { afterEach, beforeAll, describe, expect, test } from "bun:test"
import Anthropic from "@anthropic-ai/sdk"
import type { Exchange } from "../../src/observe/exchange.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { objectOf } from "../../src/protocol/json.ts"
import { configFrom } from "../config/support.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { chatReply, finishChunk, roleChunk, textChunk, usageChunk } from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import type { Script, Step, Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import {
  eventsOf,
  jsonOf,
  listen,
  type ProxyOptions,
  post,
  postStream,
  start,
  startProxy,
  stopAll,
  type TestProxy,
  textOf,
  typesOf,
} from "./support.ts"

afterEach(stopAll)

// How long a client has waited is told from when its request is read: what is loaded with the first one must be there.
beforeAll(async () => {
  await Promise.all([
    import("../../src/server/endpoints/messages.ts"),
    import("../../src/server/endpoints/chat-completions.ts"),
  ])
})

const never = new Promise<void>(() => {})
const speed = 3
/** The proxy's clock is three times as fast: this is more than a second of it, and its client is waited for. */
const longMs = 420
const quick: ProxyOptions = { speed, times: { commitMs: 150, pingMs: 100 } }
const headers = { "x-claude-code-session-id": "11111111-2222-4333-8444-555555555555" }

const whole: readonly Step[] = [textChunk("the "), textChunk("reply"), finishChunk("stop"), usageChunk(7, 3)]

/** A first turn that is silent until it is told to go on; any further one says so. */
function silent(go: Promise<unknown>, stream = true): Script {
  const held: Turn = { kind: "stream", chunks: [roleChunk(), { until: go }, ...whole] }
  const again = "asked again"
  return (_body, turn) => {
    if (turn === 0) return held
    return stream
      ? { kind: "stream", chunks: [textChunk(again), finishChunk("stop")] }
      : { kind: "json", body: chatReply({ content: again }) }
  }
}

interface Leaving {
  readonly leave: () => void
  readonly gone: Promise<string>
}

/** Sends a request that is given up by `leave`. */
function ask(proxy: TestProxy, body: JsonObject, more: Record<string, string> = headers): Leaving {
  const leaving = new AbortController()
  const pending = post(proxy, body, { signal: leaving.signal, headers: more })
  const gone = pending.then(
    (response) =>
      response.text().then(
        (text) => text,
        () => "cut",
      ),
    () => "left",
  )
  return { leave: () => leaving.abort(), gone }
}

// A machine that is busy may take a while to read the first request.
const busyMs = longMs + 300

async function askAndLeave(proxy: TestProxy, body: JsonObject, ms = busyMs, more = headers): Promise<void> {
  const before = waits(proxy)
  const { leave, gone } = ask(proxy, body, more)
  await Bun.sleep(ms)
  leave()
  await gone
  await noticed(proxy, before)
}

const waits = ({ logs }: TestProxy) => logs.filter(({ message }) => message.includes("gave up")).length

/** Resolves when the proxy knows that one more client has left. */
function noticed(proxy: TestProxy, before = 0): Promise<void> {
  return until(() => waits(proxy) > before)
}

const outcomes = (exchanges: readonly Exchange[]) => exchanges.map(({ outcome }) => outcome.kind)
const outputs = (exchanges: readonly Exchange[]) => exchanges.map(({ usage }) => usage.output_tokens)

describe.each([
  ["plain", false],
  ["stream", true],
] as const)("%s", (_name, stream) => {
  test("a resent request goes on with the upstream's reply to the first one", async () => {
    const go = Promise.withResolvers<void>()
    const { upstream, proxy } = start(silent(go.promise), quick)
    await askAndLeave(proxy, { stream })
    expect(upstream.inFlight()).toBe(1)
    const second = post(proxy, { stream }, { headers })
    await Bun.sleep(50)
    go.resolve()
    const response = await second
    expect(response.status).toBe(200)
    expect(response.headers.get("x-claude-proxy-cache")).toBeNull()
    const requestId = response.headers.get("request-id")
    if (stream) {
      const events = await eventsOf(response)
      expect(checkGrammar(events)).toEqual([])
      expect(textOf(events)).toBe("the reply")
    } else {
      const reply = await jsonOf(response)
      expect(reply["content"]).toEqual([{ type: "text", text: "the reply" }])
      expect(reply["usage"]).toMatchObject({ input_tokens: 7, output_tokens: 3 })
    }
    await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
    expect(upstream.turns().length).toBe(1)
    expect(upstream.turns()[0]?.cancelledAt).toBeUndefined()
    expect(outcomes(proxy.exchanges)).toEqual(["cancelled", "completed"])
    expect(outputs(proxy.exchanges)).toEqual([0, 3])
    expect(proxy.exchanges.map(({ attempts }) => attempts)).toEqual([0, 1])
    expect(proxy.exchanges[0]).toMatchObject({ costUsd: 0, usage: { input_tokens: 0 } })
    expect(proxy.exchanges[1]?.requestId).toBe(requestId ?? "")
    expect(proxy.exchanges[0]?.requestId).not.toBe(requestId ?? "")
    expect(proxy.exchanges[1]?.durationMs).toBeLessThan(longMs)
    expect(proxy.logs.filter(({ level }) => level === "warn" || level === "error")).toEqual([])
    expect(proxy.logs.filter(({ message }) => message.includes("was sent again")).length).toBe(1)
  })

  test("several times in a row", async () => {
    const go = Promise.withResolvers<void>()
    const { upstream, proxy } = start(silent(go.promise), quick)
    for (let tries = 0; tries < 3; tries++) await askAndLeave(proxy, { stream })
    const last = post(proxy, { stream }, { headers })
    go.resolve()
    expect((await last).status).toBe(200)
    expect(await (await last).text()).toContain("reply")
    await until(() => proxy.exchanges.length === 4 && proxy.timers() === 0)
    expect(upstream.turns().length).toBe(1)
    expect(outcomes(proxy.exchanges)).toEqual(["cancelled", "cancelled", "cancelled", "completed"])
  })

  test("a reply that came while nobody waited is there at once", async () => {
    const go = Promise.withResolvers<void>()
    const { upstream, proxy } = start(silent(go.promise), quick)
    await askAndLeave(proxy, { stream })
    go.resolve()
    await until(() => upstream.turns()[0]?.endedAt !== undefined)
    const response = await post(proxy, { stream }, { headers })
    const text = await response.text()
    expect(text).toContain("the ")
    expect(text).toContain("reply")
    await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
    expect(upstream.turns().length).toBe(1)
    expect(outputs(proxy.exchanges)).toEqual([0, 3])
  })

  test("a quick change of mind lets go of the upstream at once", async () => {
    const { upstream, proxy } = start(silent(never), quick)
    const { leave, gone } = ask(proxy, { stream })
    await until(() => upstream.turns().length === 1)
    leave()
    await gone
    await until(() => upstream.turns()[0]?.cancelledAt !== undefined, 200)
    await until(() => proxy.exchanges.length === 1 && proxy.timers() === 0)
    expect(outcomes(proxy.exchanges)).toEqual(["cancelled"])
  })

  test("nobody comes back: the upstream is let go, and the request counts as cancelled once", async () => {
    const { upstream, proxy } = start(silent(never), quick)
    await askAndLeave(proxy, { stream })
    expect(proxy.exchanges).toEqual([])
    expect(upstream.turns()[0]?.cancelledAt).toBeUndefined()
    await until(() => upstream.turns()[0]?.cancelledAt !== undefined, 1000)
    await until(() => proxy.exchanges.length === 1 && proxy.timers() === 0)
    expect(outcomes(proxy.exchanges)).toEqual(["cancelled"])
    const response = await post(proxy, { stream }, { headers })
    expect(await response.text()).toContain("asked again")
    expect(upstream.turns().length).toBe(2)
  })

  test("a failure while nobody waits is nobody's: the next one asks anew", async () => {
    const go = Promise.withResolvers<void>()
    const { upstream, proxy } = start(
      (_body, turn) =>
        turn === 0
          ? { kind: "stream", chunks: [{ until: go.promise }, { error: { message: "no", code: 400 } }] }
          : { kind: "json", body: chatReply({ content: "well again" }) },
      { ...quick, env: { MAX_RETRIES: "0" } },
    )
    await askAndLeave(proxy, { stream })
    go.resolve()
    await until(() => proxy.exchanges.length === 1)
    const response = await post(proxy, { stream }, { headers })
    expect(await response.text()).toContain("well again")
    await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
    expect(outcomes(proxy.exchanges)).toEqual(["cancelled", "completed"])
    expect(upstream.turns().length).toBe(2)
  })

  test("stopping ends what waits for its client", async () => {
    const { upstream, proxy } = start(silent(never), quick)
    await askAndLeave(proxy, { stream })
    const from = performance.now()
    await proxy.stop(5000)
    expect(performance.now() - from).toBeLessThan(2_000)
    await until(() => upstream.turns()[0]?.cancelledAt !== undefined, 300)
    expect(proxy.timers()).toBe(0)
    expect(outcomes(proxy.exchanges)).toEqual(["cancelled"])
  })
})

const different: readonly (readonly [string, JsonObject, Record<string, string>, string?])[] = [
  ["another session", {}, { "x-claude-code-session-id": "another" }],
  ["no session", {}, {}],
  ["another agent", {}, { ...headers, "x-claude-code-agent-id": "a1" }],
  ["another key", {}, { ...headers, "x-api-key": "someone-else" }],
  ["another text", { messages: [{ role: "user", content: "hi!" }] }, headers],
  ["without streaming", { stream: false }, headers],
  ["another endpoint", {}, headers, "/v1/messages/test_conversion"],
]

test.each(different)("%s: asked by itself", async (_name, body, sent, path = "/v1/messages") => {
  const { upstream, proxy } = start(silent(never), quick)
  await askAndLeave(proxy, { stream: true, model: "openai/big-model" })
  const url = `${proxy.url}${path}`.replace(/\/v1\/messages$/, "")
  const more = { stream: true, model: "openai/big-model", ...body }
  const response =
    path === "/v1/messages"
      ? await post(proxy, more, { headers: sent })
      : await fetch(url, {
          method: "POST",
          headers: sent,
          body: JSON.stringify({ max_tokens: 100, messages: [{ role: "user", content: "hi" }], ...more }),
        })
  expect(await response.text()).toContain("asked again")
  expect(upstream.turns().length).toBe(2)
  await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
  expect(outcomes(proxy.exchanges).toSorted()).toEqual(["cancelled", "completed"])
})

test("the session may stand in the body alone", async () => {
  const go = Promise.withResolvers<void>()
  const { upstream, proxy } = start(silent(go.promise), quick)
  const body = { stream: true, metadata: { user_id: '{"session_id":"s-1"}' } }
  await askAndLeave(proxy, body, longMs, { "x-api-key": "k" } as never)
  const again = post(proxy, body, { headers: { "x-api-key": "k" } })
  go.resolve()
  expect(textOf(await eventsOf(again))).toBe("the reply")
  expect(upstream.turns().length).toBe(1)
})

test("content was delivered: who leaves then lets go of the upstream, and a resent request is a new one", async () => {
  const { upstream, proxy } = start(
    (_body, turn) =>
      turn === 0
        ? { kind: "stream", chunks: [{ pauseMs: longMs }, textChunk("one"), { until: never }] }
        : { kind: "stream", chunks: [textChunk("two"), finishChunk("stop")] },
    quick,
  )
  const leaving = new AbortController()
  const heard = await listen(postStream(proxy, {}, { headers, signal: leaving.signal }))
  await until(() => heard.text().includes("one"))
  leaving.abort()
  await until(() => upstream.turns()[0]?.cancelledAt !== undefined, 300)
  expect(textOf(await eventsOf(postStream(proxy, {}, { headers })))).toBe("two")
  await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
  expect(outcomes(proxy.exchanges)).toEqual(["cancelled", "completed"])
})

test("a stream that had begun, without content, begins anew for the one who takes it over", async () => {
  const go = Promise.withResolvers<void>()
  const { upstream, proxy } = start(silent(go.promise), quick)
  const leaving = new AbortController()
  const heard = await listen(postStream(proxy, {}, { headers, signal: leaving.signal }))
  await Bun.sleep(longMs)
  await until(() => heard.text().includes("event: ping"))
  leaving.abort()
  await heard.ended
  await noticed(proxy)
  const second = await listen(postStream(proxy, {}, { headers }))
  await until(() => second.text().includes("event: ping"))
  go.resolve()
  expect(await second.ended).toBe("complete")
  const [before, after] = [parseAnthropicSse(heard.text()), parseAnthropicSse(second.text())]
  expect(checkGrammar(after)).toEqual([])
  expect(typesOf(before)[0]).toBe("message_start")
  const idOf = (events: readonly JsonObject[]) => objectOf(events[0]?.["message"])["id"]
  expect(idOf(after)).not.toBe(idOf(before))
  expect(textOf(after)).toBe("the reply")
  expect(upstream.turns().length).toBe(1)
  await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
})

const retry = { ...headers, "x-stainless-retry-count": "1" }

describe("the first connection is still there", () => {
  test("without a word of a retry the second request is one of its own", async () => {
    const go = Promise.withResolvers<void>()
    const { upstream, proxy } = start(silent(go.promise, false), quick)
    const first = ask(proxy, {})
    await until(() => upstream.turns().length === 1)
    const second = await jsonOf(post(proxy, {}, { headers }))
    expect(second["content"]).toEqual([{ type: "text", text: "asked again" }])
    go.resolve()
    expect(await first.gone).toContain("the reply")
    expect(upstream.turns().length).toBe(2)
  })

  test("a retry takes the reply over, and the old connection is ended", async () => {
    const go = Promise.withResolvers<void>()
    const { upstream, proxy } = start(silent(go.promise), quick)
    const first = post(proxy, {}, { headers })
    await until(() => upstream.turns().length === 1)
    const second = post(proxy, {}, { headers: retry })
    const old = await first
    expect(old.status).toBe(409)
    expect(old.headers.get("x-should-retry")).toBe("false")
    expect(objectOf((await jsonOf(old))["error"])["message"]).toContain("sent again")
    go.resolve()
    expect((await jsonOf(second))["content"]).toEqual([{ type: "text", text: "the reply" }])
    await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
    expect(upstream.turns().length).toBe(1)
    expect(outcomes(proxy.exchanges)).toEqual(["cancelled", "completed"])
  })

  test("the same for a stream that has begun", async () => {
    const go = Promise.withResolvers<void>()
    const { upstream, proxy } = start(silent(go.promise), quick)
    const first = await listen(postStream(proxy, {}, { headers }))
    const second = listen(postStream(proxy, {}, { headers: retry }))
    expect(await first.ended).toBe("complete")
    const events = parseAnthropicSse(first.text())
    expect(checkGrammar(events)).toEqual([])
    expect(typesOf(events).at(-1)).toBe("error")
    go.resolve()
    const heard = await second
    expect(await heard.ended).toBe("complete")
    expect(textOf(parseAnthropicSse(heard.text()))).toBe("the reply")
    expect(upstream.turns().length).toBe(1)
    await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
  })

  test("of two equal ones nobody knows which is retried: it is a third", async () => {
    const { upstream, proxy } = start(
      (_body, turn) =>
        turn < 2 ? { kind: "stall" } : { kind: "json", body: chatReply({ content: "third" }) },
      quick,
    )
    const both = [ask(proxy, {}), ask(proxy, {})]
    await until(() => upstream.turns().length === 2)
    const third = await jsonOf(post(proxy, {}, { headers: retry }))
    expect(third["content"]).toEqual([{ type: "text", text: "third" }])
    for (const { leave, gone } of both) {
      leave()
      expect(await gone).toBe("left")
    }
  })
})

test("other settings came into force meanwhile: the resent request goes where they lead", async () => {
  const { upstream, proxy } = start(silent(never), quick)
  await askAndLeave(proxy, { stream: true })
  proxy.reload(
    configFrom({ OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: "sk-k", PORT: "0", BIG_MODEL: "other" }),
  )
  const events = await eventsOf(postStream(proxy, {}, { headers }))
  expect(textOf(events)).toBe("asked again")
  expect(upstream.turns().map(({ body }) => body["model"])).toEqual(["big-model", "other"])
})

test("no more than a hundred wait for their clients", async () => {
  const { upstream, proxy } = start(() => ({ kind: "stall" }), { speed: 6 })
  const asked = Array.from({ length: 110 }, (_, at) =>
    ask(proxy, {}, { "x-claude-code-session-id": `session-${at}` }),
  )
  await until(() => upstream.turns().length === 110)
  await Bun.sleep(longMs)
  for (const { leave } of asked) leave()
  await until(() => upstream.turns().filter(({ cancelledAt }) => cancelledAt !== undefined).length >= 10)
  await until(() => proxy.exchanges.length === 110 && proxy.timers() === 0)
  expect(new Set(outcomes(proxy.exchanges))).toEqual(new Set(["cancelled"]))
  await until(() => upstream.inFlight() === 0)
})

describe("Anthropic's SDK gives up after two seconds and tries again", () => {
  const metadata = { user_id: '{"session_id":"sdk-session"}' }
  const given = { model: "claude-opus-5-5", max_tokens: 100, metadata }
  const messages = [{ role: "user", content: "hi" }] as const

  test.each([false, true])(
    "stream: %p",
    async (stream) => {
      const turn: Turn = { kind: "stream", chunks: [...whole], headersDelayMs: 2800 }
      const { upstream, proxy } = start([turn])
      const client = new Anthropic({ baseURL: proxy.url, apiKey: "any", timeout: 2000, maxRetries: 2 })
      const params = { ...given, messages: [...messages] }
      const reply = stream
        ? await client.messages.stream(params).finalMessage()
        : await client.messages.create(params)
      expect(reply.content).toMatchObject([{ type: "text", text: "the reply" }])
      expect(reply.usage).toMatchObject({ input_tokens: 7, output_tokens: 3 })
      await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
      expect(upstream.turns().length).toBe(1)
      expect(outcomes(proxy.exchanges)).toEqual(["cancelled", "completed"])
      expect(outputs(proxy.exchanges)).toEqual([0, 3])
    },
    15_000,
  )
})

test("an OpenAI client that names its session gets its reply in its own words", async () => {
  const go = Promise.withResolvers<void>()
  const { upstream, proxy } = start(silent(go.promise), quick)
  const body = JSON.stringify({ model: "gpt", messages: [{ role: "user", content: "hi" }] })
  const send = (signal?: AbortSignal) =>
    fetch(`${proxy.url}/v1/chat/completions`, {
      ...{ method: "POST", headers, body },
      ...(signal === undefined ? {} : { signal }),
    })
  await send(AbortSignal.timeout(longMs)).catch(() => "left")
  await noticed(proxy)
  const second = send()
  go.resolve()
  const reply = await jsonOf(second)
  expect(reply["choices"]).toMatchObject([{ message: { content: "the reply" }, finish_reason: "stop" }])
  expect(upstream.turns().length).toBe(1)
})

test("a proxy that is asked nothing twice keeps nothing", async () => {
  const upstream = start([{ kind: "json", body: chatReply({ content: "one" }) }]).upstream
  const proxy = startProxy(upstream.url, quick)
  expect((await jsonOf(post(proxy, {}, { headers })))["content"]).toEqual([{ type: "text", text: "one" }])
  expect(proxy.timers()).toBe(0)
})
