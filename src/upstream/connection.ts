// Failures below HTTP, in words that say what to do. Codes are those Bun's fetch was seen to give.
import { type Fault, fault } from "../protocol/fault.ts"
import { redact } from "../protocol/redact.ts"
import type { ErrorContext } from "../protocol/upstream-error.ts"
import type { Deadline } from "./deadline.ts"

interface Situation {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly errors: ErrorContext
}

const refused: ReadonlySet<string> = new Set(["ConnectionRefused", "ECONNREFUSED"])
const unresolved: ReadonlySet<string> = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "FailedToOpenSocket",
  "DNSLookupFailed",
])
const certificate = /CERT|SELF_SIGNED|UNABLE_TO|TLS|SSL|HOSTNAME/i

/** The Fault for what fetch, or reading its body, threw. */
export function connectionFault(
  error: unknown,
  deadline: Deadline,
  url: string,
  situation: Situation,
): Fault {
  const { provider, secrets } = situation.errors
  const where = new URL(url).origin
  if (situation.signal.aborted) {
    return fault({
      kind: "api_error",
      source: "client",
      status: 499,
      message: "the client closed the connection",
    })
  }
  if (deadline.expired()) {
    const seconds = Math.round(situation.timeoutMs / 1000)
    const message = `[${provider}] no byte from the upstream for ${seconds} s (REQUEST_TIMEOUT)`
    return fault({ kind: "timeout_error", source: "upstream", message, cut: true })
  }
  const code = codeOf(error)
  const text = redact(error instanceof Error ? error.message : String(error), secrets)
  if (refused.has(code))
    return broken(`[${provider}] cannot connect to ${where}: connection refused; is it running?`)
  if (unresolved.has(code)) {
    return broken(
      `[${provider}] cannot reach ${where}: the host was not found; check the base URL and the network`,
    )
  }
  if (certificate.test(code)) {
    const help = "if your network inspects TLS, name its certificate in NODE_EXTRA_CA_CERTS"
    return { ...broken(`[${provider}] no trusted TLS connection to ${where}: ${code}; ${help}`), retry: "no" }
  }
  return broken(`[${provider}] the connection to ${where} broke: ${code === "" ? text : code}`)
}

function broken(message: string): Fault {
  return fault({
    kind: "api_error",
    source: "upstream",
    status: 502,
    retry: "before-first-byte",
    cut: true,
    message,
  })
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return ""
  return typeof error.code === "string" ? error.code : ""
}
