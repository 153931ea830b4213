// The upstream of a fuzz: it answers at once and well; to a prompt that names a case, as that case's own random
// numbers say.
import { mark } from "./fuzz-canaries.ts"
import { type Dialect, faultyReply, goodCount, goodReply, type UpstreamReply } from "./fuzz-replies.ts"
import { createRandom, type Random } from "./random.ts"

export interface FuzzUpstream {
  readonly origin: string
  /** What no proxy may send: keys of clients, and of other upstreams. */
  readonly problems: () => readonly string[]
  /** How many different keys it was sent. */
  readonly keys: () => number
  readonly stop: () => Promise<void>
}

/** The prompt that the upstream answers with the mishaps of this number. */
export const faultyPrompt = (number: number): string => `This is case <${number}>.`

/** Starts it. */
export function createFuzzUpstream(seed: number): FuzzUpstream {
  const problems: string[] = []
  const keys = new Set<string>()
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    development: false,
    async fetch(request) {
      const { pathname } = new URL(request.url)
      const secrets = [...request.headers.values()].filter((value) => value.includes(mark))
      for (const secret of secrets) keys.add(secret)
      if (/client|stranger/.test(secrets.join())) problems.push(`${pathname}: a client's key`)
      const text = await request.text()
      if (pathname.endsWith("/count_tokens")) return play(goodCount)
      const dialect = dialectOf(pathname)
      if (dialect === undefined) return Response.json({ error: { message: "nothing here" } }, { status: 404 })
      const stream = /"stream"\s*:\s*true/.test(text)
      const number = /This is case <(\d+)>/.exec(text)?.[1]
      if (number === undefined) return play(goodReply(dialect, stream, text))
      const random = createRandom(seed + Number(number) * 7_919)
      // Not among the last ones, for which everything would wait.
      const stalls = Number(number) < 300 ? 0.03 : 0
      const told = secrets.map((secret) => secret.replace("Bearer ", "")).join(" ")
      return play(faultyReply(random, dialect, stream, { secrets: told, stalls }), random)
    },
  })
  return {
    origin: `http://127.0.0.1:${server.port}`,
    problems: () => [...new Set(problems)],
    keys: () => keys.size,
    stop: () => server.stop(true),
  }
}

function dialectOf(path: string): Dialect | undefined {
  if (path.endsWith("/chat/completions")) return "chat"
  if (path.endsWith("/v1/messages")) return "native"
  return path.endsWith("/responses") ? "responses" : undefined
}

function play({ status, headers, body, end = "whole" }: UpstreamReply, random?: Random): Response {
  const inPieces = random !== undefined && (end !== "whole" || random.chance(0.3))
  return new Response(inPieces ? piecesOf(body, end, random) : new Uint8Array(body), { status, headers })
}

function piecesOf(body: Buffer, end: UpstreamReply["end"], random: Random): ReadableStream<Uint8Array> {
  const size = Math.max(1, Math.ceil(body.length / random.integer(1, 8)))
  const last = end === "whole" ? body.length : random.integer(0, body.length)
  let at = 0
  return new ReadableStream({
    async pull(controller) {
      if (at < last) {
        controller.enqueue(new Uint8Array(body.subarray(at, Math.min(last, at + size))))
        at += size
        // Each piece is to leave alone.
        return Bun.sleep(0)
      }
      if (end === "stall") return new Promise(() => {})
      if (end === "reset") controller.error(undefined)
      else controller.close()
    },
  })
}
