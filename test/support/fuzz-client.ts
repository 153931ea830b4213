// A connection of a fuzz's client: one request after the other over bare TCP, each with a limit of time. Whatever
// does not end in a whole reply is told as what it is.
import { createOutput } from "../bench/speed/output.ts"
import { createReplyReader, type Reply } from "./fuzz-http.ts"

export type End =
  | { readonly kind: "reply"; readonly reply: Reply }
  /** Closed without a whole reply, or with bytes that are none. */
  | { readonly kind: "closed" | "broken" | "hang"; readonly text: string }

export interface FuzzConnection {
  readonly ask: (bytes: Buffer, method: string, limitMs: number) => Promise<End>
  readonly close: () => void
}

// Who says so has to expect the end of the connection, also where the reply does not repeat it.
const asksToClose = /^(?:connection: *close|upgrade:|expect:)/im

/** Opened with its first request, and again whenever the other side has closed it. */
export function createFuzzConnection(port: number): FuzzConnection {
  const reader = createReplyReader()
  let socket: Awaited<ReturnType<typeof open>> | undefined
  let end: (given: End) => void = () => {}
  let last = false
  let output = createOutput({ write: () => 0 })

  const open = () =>
    Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (from, bytes) => {
          if (from === socket) take(bytes)
        },
        drain: () => output.drain(),
        close: (from) => {
          if (from === socket) lose("closed", "")
        },
        error: (from, error) => {
          if (from === socket) lose("closed", String(error))
        },
      },
    })

  function take(bytes: Uint8Array): void {
    try {
      const reply = reader.push(bytes)
      if (reply === undefined) return
      if (last || /close/i.test(reply.headers.get("connection") ?? "")) drop()
      end({ kind: "reply", reply })
    } catch (error) {
      lose("broken", String(error))
    }
  }

  function drop(): void {
    const old = socket
    socket = undefined
    output.close()
    old?.terminate()
  }

  function lose(kind: "closed" | "broken" | "hang", why: string): void {
    const whole = kind === "closed" ? reader.end() : undefined
    drop()
    const text = `${why} ${reader.soFar().toString("latin1").slice(0, 400)}`
    end(whole === undefined ? { kind, text } : { kind: "reply", reply: whole })
  }

  async function ask(bytes: Buffer, method: string, limitMs: number): Promise<End> {
    const { promise, resolve } = Promise.withResolvers<End>()
    reader.reset(method === "HEAD")
    last = asksToClose.test(bytes.toString("latin1", 0, 4_000))
    end = resolve
    const timer = setTimeout(() => lose("hang", `nothing more for ${limitMs} ms`), limitMs)
    try {
      if (socket === undefined) {
        socket = await open()
        output = createOutput(socket)
      }
      output.write([bytes])
      return await promise
    } catch (error) {
      return { kind: "closed", text: String(error) }
    } finally {
      clearTimeout(timer)
    }
  }

  return { ask, close: drop }
}
