// An upstream below HTTP, on loopback: it reads whole requests off its sockets, and answers with whatever bytes and
// breaks its script names. It knows of every connection whether an answer is still under way on it.
import { createServer, type Server, type Socket } from "node:net"
import { createServer as createTlsServer, type SecureContextOptions } from "node:tls"
import { isObject, type JsonObject, parseJson } from "../../src/protocol/json.ts"

/** Bytes at once, bytes one by one, or what else can happen to a connection; `done`: the next request may come. */
export type FaultyStep =
  | string
  | Uint8Array
  | { readonly waitMs: number }
  | { readonly drip: string; readonly everyMs: number }
  | "done"
  /** Closed in the ordinary way. */
  | "fin"
  /** Cut: a TCP reset. */
  | "reset"
  /** Nothing more is said, and the other side has to go. */
  | "hang"

export interface FaultyRequest {
  /** Path without query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonObject
  readonly text: string
  /** Milliseconds of `performance.now()`. */
  readonly at: number
  /** An answer, or what is to be one, is under way. */
  readonly busy: () => boolean
}

export interface FaultyUpstream {
  readonly requests: readonly FaultyRequest[]
  /** A listener for plain connections, or for TLS; gives its port. */
  readonly listen: (tls?: SecureContextOptions) => Promise<number>
  /** Connections that were made so far to a port. */
  readonly connections: (port: number) => number
  /** Connections that are open, and those of them on which an answer has begun that did not come to its end. */
  readonly open: () => number
  readonly busy: () => number
  readonly stop: () => void
}

/** Starts it; `answer` is asked for every request. */
export function createFaultyUpstream(
  answer: (request: FaultyRequest) => readonly FaultyStep[],
): FaultyUpstream {
  const requests: FaultyRequest[] = []
  const sockets = new Map<Socket, { busy: boolean }>()
  const servers: Server[] = []
  const made = new Map<number, number>()

  function serve(socket: Socket): void {
    const state = { busy: false }
    let bytes = Buffer.alloc(0)
    sockets.set(socket, state)
    socket.on("error", () => socket.destroy())
    socket.on("close", () => {
      state.busy = false
      sockets.delete(socket)
    })
    socket.on("data", (more: Buffer) => {
      bytes = Buffer.concat([bytes, more])
      const read = readRequest(bytes)
      if (state.busy || read === undefined) return
      bytes = bytes.subarray(read.length)
      state.busy = true
      const request = { ...read.request, at: performance.now(), busy: () => state.busy }
      requests.push(request)
      void play(socket, answer(request)).then((done) => {
        if (done) state.busy = false
      })
    })
  }

  function listen(tls?: SecureContextOptions): Promise<number> {
    const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve)
    servers.push(server)
    let port = 0
    server.on("connection", () => made.set(port, (made.get(port) ?? 0) + 1))
    server.on("tlsClientError", () => {})
    return new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        port = typeof address === "object" && address !== null ? address.port : 0
        resolve(port)
      })
    })
  }

  return {
    requests,
    listen,
    connections: (port) => made.get(port) ?? 0,
    open: () => sockets.size,
    busy: () => [...sockets.values()].filter(({ busy }) => busy).length,
    stop: () => {
      for (const socket of sockets.keys()) socket.destroy()
      for (const server of servers) server.close()
    },
  }
}

/** True: the connection is as it was before the request. */
async function play(socket: Socket, steps: readonly FaultyStep[]): Promise<boolean> {
  for (const step of steps) {
    if (socket.destroyed) return false
    if (step === "done") return true
    if (step === "hang") return false
    if (step === "fin") socket.end()
    else if (step === "reset") {
      // What was sent has to arrive first: a reset overtakes bytes that still wait.
      await Bun.sleep(20)
      socket.resetAndDestroy()
    } else if (typeof step === "string" || step instanceof Uint8Array) socket.write(step)
    else if ("waitMs" in step) await Bun.sleep(step.waitMs)
    else await drip(socket, step.drip, step.everyMs)
  }
  return false
}

async function drip(socket: Socket, text: string, everyMs: number): Promise<void> {
  socket.setNoDelay(true)
  for (const byte of Buffer.from(text)) {
    if (socket.destroyed) return
    socket.write(Uint8Array.of(byte))
    await Bun.sleep(everyMs)
  }
}

interface Read {
  readonly request: Omit<FaultyRequest, "at" | "busy">
  readonly length: number
}

/** The request that the bytes begin with, once it is whole. */
function readRequest(bytes: Buffer): Read | undefined {
  const end = bytes.indexOf("\r\n\r\n")
  if (end < 0) return undefined
  const [first = "", ...lines] = bytes.subarray(0, end).toString().split("\r\n")
  const headers = Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(":")
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
  const length = end + 4 + Number(headers["content-length"] ?? 0)
  if (bytes.length < length) return undefined
  const text = bytes.subarray(end + 4, length).toString()
  const parsed = parseJson(text)
  const body = parsed.ok && isObject(parsed.value) ? parsed.value : {}
  return { request: { path: first.split(/[ ?]/)[1] ?? "", headers, body, text }, length }
}

type Headers = Readonly<Record<string, string>>

/** A status line with headers. */
export function headOf(status: number, headers: Headers, reason = "Whatever"): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join("")}\r\n`
}

/** A whole answer of known length, after which the connection can be used again. */
export function sized(
  status: number,
  body: string | Uint8Array,
  headers: Headers = {},
): readonly FaultyStep[] {
  return [headOf(status, { "content-length": String(Buffer.byteLength(body)), ...headers }), body, "done"]
}

/** The head of an answer in chunks, and a chunk of it. */
export const chunkedHead = (headers: Headers): string =>
  headOf(200, { "transfer-encoding": "chunked", ...headers })
export const chunkOf = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
export const lastChunk = "0\r\n\r\n"
