// The body of a request, in every form it can come in.

import { afterEach, describe, expect, test } from "bun:test"
import { brotliCompressSync, deflateSync } from "node:zlib"
import { objectOf } from "../../src/protocol/json.ts"
import { chatReply } from "../support/chunks.ts"
import { until } from "../support/upstream.ts"
import { basicBody, jsonOf, post, start, stopAll } from "./support.ts"

afterEach(stopAll)

// The default of MAX_BODY_BYTES.
const bodyLimit = 64 * 1024 * 1024

const reply = () => ({ kind: "json", body: chatReply({ content: "hi" }) }) as const
const good = JSON.stringify({ ...basicBody, messages: [{ role: "user", content: "Grüße 漢字 🎯" }] })

const encodings: Readonly<Record<string, (text: string) => Uint8Array<ArrayBuffer>>> = {
  gzip: (text) => Bun.gzipSync(text),
  "x-gzip": (text) => Bun.gzipSync(text),
  GZIP: (text) => Bun.gzipSync(text),
  deflate: (text) => new Uint8Array(deflateSync(text)),
  br: (text) => new Uint8Array(brotliCompressSync(text)),
  zstd: (text) => new Uint8Array(Bun.zstdCompressSync(text)),
  identity: (text) => new TextEncoder().encode(text),
}

describe.each(Object.keys(encodings))("content-encoding: %s", (name) => {
  const encode = (text: string) => encodings[name]?.(text) ?? new Uint8Array()
  const headers = { "content-encoding": name }

  test("is read", async () => {
    const { upstream, proxy } = start(reply)
    expect((await post(proxy, {}, { headers, body: encode(good) })).status).toBe(200)
    expect(upstream.turns()[0]?.text).toContain("Grüße 漢字 🎯")
  })

  test("broken is 400", async () => {
    const { upstream, proxy } = start(reply)
    const bytes = encode(good)
    for (const body of [bytes.slice(0, bytes.length - 12), new TextEncoder().encode("not at all"), ""]) {
      const response = await post(proxy, {}, { headers, body })
      expect(response.status).toBe(400)
      expect(objectOf((await jsonOf(response))["error"])["type"]).toBe("invalid_request_error")
    }
    expect(upstream.turns()).toEqual([])
  })
})

test.each(["compress", "gzip, br", "constructor"])(
  "content-encoding: %s is not supported",
  async (encoding) => {
    const { proxy } = start(reply)
    const response = await post(proxy, {}, { headers: { "content-encoding": encoding } })
    expect(response.status).toBe(400)
    expect(objectOf((await jsonOf(response))["error"])["details"]).toEqual({
      error_code: "request_body_encoding_unsupported",
    })
  },
)

test.each([
  ["", "the request body is not valid JSON: it is empty"],
  [" \n", "the request body is not valid JSON: it is empty"],
  ["[]", "the request body must be a JSON object"],
  ['"hi"', "the request body must be a JSON object"],
  ["null", "the request body must be a JSON object"],
])("%j is refused", async (body, message) => {
  const { proxy } = start(reply)
  const response = await post(proxy, {}, { body })
  expect(response.status).toBe(400)
  const error = await jsonOf(response)
  expect(error["error"]).toEqual({ type: "invalid_request_error", message })
  expect(error["request_id"]).toBe(response.headers.get("request-id"))
})

test("broken JSON is refused, and the message says so", async () => {
  const { proxy } = start(reply)
  const error = await jsonOf(post(proxy, {}, { body: '{"model": "a", }' }))
  expect(String(objectOf(error["error"])["message"])).toStartWith("the request body is not valid JSON: ")
})

test("a BOM is no matter", async () => {
  const { proxy } = start(reply)
  expect((await post(proxy, {}, { body: `\uFEFF${good}` })).status).toBe(200)
})

test("text that is not UTF-8 is refused instead of being sent with holes", async () => {
  const { upstream, proxy } = start(reply)
  const body = Buffer.from(good.replace("漢字 🎯", ""), "latin1")
  const response = await post(proxy, {}, { body })
  expect(response.status).toBe(400)
  expect(objectOf((await jsonOf(response))["error"])["message"]).toBe("the request body is not valid UTF-8")
  expect(upstream.turns()).toEqual([])
})

