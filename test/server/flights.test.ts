// Equal requests at the same time, with the cache on: one request to the upstream, whose reply all of them read.
import { afterEach, describe, expect, test } from "bun:test"
import type { Exchange } from "../../src/observe/exchange.ts"
import { usageLine } from "../../src/observe/log-exchange.ts"
import { type JsonObject, objectOf, parseJson } from "../../src/protocol/json.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import {
  chatReply,
  finishChunk,
  reasoningChunk,
  roleChunk,
  textChunk,
  usageChunk,
} from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import { property } from "../support/random.ts"
import type { Step, Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import {
  jsonOf,
  listen,
  type ProxyOptions,
  post,
  postStream,
  start,
  stopAll,
  textOf,
  typesOf,
} from "./support.ts"

afterEach(stopAll)

const never = new Promise<void>(() => {})
const env = { CACHE_ENABLED: "true", MAX_RETRIES: "0" }
const on: ProxyOptions = { env }
const end: readonly Step[] = [finishChunk("stop"), usageChunk(9, 4)]
const stream = (...chunks: readonly Step[]): Turn => ({ kind: "stream", chunks: [roleChunk(), ...chunks] })

const outcomes = (exchanges: readonly Exchange[]) => exchanges.map(({ outcome }) => outcome.kind)
const outputs = (exchanges: readonly Exchange[]) => exchanges.map(({ usage }) => usage.output_tokens)

interface Said {
  readonly id: unknown
  readonly model: unknown
  readonly text: string
  readonly cache: string | null
}

/** What a reply says, in either form; a stream's grammar is checked. */
async function readReply(pending: Promise<Response>): Promise<Said> {
  const response = await pending
  const text = await response.text()
  const cache = response.headers.get("x-claude-proxy-cache")
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
    const events = parseAnthropicSse(text)
    expect(checkGrammar(events)).toEqual([])
    const { id, model } = objectOf(events[0]?.["message"])
    return { id, model, text: textOf(events), cache }
  }
  const parsed = parseJson(text)
  const { id, model, content } = objectOf(parsed.ok ? parsed.value : undefined)
  const words = Array.isArray(content) ? content.map((block) => objectOf(block)["text"]).join("") : ""
  return { id, model, text: words, cache }
}

describe.each([
  [false, false],
  [false, true],
  [true, false],
  [true, true],
])("as a stream: the first %p, the second %p", (first, second) => {
  test("the upstream is asked once, and both have the whole reply", async () => {
    const go = Promise.withResolvers<void>()
    const { upstream, proxy } = start(
      [stream(textChunk("one "), { until: go.promise }, textChunk("two"), ...end)],
      on,
    )
    const one = readReply(post(proxy, { stream: first }))
    await until(() => upstream.turns().length === 1)
    const two = readReply(post(proxy, { stream: second, model: "opus" }))
    await Bun.sleep(30)
    go.resolve()
    const [leader, follower] = await Promise.all([one, two])
    expect([leader.text, follower.text]).toEqual(["one two", "one two"])
    expect([leader.cache, follower.cache]).toEqual(["miss", "hit"])
    expect([leader.model, follower.model]).toEqual(["claude-opus-5-5", "opus"])
    expect(String(follower.id)).toMatch(/^msg_/)
    expect(follower.id).not.toBe(leader.id)
    await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
    expect(upstream.turns().length).toBe(1)
    const asked = proxy.exchanges.find(({ cache }) => cache === "miss")
    const read = proxy.exchanges.find(({ cache }) => cache === "hit")
    expect(asked).toMatchObject({ attempts: 1, stream: first, usage: { input_tokens: 9, output_tokens: 4 } })
    expect(read).toMatchObject({
      ...{ attempts: 0, stream: second, shared: true, costUsd: 0, outcome: { kind: "completed" } },
      usage: { input_tokens: 0, output_tokens: 0 },
    })
    if (read === undefined) throw new Error("no exchange")
    expect(usageLine(read)).toEndWith("| Cache: shared")
  })
})

