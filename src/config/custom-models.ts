// The models of models.yaml, each with the place it is served at.
import { findProvider, type ProviderRow, providerForUrl } from "../providers/table.ts"
import { type Choice, chooseUpstream, type Given } from "./choose.ts"
import type { CustomModel, Reach, Upstream } from "./config.ts"
import type { ModelEntry } from "./models-file.ts"
import { type Address, isNative, queryFor, readBaseUrl, rowForAddress } from "./upstreams.ts"
import { listOf, named } from "./values.ts"

/** Every model with its upstream, or with what is missing to reach it. */
export function reachModels(
  entries: readonly ModelEntry[],
  given: Given,
  main: Upstream,
): readonly CustomModel[] {
  return entries.map((entry) => ({
    id: entry.id,
    name: entry.name,
    reach: reachOf(entry, given, main),
    delta: entry.delta,
    prices: entry.prices,
  }))
}

/**
 * The default upstream. Where the settings lead to none, that of the model BIG_MODEL stands for will do: who
 * has models of their own may need no other.
 */
export function chooseWithModels(entries: readonly ModelEntry[], given: Given): Choice {
  const choice = chooseUpstream(given)
  const { values } = given
  const id = values.get("BIG_MODEL")?.value.replace(/^custom\//, "")
  const entry = entries.find((candidate) => candidate.id === id)
  const addressed = values.has("OPENAI_BASE_URL") || values.has("AZURE_API_VERSION")
  if (choice.upstream !== undefined || addressed || entry === undefined) return choice
  const reach = reachOf(entry, given, undefined)
  const setting = named("BIG_MODEL", values)
  if (!reach.ok)
    return { ...choice, problems: [`${setting} cannot be reached: ${lackOf(entry.id, reach.why)}.`] }
  const info = `${setting} is a model of your own, and no other upstream is set: its upstream is the default one.`
  return { upstream: reach.upstream, problems: [], warnings: [], infos: [info] }
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
  const sameRow = main !== undefined && main.row.id === entry.provider
  if (entry.apiBase === undefined && sameRow && entry.direct === main.native) {
    const key = entry.keyName === undefined ? undefined : variable(entry.keyName)
    return key === undefined ? { ok: true, upstream: main } : withKey({ ...main, key }, given, main)
  }
  const place = placeOf(entry, given, main)
  return place === undefined ? { ok: false, why: lackOfAddress(entry) } : withKey(place, given, main)
}

function lackOfAddress({ provider, direct }: ModelEntry): string {
  const what = direct ? "has no known address for Anthropic's API" : "has no address"
  return `${what}: ${provider} needs api_base in models.yaml`
}

function withKey(
  { row, native, baseUrl, query, key }: Place,
  given: Given,
  main: Upstream | undefined,
): Reach {
  const keyName = key.kind === "none" ? "" : key.name
  const apiKey = listOf(given.values.get(keyName))[0]
  if (given.needsUpstream && key.kind === "taken") {
    const why = `needs api_key_name in models.yaml: ${keyName} is the key for ${main?.row.name} here`
    return { ok: false, why }
  }
  if (given.needsUpstream && key.kind === "variable" && apiKey === undefined)
    return { ok: false, why: `needs the key ${keyName}, which is not set on the proxy` }
  const upstream = {
    row,
    native,
    baseUrl,
    apiKey: key.kind === "variable" ? apiKey : undefined,
    keyName,
    query,
    headers: given.headers,
  }
  return { ok: true, upstream }
}

const variable = (name: string): Key => ({ kind: "variable", name })

function placeOf(entry: ModelEntry, given: Given, main: Upstream | undefined): Place | undefined {
  const named = entry.provider === undefined ? undefined : findProvider(entry.provider)
  const own = entry.direct ? named?.native : (named?.baseUrl ?? named?.native)
  const read = readBaseUrl(entry.apiBase ?? own ?? "")
  if (!read.ok) return undefined
  const address = read.value
  const row = named ?? rowForAddress(address, undefined)
  return {
    row,
    native: entry.direct || isNative(row, address.baseUrl),
    baseUrl: address.baseUrl,
    query: queryFor(row, address, given.values.get("AZURE_API_VERSION")?.value),
    key: entry.keyName === undefined ? keyOf(address, given, main) : variable(entry.keyName),
  }
}

/**
 * The key for an address when the model names none: that of the default upstream at the very same host, else
 * the variable of the provider whose host it is. A key is never guessed for a host that nobody knows.
 */
function keyOf(address: Address, given: Given, main: Upstream | undefined): Key {
  if (main !== undefined && new URL(main.baseUrl).origin === address.url.origin)
    return main.apiKey === undefined ? { kind: "none" } : variable(main.keyName)
  const host = providerForUrl(address.url)
  const [first] = host.keyNames
  if (host.id === "generic" || first === undefined) return { kind: "none" }
  const own = host.keyNames.filter((name) => host.id === main?.row.id || name !== main?.keyName)
  const name = own.find((candidate) => given.values.has(candidate)) ?? own[0]
  return name === undefined ? { kind: "taken", name: first } : variable(name)
}
