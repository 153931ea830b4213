// Answers as HTTP: JSON, faults, and event streams that stay alive while the model thinks.
import { encodeEvent, pingEvent } from "../protocol/encode.ts"
import { type Fault, fault, toErrorBody } from "../protocol/fault.ts"
import type { MessagesEvent } from "../protocol/messages.ts"

/** A JSON answer; every answer names its request. */
export function jsonReply(value: unknown, requestId: string, status = 200): Response {
  return Response.json(value, { status, headers: { "request-id": requestId } })
}

// Beyond this a client that obeys retry-after to the letter would seem to hang.
const longestRetryAfterMs = 60_000

/** A Fault in Anthropic's shape, with the headers that clients act upon. */
export function faultReply(given: Fault, requestId: string): Response {
  const headers: Record<string, string> = { "request-id": requestId, ...given.headers }
  const wait = given.retryAfterMs
  if (wait !== undefined) headers["retry-after"] = String(Math.ceil(wait / 1000))
  if (given.finalForClient === true || (wait ?? 0) > longestRetryAfterMs) headers["x-should-retry"] = "false"
  return Response.json(toErrorBody(given, requestId), { status: given.status, headers })
}

/** What an event stream reads from: the next events, undefined at the end. */
export interface EventSource {
  readonly next: () => Promise<readonly MessagesEvent[] | undefined>
  /** Real but empty events, for clients whose watchdog does not count pings. */
  readonly keepAlive: () => readonly MessagesEvent[]
  /** Nobody reads any more. */
  readonly cancel: () => void
}

export interface HeartbeatTimes {
  /** Silence after which a ping is sent, in milliseconds. */
  readonly pingMs: number
  /** Time since the last real event after which an empty one is sent, in milliseconds. */
  readonly keepAliveMs: number
}

export const heartbeatTimes: HeartbeatTimes = { pingMs: 10_000, keepAliveMs: 60_000 }

/** An event stream as a response. `first` is written at once. */
export function eventReply(
  first: readonly MessagesEvent[],
  source: EventSource,
  requestId: string,
  times: HeartbeatTimes = heartbeatTimes,
): Response {
  return new Response(eventBody(first, source, requestId, times), {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
      "request-id": requestId,
    },
  })
}

function eventBody(
  first: readonly MessagesEvent[],
  source: EventSource,
  requestId: string,
  times: HeartbeatTimes,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let beat: ReturnType<typeof setInterval> | undefined
  let lastByte = performance.now()
  let lastEvent = lastByte
  let open = true

  function emit(
    controller: ReadableStreamDefaultController<Uint8Array>,
    events: readonly MessagesEvent[],
  ): void {
    if (events.length === 0 || !open) return
    let text = ""
    for (const event of events) text += encodeEvent(event, requestId)
    lastByte = performance.now()
    lastEvent = lastByte
    controller.enqueue(encoder.encode(text))
  }

  function close(controller: ReadableStreamDefaultController<Uint8Array>): void {
    clearInterval(beat)
    if (open) controller.close()
    open = false
  }

  /** Only while the client keeps up: a full buffer needs no keep-alive. */
  function heartbeat(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const now = performance.now()
    if (!open || (controller.desiredSize ?? 0) <= 0) return
    if (now - lastEvent >= times.keepAliveMs) emit(controller, source.keepAlive())
    else if (now - lastByte >= times.pingMs) {
      lastByte = now
      controller.enqueue(encoder.encode(pingEvent))
    }
  }

  return new ReadableStream<Uint8Array>({
    start(controller) {
      emit(controller, first)
      // Half the period keeps the longest gap below one and a half of it.
      beat = setInterval(() => heartbeat(controller), times.pingMs / 2)
    },
    async pull(controller) {
      try {
        let events: readonly MessagesEvent[] | undefined = []
        while (events !== undefined && events.length === 0) events = await source.next()
        if (events === undefined) close(controller)
        else emit(controller, events)
      } catch (error) {
        // An exception here would reset the client's socket: it must hear of it as an event.
        emit(controller, [{ type: "error", fault: internalFault(error) }])
        close(controller)
      }
    },
    cancel() {
      open = false
      clearInterval(beat)
      source.cancel()
    },
  })
}

/** Our own mistake: said as such, without its details. */
export function internalFault(error: unknown): Fault {
  const name = error instanceof Error ? error.name : "error"
  return fault({ kind: "api_error", source: "proxy", message: `internal error of the proxy (${name})` })
}
