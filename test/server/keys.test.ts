// Several keys of one variable: whose turn it is, who rests, and what a client sees of it, which is nothing.
import { afterEach, describe, expect, test } from "bun:test"
import { createLogger } from "../../src/observe/log.ts"
import { type Fault, type FaultKind, fault } from "../../src/protocol/fault.ts"
import type { Route } from "../../src/providers/route.ts"
import { createKeys } from "../../src/server/keys/keys.ts"
import { createMessagesUpstream, nativeEvent, nativeEvents } from "../support/anthropic-upstream.ts"
import { chatReply, textChunk } from "../support/chunks.ts"
import { property } from "../support/random.ts"
import type { Turn } from "../support/script.ts"
import { createTestClock } from "../upstream/support.ts"
import { startDirect } from "./direct-support.ts"
import {
  cleanUp,
  eventsOf,
  jsonOf,
  post,
  postStream,
  scripted,
  startProxy,
  stopAll,
  textOf,
} from "./support.ts"

afterEach(stopAll)

const names: readonly string[] = ["sk-key-number-1", "sk-key-number-2", "sk-key-number-3"]
const [first = "", second = "", third = ""] = names
const good: Turn = { kind: "json", body: chatReply({ content: "hi" }) }
const refusal = (status: number, headers: Readonly<Record<string, string>> = {}): Turn => ({
  ...{ kind: "json", status, headers },
  body: { error: { message: `status ${status}` } },
})

/** An upstream that answers by the key it is sent, and a proxy that has them all. */
function withKeys(answers: Readonly<Record<string, Turn>>, options: Parameters<typeof startProxy>[1] = {}) {
  const keyOf = (headers: Readonly<Record<string, string>> = {}) =>
    headers["authorization"]?.replace("Bearer ", "") ?? headers["api-key"] ?? ""
  const upstream = scripted(() => answers[keyOf(upstream.requests.at(-1)?.headers)] ?? good)
  const env = { OPENAI_API_KEY: names.join(", "), ...options.env }
  const proxy = startProxy(upstream.url, { ...options, env })
  const sent = () => upstream.turns().map(({ headers }) => names.indexOf(keyOf(headers)) + 1)
  const warnings = () => proxy.logs.filter(({ message }) => message === "an API key was refused and rests")
  return { upstream, proxy, sent, warnings }
}

const inSession = (id: string) => ({ headers: { "x-claude-code-session-id": id } })

