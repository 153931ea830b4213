// The way to upstreams: which HTTP proxy stands in between, and whom their certificates may be signed by.
// Bun reads the same variables from the process environment alone; here they count from wherever they are set.
import { isLoopback } from "../../protocol/hosts.ts"
import { lookUp } from "../../protocol/json.ts"
import type { HttpProxy, Way } from "../../providers/route.ts"
import type { Network, Upstream } from "../config.ts"
import { decoded, type Found, named, type Read, type Values } from "../settings/values.ts"

/** The variables of the whole system that name proxies, in lower case too, each with its setting. */
const proxyVariables: ReadonlyMap<string, string> = new Map([
  ["HTTPS_PROXY", "HTTPS_PROXY"],
  ["https_proxy", "HTTPS_PROXY"],
  ["HTTP_PROXY", "HTTP_PROXY"],
  ["http_proxy", "HTTP_PROXY"],
  ["ALL_PROXY", "ALL_PROXY"],
  ["all_proxy", "ALL_PROXY"],
  ["NO_PROXY", "NO_PROXY"],
  ["no_proxy", "NO_PROXY"],
])

/** The setting that a variable is: proxies are also named in lower case. */
export function settingOf(variable: string): string {
  return proxyVariables.get(variable) ?? variable
}

/** Is this one of the variables that name proxies, in either case? */
export function namesProxy(variable: string): boolean {
  return proxyVariables.has(variable)
}

interface NetworkPart {
  readonly network: Network
  readonly problems: readonly string[]
}

interface Given {
  readonly values: Values
  /** Those of models.yaml; false: reached without a proxy, undefined: as the settings say. */
  readonly providers: readonly { readonly id: string; readonly proxy: string | false | undefined }[]
  readonly upstreams: readonly Upstream[]
  readonly authorities: string | undefined
}

/**
 * What the settings and models.yaml say of the way. A proxy in the environment that nothing would use is no
 * problem, even if it cannot be used: such variables are often there for other programs.
 */
export function networkPart({ values, providers, upstreams, authorities }: Given): NetworkPart {
  const forHttps = firstOf(values, ["HTTPS_PROXY", "ALL_PROXY"])
  const forHttp = firstOf(values, ["HTTP_PROXY", "ALL_PROXY"])
  const own = providers.map(({ id, proxy }) => ({ id, read: ownProxy(id, proxy) }))
  const network: Network = {
    https: good(forHttps?.read),
    http: good(forHttp?.read),
    byProvider: Object.fromEntries(
      own.flatMap(({ id, read }) => (read === undefined ? [] : [[id, read === false ? false : good(read)]])),
    ),
    direct: directHosts(values.get("NO_PROXY")),
    authorities,
  }
  const wanted = new Set(upstreams.flatMap((upstream) => schemeOf(upstream, network) ?? []))
  const general = [
    { scheme: "https:", proxy: forHttps },
    { scheme: "http:", proxy: forHttp },
  ].flatMap(({ scheme, proxy }) => {
    if (proxy === undefined || proxy.read.ok) return []
    const matters = wanted.has(scheme) || proxy.found.origin !== "environment"
    return matters ? [`${named(proxy.name, values)} ${proxy.read.why}.`] : []
  })
  const particular = own.flatMap(({ id, read }) =>
    read === undefined || read === false || read.ok ? [] : [`The proxy of ${id} in models.yaml ${read.why}.`],
  )
  return { network, problems: [...new Set([...general, ...particular])] }
}

interface NamedProxy {
  readonly name: string
  readonly found: Found
  readonly read: Read<HttpProxy>
}

function firstOf(values: Values, names: readonly string[]): NamedProxy | undefined {
  for (const name of names) {
    const found = values.get(name)
    if (found !== undefined) return { name, found, read: readProxy(found.value, name) }
  }
  return undefined
}

function ownProxy(id: string, proxy: string | false | undefined): Read<HttpProxy> | false | undefined {
  return typeof proxy === "string" ? readProxy(proxy, `proxy of ${id} in models.yaml`) : proxy
}

function good(read: Read<HttpProxy> | undefined): HttpProxy | undefined {
  return read?.ok === true ? read.value : undefined
}

/** The scheme of an upstream that the general proxies count for; undefined where they do not. */
function schemeOf({ row, baseUrl }: Upstream, network: Network): string | undefined {
  const url = new URL(baseUrl)
  return Object.hasOwn(network.byProvider, row.id) || isDirect(url, network.direct) ? undefined : url.protocol
}

