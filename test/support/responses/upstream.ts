// A scripted upstream that speaks the Responses API, on loopback, and is as strict as OpenAI's own server.
import { isObject, type JsonObject, parseJson } from "../../../src/protocol/json.ts"
import type { Say } from "../conversation-shapes.ts"
import { type EventOptions, encodeEvents, eventsOf } from "./events.ts"
import { itemsOf, responseOf } from "./items.ts"
import { createReasoningMemory } from "./memory.ts"
import { checkResponsesBody } from "./strict.ts"

/** What one request is answered. */
export type ResponsesTurn =
  | { readonly kind: "output"; readonly output: readonly JsonObject[]; readonly more?: JsonObject }
  | { readonly kind: "events"; readonly events: readonly JsonObject[]; readonly cut?: "clean" | "reset" }
  | { readonly kind: "json"; readonly status: number; readonly body: unknown }

export interface RecordedRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly body: JsonObject
}

export interface ResponsesUpstream {
  /** Ends in `/v1`. */
  readonly url: string
  readonly requests: readonly RecordedRequest[]
  /** Why requests were refused; empty: none was. */
  readonly refusals: () => readonly string[]
  /** Turns that were answered. */
  readonly answered: () => number
  readonly stop: () => Promise<void>
}

export interface ResponsesOptions {
  /** How replies are streamed. */
  readonly events?: (turn: number) => EventOptions
  readonly forgiveLost?: boolean
}

type Decide = (body: JsonObject, turn: number) => ResponsesTurn

/** An upstream whose turns `decide` gives, from the request's body and the number of turns before it. */
export function createResponsesUpstream(decide: Decide, options: ResponsesOptions = {}): ResponsesUpstream {
  const requests: RecordedRequest[] = []
  const refusals: string[] = []
  const memory = createReasoningMemory(options.forgiveLost)
  let turn = 0

  function answer({ path, body }: RecordedRequest): Response {
    if (path !== "/v1/responses") return json(404, { error: { message: `no ${path} here` } })
    const reasons = [...checkResponsesBody(body), ...memory.check(body)]
    if (reasons.length > 0) {
      refusals.push(...reasons.map((reason) => `turn ${turn}: ${reason}`))
      return json(400, {
        error: { message: reasons.join("; "), type: "invalid_request_error", param: null, code: null },
      })
    }
    const given = decide(body, turn)
    turn += 1
    if (given.kind === "json") return json(given.status, given.body)
    if (given.kind === "events") return stream(given.events, given.cut)
    memory.give(given.output)
    if (body["stream"] !== true) return json(200, responseOf(given.output, given.more))
    return stream(eventsOf(given.output, { ...options.events?.(turn - 1), end: given.more ?? {} }))
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    development: false,
    async fetch(request) {
      const recorded = await record(request)
      requests.push(recorded)
      return answer(recorded)
    },
  })

  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    requests,
    refusals: () => refusals,
    answered: () => turn,
    stop: () => server.stop(true),
  }
}

/** Plays `plan`, one turn for each request. */
export function createResponsesConversation(
  plan: readonly Say[],
  options: ResponsesOptions = {},
): ResponsesUpstream {
  return createResponsesUpstream((_body, turn) => {
    const say = plan[turn]
    if (say === undefined)
      return { kind: "json", status: 500, body: { error: { message: `no turn ${turn}` } } }
    return { kind: "output", output: itemsOf(say, turn) }
  }, options)
}

const json = (status: number, body: unknown): Response => Response.json(body, { status })

async function record(request: Request): Promise<RecordedRequest> {
  const text = await request.text()
  const parsed = parseJson(text)
  const { pathname } = new URL(request.url)
  const body = parsed.ok && isObject(parsed.value) ? parsed.value : {}
  return { path: pathname, headers: Object.fromEntries(request.headers), text, body }
}

/** Each event in a piece of its own. */
function stream(events: readonly JsonObject[], cut?: "clean" | "reset"): Response {
  const encoder = new TextEncoder()
  let next = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const event = events[next]
      next += 1
      if (event !== undefined) return controller.enqueue(encoder.encode(encodeEvents([event])))
      // What was sent has to leave first: a reset may overtake bytes that still wait.
      if (cut === "reset") await Bun.sleep(20)
      if (cut === "reset") controller.error(undefined)
      else controller.close()
    },
  })
  return new Response(body, { headers: { "content-type": "text/event-stream" } })
}