test.each([true, false])(
  "a filter's stop is told in each API's words, OpenAI's client first: %p",
  async (first) => {
    const go = Promise.withResolvers<void>()
    const filtered = stream(textChunk("one"), { until: go.promise }, finishChunk("content_filter"))
    const { upstream, proxy } = start(() => filtered, on)
    const asked = {
      model: "gpt-x",
      max_tokens: 50,
      messages: [{ role: "user", content: "hi" }],
      stream: true,
    }
    const ask = async (path: string): Promise<string> =>
      (await fetch(`${proxy.url}${path}`, { method: "POST", body: JSON.stringify(asked) })).text()
    const paths = ["/v1/chat/completions", "/v1/messages"]
    const one = ask(paths[first ? 0 : 1] ?? "")
    await until(() => upstream.turns().length === 1)
    const two = ask(paths[first ? 1 : 0] ?? "")
    await until(() => upstream.turns().length === 2)
    go.resolve()
    const said = await Promise.all([one, two])
    const [chat, messages] = first ? said : said.toReversed()
    expect(chat).toContain('"finish_reason":"content_filter"')
    expect(messages).toContain('"stop_reason":"end_turn"')
  },
)

test("with the cache off everybody asks by himself", async () => {
  const { upstream, proxy } = start(() => ({
    kind: "json",
    body: chatReply({ content: "one" }),
    headersDelayMs: 100,
  }))
  const replies = await Promise.all([readReply(post(proxy)), readReply(post(proxy))])
  expect(replies.map(({ cache }) => cache)).toEqual([null, null])
  expect(upstream.turns().length).toBe(2)
})

test("what is kept nowhere is shared all the same while it is under way", async () => {
  const go = Promise.withResolvers<void>()
  const { upstream, proxy } = start(() => stream({ until: go.promise }, textChunk("one"), ...end), {
    env: { ...env, CACHE_TTL: "0" },
  })
  const one = readReply(postStream(proxy))
  await until(() => upstream.turns().length === 1)
  const two = readReply(postStream(proxy))
  await Bun.sleep(30)
  go.resolve()
  expect([(await one).cache, (await two).cache]).toEqual([null, "hit"])
  expect((await readReply(postStream(proxy))).text).toBe("one")
  expect(upstream.turns().length).toBe(2)
})

test("who joins late hears everything from the beginning, and who asks last is served by what is left", async () => {
  const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
  const { upstream, proxy } = start(
    [
      stream(
        ...[reasoningChunk("hm"), textChunk("a"), { until: steps[0].promise }],
        ...[textChunk("b"), { until: steps[1].promise }, textChunk("c"), ...end],
      ),
    ],
    on,
  )
  const first = await listen(postStream(proxy))
  await until(() => first.text().includes('"a"'))
  const second = await listen(postStream(proxy))
  await until(() => second.text().includes('"a"'))
  steps[0].resolve()
  await until(() => first.text().includes('"b"') && second.text().includes('"b"'))
  const third = await listen(postStream(proxy))
  await until(() => third.text().includes('"b"'))
  steps[1].resolve()
  for (const heard of [first, second, third]) {
    expect(await heard.ended).toBe("complete")
    const events = parseAnthropicSse(heard.text())
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe("abc")
    expect(heard.text()).toContain('"thinking":"hm"')
  }
  expect(upstream.turns().length).toBe(1)
  await until(() => proxy.exchanges.length === 3 && proxy.timers() === 0)
})

