// What is no HTTP, or only just: heads that no program writes, lengths that contradict each other, halves.
import { connect } from "node:net"
import { changeBytes } from "./fuzz-json.ts"
import type { Random } from "./random.ts"

const body = '{"model":"chat","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'
const head = (lines: readonly string[], first = "POST /v1/messages HTTP/1.1") =>
  `${[first, "host: 127.0.0.1", ...lines].join("\r\n")}\r\n\r\n`
const sized = `content-length: ${body.length}`
const chunked = "transfer-encoding: chunked"
const flood = Array.from({ length: 5_000 }, (_, at) => `x-${at}: ${at}`)

/** Each on a connection of its own. */
export const rawRequests: readonly string[] = [
  "\r\n\r\n\r\n",
  "\0\0\0\0\0\0\0\0\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "GET\r\n\r\n",
  "GET /\r\n\r\n",
  "GET / HTTP/9.9\r\n\r\n",
  "GET  /  HTTP/1.1\r\n\r\n",
  "GET / HTTP/1.1\nhost: a\n\n",
  "GET / HTTP/1.1\r\n: no name\r\n\r\n",
  "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
  "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
  "GET / HTTP/1.1\r\nhost: a\r\n folded: b\r\n\r\n",
  "GET / HTTP/1.1\r\nhost: a\0b\r\n\r\n",
  "G\x00T / HTTP/1.1\r\nhost: a\r\n\r\n",
  `${"A".repeat(10_000)} / HTTP/1.1\r\nhost: a\r\n\r\n`,
  `GET /${"a".repeat(200_000)} HTTP/1.1\r\nhost: a\r\n\r\n`,
  `GET / HTTP/1.1\r\nhost: a\r\n${flood.join("\r\n")}\r\n\r\n`,
  `GET / HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(1_000_000)}\r\n\r\n`,
  `GET / HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(100_000)}`,
  "CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: a\r\n\r\n",
  "GET http://evil.example/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
  "GET /health HTTP/1.0\r\n\r\n",
  head([sized, `content-length: ${body.length + 5}`]) + body,
  head([sized, chunked]) + body,
  `${head([sized, chunked])}0\r\n\r\nGET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`,
  head(["content-length: -1"]) + body,
  head(["content-length: 1e3"]) + body,
  head(["content-length: 99999999999999999999999"]) + body,
  head(["content-length: abc"]) + body,
  head(["content-length: +5"]) + body,
  head(["content-length: 0x10"]) + body,
  head(["content-length: 5, 5"]) + body,
  head([`content-length: ${body.length - 20}`]) + body,
  head([`content-length: ${body.length + 20}`]) + body,
  head([sized]) + body.slice(0, 20),
  head([sized]),
  head([sized, "expect: 100-continue"]),
  head([sized]).slice(0, 30),
  "POST /v1/mess",
  `${head([chunked])}zz\r\n${body}\r\n0\r\n\r\n`,
  `${head([chunked])}-5\r\n${body}\r\n0\r\n\r\n`,
  `${head([chunked])}ffffffffffffffffffff\r\n${body}`,
  `${head([chunked])}7fffffffffffffff\r\n${body}`,
  `${head([chunked])}5\r\n${body}\r\n0\r\n\r\n`,
  `${head([chunked])}5;${"x".repeat(50_000)}\r\nhello\r\n0\r\n\r\n`,
  `${head([chunked])}${"0".repeat(5_000)}5\r\nhello\r\n0\r\n\r\n`,
  `${head([chunked])}5\r\nhel`,
  `${head([chunked])}0\r\nx-trailer: a\r\n\r\n`,
  `${head([chunked])}${"1\r\n \r\n".repeat(20_000)}0\r\n\r\n`,
  head(["transfer-encoding: gzip"]) + body,
  `${head(["transfer-encoding: gzip, chunked"])}5\r\nhello\r\n0\r\n\r\n`,
  `${head(["transfer-encoding: chunked, chunked"])}5\r\nhello\r\n0\r\n\r\n`,
  head(["upgrade: websocket", "connection: upgrade", "sec-websocket-key: a"], "GET / HTTP/1.1"),
  head(["upgrade: h2c", "connection: upgrade, http2-settings", "http2-settings: a"], "GET / HTTP/1.1"),
  head([], "GET /health HTTP/1.1").repeat(200),
  `${head([], "GET /health HTTP/1.1")}garbage\r\n\r\n`,
]

/** A good request with something wrong in its bytes, the head too. */
export function randomRaw(random: Random): Buffer {
  const framing = random.chance(0.5)
    ? head([sized]) + body
    : `${head([chunked])}4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n`
  let bytes = Buffer.from(framing)
  for (let left = random.integer(1, 3); left > 0; left--) bytes = Buffer.from(changeBytes(bytes, random))
  return bytes
}

export interface RawEnd {
  /** Everything that came. */
  readonly text: string
  /** Who has closed in the end; nobody: it was still open when its time was over. */
  readonly closed: boolean
}

// Who has said nothing by then is told that nothing more comes; and then has to let go.
const patienceMs = 250
const limitMs = 6_000

/** Sends it on a connection of its own. */
export function sendRaw(port: number, bytes: Buffer): Promise<RawEnd> {
  return new Promise((resolve) => {
    const parts: Uint8Array[] = []
    const socket = connect(port, "127.0.0.1")
    const finish = (closed: boolean) => {
      clearTimeout(limit)
      clearTimeout(patience)
      socket.destroy()
      resolve({ text: Buffer.concat(parts).toString("latin1"), closed })
    }
    const patience = setTimeout(() => socket.end(), patienceMs)
    const limit = setTimeout(() => finish(false), limitMs)
    socket.on("data", (given: Buffer) => parts.push(given))
    socket.on("error", () => finish(true))
    socket.on("close", () => finish(true))
    socket.write(bytes)
  })
}
