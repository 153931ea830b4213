// Failures below HTTP, in words that say what to do. Codes are those Bun's fetch was seen to give.
import { brokenUpstream, type Fault, fault } from "../protocol/fault.ts"
import { redact } from "../protocol/redact.ts"
import type { ErrorContext } from "../protocol/upstream-error.ts"
import type { Deadline } from "./deadline.ts"

interface Situation {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly errors: ErrorContext
}

interface Advice {
  readonly when: RegExp
  /** What is said of the connection to `where`. */
  readonly message: (where: string, code: string) => string
  /** Nothing but a change of the configuration can help. */
  readonly final?: true
}

const advices: readonly Advice[] = [
  {
    when: /^ECONNREFUSED$/,
    message: (where) => `cannot connect to ${where}: connection refused; is it running?`,
  },
  {
    when: /^(ENOTFOUND|EAI_AGAIN)$/,
    message: (where) =>
      `cannot reach ${where}: the host was not found; check the base URL and the network connection`,
  },
  {
    when: /^EPROTO$/,
    message: (where) => `no TLS at ${where}: if it speaks plain HTTP, the base URL must begin with http://`,
    final: true,
  },
  {
    when: /CERT|SELF_SIGNED|UNABLE_TO|TLS|SSL|HOSTNAME/i,
    message: (where, code) =>
      `no trusted TLS connection to ${where}: ${code}; if your network inspects TLS, name its certificate in NODE_EXTRA_CA_CERTS`,
    final: true,
  },
]

/** The Fault for what fetch, or reading its body, threw. */
export function connectionFault(
  error: unknown,
  deadline: Deadline,
  url: string,
  situation: Situation,
): Fault {
  const { provider, secrets } = situation.errors
  if (situation.signal.aborted) return clientLeft
  if (deadline.expired()) return timedOut(situation)
  const where = new URL(url).origin
  const code = codeOf(error)
  const advice = advices.find((candidate) => candidate.when.test(code))
  if (advice !== undefined) return broken(`[${provider}] ${advice.message(where, code)}`, advice.final)
  const text = redact(error instanceof Error ? error.message : String(error), secrets)
  // Whatever breaks on the way has a code; without one the request never left.
  if (code === "") return broken(`[${provider}] the request to ${where} could not be made: ${text}`, true)
  return broken(`[${provider}] the connection to ${where} broke: ${code}`)
}

const clientLeft = fault({
  kind: "api_error",
  source: "client",
  status: 499,
  message: "the client closed the connection",
})

function timedOut({ timeoutMs, errors }: Situation): Fault {
  const silence = `no byte from the upstream for ${timeoutMs / 1000} s`
  const message = `[${errors.provider}] ${silence}; REQUEST_TIMEOUT sets how long that may be`
  return fault({ kind: "timeout_error", source: "upstream", message })
}

function broken(message: string, final?: true): Fault {
  const given = brokenUpstream(message)
  return final ? { ...given, retry: "no", finalForClient: true } : given
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return ""
  return typeof error.code === "string" ? error.code : ""
}