describe("somebody leaves", () => {
  const setUp = async () => {
    const go = Promise.withResolvers<void>()
    const { upstream, proxy } = start(
      [stream(textChunk("a"), { until: go.promise }, textChunk("b"), ...end)],
      on,
    )
    const leaving = [new AbortController(), new AbortController()] as const
    const first = await listen(postStream(proxy, {}, { signal: leaving[0].signal }))
    await until(() => first.text().includes('"a"'))
    const second = await listen(postStream(proxy, {}, { signal: leaving[1].signal }))
    await until(() => second.text().includes('"a"'))
    return { go, upstream, proxy, leaving, first, second }
  }

  test("the one who asked: the other one has the whole reply, and pays for it", async () => {
    const { go, upstream, proxy, leaving, second } = await setUp()
    leaving[0].abort()
    await until(() => proxy.exchanges.length === 1)
    expect(upstream.turns()[0]?.cancelledAt).toBeUndefined()
    go.resolve()
    expect(await second.ended).toBe("complete")
    expect(textOf(parseAnthropicSse(second.text()))).toBe("ab")
    await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
    expect(outcomes(proxy.exchanges)).toEqual(["cancelled", "completed"])
    expect(outputs(proxy.exchanges)).toEqual([0, 4])
  })

  test("the one who reads along: nothing changes for the other", async () => {
    const { go, proxy, leaving, first } = await setUp()
    leaving[1].abort()
    await until(() => proxy.exchanges.length === 1)
    go.resolve()
    expect(await first.ended).toBe("complete")
    expect(textOf(parseAnthropicSse(first.text()))).toBe("ab")
    await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
    expect(outcomes(proxy.exchanges)).toEqual(["cancelled", "completed"])
    expect(outputs(proxy.exchanges)).toEqual([0, 4])
  })

  test.each([
    [0, 1],
    [1, 0],
  ] as const)("%d, then %d: the upstream is let go with the last one", async (one, other) => {
    const { upstream, proxy, leaving } = await setUp()
    leaving[one].abort()
    await until(() => proxy.exchanges.length === 1)
    expect(upstream.turns()[0]?.cancelledAt).toBeUndefined()
    leaving[other].abort()
    await until(() => upstream.turns()[0]?.cancelledAt !== undefined, 1000)
    await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
    expect(outcomes(proxy.exchanges)).toEqual(["cancelled", "cancelled"])
    expect(upstream.inFlight()).toBe(0)
  })
})

test("a whole reply that was asked for by one who left is given to the other", async () => {
  const go = Promise.withResolvers<void>()
  const { upstream, proxy } = start(
    [stream(textChunk("a"), { until: go.promise }, textChunk("b"), ...end)],
    on,
  )
  const leaving = new AbortController()
  const first = post(proxy, {}, { signal: leaving.signal }).catch(() => "left")
  await until(() => upstream.turns().length === 1)
  const second = readReply(post(proxy))
  await Bun.sleep(30)
  leaving.abort()
  expect(await first).toBe("left")
  await until(() => proxy.exchanges.length === 1)
  go.resolve()
  expect((await second).text).toBe("ab")
  await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
  expect(outcomes(proxy.exchanges)).toEqual(["cancelled", "completed"])
})

