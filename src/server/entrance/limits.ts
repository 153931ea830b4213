// How many requests a minute each client may send: a bucket of tokens for each client key, or one for all clients
// where no key is asked for. Refusals and remainders are told in Anthropic's headers, and OpenAI's clients in theirs.
import type { Config } from "../../config/config.ts"
import type { Logger } from "../../observe/log.ts"
import type { Metrics } from "../../observe/metrics.ts"
import { type Fault, fault } from "../../protocol/fault.ts"
import type { Bucket, Store, Taken } from "../../store/store.ts"
import { hash, sentKeys } from "./gate.ts"

/** What an endpoint's requests are counted as. */
export interface Counted {
  /** Counting tokens has a bucket of its own, as at Anthropic: it must not keep anybody from asking a model. */
  readonly bucket: "requests" | "count_tokens"
  /** Its clients are OpenAI's, and read other headers. */
  readonly forOpenAi?: true
}

export interface Admission {
  /** Undefined: the request may go on. */
  readonly fault: Fault | undefined
  /** Adds to a reply what its client may know of the limit. */
  readonly seal: (reply: Response) => Response
}

/** Takes one request out of its client's bucket. The key was found good before. Never rejects. */
type Limits = (counted: Counted, headers: Headers, requestId: string) => Promise<Admission>

export interface LimiterOptions {
  readonly store: Pick<Store, "take">
  readonly log: Pick<Logger, "info" | "warn" | "debug">
  readonly metrics: Pick<Metrics, "rateLimited">
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Other processes answer on the same port, and this is the one that speaks for all; undefined: it is alone. */
  readonly siblings?: { readonly worker: number } | undefined
}

export interface Limiter {
  /** The limits of a configuration; undefined: there are none, and nothing is to be done for a request. */
  readonly limitsOf: (
    config: Pick<Config, "rateLimitPerMinute" | "clientKeys" | "redisUrl">,
  ) => Limits | undefined
}

const minuteMs = 60_000
const setting = "RATE_LIMIT_REQUESTS_PER_MINUTE"

/** Remembers what it has said; what was used up is remembered by the store. */
export function createLimiter(options: LimiterOptions): Limiter {
  const say = createRefusalLog(options)
  let announced = ""

  /** Said at the start, and when it becomes true: without Redis it is not the limit of everything together. */
  function announce(perMinute: number, alone: boolean, each: string): void {
    const { log, siblings } = options
    const who = siblings === undefined ? "this process" : "each worker"
    const text = `${setting}: ${perMinute} requests a minute for ${each}, counted by ${who} alone; REDIS_URL lets several proxies and workers count together`
    const news = alone ? text : ""
    if (news !== announced && alone && (siblings?.worker ?? 1) === 1) log.info(text)
    announced = news
  }

  return {
    limitsOf: ({ rateLimitPerMinute, clientKeys, redisUrl }) => {
      if (rateLimitPerMinute === undefined) {
        announced = ""
        return undefined
      }
      const each = clientKeys.length === 0 ? "all clients together" : "each client key"
      announce(rateLimitPerMinute, redisUrl === undefined, each)
      const bucket: Bucket = { capacity: rateLimitPerMinute, refillMs: minuteMs }
      const clientOf = createClients(clientKeys)
      const alone = options.siblings === undefined ? "this proxy alone" : "this worker alone"
      const about = ({ shared }: Taken): About => ({
        ...{ perMinute: rateLimitPerMinute, each },
        who: shared ? "all proxies that share one Redis together" : alone,
      })
      return async (counted, headers, requestId) => {
        const client = clientOf(headers)
        const taken = await options.store.take(`${counted.bucket}:${client.id}`, bucket)
        if (!taken.allowed) say(client.label, counted, rateLimitPerMinute, requestId)
        return {
          fault: taken.allowed ? undefined : refusal(counted, taken.waitMs, about(taken)),
          seal: (reply) => sealed(reply, headersOf(taken, counted, rateLimitPerMinute, options.now())),
        }
      }
    },
  }
}

interface Client {
  /** What its bucket is called: the same in every proxy, and nothing of the key. */
  readonly id: string
  /** Its place among the keys; undefined: none is asked for. */
  readonly label: string | undefined
}

function createClients(clientKeys: readonly string[]): (headers: Headers) => Client {
  const all: Client = { id: "all", label: undefined }
  const known = new Map(clientKeys.map((key, index) => [idOf(key), `key-${index + 1}`]))
  return (headers) => {
    if (known.size === 0) return all
    for (const { key } of sentKeys(headers)) {
      const id = idOf(key)
      const label = known.get(id)
      if (label !== undefined) return { id, label }
    }
    return all
  }
}

function idOf(key: string): string {
  return Buffer.from(hash(key)).toString("hex").slice(0, 32)
}

interface About {
  readonly perMinute: number
  /** Whose requests are counted together, and by whom. */
  readonly each: string
  readonly who: string
}

function refusal({ bucket }: Counted, waitMs: number, { perMinute, each, who }: About): Fault {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  const what = bucket === "requests" ? "requests" : "requests to count tokens"
  const message = `rate limit: ${perMinute} ${what} a minute for ${each} (${setting}), counted by ${who}; try again in ${seconds} s`
  return fault({ kind: "rate_limit_error", source: "client", message, retryAfterMs: seconds * 1_000 })
}

type HeaderPairs = readonly (readonly [name: string, value: string])[]

function headersOf(taken: Taken, { forOpenAi }: Counted, perMinute: number, now: number): HeaderPairs {
  const { remaining, fullMs } = taken
  // In whole seconds, as Anthropic gives it, and not before it is true.
  const fullAt = new Date(Math.ceil((now + fullMs) / 1_000) * 1_000)
  const anthropic: HeaderPairs = [
    ["anthropic-ratelimit-requests-limit", String(perMinute)],
    ["anthropic-ratelimit-requests-remaining", String(remaining)],
    ["anthropic-ratelimit-requests-reset", fullAt.toISOString().replace(".000Z", "Z")],
  ]
  if (forOpenAi === undefined) return anthropic
  return [
    ...anthropic,
    ["x-ratelimit-limit-requests", String(perMinute)],
    ["x-ratelimit-remaining-requests", String(remaining)],
    ["x-ratelimit-reset-requests", durationOf(fullMs)],
  ]
}

/** As OpenAI writes it: `120ms`, `1s`, `1m0s`. */
function durationOf(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`
  const seconds = Math.ceil(ms / 1_000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}

/** What an upstream says of its own limit of requests is not the client's: that one is ours. */
function sealed(reply: Response, headers: HeaderPairs): Response {
  for (const [name, value] of headers) reply.headers.set(name, value)
  return reply
}

const sayEveryMs = 1_000

/** A client that goes on and on is told of once a second, with how often it was refused meanwhile. */
function createRefusalLog({ log, metrics, now }: LimiterOptions) {
  const said = new Map<string, { readonly at: number; since: number }>()
  return (label: string | undefined, { bucket }: Counted, limit: number, requestId: string): void => {
    metrics.rateLimited(label)
    const name = `${bucket} ${label}`
    const last = said.get(name)
    const isQuiet = last !== undefined && now() - last.at < sayEveryMs
    const client = label === undefined ? {} : { client: label }
    const facts = () => ({ requestId, ...client, counted: bucket, limit })
    if (isQuiet) {
      last.since++
      log.debug("request refused by its rate limit", facts)
      return
    }
    const more = last === undefined || last.since === 0 ? {} : { alsoRefused: last.since }
    said.set(name, { at: now(), since: 0 })
    log.warn("request refused by its rate limit", () => ({ ...facts(), ...more }))
  }
}
