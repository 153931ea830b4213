// A scripted upstream on loopback that speaks Messages: it sends exactly the bytes its script names, and
// remembers exactly what it was sent.
import type { JsonObject } from "../../src/protocol/json.ts"
import { until } from "./upstream.ts"

/** Text or bytes to send as they are, or a wait. */
export type ByteStep =
  | string
  | Uint8Array
  | { readonly pauseMs: number }
  | { readonly until: Promise<unknown> }

export interface MessagesTurn {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly steps: readonly ByteStep[]
  /** The connection breaks after the last step. */
  readonly reset?: true
}

export interface MessagesCall {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** When the client went away before the answer was complete. */
  readonly cancelledAt: () => number | undefined
}

export interface MessagesUpstream {
  /** The complete address of its endpoint. */
  readonly url: string
  readonly calls: readonly MessagesCall[]
  readonly until: (condition: () => boolean, timeoutMs?: number) => Promise<void>
  readonly stop: () => Promise<void>
}

const never = new Promise<void>(() => {})

/** Takes the request and never answers. */
export const stall: MessagesTurn = { status: 0, steps: [{ until: never }] }

/** Starts the upstream; each request gets the next turn, and any further one is answered 500. */
export function createMessagesUpstream(script: readonly MessagesTurn[]): MessagesUpstream {
  const calls: MessagesCall[] = []
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    development: false,
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      let cancelled: number | undefined
      const gone = Promise.withResolvers<void>()
      request.signal.addEventListener("abort", () => {
        cancelled ??= performance.now()
        gone.resolve()
      })
      const turn = script[calls.length] ?? overTurn
      calls.push({
        method: request.method,
        path: pathname + search,
        headers: Object.fromEntries(request.headers),
        text: await request.text(),
        cancelledAt: () => cancelled,
      })
      if (turn.status === 0) await gone.promise
      return play(turn, gone.promise)
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/v1/messages`,
    calls,
    until,
    stop: () => server.stop(true),
  }
}

const overTurn: MessagesTurn = {
  status: 500,
  headers: { "content-type": "application/json" },
  steps: ['{"type":"error","error":{"type":"api_error","message":"the script is over"}}'],
}

function play(turn: MessagesTurn, gone: Promise<void>): Response {
  const encoder = new TextEncoder()
  let next = 0

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    for (;;) {
      const step = turn.steps[next++]
      if (step === undefined) return finish(controller)
      if (typeof step === "string") return controller.enqueue(encoder.encode(step))
      if (step instanceof Uint8Array) return controller.enqueue(step)
      await Promise.race(["pauseMs" in step ? Bun.sleep(step.pauseMs) : step.until, gone])
    }
  }

  async function finish(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    // What was sent has to leave first: a reset may overtake bytes that still wait.
    if (turn.reset) await Bun.sleep(20)
    if (turn.reset) controller.error(undefined)
    else controller.close()
  }

  const headers = { "content-type": "text/event-stream", ...turn.headers }
  return new Response(new ReadableStream({ pull }), { status: turn.status || 200, headers })
}

/** One event as Anthropic writes it. */
export const nativeEvent = (value: JsonObject, end = "\n"): string =>
  `event: ${String(value["type"])}${end}data: ${JSON.stringify(value)}${end}${end}`

/** The events of a short answer, with usage as Anthropic reports it: input at the start, output at the end. */
export function nativeEvents(text: string): readonly JsonObject[] {
  return [
    {
      type: "message_start",
      message: {
        ...{ id: "msg_01", type: "message", role: "assistant", model: "claude-opus-5-5", content: [] },
        ...{ stop_reason: null, stop_sequence: null },
        usage: {
          ...{ input_tokens: 12, cache_creation_input_tokens: 3, cache_read_input_tokens: 40 },
          output_tokens: 1,
        },
      },
    },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "ping" },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: 25 },
    },
    { type: "message_stop" },
  ]
}

/** The same as one body. */
export function nativeStream(text: string, end = "\n"): string {
  return nativeEvents(text)
    .map((event) => nativeEvent(event, end))
    .join("")
}
