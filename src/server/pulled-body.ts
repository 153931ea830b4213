// A response's body that the client pulls: written as it is taken, kept alive while there is nothing to write,
// and brought to an orderly end whatever happens.
import type { Clock } from "../upstream/deadline.ts"

/** What is written next; no bytes: nothing that this client would hear of. */
export interface Piece {
  readonly bytes: Uint8Array
  /** Nothing follows. */
  readonly last: boolean
}

export const noBytes = new Uint8Array(0)

/** What a client gets that has heard nothing for some time. */
export interface Heartbeat {
  readonly pingMs: number
  readonly ping: Uint8Array
  /** May anything be written now? */
  readonly allowed?: () => boolean
  /** Written in a ping's place when there was no event for so long; pings are none. */
  readonly keepAlive?: { readonly afterMs: number; readonly events: () => Uint8Array }
}

export interface PulledOptions {
  readonly clock: Clock
  /** Written at once. */
  readonly first: Uint8Array
  readonly next: () => Promise<Piece>
  readonly heartbeat: Heartbeat
  /** Something threw; gives the body's last words. */
  readonly fail: (error: unknown) => Uint8Array
  /** Fires when nobody reads any more, whoever noticed it. */
  readonly left: AbortSignal
  /** The client reads no more. */
  readonly leave: () => void
  /** The body has ended, in whatever way; may be called again. */
  readonly ended?: () => void
}

type Controller = ReadableStreamDefaultController<Uint8Array>

/** The body. It never errors: what goes wrong is the last thing written. */
export function pulledBody(options: PulledOptions): ReadableStream<Uint8Array> {
  const { clock, heartbeat, left } = options
  let open = true
  let lastByte = clock.now()
  let lastEvent = lastByte
  let cancelBeat: () => void = () => {}

  function send(controller: Controller, bytes: Uint8Array): void {
    if (!open || bytes.length === 0) return
    lastByte = clock.now()
    controller.enqueue(bytes)
  }

  function sendEvents(controller: Controller, bytes: Uint8Array): void {
    send(controller, bytes)
    lastEvent = lastByte
  }

  function end(): void {
    open = false
    cancelBeat()
    options.ended?.()
    left.removeEventListener("abort", end)
  }

  function close(controller: Controller): void {
    if (open) controller.close()
    end()
  }

  /** An exception would reset the client's socket: it must hear of it as an event. */
  function guard(controller: Controller, error: unknown): void {
    sendEvents(controller, options.fail(error))
    close(controller)
  }

  function setBeat(controller: Controller): void {
    const due = lastByte + heartbeat.pingMs - clock.now()
    // Where nothing may be sent by now, it is looked at again before long.
    cancelBeat = clock.setTimer(() => beat(controller), due > 0 ? due : heartbeat.pingMs / 2)
  }

  function beat(controller: Controller): void {
    keepUp(controller)
    if (open) setBeat(controller)
  }

  function keepUp(controller: Controller): void {
    // Only while the client keeps up: a full buffer needs no keep-alive.
    if ((controller.desiredSize ?? 0) <= 0 || heartbeat.allowed?.() === false) return
    const { ping, pingMs, keepAlive } = heartbeat
    const now = clock.now()
    try {
      if (keepAlive !== undefined && now - lastEvent >= keepAlive.afterMs) {
        sendEvents(controller, keepAlive.events())
      } else if (now - lastByte >= pingMs) send(controller, ping)
    } catch (error) {
      guard(controller, error)
    }
  }

  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (left.aborted) return close(controller)
      left.addEventListener("abort", end, { once: true })
      sendEvents(controller, options.first)
      setBeat(controller)
    },
    async pull(controller) {
      try {
        // A pull that brings nothing is not repeated: it goes on until there is something to send.
        for (let sent = false; open && !sent; ) {
          const { bytes, last } = await options.next()
          sendEvents(controller, bytes)
          if (last) return close(controller)
          sent = bytes.length > 0
        }
      } catch (error) {
        guard(controller, error)
      }
    },
    cancel() {
      end()
      options.leave()
    },
  })
}
