// A look at what an upstream tells of itself, beside the requests that clients make.
import { errorCode } from "../protocol/fault.ts"
import { jsonOf } from "../protocol/json.ts"
import type { Route } from "../providers/route.ts"
import { type Clock, createDeadline } from "./deadline.ts"
import { addRouteHeaders, outboundOptions } from "./http.ts"

export interface LookOptions {
  readonly signal: AbortSignal
  /** For the whole answer, in milliseconds. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly userAgent: string
  /** Sent as JSON by POST; else it is a GET. */
  readonly body?: unknown
}

export interface Looked {
  readonly status: number
  /** Undefined when the answer is no JSON, or more of it than anybody reads. */
  readonly json: unknown
}

// OpenRouter's list of models has half a megabyte.
const answerLimit = 16 * 1024 * 1024

/**
 * Asks the route's host at another URL, with the route's key and headers. Undefined when nothing answers in
 * time; never throws.
 */
export async function look(url: string, route: Route, options: LookOptions): Promise<Looked | undefined> {
  const { signal, timeoutMs, clock, userAgent, body } = options
  const deadline = createDeadline(timeoutMs, signal, clock)
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }
  const type = body === undefined ? {} : { "content-type": "application/json" }
  try {
    const response = await fetch(url, {
      ...sent,
      headers: { accept: "application/json", "user-agent": userAgent, ...type, ...authHeaders(route) },
      signal: deadline.signal,
      ...outboundOptions(route),
    })
    return { status: response.status, json: await readJson(response) }
  } catch {
    return undefined
  } finally {
    deadline.abort()
  }
}

/** Is TLS spoken at this address, trusted or not? No key is sent, and no path asked for. */
export async function speaksTls(url: string, route: Route, options: LookOptions): Promise<boolean> {
  const { signal, timeoutMs, clock, userAgent } = options
  const deadline = createDeadline(timeoutMs, signal, clock)
  const { host } = new URL(url)
  try {
    await fetch(`https://${host}/`, {
      headers: { "user-agent": userAgent },
      signal: deadline.signal,
      ...outboundOptions(route),
    })
    return true
  } catch (error) {
    const code = errorCode(error) ?? ""
    return /CERT|SELF_SIGNED|UNABLE_TO|ISSUER|ALTNAME/.test(code)
  } finally {
    deadline.abort()
  }
}

async function readJson(response: Response): Promise<unknown> {
  const decoder = new TextDecoder()
  const parts: string[] = []
  let size = 0
  for await (const bytes of response.body ?? []) {
    size += bytes.byteLength
    if (size > answerLimit) return undefined
    parts.push(decoder.decode(bytes, { stream: true }))
  }
  return jsonOf(parts.join(""))
}

function authHeaders(route: Route): Record<string, string> {
  const isMessages = route.profile.dialect === "messages"
  const headers: Record<string, string> = isMessages ? { "anthropic-version": "2023-06-01" } : {}
  addRouteHeaders(headers, route)
  return headers
}
