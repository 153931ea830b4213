// What went wrong, as a value: who caused it, what the client is told, and whether trying again can help.

/** Anthropic's error types and the status each is answered with (docs: API errors). */
const statusOf = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
} as const satisfies Readonly<Record<string, number>>

export type FaultKind = keyof typeof statusOf

export interface Fault {
  readonly kind: FaultKind
  readonly source: "client" | "upstream" | "proxy"
  /** HTTP status for the client; 4xx and 5xx only. */
  readonly status: number
  /** Whether the proxy itself may send the same request again before anything reached the client, and how often. */
  readonly retry: "no" | "once" | "before-first-byte"
  readonly message: string
  /** How long the upstream asked to be left alone, in milliseconds. */
  readonly retryAfterMs?: number
  /** Sent as `x-should-retry: false`: Claude Code 2.1.329 otherwise repeats even a 401 for minutes. */
  readonly finalForClient?: boolean
  /** `error.details.error_code`, which the SDK turns into its own recovery. */
  readonly code?: string
  /** What the upstream named as to blame, in OpenAI's two fields for it. */
  readonly named?: { readonly param?: string; readonly code?: string }
  /** Response headers a fault needs beyond the common ones (`allow` of a 405). */
  readonly headers?: Readonly<Record<string, string>>
}

/** Builds a Fault; `status` defaults to the kind's own, `retry` to "no". */
export function fault(
  given: Pick<Fault, "kind" | "source" | "message"> & Partial<Omit<Fault, "kind" | "source" | "message">>,
): Fault {
  return { status: statusOf[given.kind], retry: "no", ...given }
}

/** An upstream that broke off, or answered with what is no reply: 502, and worth another attempt. */
export function brokenUpstream(message: string): Fault {
  const about = { kind: "api_error", source: "upstream", status: 502, retry: "before-first-byte" } as const
  return fault({ ...about, message })
}

/**
 * Of a connection that ended before a reply `began`, or `was complete`. In mid-stream no status tells an agent that it
 * may ask again, so the words have to: pi looks for "network error", Continue for "premature close".
 */
export function endedEarly(before: "began" | "was complete"): string {
  return `network error: the upstream closed the connection before its reply ${before} (premature close)`
}

/** A client's mistake: 400, said in Anthropic's words. */
export function invalidRequest(message: string): Fault {
  return fault({ kind: "invalid_request_error", source: "client", message })
}

interface ErrorBody {
  readonly type: "error"
  readonly error: {
    readonly type: FaultKind
    readonly message: string
    readonly details?: { readonly error_code: string }
  }
  readonly request_id: string
}

/** The one error shape of the Messages API, the same for a JSON body and for an `error` event's data. */
export function toErrorBody(given: Fault, requestId: string): ErrorBody {
  const details = given.code === undefined ? {} : { details: { error_code: given.code } }
  return {
    type: "error",
    error: { type: given.kind, message: given.message, ...details },
    request_id: requestId,
  }
}

/** What the conversion did to a request that its sender may want to know. */
export interface Note {
  readonly kind: "dropped" | "changed"
  /** JSON path in the client's request. */
  readonly path: string
  readonly why: string
}

/** One for all where nothing was done. */
export const noNotes: readonly Note[] = Object.freeze([])

export const dropped = (path: string, why: string): Note => ({ kind: "dropped", path, why })
export const changed = (path: string, why: string): Note => ({ kind: "changed", path, why })

/** All notes of two lists, in their order; where one is empty, nothing is made. */
export function joinNotes(first: readonly Note[], second: readonly Note[]): readonly Note[] {
  if (second.length === 0) return first
  return first.length === 0 ? second : [...first, ...second]
}

/** What an error says, whatever was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The code that the system, or Bun, gives an error beside its words. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined
}