describe("on the way of a request", () => {
  test("requests without a session take turns", async () => {
    const { proxy, sent } = withKeys({})
    for (let count = 0; count < 6; count++) expect((await post(proxy)).status).toBe(200)
    expect(sent()).toEqual([1, 2, 3, 1, 2, 3])
  })

  test("a session keeps its key, and sessions are spread", async () => {
    const { proxy, sent } = withKeys({})
    const firsts = new Set<number>()
    for (let session = 0; session < 12; session++) {
      const before = sent().length
      for (let count = 0; count < 3; count++) await post(proxy, {}, inSession(`session-${session}`))
      const own = new Set(sent().slice(before))
      expect(own.size).toBe(1)
      for (const key of own) firsts.add(key)
    }
    expect([...firsts].toSorted()).toEqual([1, 2, 3])
  })

  test.each([401, 402, 403, 429])(
    "%d: the next key is tried at once, and the refused one rests",
    async (status) => {
      const { proxy, sent, warnings } = withKeys({ [first]: refusal(status) })
      expect((await post(proxy)).status).toBe(200)
      expect(sent()).toEqual([1, 2])
      for (let count = 0; count < 4; count++) await post(proxy)
      expect(sent().slice(2)).not.toContain(1)
      expect(proxy.exchanges.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1, 1])
      expect(
        warnings().map(({ level, fields }) => [
          level,
          fields["variable"],
          fields["position"],
          fields["seconds"],
        ]),
      ).toEqual([["warn", "OPENAI_API_KEY", "key 1 of 3", status === 429 ? 60 : 600]])
      expect(JSON.stringify(proxy.logs)).not.toContain("sk-key-number")
    },
  )

  test("a session that had to move stays where it went", async () => {
    const { proxy, sent } = withKeys({ [first]: refusal(429, { "retry-after": "1" }) }, { speed: 20 })
    let session = ""
    for (let count = 0; sent().at(-1) !== 2 || sent().at(-2) !== 1; count++) {
      session = `session-${count}`
      await post(proxy, {}, inSession(session))
    }
    // Its first key is free again.
    await Bun.sleep(100)
    const before = sent().length
    await post(proxy, {}, inSession(session))
    expect(sent().slice(before)).toEqual([2])
  })

  test("when all are refused each was asked once, and the client hears the last refusal", async () => {
    const all = Object.fromEntries(names.map((name) => [name, refusal(401)]))
    const { proxy, sent, warnings } = withKeys(all)
    const response = await post(proxy)
    expect([response.status, sent()]).toEqual([401, [1, 2, 3]])
    expect(warnings().length).toBe(3)
    // All of them rest now: it is not for us to refuse, and each is asked again.
    expect((await post(proxy)).status).toBe(401)
    expect(sent().length).toBe(6)
    expect(warnings().length).toBe(3)
  })

  test("a key that rests is asked when the free ones are refused: no request fails that it would serve", async () => {
    const answers: Record<string, Turn> = { [first]: refusal(401) }
    const { proxy, sent } = withKeys(answers)
    expect((await post(proxy)).status).toBe(200)
    // The first one is good again, and the others are not.
    answers[first] = good
    answers[second] = refusal(401)
    answers[third] = refusal(429)
    expect((await post(proxy)).status).toBe(200)
    expect(sent().slice(2)).toEqual([2, 3, 1])
    // It is known to be good by now.
    expect((await post(proxy)).status).toBe(200)
    expect(sent().slice(5)).toEqual([1])
  })

  test("a prompt that no key may send makes none of them rest, and moves no session", async () => {
    const answers = Object.fromEntries(names.map((name) => [name, refusal(403)]))
    const { proxy, sent, warnings } = withKeys(answers)
    expect((await post(proxy, {}, inSession("flagged"))).status).toBe(403)
    expect([sent().toSorted(), warnings()]).toEqual([[1, 2, 3], []])
    const home = sent()[0]
    for (const name of names) answers[name] = good
    expect((await post(proxy, {}, inSession("flagged"))).status).toBe(200)
    expect(sent().at(-1)).toBe(home)
    const before = sent().length
    for (let session = 0; session < 12; session++) await post(proxy, {}, inSession(`session-${session}`))
    expect([...new Set(sent().slice(before))].toSorted()).toEqual([1, 2, 3])
  })

  test("what one model is refused says nothing of another", async () => {
    const upstream = scripted(({ model }) =>
      model === "gpt-4o" ? refusal(429, { "retry-after": "900" }) : good,
    )
    const proxy = startProxy(upstream.url, { env: { OPENAI_API_KEY: names.join(","), BIG_MODEL: "gpt-4o" } })
    expect((await post(proxy, { model: "gpt-4o" })).status).toBe(429)
    for (let count = 0; count < 3; count++) await post(proxy, { model: "gpt-4.1" })
    const keys = upstream.turns().map(({ headers }) => headers["authorization"])
    expect(keys.slice(3).toSorted()).toEqual(names.map((name) => `Bearer ${name}`))
    expect(new Set(keys.slice(3)).size).toBe(3)
  })

  test("where one key is limited and the others are refused, the client hears of the limit", async () => {
    const { proxy, sent } = withKeys({
      [first]: refusal(401),
      [second]: refusal(429, { "retry-after": "20" }),
      [third]: refusal(401),
    })
    const response = await post(proxy)
    expect([response.status, response.headers.get("retry-after"), sent()]).toEqual([429, "20", [1, 2, 3]])
  })

  test("the wait that is told is that for the first key which is free again", async () => {
    const { proxy, sent } = withKeys({
      [first]: refusal(429, { "retry-after": "40" }),
      [second]: refusal(429, { "retry-after": "20" }),
      [third]: refusal(429, { "retry-after": "900" }),
    })
    const response = await post(proxy)
    expect([response.status, response.headers.get("retry-after"), sent()]).toEqual([429, "20", [1, 2, 3]])
  })

  test("a short wait is waited for, and the key that is free by then is sent", async () => {
    const waits = ["30", "1", "30"]
    const upstream = scripted((_body, turn) => {
      const wait = waits[turn]
      return wait === undefined ? good : refusal(429, { "retry-after": wait })
    })
    const proxy = startProxy(upstream.url, { speed: 20, env: { OPENAI_API_KEY: names.join(",") } })
    expect((await post(proxy)).status).toBe(200)
    const keys = upstream.turns().map(({ headers }) => headers["authorization"])
    expect(keys).toEqual([...names, second].map((name) => `Bearer ${name}`))
    expect(proxy.exchanges[0]?.attempts).toBe(2)
  })

  test("a refusal inside a stream that had said nothing yet", async () => {
    const { proxy, sent } = withKeys({
      [first]: {
        kind: "stream",
        chunks: [{ error: { message: "slow down", code: "rate_limit_exceeded" } }],
      },
      [second]: { kind: "stream", chunks: [textChunk("hello")] },
    })
    expect(textOf(await eventsOf(postStream(proxy)))).toBe("hello")
    expect([sent(), proxy.exchanges[0]?.attempts]).toEqual([[1, 2], 1])
  })

  test.each<[string, Turn, number]>([
    ["a bad request", refusal(400), 1],
    ["a missing model", { kind: "json", status: 404, body: { error: { message: "model m not found" } } }, 1],
    [
      "an overload",
      { kind: "json", status: 429, body: { error: { message: "the engine is overloaded" } } },
      3,
    ],
    ["a server error", refusal(500), 3],
  ])("%s is no fault of the key", async (_what, turn, requests) => {
    const { proxy, sent, warnings } = withKeys({ [first]: turn }, { speed: 100 })
    expect((await post(proxy)).ok).toBe(false)
    expect([sent(), warnings().length]).toEqual([Array.from({ length: requests }, () => 1), 0])
  })

  test("one key is sent again and again, as ever", async () => {
    const env = { OPENAI_API_KEY: first }
    const { proxy, sent, warnings } = withKeys({ [first]: refusal(401) }, { env })
    expect((await post(proxy)).status).toBe(401)
    expect((await post(proxy)).status).toBe(401)
    expect([sent(), warnings().length]).toEqual([[1, 1], 0])
  })

  test("Azure's header", async () => {
    const env = { AZURE_API_VERSION: "2024-10-21" }
    const { proxy, sent, upstream } = withKeys({ [first]: refusal(401) }, { env })
    expect((await post(proxy)).status).toBe(200)
    expect(sent()).toEqual([1, 2])
    expect(upstream.turns().map(({ headers }) => headers["authorization"])).toEqual([undefined, undefined])
  })
})

