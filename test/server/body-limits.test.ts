// How much of a body is taken, and how long it is waited for.
import { afterEach, describe, expect, test } from "bun:test"
import { brotliCompressSync, deflateSync } from "node:zlib"
import { objectOf } from "../../src/protocol/json.ts"
import { chatReply } from "../support/chunks.ts"
import { until } from "../support/upstream.ts"
import { postText, rawClient } from "./raw-client.ts"
import { basicBody, jsonOf, post, start, stopAll } from "./support.ts"

afterEach(stopAll)

const reply = () => ({ kind: "json", body: chatReply({ content: "hi" }) }) as const
const limit = 4096
const small = { env: { MAX_BODY_BYTES: String(limit) } }

/** A correct body of exactly so many bytes. */
function bodyOf(bytes: number): string {
  const bare = JSON.stringify({ ...basicBody, metadata: { user_id: "" } })
  return bare.replace('"user_id":""', `"user_id":"${"x".repeat(bytes - bare.length)}"`)
}

const asked = ["/v1/messages", "/v1/messages/count_tokens", "/v1/messages/test_conversion"]

describe("MAX_BODY_BYTES", () => {
  test.each(asked)("%s: so many bytes are taken, and not one more", async (path) => {
    const { proxy } = start(reply, small)
    const send = (body: string) => fetch(`${proxy.url}${path}`, { method: "POST", body })
    expect((await send(bodyOf(limit))).status).toBe(200)
    const refused = await send(bodyOf(limit + 1))
    expect(refused.status).toBe(413)
    expect(objectOf((await jsonOf(refused))["error"])).toEqual({
      type: "request_too_large",
      message: `the request body is larger than the ${limit} bytes that this proxy takes (MAX_BODY_BYTES)`,
    })
  })

  test.each([
    [limit + 256 * 1024 * 1024, false],
    [limit + 256 * 1024 * 1024 + 1, true],
    [500_000_000_000, true],
  ])("of a body of %d bytes no more is taken: %p", async (length, closes) => {
    const { proxy } = start(reply, small)
    const client = await rawClient(proxy.port, {
      text: `POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${length}\r\n\r\n`,
    })
    expect(await client.status()).toBe(413)
    expect(/connection: close/i.test(client.heard())).toBe(closes)
  })

  test("OpenAI's clients are told in their words", async () => {
    const { proxy } = start(reply, small)
    const url = `${proxy.url}/v1/chat/completions`
    const refused = await fetch(url, { method: "POST", body: bodyOf(limit + 1) })
    expect(refused.status).toBe(413)
    const error = await jsonOf(refused)
    expect(Object.keys(error)).toEqual(["error"])
    expect(String(objectOf(error["error"])["message"])).toContain("MAX_BODY_BYTES")
  })

  const packers: Readonly<Record<string, (text: string) => Uint8Array<ArrayBuffer>>> = {
    gzip: (text) => Bun.gzipSync(text),
    deflate: (text) => new Uint8Array(deflateSync(text)),
    br: (text) => new Uint8Array(brotliCompressSync(text)),
    zstd: (text) => new Uint8Array(Bun.zstdCompressSync(text)),
  }

  test.each(Object.keys(packers))("%s counts unpacked as well", async (encoding) => {
    const { proxy } = start(reply, small)
    const send = (text: string) =>
      post(proxy, {}, { headers: { "content-encoding": encoding }, body: packers[encoding]?.(text) ?? "" })
    expect((await send(bodyOf(limit))).status).toBe(200)
    const refused = await send(bodyOf(limit + 1))
    expect(refused.status).toBe(413)
    expect(objectOf((await jsonOf(refused))["error"])["details"]).toEqual({
      error_code: "request_body_too_large_after_decoding",
    })
  })

  test("a bomb is not unpacked to its end", async () => {
    const { proxy } = start(reply)
    // Of many members, which gzip takes one after the other: two gigabytes.
    const member = Bun.gzipSync(new Uint8Array(50_000_000))
    const body = Buffer.concat(Array.from({ length: 40 }, () => member))
    Bun.gc(true)
    const before = process.memoryUsage.rss()
    const refused = await post(proxy, {}, { headers: { "content-encoding": "gzip" }, body })
    expect(refused.status).toBe(413)
    expect(process.memoryUsage.rss() - before).toBeLessThan(250_000_000)
  })

  test.each([
    ["announced", false],
    ["in chunks", true],
  ])("a client that does not stop sending hears of it, and is not cut off: %s", async (_, chunked) => {
    const { proxy, upstream } = start(reply, small)
    const data = Buffer.alloc(65_536, 0x20)
    const piece = chunked ? Buffer.concat([Buffer.from("10000\r\n"), data, Buffer.from("\r\n")]) : data
    const total = piece.length * 1600
    const length = chunked ? "transfer-encoding: chunked" : `content-length: ${total}`
    Bun.gc(true)
    const before = process.memoryUsage.rss()
    const client = await rawClient(proxy.port, {
      text: `POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n${length}\r\n\r\n`,
      flood: { piece, total },
    })
    expect(await client.status()).toBe(413)
    await until(() => client.sent() >= total, 20_000)
    expect(process.memoryUsage.rss() - before).toBeLessThan(60_000_000)
    expect(client.closed()).toBe(false)
    // The connection is where it would be after any other request.
    if (chunked) client.send("0\r\n\r\n")
    client.send("GET /api/hello HTTP/1.1\r\nhost: localhost\r\n\r\n")
    await until(() => client.heard().includes('"hello"'))
    expect(upstream.turns()).toEqual([])
  })

  test("fetch hears of it before it has sent what it has", async () => {
    const { proxy } = start(reply, small)
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        sent += 100_000
        controller.enqueue(new Uint8Array(100_000))
        await Bun.sleep(1)
      },
    })
    expect((await post(proxy, {}, { body })).status).toBe(413)
    expect(sent).toBeLessThan(50_000_000)
  })
})

