// Replies that say how long they are before they come: they are read, and end, like all others.
import { afterEach, describe, expect, test } from "bun:test"
import { objectOf } from "../../src/protocol/json.ts"
import { chatReply, finishChunk, textChunk, usageChunk } from "../support/chunks.ts"
import { until } from "../support/upstream.ts"
import { chunked, dataLines, rawUpstream } from "./raw.ts"
import {
  cleanUp,
  eventsOf,
  jsonOf,
  listen,
  post,
  postStream,
  startProxy,
  stopAll,
  textOf,
  typesOf,
} from "./support.ts"

afterEach(stopAll)

const head = (length: number, more = "") => `HTTP/1.1 200 OK\r\n${more}content-length: ${length}\r\n\r\n`
const json = "content-type: application/json\r\n"
const document = JSON.stringify(chatReply({ content: "größer 🎉" }))
const long = JSON.stringify(chatReply({ content: "x".repeat(100_000) }))
const stream = dataLines(textChunk("größer 🎉"), finishChunk("stop"), usageChunk(3, 1), "[DONE]")
const whole = (body: string, more = "") => head(Buffer.byteLength(body), more) + body

describe("whatever its type says, it is read by its words", () => {
  test.each([
    ["a document", whole(document, json), "größer 🎉"],
    ["a document without a type", whole(document), "größer 🎉"],
    [
      "a document behind a byte order mark and blank lines",
      whole(`\ufeff\n\n${document}`, json),
      "größer 🎉",
    ],
    ["a long document", whole(long, json), "x".repeat(100_000)],
    ["a stream", whole(stream, "content-type: text/event-stream\r\n"), "größer 🎉"],
    ["a stream that is called a document", whole(stream, json), "größer 🎉"],
    ["a stream behind a comment", whole(`: one moment\n\n${stream}`), "größer 🎉"],
  ])("%s", async (_, answer, text) => {
    const upstream = rawUpstream((socket) => socket.write(answer))
    const proxy = startProxy(upstream.url)
    const reply = await jsonOf(post(proxy))
    expect(reply["content"]).toEqual([{ type: "text", text }])
    const events = await eventsOf(postStream(proxy))
    expect(textOf(events)).toBe(text)
    expect(typesOf(events).at(-1)).toBe("message_stop")
    expect(upstream.connections()).toBeLessThanOrEqual(2)
    expect(proxy.timers()).toBe(0)
  })
})

test("one in chunks is a stream, whatever length it names", async () => {
  const upstream = rawUpstream((socket) => {
    socket.write(head(5, "content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"))
    socket.write(chunked(dataLines(textChunk("one"))))
  })
  const proxy = startProxy(upstream.url)
  const heard = await listen(postStream(proxy))
  await until(() => heard.text().includes("one"))
})

test("a document in chunks does not end where the length that it names does", async () => {
  const upstream = rawUpstream(async (socket) => {
    socket.write(head(20, `${json}transfer-encoding: chunked\r\n`) + chunked(document.slice(0, 20)))
    await Bun.sleep(50)
    socket.write(`${chunked(document.slice(20))}0\r\n\r\n`)
  })
  const reply = await jsonOf(post(startProxy(upstream.url)))
  expect(reply["content"]).toEqual([{ type: "text", text: "größer 🎉" }])
})

test("of one that is compressed, the length says nothing of its text", async () => {
  const text = "compressed ".repeat(50_000)
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => {
      const body = Bun.gzipSync(JSON.stringify(chatReply({ content: text })))
      return new Response(body, { headers: { "content-encoding": "gzip" } })
    },
  })
  cleanUp(() => server.stop(true))
  const reply = await jsonOf(post(startProxy(`${server.url}v1`)))
  expect(reply["content"]).toEqual([{ type: "text", text }])
})

const env = { MAX_RETRIES: "0", REQUEST_TIMEOUT: "0.5" }

test.each([
  ["nothing", "", 502, "api_error", "nothing", null],
  ["blank", " \n", 502, "api_error", "nothing", null],
  ["broken", '{"choices":[', 502, "api_error", "broken JSON", null],
  ["a page", "<html>no</html>", 502, "api_error", "an HTML page", "false"],
])("%s is no reply", async (_, body, status, type, said, shouldRetry) => {
  const upstream = rawUpstream((socket) => socket.write(whole(body, json)))
  const proxy = startProxy(upstream.url, { env })
  const response = await post(proxy)
  expect([response.status, response.headers.get("x-should-retry")]).toEqual([status, shouldRetry])
  const error = objectOf((await jsonOf(response))["error"])
  expect(error["type"]).toBe(type)
  expect(error["message"]).toContain(said)
  expect(proxy.timers()).toBe(0)
})

test("one that is cut before its length is a broken connection", async () => {
  const upstream = rawUpstream((socket) => {
    socket.write(head(document.length + 50, json) + document)
    socket.end()
  })
  const proxy = startProxy(upstream.url, { env })
  const response = await post(proxy)
  expect(response.status).toBe(502)
  expect(objectOf((await jsonOf(response))["error"])["message"]).toContain("the connection to")
  expect(proxy.timers()).toBe(0)
})

test.each([
  ["of which nothing comes", ""],
  ["of which half comes", document.slice(0, 20)],
])("one %s is given up in time", async (_, part) => {
  const upstream = rawUpstream((socket) => socket.write(head(document.length, json) + part))
  const proxy = startProxy(upstream.url, { env })
  const response = await post(proxy)
  expect(response.status).toBe(504)
  expect(objectOf((await jsonOf(response))["error"])["type"]).toBe("timeout_error")
  await until(() => upstream.open() === 0)
  expect(proxy.timers()).toBe(0)
})

test("one that comes slowly is waited for as long as it comes", async () => {
  const upstream = rawUpstream(async (socket) => {
    socket.write(head(Buffer.byteLength(document), json))
    const bytes = [...document]
    for (let at = 0; at < bytes.length; at += 20) {
      await Bun.sleep(80)
      socket.write(bytes.slice(at, at + 20).join(""))
    }
  })
  const proxy = startProxy(upstream.url, { env })
  const reply = await jsonOf(post(proxy))
  expect(reply["content"]).toEqual([{ type: "text", text: "größer 🎉" }])
})

test("one whose client leaves is given up with it", async () => {
  const upstream = rawUpstream((socket) => socket.write(head(document.length, json)))
  const proxy = startProxy(upstream.url)
  const leaving = new AbortController()
  const asked = post(proxy, {}, { signal: leaving.signal }).catch(() => undefined)
  await until(() => upstream.requests() === 1)
  leaving.abort()
  await asked
  await until(() => upstream.open() === 0)
  expect(proxy.exchanges.map(({ outcome }) => outcome.kind)).toEqual(["cancelled"])
  expect(proxy.timers()).toBe(0)
})
