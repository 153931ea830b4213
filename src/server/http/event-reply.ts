// An event stream as a response: pulled by the client, kept alive while the model is silent, ended by an event
// whatever happens.
import type { Fault } from "../../protocol/fault.ts"
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import type { Soon } from "../../upstream/batches.ts"
import type { Clock } from "../../upstream/deadline.ts"
import type { Signal } from "../../upstream/signal.ts"
import { type Chunk, type Piece, pulledBody } from "./pulled-body.ts"
import { streamHeaders } from "./respond.ts"

/** What an event stream reads from. */
export interface EventSource {
  /** The next events, none where there is nothing to say yet; undefined at the end. */
  readonly next: () => Soon<readonly MessagesEvent[] | undefined>
  /** Real but empty events, for clients whose watchdog does not count pings. */
  readonly keepAlive: () => readonly MessagesEvent[]
  /** Nobody reads any more. */
  readonly leave: () => void
  /** Fires when nobody reads any more, whoever noticed it. */
  readonly left: Signal
  /** Something threw; gives what the client is told. */
  readonly fail: (error: unknown) => Fault
}

/** Of `Times`. */
interface HeartbeatTimes {
  readonly pingMs: number
  readonly keepAliveMs: number
}

/** Events as text, and what keeps a connection alive while there are none. */
export interface StreamEncoder {
  readonly encode: (event: MessagesEvent) => Chunk
  readonly ping: string
}

interface EventReplyOptions {
  readonly encoder: StreamEncoder
  readonly requestId: string
  /** Headers that it has besides. */
  readonly headers?: Readonly<Record<string, string>>
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
    headers: { ...streamHeaders, "request-id": options.requestId, ...options.headers },
  })
}

const endPiece: Piece = { chunks: [], last: true }

function eventBody(
  first: readonly MessagesEvent[],
  source: EventSource,
  { encoder, clock, times }: EventReplyOptions,
): ReadableStream<Uint8Array> {
  return pulledBody(encodeAll(first, encoder), {
    clock,
    next: source.next,
    write: (events) =>
      events === undefined ? endPiece : { chunks: encodeAll(events, encoder), last: false },
    heartbeat: {
      pingMs: times.pingMs,
      ping: encoder.ping,
      keepAlive: { afterMs: times.keepAliveMs, events: () => encodeAll(source.keepAlive(), encoder) },
    },
    fail: (error) => encoder.encode({ type: "error", fault: source.fail(error) }),
    left: source.left,
    leave: source.leave,
  })
}

/** As one text, where all is text: each write takes longer than most of what is written. */
function encodeAll(events: readonly MessagesEvent[], { encode }: StreamEncoder): readonly Chunk[] {
  const [only] = events
  if (only !== undefined && events.length === 1) return [encode(only)]
  const chunks: Chunk[] = []
  let text = ""
  for (const event of events) {
    const chunk = encode(event)
    if (typeof chunk === "string") text += chunk
    else {
      chunks.push(text, chunk)
      text = ""
    }
  }
  chunks.push(text)
  return chunks
}
