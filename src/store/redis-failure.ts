// Why a Redis cannot be used, for a person, and without the password of its address.
import { errorCode, errorMessage } from "../protocol/fault.ts"

export interface Failure {
  /** `away`: nothing answers. `refused`: it does not want us as we are, which waiting does not change. */
  readonly kind: "away" | "refused"
  /** Follows on "Redis cannot be used: ". */
  readonly why: string
}

/** How a command ended. */
export type Settled<T = unknown> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "late"; readonly afterMs: number }
  | { readonly kind: "error"; readonly code: string; readonly message: string }

/** Redis itself answered with an error: it is there. */
export const replyCode = "ERR_REDIS_SERVER_ERROR"

// However busy this process is, what has come meanwhile is read within this time.
const readingMs = 10

/** Waits for something, but not longer than so many milliseconds; never rejects. */
export function settle<T>(work: Promise<T>, ms: number): Promise<Settled<T>> {
  return new Promise((resolve) => {
    const late = () => resolve({ kind: "late", afterMs: ms })
    // A process that was busy looks at its clocks before its sockets: the answer may have been there for long.
    let timer = setTimeout(() => {
      timer = setTimeout(late, readingMs)
    }, ms)
    work.then(
      (value) => {
        clearTimeout(timer)
        resolve({ kind: "value", value })
      },
      (error) => {
        clearTimeout(timer)
        resolve({ kind: "error", code: errorCode(error) ?? "", message: messageOf(error) })
      },
    )
  })
}

const longestMessage = 200

/** Older servers repeat what they were sent, the password with it. */
function messageOf(error: unknown): string {
  const text = errorMessage(error)
  return text.replace(/,? with args beginning with[\s\S]*/i, "").slice(0, longestMessage)
}

/** The host, the port and the number of the database. */
export function placeOf(url: string): string {
  const parsed = URL.parse(url)
  if (parsed === null) return "an address that cannot be read"
  const { hostname, port, pathname } = parsed
  return `${hostname}:${port === "" ? "6379" : port}${pathname === "/" ? "" : pathname}`
}

/** What the first command over a new connection says of it; undefined: it can be used. */
export function failureOf(settled: Settled): Failure | undefined {
  if (settled.kind === "value") return undefined
  if (settled.kind === "late") return { kind: "away", why: `no answer within ${settled.afterMs} ms` }
  const { code, message } = settled
  switch (code) {
    case replyCode:
      // Some users may not send a PING, but the commands that matter.
      return /^NOPERM/.test(message) ? undefined : { kind: "refused", why: `it answers "${message}"` }
    case "ERR_REDIS_AUTHENTICATION_FAILED":
      return { kind: "refused", why: accessWhy(message) }
    case "ERR_REDIS_CONNECTION_CLOSED":
      return { kind: "away", why: "nothing answers there, or it is no Redis" }
    case "ERR_REDIS_CONNECTION_TIMEOUT":
      return { kind: "away", why: "no answer in time" }
    case "ERR_REDIS_INVALID_COMMAND":
      return { kind: "refused", why: `it answers "${message}"` }
    default:
      return { kind: "refused", why: `no connection (${code === "" ? message : code})${trustHint(code)}` }
  }
}

function accessWhy(message: string): string {
  if (message.startsWith("WRONGPASS")) return "it does not accept the user and the password in REDIS_URL"
  if (message.startsWith("NOAUTH")) return "it asks for a password, and REDIS_URL holds none"
  return `it answers "${message}"`
}

function trustHint(code: string): string {
  return /SELF_SIGNED|UNABLE_TO|ISSUER/.test(code)
    ? "; name the file with the certificate of its authority in NODE_EXTRA_CA_CERTS"
    : ""
}
