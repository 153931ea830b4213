// Which upstream is the default one, which others are known, and what the tiers stand for.
import { findProvider, type ProviderRow, providers } from "../providers/table.ts"
import type { Tiers, Upstream } from "./config.ts"
import { isNative, queryFor, readBaseUrl, rowForAddress } from "./upstreams.ts"
import { listOf, named, type Values } from "./values.ts"

export interface Given {
  readonly values: Values
  /** Sent to every upstream. */
  readonly headers: Readonly<Record<string, string>>
  /** False for commands that only convert: a missing key or provider is then no problem. */
  readonly needsUpstream: boolean
  /** The file a new user should write a key into. */
  readonly keyFile: string
}

export interface Choice {
  readonly upstream: Upstream | undefined
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  /** What was decided without being asked. */
  readonly infos: readonly string[]
}

const nothing = { problems: [], warnings: [], infos: [] } as const

/** The default upstream: where the base URL points; without one, the only provider whose key is set. */
export function chooseUpstream(given: Given): Choice {
  const { values, needsUpstream } = given
  const base = values.get("OPENAI_BASE_URL")
  if (base !== undefined) return fromBaseUrl(given, base.value)
  const apiVersion = values.has("AZURE_API_VERSION")
  if (apiVersion && needsUpstream)
    return refuse(`${named("AZURE_API_VERSION", values)} means Azure. ${azureNeeds}`)
  if (values.has("OPENAI_API_KEY") || apiVersion) return fromRow(given, "openai")
  const candidates = providers.filter((row) => mayBeDefault(row) && keyOf(row, values) !== undefined)
  if (candidates.length > 1) return ambiguous(given, candidates)
  const [only] = candidates
  if (only !== undefined && only.baseUrl !== null) {
    const info = `${named(keyOf(only, values) ?? "", values)} is the only key set: ${only.name} is the default upstream.`
    return { ...fromRow(given, only.id), infos: [info] }
  }
  if (!needsUpstream) return fromRow(given, "openai")
  return refuse(
    only === undefined
      ? noKey(given.keyFile)
      : `${named(keyOf(only, values) ?? "", values)} is set. ${azureNeeds}`,
  )
}

const azureNeeds =
  "Azure OpenAI has no address common to all: set OPENAI_BASE_URL to yours, https://NAME.openai.azure.com."

function refuse(problem: string): Choice {
  return { ...nothing, upstream: undefined, problems: [problem] }
}

function noKey(keyFile: string): string {
  return (
    `OPENAI_API_KEY is not set: write OPENAI_API_KEY=... into ${keyFile}, or set it in the environment. ` +
    "A provider's own variable (DEEPSEEK_API_KEY) does as well, and a local server needs only " +
    "OPENAI_BASE_URL. To try it without any key: --demo."
  )
}

/** Anthropic's key is more likely the client's own: only an address makes it the default upstream. */
function mayBeDefault(row: ProviderRow): boolean {
  return !isOpenAi(row) && row.delta.dialect !== "messages"
}

function isOpenAi(row: ProviderRow): boolean {
  return row.keyNames.includes("OPENAI_API_KEY")
}

function keyOf(row: ProviderRow, values: Values): string | undefined {
  return row.keyNames.find((name) => values.has(name))
}

function ambiguous(given: Given, candidates: readonly ProviderRow[]): Choice {
  if (!given.needsUpstream) return fromRow(given, "openai")
  const names = candidates.map((row) => named(keyOf(row, given.values) ?? "", given.values))
  const example = candidates.find((row) => row.baseUrl !== null)?.baseUrl ?? "https://api.openai.com/v1"
  return refuse(
    `${names.join(" and ")} are set, and nothing says which provider is the default one: ` +
      `set OPENAI_BASE_URL, for example to ${example}.`,
  )
}

function fromRow(given: Given, id: string): Choice {
  const row = findProvider(id)
  if (row === undefined || row.baseUrl === null) return refuse(`OPENAI_BASE_URL is not set: ${id} needs one.`)
  return { ...nothing, upstream: upstreamOfRow(given, row, row.baseUrl, keyOf(row, given.values)) }
}

function upstreamOfRow(
  given: Given,
  row: ProviderRow,
  baseUrl: string,
  keyName: string | undefined,
): Upstream {
  return {
    row,
    native: isNative(row, baseUrl),
    baseUrl,
    // Several keys are to be used in turn one day; until then it is the first.
    apiKey: keyName === undefined ? undefined : listOf(given.values.get(keyName))[0],
    keyName: keyName ?? row.keyNames[0] ?? "",
    query: {},
    headers: given.headers,
  }
}