describe("what is passed through", () => {
  const message = nativeEvents("hi").map((event) => nativeEvent(event))
  const limited = {
    status: 429,
    headers: { "content-type": "application/json", "retry-after": "30" },
    steps: ['{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}'],
  }
  const route = { apiKeys: names }

  test("goes on with the next key", async () => {
    const { upstream, url, exchanges } = startDirect([limited, { steps: message }], { route })
    const request = { model: "m", stream: true, max_tokens: 1, messages: [] }
    const response = await fetch(`${url}/v1/messages`, { method: "POST", body: JSON.stringify(request) })
    expect(textOf(await eventsOf(response))).toBe("hi")
    expect(upstream.calls.map(({ headers }) => headers["x-api-key"])).toEqual([first, second])
    expect(exchanges[0]?.attempts).toBe(1)
  })

  test("also when the refusal came as an event", async () => {
    const error = nativeEvent({ type: "error", error: { type: "rate_limit_error", message: "slow" } })
    const { upstream, url } = startDirect([{ steps: [error] }, { steps: message }], { route })
    const request = { model: "m", stream: true, max_tokens: 1, messages: [] }
    const response = await fetch(`${url}/v1/messages`, { method: "POST", body: JSON.stringify(request) })
    expect(textOf(await eventsOf(response))).toBe("hi")
    expect(upstream.calls.map(({ headers }) => headers["x-api-key"])).toEqual([first, second])
  })

  test("keeps the key of its session", async () => {
    const upstream = createMessagesUpstream(Array.from({ length: 4 }, () => ({ steps: message })))
    cleanUp(upstream.stop)
    const { url } = startDirect([], { route, url: upstream.url })
    const metadata = { user_id: JSON.stringify({ session_id: "s-1" }) }
    const body = JSON.stringify({ model: "m", stream: true, max_tokens: 1, messages: [], metadata })
    for (let count = 0; count < 4; count++)
      await eventsOf(fetch(`${url}/v1/messages`, { method: "POST", body }))
    expect(new Set(upstream.calls.map(({ headers }) => headers["x-api-key"])).size).toBe(1)
  })

  test("the wait that is told is that for the first key which is free again", async () => {
    const waits = (seconds: string, more = {}) => ({
      ...limited,
      headers: { ...limited.headers, "retry-after": seconds, ...more },
    })
    const exact = { "retry-after-ms": "900000" }
    const { url } = startDirect([waits("40"), waits("20"), waits("900", exact)], { route })
    const response = await fetch(`${url}/v1/messages`, { method: "POST", body: '{"model":"m"}' })
    const told = [response.headers.get("retry-after"), Number(response.headers.get("retry-after-ms"))]
    expect([response.status, told[0]]).toEqual([429, "20"])
    expect(told[1]).toBeGreaterThan(15_000)
    expect(told[1]).toBeLessThanOrEqual(20_000)
  })

  test.each([403, 429, 401])(
    "%d to count_tokens: another key counts, and none of them rests",
    async (status) => {
      const refused = { ...limited, status }
      const counted = { headers: { "content-type": "application/json" }, steps: ['{"input_tokens":5}'] }
      const script = [refused, counted, { steps: message }, refused, refused, refused]
      const { upstream, url, logs } = startDirect(script, { route })
      const metadata = { user_id: JSON.stringify({ session_id: "s-1" }) }
      const body = JSON.stringify({ model: "m", stream: true, max_tokens: 1, messages: [], metadata })
      const count = () => fetch(`${url}/v1/messages/count_tokens`, { method: "POST", body })
      expect(await jsonOf(count())).toEqual({ input_tokens: 5 })
      await eventsOf(fetch(`${url}/v1/messages`, { method: "POST", body }))
      expect((await count()).status).toBe(status)
      const keys = upstream.calls.map(({ headers }) => headers["x-api-key"] ?? "")
      const [home = "", other] = keys
      expect(other).not.toBe(home)
      expect(keys[2]).toBe(home)
      expect(keys.slice(3).toSorted()).toEqual([...names])
      expect(logs.filter(({ level }) => level === "warn")).toEqual([])
    },
  )

  test("what the client is told when all are refused is the upstream's own word", async () => {
    const { url, upstream } = startDirect([limited, limited, limited], { route })
    const response = await fetch(`${url}/v1/messages`, { method: "POST", body: '{"model":"m"}' })
    expect([response.status, upstream.calls.length]).toEqual([429, 3])
    expect(await jsonOf(response)).toEqual({
      type: "error",
      error: { type: "rate_limit_error", message: "slow" },
    })
  })
})

