// A response's body that the client pulls: written as it is taken, kept alive while there is nothing to write,
// and brought to an orderly end whatever happens.
import type { Soon } from "../upstream/batches.ts"
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
  readonly ping: string
  /** May anything be written now? */
  readonly allowed?: () => boolean
  /** Written in a ping's place when there was no event for so long; pings are none. */
  readonly keepAlive?: { readonly afterMs: number; readonly events: () => Uint8Array }
}

export interface PulledOptions<T> extends BodyOptions {
  /** What comes next, as `write` takes it. */
  readonly next: () => Soon<T>
  readonly write: (given: T) => Piece
}

interface BodyOptions {
  readonly clock: Clock
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

/** One body. It changes in place. */
interface Body {
  readonly options: BodyOptions
  readonly controller: Controller
  /** Hears that nobody reads any more. */
  readonly end: () => void
  open: boolean
  lastByte: number
  lastEvent: number
  cancelBeat: (() => void) | undefined
}

const encoder = new TextEncoder()

/** The body, `first` written at once. It never errors: what goes wrong is the last thing written. */
export function pulledBody<T>(first: Uint8Array, options: PulledOptions<T>): ReadableStream<Uint8Array> {
  let pull: (() => Promise<void> | undefined) | undefined
  let body: Body | undefined
  return new ReadableStream<Uint8Array>({
    start(controller) {
      body = createBody(controller, options)
      pull = pullerOf(body, options)
      begin(body, first)
    },
    pull: () => pull?.(),
    cancel() {
      if (body !== undefined) end(body)
      options.leave()
    },
  })
}

function createBody(controller: Controller, options: BodyOptions): Body {
  const now = options.clock.now()
  const body: Body = {
    options,
    controller,
    end: () => end(body),
    open: true,
    lastByte: now,
    lastEvent: now,
    cancelBeat: undefined,
  }
  return body
}

function begin(body: Body, first: Uint8Array): void {
  const { left } = body.options
  if (left.aborted) {
    close(body)
    return
  }
  left.addEventListener("abort", body.end, { once: true })
  sendEvents(body, first)
  setBeat(body)
}

/** Gives what the client takes next; a promise only where that is waited for. */
function pullerOf<T>(body: Body, options: PulledOptions<T>): () => Promise<void> | undefined {
  const broken = (error: unknown): undefined => {
    guard(body, error)
  }
  const take = (given: T): Promise<void> | undefined => {
    try {
      return put(body, options, given) ? undefined : pullOn(body, options)
    } catch (error) {
      return broken(error)
    }
  }
  return () => {
    if (!body.open) return undefined
    try {
      const given = options.next()
      return given instanceof Promise ? given.then(take, broken) : take(given)
    } catch (error) {
      return broken(error)
    }
  }
}

/** A pull that brings nothing is not repeated: it goes on until there is something to send. */
async function pullOn<T>(body: Body, options: PulledOptions<T>): Promise<void> {
  try {
    for (let enough = false; body.open && !enough; ) enough = put(body, options, await options.next())
  } catch (error) {
    guard(body, error)
  }
}

/** True: something was sent, or all is over. */
function put<T>(body: Body, options: PulledOptions<T>, given: T): boolean {
  const { bytes, last } = options.write(given)
  sendEvents(body, bytes)
  if (last) close(body)
  return last || bytes.length > 0
}

function send(body: Body, bytes: Uint8Array): void {
  if (!body.open || bytes.length === 0) return
  body.lastByte = body.options.clock.now()
  body.controller.enqueue(bytes)
}

function sendEvents(body: Body, bytes: Uint8Array): void {
  send(body, bytes)
  body.lastEvent = body.lastByte
}

function end(body: Body): void {
  const { options } = body
  body.open = false
  body.cancelBeat?.()
  options.ended?.()
  options.left.removeEventListener("abort", body.end)
}

function close(body: Body): void {
  if (body.open) body.controller.close()
  end(body)
}

/** An exception would reset the client's socket: it must hear of it as an event. */
function guard(body: Body, error: unknown): void {
  sendEvents(body, body.options.fail(error))
  close(body)
}

function setBeat(body: Body): void {
  const { clock, heartbeat } = body.options
  const due = body.lastByte + heartbeat.pingMs - clock.now()
  // Where nothing may be sent by now, it is looked at again before long.
  body.cancelBeat = clock.setTimer(() => beat(body), due > 0 ? due : heartbeat.pingMs / 2)
}

function beat(body: Body): void {
  keepUp(body)
  if (body.open) setBeat(body)
}

function keepUp(body: Body): void {
  const { clock, heartbeat } = body.options
  // Only while the client keeps up: a full buffer needs no keep-alive.
  if ((body.controller.desiredSize ?? 0) <= 0 || heartbeat.allowed?.() === false) return
  const { ping, pingMs, keepAlive } = heartbeat
  const now = clock.now()
  try {
    if (keepAlive !== undefined && now - body.lastEvent >= keepAlive.afterMs) {
      sendEvents(body, keepAlive.events())
    } else if (now - body.lastByte >= pingMs) send(body, encoder.encode(ping))
  } catch (error) {
    guard(body, error)
  }
}
