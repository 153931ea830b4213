// The client goes away: the upstream is let go within a second, and nothing has failed.
import { afterEach, describe, expect, test } from "bun:test"
import { finishChunk, roleChunk, textChunk } from "../support/chunks.ts"
import type { Script, Turn } from "../support/script.ts"
import { until } from "../support/upstream.ts"
import { listen, type ProxyOptions, post, postStream, start, stopAll } from "./support.ts"

afterEach(stopAll)

interface Case {
  readonly script: Script
  readonly plain?: true
  readonly options?: ProxyOptions
  /** It may send its request again: what it reads is a flight. */
  readonly mayReturn?: true
  /** The client leaves when it has read this. */
  readonly after?: string
}

const never = new Promise<void>(() => {})
const silent: Turn = { kind: "stream", chunks: [{ until: never }] }
const cases: Readonly<Record<string, Case>> = {
  "before the upstream's headers": { script: [{ kind: "stall" }] },
  "before the upstream's headers, after ours": {
    script: [{ kind: "stall" }],
    options: { times: { commitMs: 20 } },
    after: "message_start",
  },
  "before the first content": { script: [{ kind: "stream", chunks: [roleChunk(), { until: never }] }] },
  "before the first content, after our headers": {
    script: [silent],
    options: { times: { commitMs: 20, pingMs: 10 } },
    after: "event: ping",
  },
  "in mid-stream": {
    script: [{ kind: "stream", chunks: [roleChunk(), textChunk("one"), { until: never }] }],
    after: "one",
  },
  "in a fast stream": {
    script: [{ kind: "stream", chunks: Array.from({ length: 5000 }, () => textChunk("word ")), delayMs: 1 }],
    after: "word",
  },
  "after the finish reason": {
    script: [{ kind: "stream", chunks: [textChunk("one"), finishChunk("stop"), { until: never }] }],
    after: "one",
  },
  "after the finish reason, as one that may come back": {
    script: [{ kind: "stream", chunks: [textChunk("one"), finishChunk("stop"), { until: never }] }],
    mayReturn: true,
    after: "one",
  },
  "during a plain request, before the headers": { script: [{ kind: "stall" }], plain: true },
  "during a plain request that is answered in a stream": {
    script: [{ kind: "stream", chunks: [textChunk("one"), { until: never }] }],
    plain: true,
  },
  "during a plain request, in the document": {
    script: [{ kind: "raw", steps: ['{"choices":[', { until: never }] }],
    plain: true,
  },
  "in a page of HTML": {
    script: [{ kind: "raw", steps: ["<html>", { until: never }] }],
  },
}

describe("the client leaves", () => {
  test.each(Object.entries(cases))("%s", async (_name, given) => {
    const { upstream, proxy } = start(given.script, { ...given.options })
    const leaving = new AbortController()
    const { signal } = leaving
    const headers = given.mayReturn ? { "x-claude-code-session-id": crypto.randomUUID() } : undefined
    const init = { signal, ...(headers === undefined ? {} : { headers }) }
    const pending = given.plain ? post(proxy, {}, init) : postStream(proxy, {}, init)
    const gone = pending.then(
      () => "answered",
      () => "left",
    )
    if (given.after === undefined) {
      await until(() => upstream.turns().length === 1)
      await Bun.sleep(20)
    } else {
      const heard = await listen(pending)
      const words = given.after
      await until(() => heard.text().includes(words))
    }
    const left = performance.now()
    leaving.abort()
    expect(await gone).toBe(given.after === undefined ? "left" : "answered")
    await until(() => upstream.turns()[0]?.cancelledAt !== undefined, 1000)
    expect((upstream.turns()[0]?.cancelledAt ?? 0) - left).toBeLessThan(1000)
    await until(() => proxy.exchanges.length === 1 && proxy.timers() === 0, 1000)
    await Bun.sleep(20)
    expect(proxy.exchanges.map((exchange) => exchange.outcome)).toEqual([{ kind: "cancelled" }])
    expect(proxy.logs.filter(({ level }) => level === "warn" || level === "error")).toEqual([])
    expect(upstream.turns().length).toBe(1)
    expect(upstream.inFlight()).toBe(0)
  })
})

test.each(["plain", "stream"])("%s: leaving during the pause before a retry", async (kind) => {
  const turn = { kind: "json", status: 500, body: {}, headers: { "retry-after": "1" } } as const
  const { upstream, proxy } = start([turn], { speed: 5 })
  const leaving = new AbortController()
  const pending = (kind === "plain" ? post : postStream)(proxy, {}, { signal: leaving.signal })
  const gone = pending.catch(() => "left")
  await until(() => proxy.logs.some(({ message }) => message.includes("trying again")))
  leaving.abort()
  expect(await gone).toBe("left")
  await until(() => proxy.exchanges.length === 1 && proxy.timers() === 0, 150)
  expect(proxy.exchanges.map((exchange) => exchange.outcome)).toEqual([{ kind: "cancelled" }])
  await Bun.sleep(300)
  expect(upstream.turns().length).toBe(1)
  expect(proxy.logs.filter(({ level }) => level === "error")).toEqual([])
})

test("a client that leaves while it sends its body is no error, and nobody is asked", async () => {
  const { upstream, proxy } = start([silent])
  const socket = await Bun.connect({ hostname: "127.0.0.1", port: proxy.port, socket: { data: () => {} } })
  socket.write('POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n{"model":')
  await Bun.sleep(30)
  socket.terminate()
  await Bun.sleep(50)
  expect(upstream.turns()).toEqual([])
  expect(proxy.logs).toEqual([])
})

test("a hundred clients that leave leave nothing behind", async () => {
  const { upstream, proxy } = start(() => ({ kind: "stream", chunks: [textChunk("one"), { until: never }] }))
  const leaving = new AbortController()
  const clients = Array.from({ length: 100 }, () => listen(postStream(proxy, {}, { signal: leaving.signal })))
  const heard = await Promise.all(clients)
  await until(() => heard.every((one) => one.text().includes("one")))
  leaving.abort()
  await until(() => upstream.inFlight() === 0 && proxy.timers() === 0, 1000)
  expect(proxy.exchanges.map((exchange) => exchange.outcome.kind)).toEqual(
    Array.from({ length: 100 }, () => "cancelled"),
  )
})
