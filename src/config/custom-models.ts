// The models of models.yaml, each with the place it is served at.
import { findProvider, type ProviderRow, providerForUrl } from "../providers/table.ts"
import { chooseUpstream } from "./choose.ts"
import type { CustomModel, Reach, Upstream } from "./config.ts"
import type { Choice, Given } from "./given.ts"
import type { ModelEntry, ProviderEntry } from "./models/read.ts"
import { changedBy, entryOf, ownUpstream, thinkingOf, withEntry } from "./own-providers.ts"
import { keyOf, upstreamOfRow } from "./upstream-of-row.ts"
import { type Address, isNative, queryFor, readBaseUrl, rowForAddress } from "./upstreams.ts"
import { listOf, named } from "./values.ts"

/** Every model with its upstream, or with what is missing to reach it. */
export function reachModels(given: Given, main: Upstream): readonly CustomModel[] {
  return given.models.entries.map((entry) => ({
    id: entry.id,
    name: entry.name,
    reach: reachOf(entry, given, main),
    delta: entry.delta,
    headers: entry.headers,
    defaults: entry.defaults,
    prices: entry.prices,
  }))
}

const modelSettings = [
  ...["BIG_MODEL", "ROUTER_DEFAULT", "MIDDLE_MODEL", "SMALL_MODEL"],
  ...["ROUTER_BACKGROUND", "ROUTER_THINK", "ROUTER_LONG_CONTEXT"],
] as const

/**
 * The default upstream. Where the settings lead to none, that of the first model they name will do, or of the
 * only model there is: who has models of their own may need no other.
 */
