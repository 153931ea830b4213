// One connection to a Redis that may go and come back at any time. Whoever asks is answered within a short limit,
// or told at once that there is no connection: a new one is made in the background, again and again. Bun's own
// way of connecting again is not used, as it gives up after a while, and says nothing of a wrong password.
import type { Logger } from "../observe/log.ts"
import { type Failure, failureOf, placeOf, replyCode, type Settled, settle } from "./redis-failure.ts"

export interface LinkOptions {
  readonly log: Pick<Logger, "info" | "warn">
  /** Certificate authorities for rediss://, as one PEM text; undefined: those that Bun trusts. */
  readonly authorities?: string | undefined
}

/** `error`: what Redis said against it; undefined: it could not be asked, or did not answer in time. */
type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string | undefined }

interface Link {
  /** Never rejects, and takes no longer than the limit, and what a slow line needs for large arguments. */
  readonly ask: (command: string, args: readonly string[]) => Promise<Answer>
  /** Is there a connection? */
  readonly up: () => boolean
  /** Running commands end; later ones are not sent. */
  readonly close: () => void
}

// The longest time a command may take.
const limitMs = 250
// A hiccup is no reason to connect anew, and to say so: only who is silent for this much longer is gone.
const patienceMs = 750
// Over TLS a connection takes several exchanges; nobody waits for it.
const connectMs = 2_000
const shortestPauseMs = 250
const longestPauseMs = 2_000
// One that is lost sooner is not tried again at once.
const steadyMs = 10_000

const nobodyThere: Answer = { ok: false, error: undefined }

/** Begins to connect. */
export function createLink(url: string, options: LinkOptions): Link {
  const { log } = options
  const place = placeOf(url)
  let client: Bun.RedisClient | undefined
  let since = 0
  /** It has not answered in time, and may yet: meanwhile nothing else is sent to it. */
  let suspected = false
  let closed = false
  let pending = 0
  let pauseMs = shortestPauseMs
  let timer: ReturnType<typeof setTimeout> | undefined
  /** The trouble that was told of and lasts; undefined: there is none. */
  let told: Failure["kind"] | undefined

  async function connect(): Promise<void> {
    const made = makeClient(url, options)
    if (made === undefined) return failed({ kind: "refused", why: "the address cannot be read" })
    const failure = failureOf(await settle(made.send("PING", []), connectMs))
    if (closed || failure !== undefined) made.close()
    if (closed) return
    if (failure !== undefined) return failed(failure)
    made.onclose = () => lose(made, "the connection was closed")
    client = made
    since = performance.now()
    const isBack = told === undefined ? "is connected" : "can be used again"
    log.info(`Redis (REDIS_URL, ${place}) ${isBack}: limits and all else are shared through it`)
    told = undefined
  }

  function failed({ kind, why }: Failure): void {
    if (told !== kind) {
      log.warn(
        `Redis (REDIS_URL, ${place}) cannot be used: ${why}. Until it can, requests go on, each limit counts what ` +
          "this process alone gets, and nothing is shared with other proxies",
      )
    }
    told = kind
    timer = setTimeout(() => void connect(), pauseMs)
    timer.unref()
    pauseMs = Math.min(2 * pauseMs, longestPauseMs)
  }

  /** Whatever else was sent over this connection fails with it, instead of waiting for its own limit. */
  function lose(lost: Bun.RedisClient, why: string): void {
    if (client !== lost) return
    client = undefined
    suspected = false
    lost.close()
    if (closed) return
    if (performance.now() - since > steadyMs) pauseMs = shortestPauseMs
    failed({ kind: "away", why })
  }

  async function suspect(late: Bun.RedisClient, work: Promise<unknown>): Promise<void> {
    if (client !== late || suspected) return
    suspected = true
    const settled = await settle(work, patienceMs)
    if (client !== late) return
    suspected = false
    if (settled.kind === "late") lose(late, `no answer within ${(limitMs + patienceMs) / 1_000} s`)
  }

  async function send(command: string, args: readonly string[]): Promise<Answer> {
    const current = client
    if (closed || current === undefined || suspected) return nobodyThere
    pending++
    const work = current.send(command, [...args])
    const settled = await settle(work, limitMs + transferMs(args))
    pending--
    if (settled.kind === "late") void suspect(current, work)
    if (closed && pending === 0) current.close()
    const answer = answerOf(settled)
    // It was a master, and is a replica now: its name may lead to the new master.
    if (!answer.ok && answer.error?.startsWith("READONLY")) lose(current, `it answers "${answer.error}"`)
    return answer
  }

  const connecting = connect()
  let begun = false
  // What comes in the very beginning waits for the connection, but none of it for a Redis that does not answer.
  const beginning = settle(connecting, limitMs).then(() => {
    begun = true
  })

  return {
    ask: async (command, args) => {
      if (begun) return send(command, args)
      const settled = await settle(
        beginning.then(() => send(command, args)),
        limitMs,
      )
      return settled.kind === "value" ? settled.value : nobodyThere
    },
    up: () => client !== undefined && !suspected,
    close: () => {
      closed = true
      clearTimeout(timer)
      if (pending === 0) client?.close()
    },
  }
}

const slowestBytesPerMs = 10_000

/** A large value takes its time. */
function transferMs(args: readonly string[]): number {
  return Math.floor(args.reduce((sum, { length }) => sum + length, 0) / slowestBytesPerMs)
}

/** Undefined: the address cannot be read. */
function makeClient(url: string, { authorities }: LinkOptions): Bun.RedisClient | undefined {
  const isSecure = url.startsWith("rediss:")
  try {
    return new Bun.RedisClient(url, {
      autoReconnect: false,
      connectionTimeout: connectMs,
      ...(isSecure && authorities !== undefined ? { tls: { ca: authorities } } : {}),
    })
  } catch {
    return undefined
  }
}

function answerOf(settled: Settled): Answer {
  if (settled.kind === "value") return { ok: true, value: settled.value }
  return settled.kind === "error" && settled.code === replyCode
    ? { ok: false, error: settled.message }
    : nobodyThere
}
