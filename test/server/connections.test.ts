// Connections to the upstream: used again, given back, and never read faster than the client reads.
import { afterEach, expect, test } from "bun:test"
import { chatReply, finishChunk, textChunk, usageChunk } from "../support/chunks.ts"
import { until } from "../support/upstream.ts"
import { chunked, dataLines, rawUpstream, streamHead } from "./raw.ts"
import { cleanUp, eventsOf, listen, post, postStream, startProxy, stopAll, typesOf } from "./support.ts"

afterEach(stopAll)

const reply = dataLines(textChunk("hi"), finishChunk("stop"), usageChunk(3, 1), "[DONE]")
const whole = JSON.stringify(chatReply({ content: "hi" }))

test.each([
  ["the body ends with [DONE]", chunked(reply) + chunked("")],
  ["the end comes in a packet of its own", undefined],
])("20 streams one after another: %s", async (_name, body) => {
  let ends = 0
  const upstream = rawUpstream((socket) => {
    socket.write(streamHead + (body ?? chunked(reply)))
    if (body !== undefined) return
    setTimeout(() => {
      socket.write(chunked(""))
      ends += 1
    }, 10)
  })
  const proxy = startProxy(upstream.url)
  for (let count = 0; count < 20; count++) {
    expect(typesOf(await eventsOf(postStream(proxy))).at(-1)).toBe("message_stop")
    if (body !== undefined) continue
    await until(() => ends === count + 1)
    await Bun.sleep(15)
  }
  expect(upstream.requests()).toBe(20)
  // One would do; of an end that comes later a busy machine sometimes has not heard by then.
  expect(upstream.connections()).toBeLessThanOrEqual(body === undefined ? 5 : 2)
  expect(proxy.timers()).toBe(0)
})

test("20 whole replies one after another share a connection", async () => {
  const upstream = rawUpstream((socket) =>
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(whole)}\r\n\r\n${whole}`),
  )
  const proxy = startProxy(upstream.url)
  for (let count = 0; count < 20; count++) expect((await post(proxy)).status).toBe(200)
  expect(upstream.connections()).toBeLessThanOrEqual(2)
})

test("a body that never ends after [DONE] delays nobody and is dropped after half a second", async () => {
  const upstream = rawUpstream((socket) => socket.write(streamHead + chunked(reply)))
  const proxy = startProxy(upstream.url)
  const from = performance.now()
  expect(typesOf(await eventsOf(postStream(proxy))).at(-1)).toBe("message_stop")
  expect(performance.now() - from).toBeLessThan(450)
  expect(upstream.open()).toBe(1)
  await until(() => upstream.open() === 0, 1000)
  expect(performance.now() - from).toBeWithin(450, 3_000)
  expect(proxy.timers()).toBe(0)
})

test("an error chunk is followed by nothing that anybody would wait for", async () => {
  const upstream = rawUpstream((socket) =>
    socket.write(streamHead + chunked(dataLines(textChunk("hi"), { error: { message: "broken" } }))),
  )
  const proxy = startProxy(upstream.url)
  expect(typesOf(await eventsOf(postStream(proxy))).at(-1)).toBe("error")
  await until(() => upstream.open() === 0, 500)
  expect(proxy.timers()).toBe(0)
})

/** An upstream that streams as fast as it is read, until `stop`, and counts the bytes that left it. */
function firehose() {
  const state = { sent: 0, stop: false }
  const bytes = new TextEncoder().encode(dataLines(textChunk("x".repeat(60_000))))
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () =>
      new Response(
        new ReadableStream({
          pull: (controller) => {
            if (state.stop) {
              controller.enqueue(dataLines(finishChunk("stop"), "[DONE]"))
              controller.close()
              return
            }
            state.sent += bytes.length
            controller.enqueue(bytes)
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      ),
  })
  cleanUp(() => server.stop(true))
  return { state, url: `http://127.0.0.1:${server.port}/v1` }
}

test("a client that does not read stops the upstream, and costs it no time limit", async () => {
  const { state, url } = firehose()
  const proxy = startProxy(url, { env: { REQUEST_TIMEOUT: "2" }, times: { pingMs: 20, keepAliveMs: 40 } })
  const heard: string[] = []
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: proxy.port,
    socket: {
      open: (opened) => opened.pause(),
      data: (_socket, data) => {
        heard.push(data.toString())
      },
    },
  })
  const body = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "hi" }] })
  socket.write(
    `POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  await until(() => state.sent > 1_000_000)
  // What lies between fills up, on a busy machine more slowly; then nothing moves any more.
  let soon = 0
  while (soon !== state.sent && state.sent < 64_000_000) {
    soon = state.sent
    await Bun.sleep(400)
  }
  expect(soon).toBeLessThan(64_000_000)
  // Longer than the upstream may be silent.
  await Bun.sleep(2500)
  expect(state.sent).toBe(soon)
  state.stop = true
  socket.resume()
  await until(() => proxy.exchanges.length === 1, 10_000)
  expect(proxy.exchanges[0]?.outcome).toEqual({ kind: "completed" })
  await until(() => heard.slice(-2).join("").includes("message_stop"), 10_000)
  socket.terminate()
}, 30_000)

test("a slow reader gets everything", async () => {
  const { state, url } = firehose()
  const proxy = startProxy(url)
  const heard = await listen(postStream(proxy))
  await until(() => state.sent > 5_000_000)
  state.stop = true
  expect(await heard.ended).toBe("complete")
  const text = heard.text().replaceAll("x".repeat(60_000), "X")
  expect(text.split('"text":"X"').length - 1).toBe(
    state.sent / dataLines(textChunk("x".repeat(60_000))).length,
  )
})