describe("the upstream fails", () => {
  test("before it answers: everybody hears why, and the next one asks again", async () => {
    const { upstream, proxy } = start(
      (_body, turn) =>
        turn === 0
          ? { kind: "stream", headersDelayMs: 150, chunks: [{ error: { message: "broken", code: 400 } }] }
          : { kind: "json", body: chatReply({ content: "well" }) },
      on,
    )
    const pending = [post(proxy), postStream(proxy), post(proxy, { model: "opus" })]
    for (const response of await Promise.all(pending)) {
      expect(response.status).toBe(400)
      expect(objectOf((await jsonOf(response))["error"])["message"]).toContain("broken")
    }
    expect(upstream.turns().length).toBe(1)
    expect(outcomes(proxy.exchanges)).toEqual(["failed", "failed", "failed"])
    expect((await readReply(post(proxy))).text).toBe("well")
    await until(() => proxy.timers() === 0)
  })

  test("before it answers, to streams that have begun", async () => {
    const go = Promise.withResolvers<void>()
    const { proxy } = start([stream({ until: go.promise }, { error: { message: "broken", code: 400 } })], {
      env,
      times: { commitMs: 30 },
    })
    const heard = await Promise.all([listen(postStream(proxy)), listen(postStream(proxy))])
    go.resolve()
    for (const one of heard) {
      expect(await one.ended).toBe("complete")
      const events = parseAnthropicSse(one.text())
      expect(checkGrammar(events)).toEqual([])
      expect(typesOf(events).at(-1)).toBe("error")
    }
    await until(() => proxy.exchanges.length === 2 && proxy.timers() === 0)
    expect(outcomes(proxy.exchanges)).toEqual(["failed", "failed"])
  })

  test("in the middle: everybody hears of it, once", async () => {
    const go = Promise.withResolvers<void>()
    const cut: Turn = { kind: "stream", chunks: [textChunk("a"), { until: go.promise }], cut: "reset" }
    const { upstream, proxy } = start([cut], on)
    const first = await listen(postStream(proxy))
    await until(() => first.text().includes('"a"'))
    const second = await listen(postStream(proxy))
    const third = post(proxy)
    await Bun.sleep(30)
    go.resolve()
    for (const heard of [first, second]) {
      expect(await heard.ended).toBe("complete")
      expect(checkGrammar(parseAnthropicSse(heard.text()))).toEqual([])
      expect(typesOf(parseAnthropicSse(heard.text())).at(-1)).toBe("error")
    }
    expect((await third).status).toBe(502)
    expect(upstream.turns().length).toBe(1)
    await until(() => proxy.exchanges.length === 3 && proxy.timers() === 0)
    expect(outcomes(proxy.exchanges)).toEqual(["failed", "failed", "failed"])
  })
})

test("while the upstream is silent everybody is kept patient", async () => {
  const go = Promise.withResolvers<void>()
  const { proxy } = start([stream(textChunk("a"), { until: go.promise }, textChunk("b"), ...end)], {
    env,
    times: { commitMs: 40, pingMs: 20, keepAliveMs: 60 },
  })
  const heard = await Promise.all([listen(postStream(proxy)), listen(postStream(proxy))])
  const isPatient = (text: string) => text.includes("event: ping") && text.includes('"text":""}')
  await until(() => heard.every((one) => isPatient(one.text())))
  go.resolve()
  for (const one of heard) {
    expect(await one.ended).toBe("complete")
    const events = parseAnthropicSse(one.text())
    expect(checkGrammar(events)).toEqual([])
    expect(textOf(events)).toBe("ab")
  }
})

test("what has become too large for the cache is not joined any more", async () => {
  const go = Promise.withResolvers<void>()
  const large = textChunk("x".repeat(4000))
  const { upstream, proxy } = start(
    (_body, turn) =>
      turn === 0 ? stream(large, { until: go.promise }, ...end) : stream(textChunk("by itself"), ...end),
    { env: { ...env, CACHE_MAX_BYTES: "8192" } },
  )
  const first = await listen(postStream(proxy))
  await until(() => first.text().includes("xxx"))
  expect((await readReply(post(proxy))).text).toBe("by itself")
  go.resolve()
  expect(await first.ended).toBe("complete")
  expect(textOf(parseAnthropicSse(first.text()))).toBe("x".repeat(4000))
  expect(upstream.turns().length).toBe(2)
})

