// Failures below HTTP, in words that say what to do. Codes are those Bun's fetch was seen to give.

import type { ErrorContext } from "../protocol/errors/upstream-error.ts"
import { brokenUpstream, errorMessage, type Fault, fault } from "../protocol/fault.ts"
import { redact } from "../protocol/redact.ts"
import type { HttpProxy, Way } from "../providers/route.ts"
import { type Clock, type Deadline, type Heard, heardOf } from "./deadline.ts"
import type { Signal } from "./signal.ts"

export interface Situation {
  readonly timeoutMs: number
  readonly signal: Signal
  readonly errors: ErrorContext
  /** The HTTP proxy in between. */
  readonly proxy?: HttpProxy
}

/** The same, with the clock that a reply is read by. */
export interface TimedSituation extends Situation {
  readonly clock: Clock
}

interface Advice {
  readonly when: RegExp
  /** What is said of the connection to `where`. */
  readonly message: (where: string, code: string) => string
  /** Nothing but a change of the configuration can help. */
  readonly final?: true
}

const notRunning: Advice = {
  when: /^ECONNREFUSED$/,
  message: (where) => `cannot connect to ${where}: connection refused; is it running?`,
}

// With a proxy in between it is the proxy that cannot be reached: it looks up and connects to the upstream.
const proxyAdvices: readonly Advice[] = [
  notRunning,
  {
    when: /^(ENOTFOUND|EAI_AGAIN)$/,
    message: (where) => `cannot reach ${where}: its host was not found; check its address`,
  },
]

const trust = "NODE_EXTRA_CA_CERTS"

const advices: readonly Advice[] = [
  notRunning,
  {
    when: /^(ENOTFOUND|EAI_AGAIN)$/,
    message: (where) =>
      `cannot reach ${where}: the host was not found; check the base URL and the network connection`,
  },
  {
    when: /^E[MN]FILE$/,
    message: (where, code) =>
      `no connection to ${where}: too many files and connections are open on this side (${code}); raise the limit (ulimit -n) where the proxy is started`,
  },
  {
    when: /^EPROTO$/,
    message: (where) => `no TLS at ${where}: if it speaks plain HTTP, the base URL must begin with http://`,
    final: true,
  },
  {
    when: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    message: (where, code) =>
      `no trusted TLS connection to ${where}: its certificate is not valid today (${code}); check the clock of this machine, or tell whoever runs the server`,
    final: true,
  },
  {
    when: /^Malformed_HTTP_Response$/,
    message: (where) =>
      `what answers at ${where} does not speak HTTP: check the port, and whether the base URL must begin with https://`,
  },
  {
    when: /^(Zlib|Brotli|Zstd)\w*Error$/,
    message: (where, code) =>
      `${where} says that its reply is compressed, and it is not, or not so (${code})`,
  },
  {
    when: /ALTNAME|HOSTNAME/i,
    message: (where, code) =>
      `no trusted TLS connection to ${where}: its certificate is for another host (${code}); check the base URL`,
    final: true,
  },
  {
    when: /SELF_SIGNED|UNABLE_TO|UNTRUSTED|ISSUER/i,
    message: (where, code) =>
      `no trusted TLS connection to ${where}: its certificate is signed by an authority that is not known here (${code}); if your network inspects TLS, or the server has an authority of its own, name the file with that authority's certificate in ${trust}, or set NODE_USE_SYSTEM_CA=1 in the environment where this machine trusts it already`,
    final: true,
  },
  {
    when: /CERT|TLS|SSL/i,
    message: (where, code) =>
      `no trusted TLS connection to ${where}: ${code}; if your network inspects TLS, name its certificate in ${trust}`,
    final: true,
  },
]

/** Options of a request, with what a failure on its way has to name. */
export function onTheWay<T extends object>(options: T, { proxy }: Way): T & Pick<Situation, "proxy"> {
  return proxy === undefined ? options : { ...options, proxy }
}

/** The Fault for what fetch, or reading its body, threw. */
export function connectionFault(
  error: unknown,
  deadline: Deadline,
  url: string,
  situation: Situation,
): Fault {
  const { errors, proxy } = situation
  const { provider, secrets } = errors
  if (situation.signal.aborted) return clientLeft
  if (deadline.expired) return timedOut(heardOf(deadline), situation)
  const code = codeOf(error)
  const text = redact(errorMessage(error), secrets)
  const atProxy = proxy && proxyFailure(code, text, proxy, new URL(url).host)
  if (atProxy !== undefined) return broken(`[${provider}] ${atProxy.message}`, atProxy.final)
  const where = `${new URL(url).origin}${proxy === undefined ? "" : ` through ${nameOf(proxy)}`}`
  const advice = advices.find((candidate) => candidate.when.test(code))
  if (advice !== undefined) return broken(`[${provider}] ${advice.message(where, code)}`, advice.final)
  // Whatever breaks on the way has a code; without one the request never left.
  if (code === "") return broken(`[${provider}] the request to ${where} could not be made: ${text}`, true)
  // "network error" and "connection reset" are what agents (pi, Continue) know as something to be asked again.
  const meaning = code === "ECONNRESET" ? " (connection reset)" : ""
  return broken(`[${provider}] network error: the connection to ${where} broke: ${code}${meaning}`)
}

