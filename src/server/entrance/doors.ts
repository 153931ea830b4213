// Who may come in at all, before any key is asked for: the pages of a browser may not. A page can reach what
// listens on loopback under a name of its own that it lets point there (DNS rebinding), or simply send to it; both
// show in what the browser says of itself. Nothing here ever grants a page access: no reply has a CORS header.
import type { Config } from "../../config/config.ts"
import { bareHost } from "../../config/network/network.ts"
import type { Logger } from "../../observe/log.ts"
import { type Fault, fault } from "../../protocol/fault.ts"
import { isLoopback } from "../../protocol/hosts.ts"

/** A fault for a request that is not let in, else undefined. */
type Doors = (headers: Headers, requestId: string) => Fault | undefined

type DoorConfig = Pick<Config, "host" | "allowedHosts" | "clientKeys">

// So many names are remembered, and so many refusals are told of: names come from clients.
const mostNames = 100
const longestName = 100

/** The doors of one configuration. */
export function createDoors(config: DoorConfig, log: Pick<Logger, "warn">): Doors {
  const refuse = isLoopback(config.host) ? createInner(config) : createOuter(config)
  const told = new Set<string>()

  function tell({ who, message }: Refusal, requestId: string): void {
    if (told.has(who) || told.size >= mostNames) return
    told.add(who)
    log.warn("request refused", () => ({ requestId, status: 403, why: message }))
  }

  return (headers, requestId) => {
    const refusal = refuse(headers)
    if (refusal === undefined) return undefined
    tell(refusal, requestId)
    const { message } = refusal
    return fault({ kind: "permission_error", source: "client", message, finalForClient: true })
  }
}

interface Refusal {
  /** What is told of once. */
  readonly who: string
  readonly message: string
}

type Check = (headers: Headers) => Refusal | undefined

/** On loopback only this machine's own names lead here, whatever a name server says of others. */
function createInner(config: DoorConfig): Check {
  const known = new Set<string>()
  const isAllowed = allowing(config.allowedHosts)

  /** Browsers always send a Host, and one of their own; a program may leave it out, or empty. */
  function isOwn(host: string): boolean {
    if (host === "" || known.has(host)) return true
    const name = nameOf(host)
    const own = name !== undefined && (isHere(name) || forContainers.has(name) || isAllowed(name))
    if (own && known.size < mostNames) known.add(host)
    return own
  }

  return (headers) => {
    const host = headers.get("host") ?? ""
    if (!isOwn(host)) return refusedHost(host)
    return foreignPage(headers, isAllowed)
  }
}

/**
 * On an address that others can reach the names are the user's. A page is let in with a client key, which no page
 * has that was not given one; where no key is asked for, only from the address that it calls.
 */
function createOuter({ allowedHosts, clientKeys }: DoorConfig): Check {
  if (clientKeys.length > 0) return () => undefined
  const isAllowed = allowing(allowedHosts)
  return (headers) => {
    const page = URL.parse(headers.get("origin") ?? "")
    if (page !== null && page.host === headers.get("host")?.toLowerCase()) return undefined
    return foreignPage(headers, isAllowed)
  }
}

function foreignPage(headers: Headers, isAllowed: (name: string) => boolean): Refusal | undefined {
  const origin = headers.get("origin")
  if (origin !== null && !isOwnOrigin(origin, isAllowed)) return refusedOrigin(origin)
  if (origin !== null || headers.get("sec-fetch-site") !== "cross-site") return undefined
  // An image, a frame or a script of a foreign page; but a link that somebody follows to here may stand anywhere.
  return headers.get("sec-fetch-user") === "?1" && headers.get("sec-fetch-dest") !== "iframe"
    ? undefined
    : refusedOrigin("(not named)")
}

function isOwnOrigin(origin: string, isAllowed: (name: string) => boolean): boolean {
  const url = URL.parse(origin)
  const name = bareHost(url?.hostname ?? "")
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:"
  return isAllowed(name) || (isWeb && isHere(name))
}

function refusedHost(host: string): Refusal {
  const shown = shownAs(host)
  const message =
    `the request is for the host ${shown}, and this proxy answers to names of this machine alone ` +
    "(a web page could let its own name lead here): set ALLOWED_HOSTS to that name if it is meant to"
  return { who: `host ${shown}`, message }
}

function refusedOrigin(origin: string): Refusal {
  const shown = shownAs(origin)
  const message =
    `the request comes from the web page ${shown}, and this proxy answers to no page of another host: ` +
    "set ALLOWED_HOSTS to its host name if it is meant to"
  return { who: `origin ${shown}`, message }
}

const shownAs = (text: string): string => JSON.stringify(text.slice(0, longestName))

// How containers call the machine that they run on; no name server outside of it can give these names away.
const forContainers: ReadonlySet<string> = new Set([
  ...["host.docker.internal", "gateway.docker.internal", "host.containers.internal"],
  ...["host.lima.internal", "host.orb.internal"],
])

/** Is this a name, as `nameOf` gives it, that leads to this machine everywhere? */
function isHere(name: string): boolean {
  return name.endsWith(".localhost") || isLoopback(name) || /^::ffff:7f[\da-f]{2}:[\da-f]{1,4}$/.test(name)
}

/** The name in a Host header, as browsers understand it; undefined for what is none, or several. */
function nameOf(host: string): string | undefined {
  if (/[^\w.:[\]-]/.test(host)) return undefined
  const url = URL.parse(`http://${host}`)
  return url === null ? undefined : bareHost(url.hostname)
}

/** A check for the names of ALLOWED_HOSTS: one each, all below `*.NAME`, or every one. */
function allowing(allowed: readonly string[]): (name: string) => boolean {
  if (allowed.includes("*")) return () => true
  const names = new Set(allowed.map(bareHost))
  const ends = allowed.flatMap((entry) => (entry.startsWith("*.") ? [entry.slice(1)] : []))
  return (name) => names.has(name) || ends.some((end) => name.endsWith(end))
}
