// A client that reads the bytes of an answer itself: whether its framing is whole is something fetch does not tell.
import { connect } from "node:net"

export interface RawAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Everything that came, head and framing too. */
  readonly bytes: string
  /** Did the answer come to the end that its head announced? */
  readonly whole: boolean
  readonly ms: number
}

export interface RawAsk {
  readonly path: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  /** Then it is cut, and the answer is what came until then. */
  readonly timeoutMs: number
}

/** Posts on a connection of its own, and reads until that is closed. */
export function askRaw(url: string, { path, body, headers = {}, timeoutMs }: RawAsk): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(url)
  const from = performance.now()
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    const socket = connect(Number(port), hostname)
    const timer = setTimeout(() => socket.destroy(), timeoutMs)
    const lines = Object.entries({
      host,
      connection: "close",
      ...headers,
      "content-type": "application/json",
    })
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")
    socket.write(`POST ${path} HTTP/1.1\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
    socket.on("data", (bytes: Buffer) => parts.push(bytes))
    socket.on("error", reject)
    socket.on("close", () => {
      clearTimeout(timer)
      resolve({ ...readAnswer(Buffer.concat(parts)), ms: performance.now() - from })
    })
  })
}

function readAnswer(all: Buffer): Omit<RawAnswer, "ms"> {
  const bytes = all.toString()
  const end = all.indexOf("\r\n\r\n")
  if (end < 0) return { status: 0, headers: {}, body: "", bytes, whole: false }
  const [first = "", ...lines] = all.subarray(0, end).toString().split("\r\n")
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]),
  )
  const rest = all.subarray(end + 4)
  const status = Number(first.split(" ")[1])
  if (headers["transfer-encoding"] === "chunked") return { status, headers, bytes, ...readChunks(rest) }
  const whole = rest.length === Number(headers["content-length"] ?? -1)
  return { status, headers, body: rest.toString(), bytes, whole }
}

function readChunks(bytes: Buffer): Pick<RawAnswer, "body" | "whole"> {
  const parts: Buffer[] = []
  const bodyOf = () => Buffer.concat(parts).toString()
  for (let at = 0; ; ) {
    const end = bytes.indexOf("\r\n", at)
    if (end < 0) return { body: bodyOf(), whole: false }
    const size = Number.parseInt(bytes.subarray(at, end).toString(), 16)
    if (size === 0) return { body: bodyOf(), whole: bytes.subarray(end).toString() === "\r\n\r\n" }
    const next = end + 2 + size + 2
    if (Number.isNaN(size) || next > bytes.length) return { body: bodyOf(), whole: false }
    parts.push(bytes.subarray(end + 2, end + 2 + size))
    at = next
  }
}
