// What the bench reads off its connections, cut wherever the network likes.
import { expect, test } from "bun:test"
import { writesOf } from "../bench/speed/chat-wire.ts"
import { createReplyReader } from "../bench/speed/reply-reader.ts"
import { createRequestReader } from "../bench/speed/request-reader.ts"
import { post } from "../bench/speed/requests.ts"
import { chatBody } from "./support.ts"

const reply = { kind: "stream", voice: "text", chunks: 5, perWrite: 2 } as const

test("a reply cut in two anywhere is the same reply, and the next one is read after it", () => {
  const whole = Buffer.concat(writesOf(reply) ?? [])
  const body = chatBody(reply)
  expect(body).toEndWith("data: [DONE]\n\n")
  const reader = createReplyReader(16)
  for (let at = 1; at < whole.length; at++) {
    reader.reset()
    expect(reader.push(whole.subarray(0, at))).toBe(false)
    expect(reader.push(whole.subarray(at))).toBe(true)
    expect([reader.status(), reader.body().toString()]).toEqual([200, body])
  }
})

test("a reply of known length, byte by byte", () => {
  const reader = createReplyReader()
  const bytes = Buffer.from("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone")
  const ends = Array.from(bytes, (_, at) => reader.push(bytes.subarray(at, at + 1)))
  expect(ends.indexOf(true)).toBe(bytes.length - 1)
  expect([reader.status(), reader.body().toString()]).toEqual([404, "gone"])
})

test.each([
  "SSH-2.0-x\r\n\r\n",
  "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
])("what cannot be read is refused: %j", (text) => {
  expect(() => createReplyReader().push(Buffer.from(text))).toThrow()
})

test("requests are told apart by their length, however they arrive", () => {
  const seen: (readonly [number, string | undefined])[] = []
  let keep = true
  const reader = createRequestReader(
    () => keep,
    (size, body) => seen.push([size, body?.toString()]),
  )
  const bytes = post("/v1/messages", "ä body")
  for (const byte of bytes) reader.push(Buffer.from([byte]))
  keep = false
  reader.push(bytes)
  reader.push(Buffer.from("GET /health HTTP/1.1\r\n\r\n"))
  expect(seen).toEqual([
    [7, "ä body"],
    [7, undefined],
    [0, undefined],
  ])
})
