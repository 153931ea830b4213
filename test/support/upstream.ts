// A scripted OpenAI-compatible upstream on loopback: it does what its script says, also the unkind things,
// and remembers what it was asked and who left early.
import { isObject, type JsonObject, parseJson } from "../../src/protocol/json.ts"
import type { Script, Step, Turn } from "./script.ts"

export interface RecordedRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The parsed body; `{}` when it was not a JSON object. */
  readonly body: JsonObject
  /** Milliseconds of `performance.now()`. */
  readonly at: number
  /** When the client went away before the answer was complete. */
  readonly cancelledAt: number | undefined
  /** When the answer was complete, or cut as the script wanted. */
  readonly endedAt: number | undefined
}

export interface ScriptedUpstream {
  /** What a client takes as its base URL: ends in `/v1`. */
  readonly url: string
  /** Every request, chat or not, in order of arrival. */
  readonly requests: readonly RecordedRequest[]
  /** The chat requests alone: the turns of the script. */
  readonly turns: () => readonly RecordedRequest[]
  readonly inFlight: () => number
  readonly mostInFlight: () => number
  /** Resolves when `condition` holds; throws after `timeoutMs`. */
  readonly until: (condition: () => boolean, timeoutMs?: number) => Promise<void>
  readonly stop: () => Promise<void>
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] }

/** Marks a request as left by its client or as answered, whichever comes first. */
interface Watch {
  readonly request: Mutable<RecordedRequest>
  readonly cancelled: () => void
  readonly ended: () => void
  /** Resolves when the client leaves. */
  readonly gone: Promise<void>
}

/**
 * Starts the upstream. A list is played one turn per chat request, and any further one is answered 500; a
 * function decides from the request's body. Everything but POST …/chat/completions is 404.
 */
export function createUpstream(script: Script): ScriptedUpstream {
  const requests: Mutable<RecordedRequest>[] = []
  let inFlight = 0
  let mostInFlight = 0

  function watch(request: Mutable<RecordedRequest>, signal: AbortSignal): Watch {
    inFlight += 1
    mostInFlight = Math.max(mostInFlight, inFlight)
    const left = Promise.withResolvers<void>()
    const over = (key: "cancelledAt" | "endedAt") => () => {
      if (request.cancelledAt !== undefined || request.endedAt !== undefined) return
      request[key] = performance.now()
      inFlight -= 1
      if (key === "cancelledAt") left.resolve()
    }
    const cancelled = over("cancelledAt")
    signal.addEventListener("abort", cancelled)
    return { request, cancelled, ended: over("endedAt"), gone: left.promise }
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    development: false,
    error: (error) =>
      Response.json({ error: { message: `the script failed: ${error.message}` } }, { status: 500 }),
    async fetch(request) {
      const recorded = await record(request)
      const turn = requests.filter(isChat).length
      requests.push(recorded)
      if (!isChat(recorded)) return notFound(recorded)
      return play(pickTurn(script, recorded.body, turn), watch(recorded, request.signal))
    },
  })

  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    requests,
    turns: () => requests.filter(isChat),
    inFlight: () => inFlight,
    mostInFlight: () => mostInFlight,
    until,
    stop: () => server.stop(true),
  }
}

// A busy machine stops a process for seconds now and then, and with it all that is waited for.
const longestLookMs = 50

/** Resolves when `condition` holds, looking every 5 ms; throws after `timeoutMs`, in which a pause counts little. */
export async function until(condition: () => boolean, timeoutMs = 5000): Promise<void> {
  let left = timeoutMs
  while (!condition()) {
    if (left <= 0) throw new Error(`not within ${timeoutMs} ms: ${condition}`)
    const from = performance.now()
    await Bun.sleep(5)
    left -= Math.min(performance.now() - from, longestLookMs)
  }
}

async function record(request: Request): Promise<Mutable<RecordedRequest>> {
  const text = await request.text()
  const parsed = parseJson(text)
  const { pathname, search } = new URL(request.url)
  return {
    method: request.method,
    path: pathname + search,
    headers: Object.fromEntries(request.headers),
    text,
    body: parsed.ok && isObject(parsed.value) ? parsed.value : {},
    at: performance.now(),
    cancelledAt: undefined,
    endedAt: undefined,
  }
}

function isChat(request: RecordedRequest): boolean {
  return request.method === "POST" && request.path.split("?")[0]?.endsWith("/chat/completions") === true
}

function notFound(request: RecordedRequest): Response {
  return Response.json({ error: { message: `no ${request.path} here` } }, { status: 404 })
}

function pickTurn(script: Script, body: JsonObject, turn: number): Turn {
  if (typeof script === "function") return script(body, turn)
  const over = { error: { message: `the script has no turn ${turn}` } }
  return script[turn] ?? { kind: "json", status: 500, body: over }
}

async function play(turn: Turn, watched: Watch): Promise<Response> {
  switch (turn.kind) {
    case "stream":
      await wait(turn.headersDelayMs, watched)
      return streamResponse(streamSteps(turn), { cut: turn.cut, headers: turn.headers }, watched)
    case "raw":
      return streamResponse(turn.steps, { cut: turn.cut, headers: turn.headers }, watched)
    case "json":
      await wait(turn.headersDelayMs, watched)
      watched.ended()
      return Response.json(turn.body, { status: turn.status ?? 200, headers: turn.headers ?? {} })
    case "text":
      watched.ended()
      return new Response(turn.body, { status: turn.status, headers: turn.headers ?? {} })
    case "stall":
      await watched.gone
      return new Response(null, { status: 499 })
    default:
      return turn satisfies never
  }
}

function streamSteps(turn: Extract<Turn, { kind: "stream" }>): readonly Step[] {
  const spaced = turn.chunks.flatMap((chunk, index): readonly Step[] =>
    index === 0 || turn.delayMs === undefined ? [chunk] : [{ pauseMs: turn.delayMs }, chunk],
  )
  return (turn.done ?? turn.cut === undefined) ? [...spaced, "data: [DONE]\n\n"] : spaced
}

interface StreamOptions {
  readonly cut: "clean" | "reset" | undefined
  readonly headers: Readonly<Record<string, string>> | undefined
}

function streamResponse(steps: readonly Step[], options: StreamOptions, watched: Watch): Response {
  const encoder = new TextEncoder()
  let next = 0

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (watched.request.cancelledAt === undefined) {
      const step = steps[next]
      next += 1
      if (step === undefined) return finish(controller)
      if (typeof step === "string") return controller.enqueue(encoder.encode(step))
      if (step instanceof Uint8Array) return controller.enqueue(step)
      if ("pauseMs" in step) await wait(Number(step["pauseMs"]), watched)
      else if ("until" in step) await Promise.race([step["until"], watched.gone])
      else return controller.enqueue(encoder.encode(`data: ${JSON.stringify(step)}\n\n`))
    }
  }

  async function finish(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    // What was sent has to leave first: a reset may overtake bytes that still wait.
    if (options.cut === "reset") await Bun.sleep(20)
    watched.ended()
    // An error in the body makes the server drop the connection; without a reason it does so silently.
    if (options.cut === "reset") controller.error(undefined)
    else controller.close()
  }

  const body = new ReadableStream<Uint8Array>({ pull, cancel: watched.cancelled })
  return new Response(body, { headers: { "content-type": "text/event-stream", ...options.headers } })
}

async function wait(ms: number | undefined, watched: Watch): Promise<void> {
  if (ms !== undefined) await Promise.race([Bun.sleep(ms), watched.gone])
}
