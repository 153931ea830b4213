// What every request to an upstream has in common below its dialect: proxies, redirects, error pages.

import { type ErrorContext, faultFromError } from "../protocol/errors/upstream-error.ts"
import { type Fault, fault } from "../protocol/fault.ts"
import { redact } from "../protocol/redact.ts"
import type { Route, Way } from "../providers/route.ts"
import { asksForLogin, proxyRefusal, type TimedSituation } from "./connection.ts"
import { type Clock, clearDeadline, type Deadline } from "./deadline.ts"

// More than this of an error page is of no use to anybody, and nobody waits longer for it.
const errorBodyLimit = 64 * 1024
const errorBodyMs = 2_000

/**
 * What every fetch of this house has in common, for a route or any other way to an upstream: the HTTP proxy (or
 * none, whatever Bun finds in the environment), the certificate authorities, no redirects, no time limit but
 * the caller's own. To be spread into fetch's options.
 */
export function outboundOptions({ proxy, authorities }: Way) {
  const options = {
    proxy: proxy?.url ?? false,
    // A redirected POST would lose its body, and could carry the key to another host.
    redirect: "manual",
    // Bun's own limit of five minutes counts thinking as silence.
    timeout: false,
  } as const
  // One text for all requests: connections are shared between those whose authorities are the same.
  return authorities === undefined ? options : { ...options, tls: { ca: authorities } }
}

/** Puts headers beside others, in whatever case they are written. */
export function addHeaders(headers: Record<string, string>, more: Readonly<Record<string, string>>): void {
  for (const name in more) {
    const value = more[name]
    if (value !== undefined) headers[name.toLowerCase()] = value
  }
}

/** What a route adds to every request, its key included; what its configuration says has the last word. */
export function addRouteHeaders(
  headers: Record<string, string>,
  { profile, apiKey, headers: own }: Route,
): void {
  addHeaders(headers, profile.headers)
  if (apiKey !== undefined && profile.auth === "bearer") headers["authorization"] = `Bearer ${apiKey}`
  else if (apiKey !== undefined) headers[profile.auth] = apiKey
  addHeaders(headers, own)
}

/** The Fault for a redirect, which is never followed: the key would go with it. */
function redirected(location: string | null, errors: ErrorContext): Fault {
  const where = location === null ? "elsewhere" : `to ${location.split("?")[0]}`
  const text = `[${errors.provider}] the upstream redirects ${where}; set the base URL to the address it moved to`
  const message = redact(text, errors.secrets)
  return fault({ kind: "api_error", source: "upstream", status: 502, finalForClient: true, message })
}

/** What an error reply says: the Fault for it, and its text where it is the upstream's own. Never throws. */
export async function readError(
  response: Response,
  deadline: Deadline,
  { errors, proxy, clock }: TimedSituation,
): Promise<{ readonly fault: Fault; readonly body: string | undefined }> {
  const { status } = response
  if (asksForLogin(response, proxy)) {
    deadline.abort()
    return { fault: proxyRefusal(errors, proxy, status), body: undefined }
  }
  if (status >= 300 && status < 400) {
    deadline.abort()
    return { fault: redirected(response.headers.get("location"), errors), body: undefined }
  }
  const body = await readErrorBody(response, deadline, clock)
  const header = (name: string) => readHeader(response, name, clock)
  return { fault: faultFromError({ status, header, body }, errors), body }
}

/** The text of an error reply, as much of it as comes in a short time. */
async function readErrorBody(response: Response, deadline: Deadline, clock: Clock): Promise<string> {
  const decoder = new TextDecoder()
  const cancel = clock.setTimer(deadline.abort, errorBodyMs)
  let text = ""
  try {
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true })
      if (text.length > errorBodyLimit) break
    }
  } catch {
    // The status is known; a body that breaks off adds nothing to it.
  }
  cancel()
  clearDeadline(deadline)
  return text
}

/** A header of the reply; a date in retry-after becomes seconds from now. */
function readHeader(response: Response, name: string, clock: Clock): string | null {
  const given = response.headers.get(name) ?? (name === "retry-after" ? readReset(response) : null)
  if (name !== "retry-after" || given === null) return given
  // Where a gateway adds one of its own, there are two: the first number is as good as the other.
  const value = /^\s*[\d.]+(?=\s*(?:,|$))/.exec(given)?.[0] ?? given
  // What has no month is no date, but Date.parse would find one in most numbers.
  if (value !== given || !/[a-z]{3}|^\s*\d{4}-\d\d-\d\dT/i.test(value)) return value
  const until = Date.parse(value)
  return Number.isNaN(until) ? null : String(Math.max(0, Math.ceil((until - timeOf(response, clock)) / 1000)))
}

// A reply's date has whole seconds, and may be some of them old.
const skewMs = 60_000

/** What time it is for the upstream, where the clocks differ by more than a little: one of them may be hours off. */
function timeOf({ headers }: Response, clock: Clock): number {
  const said = Date.parse(headers.get("date") ?? "")
  const now = clock.now()
  return Math.abs(said - now) > skewMs ? said : now
}

/** OpenRouter says when a used-up limit is free again in milliseconds since the epoch; as a date it is read. */
function readReset({ headers, status }: Response): string | null {
  const reset = Number(headers.get("x-ratelimit-reset") ?? Number.NaN)
  const free = (headers.get("x-ratelimit-remaining") ?? "0") !== "0"
  if (status !== 429 || free || !(reset > 1e12)) return null
  return new Date(reset).toUTCString()
}
