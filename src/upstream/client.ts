// The only file that calls fetch: one request to an upstream, its reply as inputs for a dialect's reader, and
// every way it can fail as a Fault.
import type { ChatRequest, StreamInput } from "../protocol/chat.ts"
import { type Fault, fault } from "../protocol/fault.ts"
import { parseJson } from "../protocol/json.ts"
import { type ErrorContext, faultFromError } from "../protocol/upstream-error.ts"
import type { Route } from "../providers/route.ts"
import { connectionFault } from "./connection.ts"
import { type Clock, createDeadline, type Deadline } from "./deadline.ts"
import { type ByteReader, readEventStream } from "./event-stream.ts"

export type UpstreamReply =
  | { readonly kind: "stream"; readonly batches: AsyncIterable<readonly StreamInput[]> }
  | { readonly kind: "whole"; readonly reply: unknown }

export type Sent =
  | { readonly ok: true; readonly reply: UpstreamReply }
  | { readonly ok: false; readonly fault: Fault }

export interface SendOptions {
  /** Fires when the client has gone; the request to the upstream is then given up. */
  readonly signal: AbortSignal
  /** Longest silence of the upstream, in milliseconds: to connect, to the first byte, between bytes. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly userAgent: string
  readonly errors: ErrorContext
}

// More than this of an error page is of no use to anybody.
const errorBodyLimit = 64 * 1024

/**
 * Sends one request. Never throws. A stream's batches end in one `end` or `fault` input; whether the reply is
 * a stream or a document is judged by its bytes, because content types are not to be relied on.
 */
export async function send(route: Route, body: ChatRequest, options: SendOptions): Promise<Sent> {
  const deadline = createDeadline(options.timeoutMs, options.signal, options.clock)
  try {
    const response = await fetch(route.url, {
      method: "POST",
      headers: requestHeaders(route, body, options.userAgent),
      body: JSON.stringify(body),
      signal: deadline.signal,
      // A redirected POST would lose its body, and could carry the key to another host.
      redirect: "manual",
      // Bun's own limit of five minutes counts thinking as silence; ours is the deadline.
      timeout: false,
      ...(isLoopback(route.url) ? { proxy: false } : {}),
    })
    deadline.touch()
    if (!response.ok) return failed(await errorReply(response, deadline, options))
    return await readReply(response, deadline, options)
  } catch (error) {
    deadline.clear()
    return failed(connectionFault(error, deadline, route.url, options))
  }
}

const failed = (given: Fault): Sent => ({ ok: false, fault: given })

function requestHeaders(route: Route, body: ChatRequest, userAgent: string): Record<string, string> {
  const { profile, apiKey } = route
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: body.stream === true ? "text/event-stream" : "application/json",
    "user-agent": userAgent,
    // Compressed event streams arrive in lumps.
    ...(body.stream === true ? { "accept-encoding": "identity" } : {}),
    ...profile.headers,
  }
  if (apiKey !== undefined && profile.auth === "api-key") headers["api-key"] = apiKey
  else if (apiKey !== undefined) headers["authorization"] = `Bearer ${apiKey}`
  for (const [name, value] of Object.entries(route.headers)) headers[name.toLowerCase()] = value
  return headers
}

/** An upstream on this machine is never reached through an HTTP proxy, whatever the environment says. */
function isLoopback(url: string): boolean {
  const host = new URL(url).hostname
  return host === "localhost" || host === "[::1]" || host.startsWith("127.")
}

async function errorReply(response: Response, deadline: Deadline, options: SendOptions): Promise<Fault> {
  const location = response.headers.get("location")
  if (response.status >= 300 && response.status < 400) {
    deadline.clear()
    await response.body?.cancel()
    const where = location === null ? "elsewhere" : `to ${location.split("?")[0]}`
    const message = `[${options.errors.provider}] the upstream redirects ${where}; set the base URL to that address`
    return fault({ kind: "api_error", source: "upstream", status: 502, finalForClient: true, message })
  }
  const body = await readLimited(response, deadline)
  deadline.clear()
  return faultFromError(
    { status: response.status, header: (name) => readHeader(response, name, options.clock), body },
    options.errors,
  )
}

async function readLimited(response: Response, deadline: Deadline): Promise<string> {
  const decoder = new TextDecoder()
  let text = ""
  try {
    for await (const bytes of response.body ?? []) {
      deadline.touch()
      text += decoder.decode(bytes, { stream: true })
      if (text.length > errorBodyLimit) break
    }
  } catch {
    // The status is known; a body that breaks off adds nothing to it.
  }
  return text
}

/** A header of the reply; a date in retry-after becomes seconds from now. */
function readHeader(response: Response, name: string, clock: Clock): string | null {
  const value = response.headers.get(name)
  if (name !== "retry-after" || value === null || /^\s*[\d.]+\s*$/.test(value)) return value
  const until = Date.parse(value)
  return Number.isNaN(until) ? null : String(Math.max(0, Math.ceil((until - clock.now()) / 1000)))
}

async function readReply(response: Response, deadline: Deadline, options: SendOptions): Promise<Sent> {
  const reader: ByteReader = (response.body ?? new Blob([]).stream()).getReader()
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  let start = ""
  // Blank lines and comments may come for minutes before the first word (DeepSeek under load): the first
  // visible character tells a document from a stream.
  while (start.trimStart() === "") {
    const { done, value } = await reader.read()
    if (done) break
    deadline.touch()
    start += decoder.decode(value, { stream: true })
  }
  const first = start
    .trimStart()
    .replace(/^\uFEFF/, "")
    .trimStart()
  if (first !== "" && !first.startsWith("{") && !first.startsWith("[") && !first.startsWith("<")) {
    return {
      ok: true,
      reply: { kind: "stream", batches: readEventStream(start, reader, decoder, deadline, options) },
    }
  }
  let text = start
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    deadline.touch()
    text += decoder.decode(value, { stream: true })
  }
  deadline.clear()
  return document(text, options)
}

/** A reply that is one document: JSON, or something that is no reply at all. */
function document(text: string, options: SendOptions): Sent {
  const parsed = parseJson(text.replace(/^\uFEFF/, ""))
  if (parsed.ok) return { ok: true, reply: { kind: "whole", reply: parsed.value } }
  const { provider } = options.errors
  const shown = text.trim() === "" ? "nothing" : text.trim().startsWith("<") ? "an HTML page" : "broken JSON"
  const message = `[${provider}] the upstream answered with ${shown} instead of a reply; check the base URL`
  return failed(
    fault({
      kind: "api_error",
      source: "upstream",
      status: 502,
      retry: "before-first-byte",
      cut: true,
      message,
    }),
  )
}
