// Stopping: what runs may end, what is new is refused, and nobody is cut without a word.
import { afterEach, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { parseAnthropicSse } from "../support/anthropic-sse.ts"
import { finishChunk, textChunk } from "../support/chunks.ts"
import { checkGrammar } from "../support/grammar.ts"
import { until } from "../support/upstream.ts"
import { jsonOf, listen, post, postStream, start, stopAll, typesOf } from "./support.ts"

afterEach(stopAll)

const never = new Promise<void>(() => {})

test("a running stream ends in its own time, and nothing else is begun", async () => {
  const go = Promise.withResolvers<void>()
  const chunks = [textChunk("one"), { until: go.promise }, textChunk("two"), finishChunk("stop")]
  const { proxy } = start([{ kind: "stream", chunks }])
  const heard = await listen(postStream(proxy))
  await until(() => heard.text().includes("one"))
  const stopped = proxy.stop(5000)
  const health = await fetch(`${proxy.url}/health`)
  expect([health.status, (await jsonOf(health))["status"]]).toEqual([503, "draining"])
  const refused = await post(proxy)
  expect(refused.status).toBe(503)
  expect([refused.headers.get("retry-after"), refused.headers.get("connection")]).toEqual(["1", "close"])
  expect(objectOf((await jsonOf(refused))["error"])["type"]).toBe("overloaded_error")
  go.resolve()
  expect(await heard.ended).toBe("complete")
  expect(typesOf(parseAnthropicSse(heard.text())).at(-1)).toBe("message_stop")
  const from = performance.now()
  await stopped
  expect(performance.now() - from).toBeLessThan(1000)
  expect(proxy.exchanges.map((exchange) => exchange.outcome.kind)).toEqual(["completed"])
  expect(proxy.timers()).toBe(0)
  const gone = await fetch(`${proxy.url}/health`, { keepalive: false }).catch((error) => error.code)
  expect(gone).toBe("ECONNREFUSED")
})

test("after the grace a stream ends in an error event, a waiting request in 503", async () => {
  const { upstream, proxy } = start((_body, turn) =>
    turn === 0 ? { kind: "stream", chunks: [textChunk("one"), { until: never }] } : { kind: "stall" },
  )
  const heard = await listen(postStream(proxy))
  await until(() => heard.text().includes("one"))
  const waiting = [post(proxy), postStream(proxy)]
  await until(() => upstream.inFlight() === 3)
  const from = performance.now()
  await proxy.stop(50)
  expect(performance.now() - from).toBeWithin(45, 3_000)
  expect(await heard.ended).toBe("complete")
  const events = parseAnthropicSse(heard.text())
  expect(checkGrammar(events)).toEqual([])
  const error = { type: "api_error", message: "the proxy was stopped before the reply was complete" }
  expect(events.at(-1)?.["error"]).toEqual(error)
  for (const pending of waiting) {
    const response = await pending
    expect(response.status).toBe(503)
    expect(objectOf((await jsonOf(response))["error"])).toEqual(error)
  }
  await until(() => upstream.inFlight() === 0, 1000)
  expect(upstream.turns().length).toBe(3)
  expect(proxy.exchanges.map((exchange) => exchange.outcome.kind)).toEqual(["failed", "failed", "failed"])
  expect(proxy.timers()).toBe(0)
})

test("nothing runs: it is over at once, also with a connection that idles", async () => {
  const { proxy } = start([])
  await fetch(`${proxy.url}/health`).then((response) => response.text())
  const from = performance.now()
  await proxy.stop(5000)
  expect(performance.now() - from).toBeLessThan(500)
})

test("a client that does not read cannot hold the stop up", async () => {
  const { proxy } = start([
    { kind: "stream", chunks: Array.from({ length: 2000 }, () => textChunk("x".repeat(10_000))) },
  ])
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: proxy.port,
    socket: { open: (opened) => opened.pause(), data: () => {} },
  })
  const body = JSON.stringify({ stream: true, messages: [{ role: "user", content: "hi" }] })
  socket.write(
    `POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  await Bun.sleep(100)
  const from = performance.now()
  await proxy.stop(50)
  // It would last for ever; a busy machine is allowed some seconds.
  expect(performance.now() - from).toBeLessThan(15_000)
  socket.terminate()
})