test("who does not read holds nobody up, and does not make the proxy hold all of it", async () => {
  const piece = "y".repeat(64 * 1024)
  const chunks = Array.from({ length: 500 }, () => textChunk(piece))
  const go = Promise.withResolvers<void>()
  const { upstream, proxy } = start([stream({ until: go.promise }, ...chunks, ...end)], on)
  const reading = listen(postStream(proxy))
  await until(() => upstream.turns().length === 1)
  const body = JSON.stringify({
    ...{ model: "claude-opus-5-5", max_tokens: 100, stream: true },
    messages: [{ role: "user", content: "hi" }],
  })
  const stuck = await Bun.connect({
    hostname: "127.0.0.1",
    port: proxy.port,
    socket: { open: (socket) => socket.pause(), data: () => {} },
  })
  stuck.write(
    `POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  await Bun.sleep(100)
  go.resolve()
  const heard = await reading
  expect(await heard.ended).toBe("complete")
  expect(textOf(parseAnthropicSse(heard.text())).length).toBe(500 * piece.length)
  await until(() => proxy.exchanges.length === 2)
  const [slow, fast] = proxy.exchanges
  expect(slow?.outcome.kind).toBe("failed")
  expect(slow?.shared).toBe(true)
  expect(fast?.outcome.kind).toBe("completed")
  expect(upstream.turns().length).toBe(1)
  stuck.terminate()
  await until(() => proxy.timers() === 0)
}, 30_000)

test("stopping ends everybody's stream with a word", async () => {
  const { proxy } = start([stream(textChunk("a"), { until: never })], on)
  const first = await listen(postStream(proxy))
  await until(() => first.text().includes('"a"'))
  const second = await listen(postStream(proxy))
  await until(() => second.text().includes('"a"'))
  await proxy.stop(50)
  for (const heard of [first, second]) {
    expect(await heard.ended).toBe("complete")
    const events = parseAnthropicSse(heard.text())
    expect(objectOf(events.at(-1)?.["error"])["message"]).toContain("the proxy was stopped")
  }
  expect(outcomes(proxy.exchanges)).toEqual(["failed", "failed"])
  expect(proxy.timers()).toBe(0)
})

test("a client that is known and comes back is served, and so is anybody else who asks the same", async () => {
  const headers = { "x-claude-code-session-id": "s-1" }
  const go = Promise.withResolvers<void>()
  const { upstream, proxy } = start([stream({ until: go.promise }, textChunk("a"), ...end)], {
    env,
    speed: 3,
  })
  await postStream(proxy, {}, { headers, signal: AbortSignal.timeout(420) }).catch(() => "left")
  await until(() => proxy.logs.some(({ message }) => message.includes("gave up")))
  const other = readReply(post(proxy))
  const same = readReply(postStream(proxy, {}, { headers }))
  await Bun.sleep(30)
  go.resolve()
  expect([(await other).cache, (await same).cache]).toEqual(["miss", "hit"])
  expect([(await other).text, (await same).text]).toEqual(["a", "a"])
  expect(upstream.turns().length).toBe(1)
  await until(() => proxy.exchanges.length === 3 && proxy.timers() === 0)
  expect(outputs(proxy.exchanges).toSorted()).toEqual([0, 0, 4])
})

const words = Array.from({ length: 60 }, (_, at) => `word${at} `)

property(
  "whoever stays has the whole reply; with the last one who leaves, the upstream is let go",
  25,
  async (random) => {
    const chunks: Step[] = words.flatMap((word) => [
      textChunk(word),
      ...(random.chance(0.3) ? [{ pauseMs: random.integer(0, 4) }] : []),
    ])
    const { upstream, proxy } = start(() => stream(...chunks, ...end), { env: { ...env, CACHE_TTL: "0" } })
    const clients = Array.from({ length: random.integer(2, 8) }, async () => {
      await Bun.sleep(random.integer(0, 60))
      const leaves = random.chance(0.5)
      const body: JsonObject = { stream: random.chance(0.7) }
      const signal = leaves ? { signal: AbortSignal.timeout(random.integer(1, 80)) } : {}
      const reply = await readReply(post(proxy, body, signal)).catch(() => undefined)
      if (reply === undefined) expect(leaves).toBe(true)
      else expect(reply.text).toBe(words.join(""))
      return reply?.id
    })
    const ids = (await Promise.all(clients)).filter((id) => id !== undefined)
    expect(new Set(ids).size).toBe(ids.length)
    await until(() => proxy.timers() === 0 && upstream.inFlight() === 0)
    await until(
      () => proxy.exchanges.filter(({ attempts }) => attempts === 1).length === upstream.turns().length,
    )
    expect(proxy.logs.filter(({ level }) => level === "warn" || level === "error")).toEqual([])
    const used = proxy.exchanges.filter(({ usage }) => usage.output_tokens > 0)
    expect(used.length).toBeLessThanOrEqual(upstream.turns().length)
    await stopAll()
  },
)
