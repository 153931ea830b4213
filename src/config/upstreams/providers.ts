// The providers that PROVIDER/NAME can mean: those of the table, and what models.yaml adds or changes.

import type { ProviderRow } from "../../providers/row.ts"
import { findProvider, providerForUrl, providers, servesOthers } from "../../providers/table.ts"
import type { Upstream } from "../config.ts"
import type { ProviderEntry } from "../models/read.ts"
import { type Address, rowForAddress } from "../network/addresses.ts"
import { inUse, namedModels, routerOf } from "../settings/slots.ts"
import type { Given } from "./given.ts"
import { addressAt, anthropicKey, keysOf, makeUpstream, sameOrigin, withRules } from "./make-upstream.ts"

/** What models.yaml says of the provider with this id. */
export function entryOf({ models }: Pick<Given, "models">, id: string): ProviderEntry | undefined {
  for (const entry of models.providers) if (entry.id === id) return entry
  return undefined
}

/** Every id a provider can have, those of models.yaml last. */
export function providerIds({ models }: Pick<Given, "models">): readonly string[] {
  const ids = new Set<string>()
  for (const { id } of providers) if (id !== "generic" && id !== "demo") ids.add(id)
  for (const { id } of models.providers) ids.add(id)
  return [...ids]
}

/**
 * The provider with this id as an upstream; undefined when nobody knows its address. A key is never guessed for
 * a host that is not the provider's own, and the key of the default upstream (`main`) is that host's key,
 * whatever its variable is called.
 */
export function providerUpstream(given: Given, id: string, main?: Upstream): Upstream | undefined {
  const entry = entryOf(given, id)
  const known = findProvider(id)
  const address = addressAt(entry?.apiBase ?? known?.baseUrl ?? known?.native)
  if (address === undefined) return undefined
  const isOwnHost = entry?.apiBase === undefined || providerForUrl(address.url).id === id
  const usual = isOwnHost ? usualKey(known?.keyNames ?? [], given, address, main) : undefined
  const name = entry?.keyName ?? usual
  return makeUpstream(given, {
    row: rowOf(id, known, entry, address),
    address,
    key: name === undefined ? { kind: "none" } : { kind: "variable", name },
    needsKey: entry?.keyName !== undefined || (isOwnHost && (known?.keyNames.length ?? 0) > 0),
    entry,
    addressSetting:
      entry?.apiBase === undefined ? undefined : `api_base of the provider ${id} in models.yaml`,
  })
}

function rowOf(
  id: string,
  known: ProviderRow | undefined,
  entry: ProviderEntry | undefined,
  address: Address,
): ProviderRow {
  const base = known ?? ownRow(id, entry, address)
  const named = entry?.keyName === undefined ? base : { ...base, keyNames: [entry.keyName] }
  return withRules(named, entry?.profile)
}

/** A row for a provider that the table does not have: by the rules of its host, but with no model of its own. */
function ownRow(id: string, entry: ProviderEntry | undefined, address: Address): ProviderRow {
  const rules = rowForAddress(address, undefined)
  const tiers = rules.id === "generic" ? null : rules.tiers
  return { ...rules, id, name: id, baseUrl: entry?.apiBase ?? null, native: null, keyNames: [], tiers }
}

/** The variable to take the key from; if none is set, the one that should be. */
function usualKey(
  names: readonly string[],
  given: Given,
  { baseUrl }: Address,
  main: Upstream | undefined,
): string | undefined {
  const taken = main === undefined || sameOrigin(main.baseUrl, baseUrl) ? undefined : main.keyName
  const free = names.filter(
    (name) => name !== taken && (name !== anthropicKey || !given.needsUpstream || isAnthropicsKey(given)),
  )
  return free.find((name) => keysOf(given, name).length > 0) ?? free[0]
}

/**
 * Is ANTHROPIC_API_KEY for Anthropic itself? Where the user says so, a setting or a model leads there, or
 * requests are routed by their content; else it is a key that clients use.
 */
function isAnthropicsKey({ values, keyRole, models }: Given): boolean {
  if (keyRole !== undefined) return keyRole !== "client"
  const named = namedModels(values).some(({ model }) => model.startsWith("anthropic/"))
  const own = models.entries.some(({ provider }) => provider === "anthropic")
  return named || own || inUse(routerOf(values))
}

/**
 * The upstreams besides the default one, by id: those whose key is set, and those of models.yaml. Where nothing
 * will be sent, also those without a key. Providers that need no key are left out beside a relay: such names
 * may be the relay's own.
 */
export function chooseOthers(given: Given, main: Upstream): Readonly<Record<string, Upstream>> {
  const others: Record<string, Upstream> = {}
  for (const id of providerIds(given)) {
    if (id === main.row.id || isOut(id, given, main)) continue
    const upstream = providerUpstream(given, id, main)
    if (upstream !== undefined && isReachable(id, upstream, given, main)) others[id] = upstream
  }
  return others
}

/** Is it clear beforehand that this one is not reachable? Most are not, and to make an upstream takes a while. */
function isOut(id: string, given: Given, main: Upstream): boolean {
  const keyNames = findProvider(id)?.keyNames ?? []
  if (!given.needsUpstream || entryOf(given, id) !== undefined) return false
  if (keyNames.length === 0) return main.row.relay === true
  for (const name of keyNames) if (given.values.has(name)) return false
  return true
}

function isReachable(id: string, { row, apiKeys }: Upstream, given: Given, main: Upstream): boolean {
  const entry = entryOf(given, id)
  const isShown = !given.needsUpstream && !servesOthers(main.row)
  // An address of the user's own is meant, and may ask for no key.
  const isPlaced = entry?.keyName !== undefined || entry?.apiBase !== undefined
  if (row.delta.dialect === "messages" && !isPlaced)
    return isShown || (apiKeys.length > 0 && isAnthropicsKey(given))
  if (entry !== undefined || apiKeys.length > 0) return true
  if (row.keyNames.length === 0) return main.row.relay !== true
  return isShown
}