/** Reads a proxy's address, also without `http://` before it. The text itself is never in the reason. */
export function readProxy(text: string, setting: string): Read<HttpProxy> {
  const whole = /^[a-z][a-z\d+.-]*:\/\//i.test(text.trim()) ? text.trim() : `http://${text.trim()}`
  const url = URL.parse(whole)
  if (url?.protocol.startsWith("socks") === true) {
    const why =
      "is a SOCKS proxy, which is not supported: give the address of an HTTP proxy, http://HOST:PORT (most " +
      "programs that offer the one offer the other), or take it out"
    return { ok: false, why }
  }
  // An @ behind the host ends a password that has a # or / in it: what was taken for the host is a piece of it.
  const isCut = url !== null && `${url.pathname}${url.search}${url.hash}`.includes("@")
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:"
  if (url === null || url.hostname === "" || isCut || !isHttp) {
    const why =
      "is not the address of an HTTP proxy: write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with " +
      "%40 for @, %23 for # and %2F for / in a password"
    return { ok: false, why }
  }
  const user = url.username === "" ? "" : `${url.username}:${url.password}@`
  const where = `${url.hostname}:${portOf(url)}`
  return { ok: true, value: { url: `${url.protocol}//${user}${url.host}`, where, setting } }
}

function portOf(url: URL): string {
  if (url.port !== "") return url.port
  return url.protocol === "https:" ? "443" : "80"
}

/** The entries of NO_PROXY; commas or white space stand between them. */
function directHosts(found: Found | undefined): readonly string[] {
  return (
    found?.value
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((entry) => entry !== "") ?? []
  )
}

/** The way to an upstream's URL. `provider` is the id of its row, which models.yaml may have a proxy for. */
export function wayTo(network: Network, target: string, provider: string): Way {
  const proxy = proxyFor(network, target, provider)
  const { authorities } = network
  return {
    ...(proxy === undefined ? {} : { proxy }),
    ...(authorities === undefined ? {} : { authorities }),
  }
}

function proxyFor(network: Network, target: string, provider: string): HttpProxy | undefined {
  const { https, http, byProvider, direct } = network
  const own = lookUp(byProvider, provider)
  if (own === false || (own === undefined && https === undefined && http === undefined)) return undefined
  const url = new URL(target)
  if (isDirect(url, direct)) return undefined
  return own ?? (url.protocol === "https:" ? https : http)
}

/**
 * Is this address reached without a proxy? This machine always is; else where an entry of NO_PROXY (lower
 * case) is its host or a domain above it, with or without its port, a block of IPv4 addresses around it, or *.
 */
export function isDirect(url: URL, entries: readonly string[]): boolean {
  const host = bareHost(url.hostname)
  return isHere(host) || entries.some((entry) => matches(entry, host, portOf(url)))
}

/** The last two are where servers listen, and lead to the same place. */
function isHere(host: string): boolean {
  return host.endsWith(".localhost") || isLoopback(host) || host === "0.0.0.0" || host === "::"
}

/** An IPv6 address without its brackets, a name without the dot that may end it. */
export const bareHost = (host: string): string => host.replace(/^\[|\]$/g, "").replace(/\.$/, "")

function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true
  if (entry.includes("/")) return isInBlock(host, entry)
  const [, name = entry, wantedPort] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? []
  if (wantedPort !== undefined && wantedPort !== port) return false
  const wanted = bareHost(name).replace(/^\*?\./, "")
  return wanted !== "" && (host === wanted || host.endsWith(`.${wanted}`))
}

function isInBlock(host: string, block: string): boolean {
  const [network = "", length = ""] = block.split("/")
  const [address, base, bits] = [numberOf(host), numberOf(network), Number(length)]
  if (address === undefined || base === undefined || length === "" || !(bits >= 0 && bits <= 32)) return false
  const size = 2 ** (32 - bits)
  return Math.floor(address / size) === Math.floor(base / size)
}

/** An IPv4 address as a number. */
function numberOf(address: string): number | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return undefined
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0)
}

/** Passwords of proxies, as written in their addresses and as meant. */
export function proxySecrets({ https, http, byProvider }: Network): readonly string[] {
  const proxies = [https, http, ...Object.values(byProvider)]
  return proxies.flatMap((proxy) => {
    const password = proxy ? new URL(proxy.url).password : ""
    return password === "" ? [] : [password, decoded(password)]
  })
}