export function chooseWithModels(given: Given): Choice {
  const choice = chooseUpstream(given)
  const { values, models } = given
  const addressed = values.has("OPENAI_BASE_URL") || values.has("AZURE_API_VERSION")
  if (choice.upstream !== undefined || addressed) return choice
  for (const setting of modelSettings) {
    const name = values.get(setting)?.value.replace(/^custom\//, "")
    const entry = models.entries.find((candidate) => candidate.id === name)
    if (entry !== undefined) return fromEntry(entry, given, choice, named(setting, values))
    const row = name?.includes("/") === true ? findProvider(name.split("/")[0] ?? "") : undefined
    const keyName = row && keyOf(row, values)
    if (row !== undefined && row.baseUrl !== null && keyName !== undefined) {
      const upstream = changedBy(given, upstreamOfRow(given, row, row.baseUrl, keyName))
      const info = `${named(setting, values)} names ${row.name}: it is the default upstream.`
      return { upstream, problems: [], warnings: [], infos: [info] }
    }
  }
  const [only, ...more] = models.entries
  return only === undefined || more.length > 0
    ? withHint(choice, models.entries)
    : fromEntry(only, given, choice, "models.yaml")
}

function withHint(choice: Choice, entries: readonly ModelEntry[]): Choice {
  const [first] = entries
  if (first === undefined) return choice
  const hint = `models.yaml has ${entries.length} models and no setting says which to take: set BIG_MODEL, for example to ${first.id}.`
  return { ...choice, problems: [hint] }
}

function fromEntry(entry: ModelEntry, given: Given, choice: Choice, sign: string): Choice {
  const reach = reachOf(entry, given, undefined)
  if (!reach.ok)
    return { ...choice, problems: [`${sign} cannot be reached: ${lackOf(entry.id, reach.why)}.`] }
  const what = sign === "models.yaml" ? "models.yaml has one model" : `${sign} is a model of your own`
  const info = `${what}, and no other upstream is set: its upstream is the default one.`
  return { upstream: reach.upstream, problems: [], warnings: [], infos: [info], model: entry.id }
}

/** Why a model cannot be reached, as a sentence without its full stop. */
export function lackOf(id: string, why: string): string {
  return `model: ${JSON.stringify(id)} ${why}`
}

interface Place {
  readonly row: ProviderRow
  readonly native: boolean
  readonly baseUrl: string
  readonly query: Readonly<Record<string, string>>
  readonly key: Key
}

type Key =
  | { readonly kind: "none" }
  | { readonly kind: "variable"; readonly name: string }
  /** The provider's variable is taken: its value goes to another host. */
  | { readonly kind: "taken"; readonly name: string }

function reachOf(entry: ModelEntry, given: Given, main: Upstream | undefined): Reach {
  const served = entry.apiBase === undefined ? servedBy(entry, given, main) : undefined
  if (served !== undefined) {
    const key = entry.keyName === undefined ? undefined : variable(entry.keyName)
    return key === undefined ? checked(served, given) : withKey(served, key, given, main)
  }
  const own = ownProvider(entry, given)
  const place = placeOf(entry, own, given, main)
  if (place === undefined) return { ok: false, why: lackOfAddress(entry) }
  const made = upstreamOfRow(given, place.row, place.baseUrl, undefined)
  const { native, query } = place
  const upstream = { ...made, native, query, defaults: thinkingOf(given, made) }
  return withKey(own === undefined ? upstream : withEntry(upstream, own), place.key, given, main)
}

/** What models.yaml itself says of the model's provider. */
function ownProvider({ provider }: ModelEntry, given: Given): ProviderEntry | undefined {
  return provider === undefined ? undefined : entryOf(given, provider)
}

/** The upstream of the model's provider, where that is the default one or one of the user's own. */
function servedBy(entry: ModelEntry, given: Given, main: Upstream | undefined): Upstream | undefined {
  const isMain = main !== undefined && main.row.id === entry.provider && entry.direct === main.native
  const own = ownProvider(entry, given)
  const upstream = isMain ? main : own && ownUpstream(own, given)
  if (upstream === undefined) return undefined
  const ruled = { ...upstream, row: withRules(upstream.row, entry) }
  if (isMain || upstream.native === entry.direct) return ruled
  // A provider of the user's own speaks what the model says it speaks; a known one has another address for that.
  return entry.direct && own?.apiBase !== undefined ? { ...ruled, native: true } : undefined
}

/** The same provider, spoken to by the rules of the profile that the model names. */
function withRules(row: ProviderRow, { profile }: ModelEntry): ProviderRow {
  const rules = profile === undefined ? undefined : findProvider(profile)
  if (rules === undefined) return row
  const { id, name, baseUrl, native, keyNames } = row
  return { ...rules, id, name, baseUrl, native, keyNames }
}

function checked(upstream: Upstream, given: Given): Reach {
  const { keyName, apiKeys, row } = upstream
  if (!given.needsUpstream || keyName === "" || apiKeys.length > 0 || row.relay === true)
    return { ok: true, upstream }
  return { ok: false, why: `needs the key ${keyName}, which is not set on the proxy` }
}

function lackOfAddress({ provider, direct }: ModelEntry): string {
  const what = direct ? "has no known address for Anthropic's API" : "has no address"
  return `${what}: ${provider} needs api_base in models.yaml`
}

function withKey(place: Upstream, key: Key, given: Given, main: Upstream | undefined): Reach {
  const keyName = key.kind === "none" ? "" : key.name
  const apiKeys = listOf(given.values.get(keyName))
  if (given.needsUpstream && key.kind === "taken") {
    const why = `needs api_key_name in models.yaml: ${keyName} is the key for ${main?.row.name} here`
    return { ok: false, why }
  }
  if (given.needsUpstream && key.kind === "variable" && apiKeys.length === 0)
    return { ok: false, why: `needs the key ${keyName}, which is not set on the proxy` }
  return { ok: true, upstream: { ...place, apiKeys: key.kind === "variable" ? apiKeys : [], keyName } }
}

const variable = (name: string): Key => ({ kind: "variable", name })

function placeOf(
  entry: ModelEntry,
  own: ProviderEntry | undefined,
  given: Given,
  main: Upstream | undefined,
): Place | undefined {
  const known = entry.provider === undefined ? undefined : findProvider(entry.provider)
  const provider = (own && ownUpstream(own, given)?.row) ?? known
  const usual = entry.direct ? provider?.native : (provider?.baseUrl ?? provider?.native)
  const read = readBaseUrl(entry.apiBase ?? usual ?? "")
  if (!read.ok) return undefined
  const address = read.value
  const profile = entry.profile === undefined ? undefined : findProvider(entry.profile)
  const row = (provider && withRules(provider, entry)) ?? profile ?? rowForAddress(address, undefined)
  const keyName = entry.keyName ?? own?.keyName
  return {
    row,
    native: entry.direct || isNative(row, address.baseUrl),
    baseUrl: address.baseUrl,
    query: queryFor(row, address, given.values.get("AZURE_API_VERSION")?.value),
    key: keyName === undefined ? keyFor(address, given, main) : variable(keyName),
  }
}

/**
 * The key for an address when the model names none: that of the default upstream at the very same host, else
 * the variable of the provider whose host it is. A key is never guessed for a host that nobody knows.
 */
function keyFor(address: Address, given: Given, main: Upstream | undefined): Key {
  if (main !== undefined && new URL(main.baseUrl).origin === address.url.origin)
    return main.apiKeys.length === 0 ? { kind: "none" } : variable(main.keyName)
  const host = providerForUrl(address.url)
  const [first] = host.keyNames
  if (host.id === "generic" || first === undefined) return { kind: "none" }
  const own = host.keyNames.filter((name) => host.id === main?.row.id || name !== main?.keyName)
  const name = own.find((candidate) => given.values.has(candidate)) ?? own[0]
  return name === undefined ? { kind: "taken", name: first } : variable(name)
}
