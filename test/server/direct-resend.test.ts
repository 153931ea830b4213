// A request that is passed through and sent again: its upstream is asked once as well.
import { afterEach, describe, expect, test } from "bun:test"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { type MessagesTurn, stall } from "../support/anthropic-upstream.ts"
import { checkGrammar } from "../support/grammar.ts"
import { until } from "../support/upstream.ts"
import { type DirectOptions, send, startDirect } from "./direct-support.ts"
import { nativeError, nativeFine, nativeWhole } from "./fallbacks-support.ts"
import { stopAll } from "./support.ts"

afterEach(stopAll)

const headers = { "x-claude-code-session-id": "11111111-2222-4333-8444-555555555555" }
const retry = { ...headers, "x-stainless-retry-count": "2" }
const longMs = 420
const quick: DirectOptions = { speed: 3 }
const bodyOf = (stream: boolean, text = "hi") =>
  JSON.stringify({ model: "opus", max_tokens: 9, stream, messages: [{ role: "user", content: text }] })

type Started = ReturnType<typeof startDirect>

function waiting(go: Promise<unknown>, turn: MessagesTurn): MessagesTurn {
  return { ...turn, steps: [{ until: go }, ...turn.steps] }
}

/** Sends it, and leaves when it was waited for long enough. */
async function askAndLeave(started: Started, body: string, ms = longMs): Promise<void> {
  await send(started, body, { headers, signal: AbortSignal.timeout(ms) }).catch(() => "left")
  await until(() => started.logs.some(({ message }) => message.includes("gave up")))
}

const outcomes = ({ exchanges }: Started) => exchanges.map(({ outcome }) => outcome.kind)

describe.each([
  ["plain", false, nativeWhole("the reply")],
  ["stream", true, nativeFine("the reply")],
] as const)("%s", (_name, stream, turn) => {
  test("the second one gets the answer to the first", async () => {
    const go = Promise.withResolvers<void>()
    const started = startDirect([waiting(go.promise, turn)], quick)
    await askAndLeave(started, bodyOf(stream))
    const second = send(started, bodyOf(stream), { headers })
    await Bun.sleep(30)
    go.resolve()
    const text = await (await second).text()
    expect(text).toContain("the reply")
    if (stream) expect(checkGrammar(parseAnthropicSse(text))).toEqual([])
    expect(started.upstream.calls.length).toBe(1)
    await until(() => started.exchanges.length === 2 && started.timers() === 0)
    expect(outcomes(started)).toEqual(["cancelled", "completed"])
    expect(started.exchanges.map(({ attempts }) => attempts)).toEqual([0, 1])
    expect(started.exchanges[0]?.usage.output_tokens).toBe(0)
    expect(started.exchanges[1]?.usage.output_tokens).toBeGreaterThan(0)
    expect(started.running.size).toBe(0)
  })

  test("an answer that came while nobody waited is there at once, and counts once", async () => {
    const go = Promise.withResolvers<void>()
    const started = startDirect([waiting(go.promise, turn)], quick)
    await askAndLeave(started, bodyOf(stream))
    go.resolve()
    await Bun.sleep(50)
    const text = await (await send(started, bodyOf(stream), { headers })).text()
    expect(text).toContain("the reply")
    expect(started.upstream.calls.length).toBe(1)
    await until(() => started.exchanges.length === 2 && started.timers() === 0)
    expect(started.exchanges.filter(({ usage }) => usage.output_tokens > 0).length).toBe(1)
    expect(started.running.size).toBe(0)
  })

  test("nobody comes back: the upstream is let go", async () => {
    const started = startDirect([stall, turn], quick)
    await askAndLeave(started, bodyOf(stream))
    expect(started.upstream.calls[0]?.cancelledAt()).toBeUndefined()
    await until(() => started.upstream.calls[0]?.cancelledAt() !== undefined, 1000)
    await until(() => started.exchanges.length === 1 && started.timers() === 0)
    expect(outcomes(started)).toEqual(["cancelled"])
    expect(await (await send(started, bodyOf(stream), { headers })).text()).toContain("the reply")
  })

  test("a quick change of mind is heard at once", async () => {
    const started = startDirect([stall], quick)
    const leaving = new AbortController()
    const gone = send(started, bodyOf(stream), { headers, signal: leaving.signal }).catch(() => "left")
    await until(() => started.upstream.calls.length === 1)
    leaving.abort()
    await gone
    await until(() => started.upstream.calls[0]?.cancelledAt() !== undefined, 300)
    await until(() => started.exchanges.length === 1 && started.timers() === 0)
    expect(outcomes(started)).toEqual(["cancelled"])
  })

  test("another body is asked by itself", async () => {
    const started = startDirect([stall, turn], quick)
    await askAndLeave(started, bodyOf(stream))
    expect(await (await send(started, bodyOf(stream, "hello"), { headers })).text()).toContain("the reply")
    expect(started.upstream.calls.length).toBe(2)
  })

  test("a retry takes the place of a connection that is still there", async () => {
    const go = Promise.withResolvers<void>()
    const started = startDirect([waiting(go.promise, turn)], quick)
    const first = send(started, bodyOf(stream), { headers })
    await until(() => started.upstream.calls.length === 1)
    const second = send(started, bodyOf(stream), { headers: retry })
    expect((await first).status).toBe(409)
    go.resolve()
    expect(await (await second).text()).toContain("the reply")
    await until(() => started.exchanges.length === 2 && started.timers() === 0)
    expect(outcomes(started)).toEqual(["cancelled", "completed"])
    expect(started.upstream.calls.length).toBe(1)
  })

  test("a failure while nobody waits is not kept", async () => {
    const go = Promise.withResolvers<void>()
    const started = startDirect([waiting(go.promise, nativeError(400, "invalid_request_error")), turn], quick)
    await askAndLeave(started, bodyOf(stream))
    go.resolve()
    await until(() => started.exchanges.length === 1 && started.timers() === 0)
    expect(await (await send(started, bodyOf(stream), { headers })).text()).toContain("the reply")
    expect(started.upstream.calls.length).toBe(2)
  })
})

test("a stream that was begun with a comment goes on with the second one", async () => {
  const go = Promise.withResolvers<void>()
  const started = startDirect([waiting(go.promise, nativeFine("the reply"))], {
    ...quick,
    times: { commitMs: 100 },
  })
  const first = await send(started, bodyOf(true), { headers, signal: AbortSignal.timeout(longMs) })
  expect(await first.text().catch(() => "cut")).toBe("cut")
  await until(() => started.logs.some(({ message }) => message.includes("gave up")))
  const second = await send(started, bodyOf(true), { headers })
  go.resolve()
  expect(await second.text()).toContain("the reply")
  expect(started.upstream.calls.length).toBe(1)
  await until(() => started.exchanges.length === 2 && started.timers() === 0)
})

test("who leaves while the answer comes ends it at once", async () => {
  const [whole = ""] = nativeFine("the reply").steps
  const half = `${String(whole).split("\n\n").slice(0, 3).join("\n\n")}\n\n`
  const started = startDirect([{ steps: [{ pauseMs: longMs }, half, ...stall.steps] }], quick)
  const leaving = new AbortController()
  const response = await send(started, bodyOf(true), { headers, signal: leaving.signal })
  expect(response.status).toBe(200)
  leaving.abort()
  await until(() => started.upstream.calls[0]?.cancelledAt() !== undefined, 500)
  await until(() => started.exchanges.length === 1 && started.timers() === 0)
  expect(outcomes(started)).toEqual(["cancelled"])
})
