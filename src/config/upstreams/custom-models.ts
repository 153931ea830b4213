// The models of models.yaml, each with the place it is served at.

import type { ProviderRow } from "../../providers/row.ts"
import { findProvider, providerForUrl } from "../../providers/table.ts"
import type { CustomModel, Reach, Upstream } from "../config.ts"
import type { ModelEntry } from "../models/read.ts"
import { type Address, rowForAddress } from "../network/addresses.ts"
import { namedModels } from "../settings/slots.ts"
import { named } from "../settings/values.ts"
import { chooseUpstream, fromProvider } from "./choose.ts"
import type { Choice, Given } from "./given.ts"
import { addressAt, type Key, keysOf, makeUpstream, sameOrigin, withRules } from "./make-upstream.ts"
import { entryOf, providerUpstream } from "./providers.ts"

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
    fallbacks: entry.fallbacks,
  }))
}

/**
 * The default upstream. Where the settings lead to none, that of the first model they name will do, or of the
 * only model there is: who has models of their own may need no other.
 */
export function chooseWithModels(given: Given): Choice {
  const choice = chooseUpstream(given)
  const { values, models } = given
  const addressed = values.has("OPENAI_BASE_URL") || values.has("AZURE_API_VERSION")
  if (choice.upstream !== undefined || addressed) return choice
  for (const { setting, model } of namedModels(values)) {
    const sign = named(setting, values)
    const entry = models.entries.find((candidate) => candidate.id === model)
    if (entry !== undefined) return fromEntry(entry, given, choice, sign)
    const id = model.slice(0, Math.max(0, model.indexOf("/")))
    const upstream = id === "" ? undefined : providerUpstream(given, id)
    if (upstream !== undefined && (upstream.apiKeys.length > 0 || !upstream.needsKey))
      return fromProvider(given, id, [`${sign} names ${upstream.row.name}: it is the default upstream.`])
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

function reachOf(entry: ModelEntry, given: Given, main: Upstream | undefined): Reach {
  const provider = providerOf(entry, given, main)
  const address = addressOf(entry, provider)
  if (address === undefined) return { ok: false, why: lackOfAddress(entry) }
  const isProviders = provider !== undefined && sameOrigin(provider.baseUrl, address.baseUrl)
  const key = keyOf(entry, address, isProviders ? provider : undefined, given, main)
  if (key.kind === "taken" && given.needsUpstream) {
    const why = `needs api_key_name in models.yaml: ${key.name} is the key for ${main?.row.name} here`
    return { ok: false, why }
  }
  const found = key.kind === "taken" ? none : key
  const upstream = makeUpstream(given, {
    row: rowOf(entry, provider, address),
    address,
    key: found,
    needsKey: found.kind === "variable" && (entry.keyName !== undefined || !isProviders || provider.needsKey),
    entry: entry.provider === undefined ? undefined : entryOf(given, entry.provider),
    withHeaders: isProviders,
    direct: entry.direct,
    addressSetting:
      entry.apiBase === undefined
        ? provider?.addressSetting
        : `api_base of the model ${entry.id} in models.yaml`,
  })
  if (upstream.needsKey && upstream.apiKeys.length === 0)
    return { ok: false, why: `needs the key ${upstream.keyName}, which is not set on the proxy` }
  return { ok: true, upstream }
}

/** The upstream of the model's provider: the default one where it is that, unless it speaks another API. */
function providerOf(entry: ModelEntry, given: Given, main: Upstream | undefined): Upstream | undefined {
  const { provider: id, direct } = entry
  if (id === undefined) return undefined
  const isMain = main !== undefined && main.row.id === id && main.native === direct
  return isMain ? main : providerUpstream(given, id, main)
}

function addressOf(
  { apiBase, direct, provider: id }: ModelEntry,
  provider: Upstream | undefined,
): Address | undefined {
  if (apiBase !== undefined) return addressAt(apiBase)
  const known = id === undefined ? undefined : findProvider(id)
  // A provider at an address of the user's own speaks what the model says it speaks; else the table knows where.
  const isUsersOwn = provider?.addressSetting !== undefined
  if (direct && provider?.native !== true && !isUsersOwn) return addressAt(known?.native)
  const made = addressAt(provider?.baseUrl)
  return made === undefined || provider === undefined ? undefined : { ...made, query: provider.query }
}

function lackOfAddress({ provider, direct }: ModelEntry): string {
  const what = direct ? "has no known address for Anthropic's API" : "has no address"
  return `${what}: ${provider} needs api_base in models.yaml`
}

function rowOf(
  { profile, provider: id }: ModelEntry,
  provider: Upstream | undefined,
  address: Address,
): ProviderRow {
  const row = provider?.row ?? (id === undefined ? undefined : findProvider(id))
  if (row !== undefined) return withRules(row, profile)
  return (profile === undefined ? undefined : findProvider(profile)) ?? rowForAddress(address, undefined)
}

type FoundKey = Key | { readonly kind: "taken"; readonly name: string }

const none: Key = { kind: "none" }

/** A provider that needs a key and has no variable for it has lost that one to another host. */
function keyLike({ keyName, apiKeys, needsKey, row }: Upstream): FoundKey {
  if (keyName === "") return needsKey ? { kind: "taken", name: row.keyNames[0] ?? "" } : none
  return apiKeys.length === 0 && !needsKey ? none : { kind: "variable", name: keyName }
}

/**
 * The key for an address: the model's own, else that of whoever is served at the very same host, else the
 * variable of the provider whose host it is. A key is never guessed for a host that nobody knows; "taken": the
 * provider's variable holds the key of another host.
 */
function keyOf(
  entry: ModelEntry,
  address: Address,
  provider: Upstream | undefined,
  given: Given,
  main: Upstream | undefined,
): FoundKey {
  if (entry.keyName !== undefined) return { kind: "variable", name: entry.keyName }
  const neighbour =
    provider ?? (main !== undefined && sameOrigin(main.baseUrl, address.baseUrl) ? main : undefined)
  if (neighbour !== undefined) return keyLike(neighbour)
  const host = providerForUrl(address.url)
  const [first] = host.keyNames
  if (host.id === "generic" || first === undefined) return none
  const isMains = main !== undefined && providerForUrl(new URL(main.baseUrl)).id === host.id
  const own = host.keyNames.filter((name) => isMains || name !== main?.keyName)
  const name = own.find((candidate) => keysOf(given, candidate).length > 0) ?? own[0]
  return name === undefined ? { kind: "taken", name: first } : { kind: "variable", name }
}
