// A client's connection over bare TCP: fetch would cost more than what is measured with it.
import { createOutput } from "./output.ts"

export interface Connection {
  readonly send: (request: Uint8Array) => void
  readonly close: () => void
}

/** Connects on loopback. `closed` is called once, when the other side or a failure ends it. */
export async function connect(
  port: number,
  on: { readonly data: (bytes: Buffer) => void; readonly closed: () => void },
): Promise<Connection> {
  let ours = false
  let drain = () => {}
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, bytes) => on.data(bytes),
      drain: () => drain(),
      close: () => {
        if (!ours) on.closed()
      },
      error: () => {},
    },
  })
  const output = createOutput(socket)
  drain = output.drain
  return {
    send: (request) => output.write([request]),
    close: () => {
      ours = true
      socket.end()
    },
  }
}
