// Bytes to a socket, in the writes they are given in: what the kernel does not take yet waits for `drain`.

export interface Output {
  readonly write: (writes: readonly Uint8Array[]) => void
  /** The socket takes more. */
  readonly drain: () => void
  /** The socket is gone. */
  readonly close: () => void
}

interface Socket {
  readonly write: (bytes: Uint8Array, offset: number, length: number) => number
}

export function createOutput(socket: Socket): Output {
  let waiting: (readonly Uint8Array[])[] = []
  let next = 0
  let offset = 0
  let open = true

  /** Writes until the kernel refuses. */
  function drain(): void {
    while (open) {
      const bytes = waiting[0]?.[next]
      if (bytes === undefined) {
        if (waiting.length === 0) return
        waiting = waiting.slice(1)
        next = 0
        continue
      }
      // Without its length Bun 1.4 throws for an offset.
      offset += Math.max(0, socket.write(bytes, offset, bytes.length - offset))
      if (offset < bytes.length) return
      offset = 0
      next += 1
    }
  }

  return {
    write: (writes) => {
      waiting.push(writes)
      if (waiting.length === 1) drain()
    },
    drain,
    close: () => {
      open = false
      waiting = []
    },
  }
}
