// Upstreams that speak Messages themselves: the client's request goes there in its own words, under the
// proxy's key, and the reply comes back as bytes.

import type { ErrorContext } from "../protocol/errors/upstream-error.ts"
import type { Fault } from "../protocol/fault.ts"
import { isObject, jsonOf, objectOf } from "../protocol/json.ts"
import { redactJson } from "../protocol/redact.ts"
import type { Route } from "../providers/route.ts"
import type { Batches, Soon } from "./batches.ts"
import { type Read, readerOf } from "./byte-reader.ts"
import { connectionFault, isUnreachable, onTheWay, type TimedSituation } from "./connection.ts"
import {
  type Clock,
  clearDeadline,
  countSilence,
  createDeadline,
  type Deadline,
  endSilence,
} from "./deadline.ts"
import { addRouteHeaders, outboundOptions, readError } from "./http.ts"
import { mostAtOnce } from "./reply-limits.ts"
import type { Signal } from "./signal.ts"

/** A reply's bytes as they come, then one `end` or one `fault`. */
export type DirectInput =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "end" }
  | { readonly kind: "fault"; readonly fault: Fault }

/** What of a reply's head the client is to see; lower-case names. */
export interface DirectHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** A refusal of the upstream, as it may be handed on. */
export interface Refusal extends DirectHead {
  /** Anthropic's own error shape, without secrets; undefined when the upstream said it in another shape. */
  readonly body: string | undefined
}

export interface DirectFailure {
  readonly ok: false
  readonly fault: Fault
  /** Undefined: nothing was answered. */
  readonly refusal?: Refusal
  /** Nobody was there to answer. */
  readonly unreachable?: boolean
}

type DirectSent =
  | { readonly ok: true; readonly head: DirectHead; readonly batches: Batches<DirectInput> }
  | DirectFailure

export interface DirectSendOptions {
  /** Fires when the client has gone; the request to the upstream is then given up. */
  readonly signal: Signal
  /** Longest silence of the upstream, in milliseconds. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** For clients that do not name themselves. */
  readonly userAgent: string
  readonly errors: ErrorContext
  /** Put behind the route's path. */
  readonly endpoint: "" | "/count_tokens"
  /** The query of the client's URL. */
  readonly query: URLSearchParams
  readonly stream: boolean
}

/** Sends one request, whose body is `text` and whose head is made of the client's `headers`. Never throws. */
export async function sendDirect(
  route: Route,
  text: string,
  headers: Headers,
  options: DirectSendOptions,
): Promise<DirectSent> {
  const deadline = createDeadline(options.timeoutMs, options.signal, options.clock)
  const situation = onTheWay(options, route)
  const url = directUrl(route.url, options)
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: directHeaders(route, headers, options),
      body: text,
      signal: deadline.signal,
      ...outboundOptions(route),
    })
    endSilence(deadline)
    if (!response.ok) return await failure(response, deadline, situation)
    return { ok: true, head: headOf(response), batches: readBytes(response, url, deadline, situation) }
  } catch (error) {
    deadline.abort()
    const given = connectionFault(error, deadline, url, situation)
    return { ok: false, fault: given, unreachable: isUnreachable(error) }
  }
}

/** Of the client's query only what Anthropic's endpoints know: the rest could be a key. */
function directUrl(routeUrl: string, { endpoint, query }: DirectSendOptions): string {
  const url = new URL(routeUrl)
  url.pathname += endpoint
  const beta = query.get("beta")
  if (beta !== null) url.searchParams.set("beta", beta)
  return url.href
}

// All else stays here: keys, cookies, what belongs to the connection, and the SDK's own statistics.
const sentHeaders: ReadonlySet<string> = new Set([
  ...["anthropic-version", "anthropic-beta", "accept", "user-agent", "x-app", "traceparent", "tracestate"],
])

/** What a request says of itself, the key included; of the client's `Headers` only what is known to be meant. */
export function directHeaders(
  route: Route,
  client: Headers,
  { stream, userAgent }: Pick<DirectSendOptions, "stream" | "userAgent">,
): Record<string, string> {
  const headers: Record<string, string> = {
    "anthropic-version": "2023-06-01",
    accept: "application/json",
    "user-agent": userAgent,
    // Compressed event streams arrive in lumps.
    ...(stream ? { "accept-encoding": "identity" } : {}),
  }
  for (const [name, value] of client.entries()) {
    if (sentHeaders.has(name) || name.startsWith("x-claude-code-")) headers[name] = value
  }
  headers["content-type"] = "application/json"
  addRouteHeaders(headers, route)
  return headers
}

const keptHeaders: ReadonlySet<string> = new Set([
  ...["content-type", "request-id", "retry-after", "retry-after-ms", "x-should-retry"],
  ...["anthropic-workspace-id", "anthropic-organization-id"],
])

function headOf(response: Response): DirectHead {
  const headers = [...response.headers.entries()].filter(
    ([name]) => keptHeaders.has(name) || name.startsWith("anthropic-ratelimit-"),
  )
  return { status: response.status, headers: Object.fromEntries(headers) }
}

async function failure(
  response: Response,
  deadline: Deadline,
  options: TimedSituation,
): Promise<DirectFailure> {
  const { fault: given, body } = await readError(response, deadline, options)
  if (body === undefined) return { ok: false, fault: given }
  const final = response.headers.get("x-should-retry") === "false"
  return {
    ok: false,
    fault: final ? { ...given, retry: "no", finalForClient: true } : given,
    refusal: refusalOf(headOf(response), body, options.errors),
  }
}

/** A refusal with this head and body, its body kept if it is one of Anthropic's shape. */
export function refusalOf(head: DirectHead, body: string, { secrets }: ErrorContext): Refusal {
  const value = objectOf(jsonOf(body))
  const error = objectOf(value["error"])
  const native = value["type"] === "error" && isObject(value["error"]) && typeof error["type"] === "string"
  return { ...head, body: native ? redactJson(body, secrets) : undefined }
}

const nothing: Uint8Array = new Uint8Array(0)

function readBytes(
  response: Response,
  url: string,
  deadline: Deadline,
  options: DirectSendOptions,
): Batches<DirectInput> {
  const reader = readerOf(response)
  let over = false
  let unread = nothing
  let last: DirectInput | undefined

  function next(): Soon<readonly DirectInput[] | undefined> {
    if (unread.length > 0) {
      const bytes = unread.subarray(0, mostAtOnce)
      unread = unread.subarray(bytes.length)
      return [{ kind: "bytes", bytes }]
    }
    if (last !== undefined) {
      const given = last
      last = undefined
      return [given]
    }
    if (over) return undefined
    countSilence(deadline)
    return reader.read().then(receive, breakOff)
  }

  function receive({ done, value = nothing }: Read): void {
    endSilence(deadline)
    if (over) return
    if (!done) {
      unread = value
      return
    }
    over = true
    clearDeadline(deadline)
    last = { kind: "end" }
  }

  function breakOff(error: unknown): void {
    if (over) return
    over = true
    last = { kind: "fault", fault: connectionFault(error, deadline, url, options) }
    deadline.abort()
  }

  function close(): void {
    last = undefined
    unread = nothing
    if (over) return
    over = true
    deadline.abort()
  }

  return { next, close }
}