const baseRoute = { keyName: "A_KEY", url: "https://a.example/v1/chat/completions" }

/** A route with these keys; the rest of a route means nothing here. */
async function routeWith(apiKeys: readonly string[], more: Partial<Route> = {}): Promise<Route> {
  const { configFrom } = await import("../config/support.ts")
  const { resolveRoute } = await import("../../src/config/routes/route.ts")
  const resolved = resolveRoute(configFrom({ OPENAI_API_KEY: "k" }), "gpt-4o")
  if (!resolved.ok) throw new Error(resolved.fault.message)
  return { ...resolved.route, ...baseRoute, apiKeys, apiKey: apiKeys[0], ...more }
}

const route = await routeWith(["a", "b", "c"])
const failure = (kind: FaultKind, retryAfterMs?: number): Fault =>
  fault({ kind, source: "upstream", message: "no", ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })

function ring() {
  const clock = createTestClock()
  const warnings: unknown[] = []
  const keys = createKeys({ log: { warn: (_message, fields) => warnings.push(fields?.()) }, now: clock.now })
  return { clock, keys, warnings }
}

describe("the ring", () => {
  test.each<[FaultKind, number | undefined, number]>([
    ["authentication_error", undefined, 600_000],
    ["billing_error", undefined, 600_000],
    ["permission_error", undefined, 600_000],
    ["rate_limit_error", undefined, 60_000],
    ["rate_limit_error", 5_000, 5_000],
    ["rate_limit_error", 86_400_000, 600_000],
  ])("%s with a wait of %p rests %d ms", (kind, wait, ms) => {
    const { clock, keys } = ring()
    const first = keys.turn(route, "s")
    const refused = first.take(route).apiKey
    expect(first.failed(failure(kind, wait))).toBe(true)
    // Another key may do what this one may not.
    first.take(route)
    first.worked()
    clock.pass(ms - 1)
    // Others take turns without it until its time is over.
    const taken = () => Array.from({ length: 6 }, () => keys.turn(route, undefined).take(route).apiKey)
    expect(taken()).not.toContain(refused)
    clock.pass(1)
    expect(taken()).toContain(refused)
  })

  test.each<[FaultKind, boolean]>([
    ["authentication_error", true],
    ["billing_error", true],
    ["permission_error", false],
    ["rate_limit_error", false],
  ])("%s is about every model: %p", (kind, everywhere) => {
    const { keys } = ring()
    const turn = keys.turn(route, undefined)
    const refused = turn.take(route).apiKey
    turn.failed(failure(kind))
    turn.take(route)
    turn.worked()
    const taken = (to: Route) => Array.from({ length: 6 }, () => keys.turn(to, undefined).take(to).apiKey)
    expect(taken(route)).not.toContain(refused)
    expect(taken({ ...route, model: "another" }).includes(refused)).toBe(!everywhere)
  })

  test("one failure is heard of once, and what was not sent tells nothing", () => {
    const { keys, warnings } = ring()
    const turn = keys.turn(route, "s")
    const refused = failure("authentication_error")
    expect(turn.failed(refused)).toBe(false)
    turn.take(route)
    expect([turn.failed(refused), turn.failed(refused), warnings.length]).toEqual([true, false, 1])
    turn.worked()
    const next = turn.take(route).apiKey
    expect(turn.failed(refused)).toBe(true)
    expect(turn.take(route).apiKey).not.toBe(next)
  })

  test("the wait that is told is the upstream's own, however short the rest", () => {
    const { keys } = ring()
    const turn = keys.turn(route, undefined)
    const given = failure("rate_limit_error", 3_600_000)
    for (const more of [true, true, false]) {
      turn.take(route)
      expect(turn.failed(given)).toBe(more)
    }
    expect(turn.explain(given).retryAfterMs).toBe(3_600_000)
  })

  test("models that clients make up are not remembered without end", () => {
    const { keys, warnings } = ring()
    for (let model = 0; model < 1_500; model++) {
      const to = { ...route, model: `model-${model}` }
      const turn = keys.turn(to, "s")
      turn.take(to)
      turn.failed(failure("rate_limit_error"))
    }
    const oldest = { ...route, model: "model-0" }
    const turn = keys.turn(oldest, "s")
    turn.take(oldest)
    turn.failed(failure("rate_limit_error"))
    // It was new again.
    expect(warnings.length).toBe(1_501)
  })

  test("the log says which key it was", () => {
    const lines: string[] = []
    const write = (line: string) => lines.push(line)
    const options = {
      level: "INFO",
      format: "text",
      secrets: ["a-secret-key"],
      write,
      now: () => new Date(0),
    } as const
    const keys = createKeys({ log: createLogger(options), now: () => 0 })
    const keyed = { ...route, apiKeys: ["a-secret-key", "another"] }
    const turn = keys.turn(keyed, undefined)
    turn.take(keyed)
    turn.failed({ ...failure("authentication_error"), message: "wrong: a-secret-key" })
    expect(lines.map((line) => line.slice(line.indexOf(" - ")))).toEqual([
      ' - WARNING - an API key was refused and rests variable=A_KEY position="key 1 of 2" seconds=600 why="wrong: [redacted]"',
    ])
  })

  test("variables and origins have rings of their own", () => {
    const { keys } = ring()
    const turn = keys.turn(route, undefined)
    turn.take(route)
    turn.failed(failure("authentication_error"))
    const other = { ...route, keyName: "B_KEY" }
    expect(keys.turn(other, undefined).take(other).apiKey).toBe("a")
    const elsewhere = { ...route, url: "https://b.example/v1/chat/completions" }
    expect(keys.turn(elsewhere, undefined).take(elsewhere).apiKey).toBe("a")
    const beside = { ...route, url: "https://a.example/v1/responses" }
    expect(keys.turn(beside, undefined).take(beside).apiKey).toBe("b")
  })

  test("a key that works in spite of its rest is awake; one that was sent before the rest is not", () => {
    const { keys } = ring()
    const early = keys.turn(route, undefined)
    expect(early.take(route).apiKey).toBe("a")
    for (const wait of [3_000, 1_000, 2_000]) {
      const turn = keys.turn({ ...route }, undefined)
      turn.take(route)
      turn.failed(failure("rate_limit_error", wait))
    }
    early.worked()
    const next = keys.turn(route, undefined)
    const soonest = next.take(route).apiKey
    expect(soonest).toBe("c")
    next.worked()
    expect(keys.turn(route, undefined).take(route).apiKey).toBe("c")
  })

  test("keys that a reload took away are forgotten, and positions are those of now", () => {
    const { keys, warnings } = ring()
    const old = keys.turn(route, undefined)
    old.take(route)
    old.failed(failure("authentication_error"))
    const reloaded = { ...route, apiKeys: ["b", "d"] }
    const turn = keys.turn(reloaded, "s")
    const { apiKey } = turn.take(reloaded)
    expect(["b", "d"]).toContain(String(apiKey))
    turn.failed(failure("authentication_error"))
    const position = apiKey === "b" ? 1 : 2
    expect(warnings.map((fields) => Object(fields).position)).toEqual(["key 1 of 3", `key ${position} of 2`])
  })

  property(
    "a request asks each key once, and does not end with a refused one before all were asked",
    300,
    (random) => {
      const { keys, clock } = ring()
      const apiKeys = Array.from({ length: random.integer(2, 6) }, (_, index) => `key-${index}`)
      const given = { ...route, apiKeys }
      for (let request = 0; request < 20; request++) {
        const bad = new Set(apiKeys.filter(() => random.chance(0.5)))
        const turn = keys.turn(given, random.chance(0.5) ? undefined : `session-${random.integer(0, 3)}`)
        const asked: string[] = []
        for (;;) {
          const key = String(turn.take(given).apiKey)
          asked.push(key)
          if (!bad.has(key)) {
            turn.worked()
            break
          }
          const kind = random.pick(["rate_limit_error", "authentication_error", "permission_error"] as const)
          if (!turn.failed(failure(kind, random.integer(1, 3_000)))) break
        }
        expect(new Set(asked).size).toBe(asked.length)
        const missed = apiKeys.filter((key) => !asked.includes(key))
        if (bad.has(asked.at(-1) ?? "")) expect(missed).toEqual([])
        expect(asked.filter((key) => !bad.has(key)).length).toBeLessThanOrEqual(1)
        clock.pass(random.integer(0, 2_000))
      }
    },
  )
})