function fromBaseUrl(given: Given, text: string): Choice {
  const { values } = given
  const read = readBaseUrl(text)
  if (!read.ok) return refuse(`${named("OPENAI_BASE_URL", values)} ${read.why}.`)
  const address = read.value
  const apiVersion = values.get("AZURE_API_VERSION")?.value
  const row = rowForAddress(address, apiVersion)
  const keyName = ["OPENAI_API_KEY", ...row.keyNames].find((name) => values.has(name))
  const made = upstreamOfRow(given, row, address.baseUrl, keyName)
  const upstream = {
    ...made,
    keyName: made.keyName === "" ? "OPENAI_API_KEY" : made.keyName,
    query: queryFor(row, address, apiVersion),
  }
  return {
    ...nothing,
    upstream,
    ...keyCheck(given, upstream),
    warnings: baseWarnings(given, upstream, address.url),
  }
}

function keyCheck(given: Given, upstream: Upstream): Pick<Choice, "problems"> {
  const missing = given.needsUpstream && upstream.row.id === "openai" && upstream.apiKey === undefined
  return { problems: missing ? [noKey(given.keyFile)] : [] }
}

function baseWarnings(given: Given, upstream: Upstream, url: URL): readonly string[] {
  const { row } = upstream
  const warnings: string[] = []
  if (given.needsUpstream && upstream.apiKey === undefined && row.keyNames.length > 0 && !isOpenAi(row)) {
    warnings.push(`${upstream.keyName} is not set: ${row.name} will refuse every request.`)
  }
  const byHost = rowForAddress({ url, baseUrl: upstream.baseUrl, query: {} }, undefined)
  if (byHost.id !== row.id && byHost.id !== "generic") {
    const version = named("AZURE_API_VERSION", given.values)
    warnings.push(`${version} makes ${url.host} an Azure upstream, but it is ${byHost.name}. Take it out.`)
  }
  return warnings
}

/**
 * The other upstreams, by row id: those whose key is set. Where nothing will be sent, also those without a key.
 * Providers that need no key are left out beside a relay: such names may be the relay's own.
 */
export function chooseOthers(given: Given, main: Upstream): Readonly<Record<string, Upstream>> {
  const others: Record<string, Upstream> = {}
  for (const row of providers) {
    const baseUrl = baseOf(row, given)
    if (baseUrl === null || row.id === main.row.id) continue
    // A key that goes to the default upstream is that host's key, whatever the variable is called.
    const keyName = row.keyNames.find((name) => given.values.has(name) && name !== main.keyName)
    const open = (row.keyNames.length === 0 || !given.needsUpstream) && main.row.relay !== true
    if (keyName !== undefined || open) others[row.id] = upstreamOfRow(given, row, baseUrl, keyName)
  }
  return others
}

/** Anthropic itself is only an upstream where a tier leads there: else its key is one that clients use. */
function baseOf(row: ProviderRow, { values, needsUpstream }: Given): string | null {
  if (row.delta.dialect !== "messages") return row.baseUrl
  const tiers = ["BIG_MODEL", "MIDDLE_MODEL", "SMALL_MODEL"].map((name) => values.get(name)?.value ?? "")
  return !needsUpstream || tiers.some((tier) => tier.startsWith(`${row.id}/`)) ? row.native : null
}

/**
 * The tiers: what is set, else the provider's own defaults. SMALL_MODEL follows a BIG_MODEL that was set,
 * except at OpenAI: elsewhere nobody promised that gpt-4o-mini exists. Undefined when there is no big model.
 */
export function chooseTiers(values: Values, { row, baseUrl }: Upstream): Tiers | undefined {
  const set = values.get("BIG_MODEL")?.value
  // A deployment in the URL is the only model there is.
  const deployed = /\/openai\/deployments\/([^/?]+)/.exec(baseUrl)?.[1]
  const big = set ?? row.tiers?.big ?? (deployed === undefined ? undefined : decodeURIComponent(deployed))
  if (big === undefined) return undefined
  const follows = set !== undefined && row.id !== "openai"
  return {
    big,
    middle: values.get("MIDDLE_MODEL")?.value ?? big,
    small: values.get("SMALL_MODEL")?.value ?? (follows ? big : (row.tiers?.small ?? big)),
  }
}
