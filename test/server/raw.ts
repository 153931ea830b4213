// An upstream below HTTP: it sees connections, and can break them where an HTTP server would not let it.
import { cleanUp } from "./support.ts"

/** One connection of the upstream, with a request that is whole. */
export interface RawSocket {
  readonly write: (text: string) => void
  /** Closes in the ordinary way. */
  readonly end: () => void
  /** Cuts it. */
  readonly reset: () => void
}

export interface RawUpstream {
  readonly url: string
  /** Connections made so far, and those that are open. */
  readonly connections: () => number
  readonly open: () => number
  readonly requests: () => number
}

/** Starts the upstream; `answer` is told which request it is, from 0. */
export function rawUpstream(answer: (socket: RawSocket, request: number) => void): RawUpstream {
  let [connections, open, requests] = [0, 0, 0]
  const server = Bun.listen<{ text: string }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => {
        socket.data = { text: "" }
        connections += 1
        open += 1
      },
      close: () => {
        open -= 1
      },
      data: (socket, bytes) => {
        socket.data.text += bytes.toString("latin1")
        if (!isWhole(socket.data.text)) return
        socket.data.text = ""
        requests += 1
        answer(
          { write: (text) => socket.write(text), end: () => socket.end(), reset: () => socket.terminate() },
          requests - 1,
        )
      },
    },
  })
  cleanUp(() => server.stop(true))
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    connections: () => connections,
    open: () => open,
    requests: () => requests,
  }
}

function isWhole(text: string): boolean {
  const [head = "", ...body] = text.split("\r\n\r\n")
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)
  return text.includes("\r\n\r\n") && body.join("\r\n\r\n").length >= length
}

export const streamHead =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

/** A piece of a chunked body. */
export function chunked(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

/** JSON objects as the data lines of an event stream. */
export function dataLines(...chunks: readonly unknown[]): string {
  return chunks
    .map((chunk) => `data: ${typeof chunk === "string" ? chunk : JSON.stringify(chunk)}\n\n`)
    .join("")
}
