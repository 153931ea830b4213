// Answers as JSON, results and faults in Anthropic's shape; and what every event stream says of itself.
import { type Fault, fault, toErrorBody } from "../../protocol/fault.ts"
import { isObject, type JsonObject } from "../../protocol/json.ts"

/** A JSON answer; every answer names its request. */
export function jsonReply(value: unknown, requestId: string, status = 200): Response {
  return Response.json(value, { status, headers: { "request-id": requestId } })
}

/** The type of an event stream. */
export const eventType = { "content-type": "text/event-stream; charset=utf-8" } as const

/** Nobody in between is to keep a stream back. */
export const unbuffered = { "cache-control": "no-cache", "x-accel-buffering": "no" } as const

export const streamHeaders = { ...eventType, ...unbuffered } as const

/** The answer to POST /v1/messages/count_tokens; of what a client wants to have edited, nothing is. */
export function countReply(body: JsonObject, tokens: number, requestId: string): Response {
  const edits = isObject(body["context_management"])
    ? { context_management: { original_input_tokens: tokens } }
    : {}
  return jsonReply({ input_tokens: tokens, ...edits }, requestId)
}

// Beyond this a client that obeys retry-after to the letter would seem to hang.
const longestRetryAfterMs = 60_000
// What is more than a day is a mistake, or a way of saying never.
const mostRetryAfterMs = 86_400_000

/** A Fault in Anthropic's shape, with the headers that clients act upon. */
export function faultReply(given: Fault, requestId: string): Response {
  const headers: Record<string, string> = { "request-id": requestId, ...given.headers }
  const wait = given.retryAfterMs
  if (wait !== undefined) Object.assign(headers, waitHeaders(Math.ceil(Math.min(wait, mostRetryAfterMs))))
  if (given.finalForClient === true || (wait ?? 0) > longestRetryAfterMs) headers["x-should-retry"] = "false"
  return Response.json(toErrorBody(given, requestId), { status: given.status, headers })
}

/** Anthropic's SDK reads the finer of the two, where there is one. */
function waitHeaders(ms: number): Readonly<Record<string, string>> {
  const exact = ms % 1000 === 0 ? {} : { "retry-after-ms": String(ms) }
  return { "retry-after": String(Math.ceil(ms / 1000)), ...exact }
}

/** Our own mistake: said as such, without its details. */
export function internalFault(error: unknown): Fault {
  const name = error instanceof Error ? error.name : "error"
  return fault({ kind: "api_error", source: "proxy", message: `internal error of the proxy (${name})` })
}
