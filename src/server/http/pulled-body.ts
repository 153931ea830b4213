// A response's body that the client pulls: written as it is taken, kept alive while there is nothing to write,
// and brought to an orderly end whatever happens. Bun's direct stream carries it: what is written goes to the socket,
// text as it is, with no queue and no promise in between.
import type { Soon } from "../../upstream/batches.ts"
import type { Clock } from "../../upstream/deadline.ts"
import type { Signal } from "../../upstream/signal.ts"

export type Chunk = string | Uint8Array

/** What is written next; nothing in it: nothing that this client would hear of. */
export interface Piece {
  readonly chunks: readonly Chunk[]
  /** Nothing follows. */
  readonly last: boolean
}

/** What a client gets that has heard nothing for some time. */
interface Heartbeat {
  readonly pingMs: number
  readonly ping: string
  /** May anything be written now? */
  readonly allowed?: () => boolean
  /** Written in a ping's place when there was no event for so long; pings are none. */
  readonly keepAlive?: { readonly afterMs: number; readonly events: () => readonly Chunk[] }
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
  readonly fail: (error: unknown) => Chunk
  /** Fires when nobody reads any more, whoever noticed it. */
  readonly left: Signal
  /** The client reads no more. */
  readonly leave: () => void
  /** The body has ended, in whatever way; may be called again. */
  readonly ended?: () => void
}

type Controller = ReadableStreamDirectController

/** One body. It changes in place. */
interface Body {
  readonly options: BodyOptions
  /** Hears that nobody reads any more. */
  readonly end: () => void
  open: boolean
  /** Something was written that is not sent on yet. */
  unsent: boolean
  /** The client takes no more for now; resolves when it does. */
  full: Promise<unknown> | undefined
  lastByte: number
  lastEvent: number
  cancelBeat: (() => void) | undefined
}

/** The body, `first` written at once. It never errors: what goes wrong is the last thing written. */
export function pulledBody<T>(
  first: readonly Chunk[],
  options: PulledOptions<T>,
): ReadableStream<Uint8Array> {
  const body = createBody(options)
  return new ReadableStream<Uint8Array>({
    type: "direct",
    pull: (controller) => run(body, controller, first, options),
    cancel() {
      end(body)
      options.leave()
    },
  })
}

function createBody(options: BodyOptions): Body {
  const now = options.clock.steady()
  const body: Body = {
    options,
    end: () => end(body),
    open: !options.left.aborted,
    unsent: false,
    full: undefined,
    lastByte: now,
    lastEvent: now,
    cancelBeat: undefined,
  }
  // It may fire before anybody has read, and then nobody will.
  if (body.open) options.left.addEventListener("abort", body.end)
  else options.ended?.()
  return body
}

/** Gives what the client takes to the end. What comes last goes out with the end itself. */
async function run<T>(
  body: Body,
  controller: Controller,
  first: readonly Chunk[],
  options: PulledOptions<T>,
): Promise<void> {
  if (!body.open) return controller.close()
  try {
    writeEvents(body, controller, first)
    flush(body, controller)
    setBeat(body, controller)
    while (body.open) {
      let given = options.next()
      while (given instanceof Promise) {
        await given
        given = options.next()
      }
      const { chunks, last } = options.write(given)
      writeEvents(body, controller, chunks)
      if (last) close(body, controller)
      else flush(body, controller)
      if (body.full !== undefined) await body.full
    }
  } catch (error) {
    guard(body, controller, error)
  }
}

function write(body: Body, controller: Controller, chunk: Chunk): void {
  if (!body.open || chunk.length === 0) return
  body.lastByte = body.options.clock.steady()
  const written = controller.write(chunk)
  body.unsent = true
  if (written instanceof Promise) wait(body, written)
}

function wait(body: Body, written: Promise<unknown>): void {
  const taken = () => {
    body.full = undefined
  }
  // Rejected: the client has gone, of which we hear otherwise.
  body.full = written.then(taken, taken)
}

function writeEvents(body: Body, controller: Controller, chunks: readonly Chunk[]): void {
  for (const chunk of chunks) {
    if (chunk.length === 0) continue
    write(body, controller, chunk)
    body.lastEvent = body.lastByte
  }
}

function flush(body: Body, controller: Controller): void {
  if (!body.open || !body.unsent) return
  body.unsent = false
  controller.flush()
}

function end(body: Body): void {
  const { options } = body
  body.open = false
  body.cancelBeat?.()
  options.ended?.()
  options.left.removeEventListener("abort", body.end)
}

function close(body: Body, controller: Controller): void {
  if (body.open) controller.close()
  end(body)
}

/** An exception would reset the client's socket: it must hear of it as an event. */
function guard(body: Body, controller: Controller, error: unknown): void {
  writeEvents(body, controller, [body.options.fail(error)])
  close(body, controller)
}

function setBeat(body: Body, controller: Controller): void {
  const { clock, heartbeat } = body.options
  const due = body.lastByte + heartbeat.pingMs - clock.steady()
  // Where nothing may be sent by now, it is looked at again before long.
  body.cancelBeat = clock.setTimer(() => beat(body, controller), due > 0 ? due : heartbeat.pingMs / 2)
}

function beat(body: Body, controller: Controller): void {
  keepUp(body, controller)
  if (body.open) setBeat(body, controller)
}

function keepUp(body: Body, controller: Controller): void {
  const { clock, heartbeat } = body.options
  // Only while the client keeps up: a full buffer needs no keep-alive.
  if (body.full !== undefined || heartbeat.allowed?.() === false) return
  const { ping, pingMs, keepAlive } = heartbeat
  const now = clock.steady()
  try {
    if (keepAlive !== undefined && now - body.lastEvent >= keepAlive.afterMs)
      writeEvents(body, controller, keepAlive.events())
    // Or there were none that this client would hear of.
    if (now - body.lastByte >= pingMs) write(body, controller, ping)
    flush(body, controller)
  } catch (error) {
    guard(body, controller, error)
  }
}