describe("a body that does not come", () => {
  const times = { bodyMs: 300 }
  const head = (length: string) => `POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n${length}\r\n\r\n`

  test.each([
    ["nothing of a short one", head("content-length: 100")],
    ["half of a short one", `${head("content-length: 100")}{"model":`],
    ["nothing of a long one", head("content-length: 5000000")],
    ["half of a long one", `${head("content-length: 5000000")}{"model":`],
    ["no chunk", head("transfer-encoding: chunked")],
    ["a chunk, and no other", `${head("transfer-encoding: chunked")}5\r\n{"a":\r\n`],
  ])("%s: 408, and the connection is closed", async (_, text) => {
    const { proxy, upstream } = start(reply, { times })
    const client = await rawClient(proxy.port, { text })
    expect(await client.status()).toBe(408)
    await until(() => client.closed())
    expect(client.heard()).toContain('"type":"timeout_error"')
    expect(client.heard().toLowerCase()).toContain("connection: close")
    expect(upstream.turns()).toEqual([])
    expect(proxy.timers()).toBe(0)
  })

  test("a byte now and then is no upload", async () => {
    const { proxy } = start(reply, { times })
    const client = await rawClient(proxy.port, { text: head("transfer-encoding: chunked") })
    const timer = setInterval(() => client.send("1\r\n \r\n"), 50)
    try {
      expect(await client.status()).toBe(408)
    } finally {
      clearInterval(timer)
    }
  })

  test.each([
    ["short", 20_000],
    ["long", 4_000_000],
  ])("a %s one on a slow line is waited for as long as it comes", async (_, bytes) => {
    const { proxy, upstream } = start(reply, { times })
    const body = bodyOf(bytes)
    const pieces = 12
    const client = await rawClient(proxy.port, { text: head(`content-length: ${body.length}`) })
    const size = Math.ceil(body.length / pieces)
    for (let index = 0; index < pieces; index++) {
      await Bun.sleep(50)
      client.send(body.slice(index * size, (index + 1) * size))
    }
    expect(await client.status()).toBe(200)
    expect(upstream.turns().length).toBe(1)
    expect(proxy.timers()).toBe(0)
  })

  test("OpenAI's clients are told in their words", async () => {
    const { proxy } = start(reply, { times })
    const text = postText("/v1/chat/completions", "").replace("content-length: 0", "content-length: 9")
    const client = await rawClient(proxy.port, { text })
    expect(await client.status()).toBe(408)
    await until(() => client.closed())
    expect(client.heard()).toContain('{"error":{"message":"the request body did not come')
  })
})
