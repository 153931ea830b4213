// An event stream as a response: pulled by the client, kept alive while the model is silent, ended by an event
// whatever happens.
import type { Fault } from "../protocol/fault.ts"
import type { MessagesEvent } from "../protocol/messages.ts"
import type { Clock } from "../upstream/deadline.ts"
import type { Times } from "./context.ts"

/** What an event stream reads from. */
export interface EventSource {
  /** The next events; undefined at the end. */
  readonly next: () => Promise<readonly MessagesEvent[] | undefined>
  /** Real but empty events, for clients whose watchdog does not count pings. */
  readonly keepAlive: () => readonly MessagesEvent[]
  /** Nobody reads any more. */
  readonly leave: () => void
  /** Fires when nobody reads any more, whoever noticed it. */
  readonly left: AbortSignal
  /** Something threw; gives what the client is told. */
  readonly fail: (error: unknown) => Fault
}

export type HeartbeatTimes = Pick<Times, "pingMs" | "keepAliveMs">

/** Events as text, and what keeps a connection alive while there are none. */
export interface StreamEncoder {
  readonly encode: (event: MessagesEvent) => string
  readonly ping: string
}

export interface EventReplyOptions extends StreamEncoder {
  readonly requestId: string
  readonly clock: Clock
  readonly times: HeartbeatTimes
}

/** The response. `first` is written at once, what the source gives as the client takes it. */
export function eventReply(
  first: readonly MessagesEvent[],
  source: EventSource,
  options: EventReplyOptions,
): Response {
  return new Response(eventBody(first, source, options), {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
      "request-id": options.requestId,
    },
  })
}

type Controller = ReadableStreamDefaultController<Uint8Array>

function eventBody(
  first: readonly MessagesEvent[],
  source: EventSource,
  { encode, ping, clock, times }: EventReplyOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let open = true
  let lastByte = clock.now()
  let lastEvent = lastByte
  let cancelBeat: () => void = () => {}

  function send(controller: Controller, text: string): void {
    if (text === "" || !open) return
    lastByte = clock.now()
    controller.enqueue(encoder.encode(text))
  }

  /** Tells whether there was anything to send: some events say nothing to some clients. */
  function sendEvents(controller: Controller, events: readonly MessagesEvent[]): boolean {
    let text = ""
    for (const event of events) text += encode(event)
    send(controller, text)
    lastEvent = lastByte
    return text !== ""
  }

  function end(): void {
    open = false
    cancelBeat()
    source.left.removeEventListener("abort", end)
  }

  function close(controller: Controller): void {
    if (open) controller.close()
    end()
  }

  /** An exception would reset the client's socket: it must hear of it as an event. */
  function guard(controller: Controller, error: unknown): void {
    const fault = source.fail(error)
    sendEvents(controller, [{ type: "error", fault }])
    close(controller)
  }

  function beat(controller: Controller): void {
    // Half the period keeps the longest gap below one and a half of it.
    cancelBeat = clock.setTimer(() => beat(controller), times.pingMs / 2)
    // Only while the client keeps up: a full buffer needs no keep-alive.
    if ((controller.desiredSize ?? 0) <= 0) return
    const now = clock.now()
    try {
      if (now - lastEvent >= times.keepAliveMs) sendEvents(controller, source.keepAlive())
      else if (now - lastByte >= times.pingMs) send(controller, ping)
    } catch (error) {
      guard(controller, error)
    }
  }

  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (source.left.aborted) return close(controller)
      source.left.addEventListener("abort", end, { once: true })
      sendEvents(controller, first)
      cancelBeat = clock.setTimer(() => beat(controller), times.pingMs / 2)
    },
    async pull(controller) {
      try {
        // A pull that brings nothing is not repeated: it goes on until there is something to send.
        for (let sent = false; open && !sent; ) {
          const events = await source.next()
          if (events === undefined) close(controller)
          else sent = sendEvents(controller, events)
        }
      } catch (error) {
        guard(controller, error)
      }
    },
    cancel() {
      end()
      source.leave()
    },
  })
}