test("deep nesting breaks nothing", async () => {
  const { proxy } = start(reply)
  const deep = "[".repeat(50_000) + "]".repeat(50_000)
  const body = `{"model":"m","messages":[{"role":"user","content":"hi"}],"metadata":${deep}}`
  const response = await post(proxy, {}, { body })
  expect([200, 400]).toContain(response.status)
  expect((await post(proxy)).status).toBe(200)
})

interface Upload {
  readonly sent: () => number
  readonly heard: () => string
}

/** Uploads `total` bytes for ever slower ears, stopping when an answer is there. */
async function upload(port: number, total: number, chunked: boolean): Promise<Upload> {
  const piece = new Uint8Array(1 << 20).fill(0x20)
  const framed = Buffer.concat([Buffer.from("100000\r\n"), piece, Buffer.from("\r\n")])
  let [heard, sent, offset] = ["", 0, 0]
  const bytes = chunked ? framed : Buffer.from(piece)
  function send(socket: Bun.Socket): void {
    while (sent < total && heard === "") {
      const written = socket.write(bytes, offset, bytes.length - offset)
      if (written <= 0) return
      offset = (offset + written) % bytes.length
      sent += written
    }
  }
  const length = chunked ? "transfer-encoding: chunked" : `content-length: ${total}`
  await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) => {
        socket.write(`POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n${length}\r\n\r\n`)
        send(socket)
      },
      drain: send,
      data: (socket, data) => {
        heard += data.toString()
        socket.end()
      },
    },
  })
  return { sent: () => sent, heard: () => heard }
}

test.each([
  ["announced", false],
  ["in chunks", true],
])("a body over the limit, %s, is 413 and not read to its end", async (_name, chunked) => {
  const { upstream, proxy } = start(reply)
  const given = await upload(proxy.port, bodyLimit * 4, chunked)
  await until(() => given.heard().includes("\r\n\r\n"))
  expect(given.heard()).toStartWith("HTTP/1.1 413")
  expect(given.heard()).toContain('"type":"request_too_large"')
  expect(given.heard()).toContain("larger than the 67108864 bytes that this proxy takes (MAX_BODY_BYTES)")
  expect(given.sent()).toBeLessThan(bodyLimit * 2)
  expect(upstream.turns()).toEqual([])
  expect((await post(proxy)).status).toBe(200)
})

test("a small body that is large inside is 413", async () => {
  const { proxy } = start(reply)
  const body = Bun.gzipSync(new Uint8Array(bodyLimit + 1).fill(0x20))
  const response = await post(proxy, {}, { headers: { "content-encoding": "gzip" }, body })
  expect(response.status).toBe(413)
  expect(objectOf((await jsonOf(response))["error"])["details"]).toEqual({
    error_code: "request_body_too_large_after_decoding",
  })
})

test("a body in chunks, without its length", async () => {
  const { upstream, proxy } = start(reply)
  const half = good.length >> 1
  async function* pieces() {
    yield good.slice(0, half)
    await Bun.sleep(10)
    yield good.slice(half)
  }
  expect((await post(proxy, {}, { body: pieces() })).status).toBe(200)
  expect(upstream.turns()[0]?.text).toContain("Grüße 漢字 🎯")
})

test.each([
  ["tool results", '{"type":"tool_result","tool_use_id":"a","content":[', "]}"],
  ["blocks", '{"type":"document","source":{"type":"content","content":[', "]}}"],
] as const)("%s nested thousands of levels deep are 400, and harm nobody else", async (_, open, close) => {
  const { proxy } = start(reply)
  const nest = `${open.repeat(20_000)}${close.repeat(20_000)}`
  const response = await post(proxy, {}, { body: `{"messages":[{"role":"user","content":[${nest}]}]}` })
  expect(response.status).toBe(400)
  const { message } = objectOf((await jsonOf(response))["error"])
  expect(message).toBe("the request body is nested too deeply")
  expect((await post(proxy)).status).toBe(200)
})

test("a schema nested thousands of levels deep is cut where no server would look any more", async () => {
  const { proxy, upstream } = start(reply)
  const schema = `${'{"type":"array","items":'.repeat(20_000)}{}${"}".repeat(20_000)}`
  const body = `{"messages":[{"role":"user","content":"hi"}],"tools":[{"name":"a","input_schema":${schema}}]}`
  expect((await post(proxy, {}, { body })).status).toBe(200)
  expect(upstream.turns()[0]?.text.length).toBeWithin(1_000, 20_000)
})
