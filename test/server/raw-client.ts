// A client below HTTP: it writes what it likes, when it likes, and reads only when it is told to.
import { until } from "../support/upstream.ts"
import { cleanUp } from "./support.ts"

export interface RawClient {
  /** What came, as text. */
  readonly heard: () => string
  /** Bytes that the connection took so far of those that were sent. */
  readonly sent: () => number
  readonly closed: () => boolean
  readonly send: (text: string) => void
  readonly resume: () => void
  /** Cuts it. */
  readonly leave: () => void
  /** Resolves with what came once a head is there; throws after `timeoutMs`. */
  readonly head: (timeoutMs?: number) => Promise<string>
  /** The status of the answer, once it is there. */
  readonly status: (timeoutMs?: number) => Promise<number>
}

export interface RawOptions {
  /** Sent at once. */
  readonly text: string
  /** Nothing is read before `resume`. */
  readonly paused?: boolean
  /** Sent over and over after the text, as fast as the connection takes it, up to `total` bytes. */
  readonly flood?: { readonly piece: Uint8Array; readonly total: number }
}

/** Connects; the connection ends with the test. */
export async function rawClient(port: number, options: RawOptions): Promise<RawClient> {
  const { text, paused = false, flood } = options
  let [heard, sent, offset, closed] = ["", 0, 0, false]

  function pour(socket: Bun.Socket): void {
    while (flood !== undefined && sent < flood.total && !closed) {
      const { piece } = flood
      const written = socket.write(piece, offset, piece.length - offset)
      if (written <= 0) return
      offset = (offset + written) % piece.length
      sent += written
    }
  }

  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (opened) => {
        if (paused) opened.pause()
        opened.write(text)
        pour(opened)
      },
      drain: pour,
      data: (_socket, bytes) => {
        heard += bytes.toString("latin1")
      },
      close: () => {
        closed = true
      },
      error: () => {
        closed = true
      },
    },
  })
  cleanUp(() => socket.terminate())

  async function head(timeoutMs?: number): Promise<string> {
    await until(() => heard.includes("\r\n\r\n"), timeoutMs)
    return heard
  }

  return {
    heard: () => heard,
    sent: () => sent,
    closed: () => closed,
    send: (more) => void socket.write(more),
    resume: () => socket.resume(),
    leave: () => socket.terminate(),
    head,
    status: async (timeoutMs) => Number((await head(timeoutMs)).split(" ")[1]),
  }
}

/** A POST with this body, as text; `more` are further header lines. */
export function postText(path: string, body: string, more: readonly string[] = []): string {
  const lines = [
    `POST ${path} HTTP/1.1`,
    "host: localhost",
    `content-length: ${Buffer.byteLength(body)}`,
    ...more,
  ]
  return `${lines.join("\r\n")}\r\n\r\n${body}`
}