/** The Fault for a reply with which the proxy, and not the upstream, asks who we are. */
export function proxyRefusal({ provider }: ErrorContext, proxy: HttpProxy, status: number): Fault {
  return broken(`[${provider}] ${wantsLogin(proxy, String(status))}`, true)
}

/**
 * Does a reply that stands in the place of the upstream's come from the proxy, which wants a user name and a password?
 * A 407 does; and so does Tinyproxy's 401 for a wrong password, where no tunnel keeps it out: no API asks for such.
 */
export function asksForLogin(
  { status, headers, url }: Response,
  proxy: HttpProxy | undefined,
): proxy is HttpProxy {
  if (proxy === undefined || status !== 401) return proxy !== undefined && status === 407
  const isPage = headers.get("content-type")?.startsWith("text/html") === true
  const isBasic = /^basic\b/i.test(headers.get("www-authenticate") ?? "")
  return isPage && isBasic && url.startsWith("http:") && proxy.url.includes("@")
}

/** Never with the address as it was given: a password may be in it. */
const nameOf = ({ where, setting }: HttpProxy): string => `the proxy ${where} (${setting})`

const wantsLogin = (proxy: HttpProxy, status: string): string =>
  `${nameOf(proxy)} asks for a user name and a password, or refused those it got (${status}): write them into its address, http://USER:PASSWORD@HOST:PORT`

interface ProxyFailure {
  readonly message: string
  readonly final?: true
}

/** What the proxy, and not the upstream, failed at; undefined for all else. */
function proxyFailure(code: string, text: string, proxy: HttpProxy, host: string): ProxyFailure | undefined {
  const advice = proxyAdvices.find((candidate) => candidate.when.test(code))
  if (advice !== undefined) return { message: advice.message(nameOf(proxy), code) }
  if (code !== "ERR_PROXY_TUNNEL") return undefined
  // "Proxy refused to open a tunnel: 403 Forbidden"
  const [answer = "", status = ""] = /(\d{3})[^\n]{0,100}/.exec(text) ?? []
  if (status === "407" || status === "401") return { message: wantsLogin(proxy, status), final: true }
  const message = `${nameOf(proxy)} does not connect to ${host}: ${answer}`
  // What the proxy says of itself or of the way behind it may be another thing soon.
  if (status.startsWith("5") || status === "429") return { message }
  const advised = `${message}; ask whoever runs the proxy, or name the host in NO_PROXY if it can be reached without`
  return { message: advised, final: true }
}

/** Nobody hears of this one. */
export const clientLeft = fault({
  kind: "api_error",
  source: "client",
  status: 499,
  message: "the client closed the connection",
})

/** Fetch does not tell when it has connected: the two are one wait. */
const silences: Readonly<Record<Heard, (through: string, seconds: number) => string>> = {
  nothing: (through, seconds) =>
    `no connection to the upstream${through}, or no first byte from it, within ${seconds} s`,
  head: (through, seconds) =>
    `the upstream took the request${through} and sent no byte of its reply within ${seconds} s`,
  bytes: (through, seconds) => `the upstream${through} was silent for ${seconds} s in mid-reply`,
}

/** Not repeated at the same place: who was silent for so long has used up the client's patience. */
function timedOut(heard: Heard, { timeoutMs, errors, proxy }: Situation): Fault {
  const through = proxy === undefined ? "" : ` through ${nameOf(proxy)}`
  const silence = silences[heard](through, timeoutMs / 1000)
  const message = `[${errors.provider}] ${silence} (REQUEST_TIMEOUT)`
  return fault({ kind: "timeout_error", source: "upstream", message })
}

function broken(message: string, final?: true): Fault {
  const given = brokenUpstream(message)
  return final ? { ...given, retry: "no", finalForClient: true } : given
}

/** Nobody is there, or nobody knows where: the next attempt would most likely find the same. */
export function isUnreachable(error: unknown): boolean {
  return /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(codeOf(error))
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return ""
  return typeof error.code === "string" ? error.code : ""
}
