// Providers of models.yaml: new ones, and what is changed of those that are known.

import type { Defaults } from "../providers/route.ts"
import { findProvider, type ProviderRow, providers } from "../providers/table.ts"
import type { Upstream } from "./config.ts"
import type { Given } from "./given.ts"
import type { ProviderEntry } from "./models/read.ts"
import { keyOf, upstreamOfRow } from "./upstream-of-row.ts"
import { queryFor, readBaseUrl, rowForAddress } from "./upstreams.ts"

/** What models.yaml says of the provider with this id. */
export function entryOf({ models }: Pick<Given, "models">, id: string): ProviderEntry | undefined {
  return models.providers.find((entry) => entry.id === id)
}

/** An upstream with what models.yaml says of its provider. */
export function changedBy(given: Given, upstream: Upstream): Upstream {
  const entry = entryOf(given, upstream.row.id)
  const thinking = thinkingOf(given, upstream)
  const defaults = { ...upstream.defaults, ...sectionDefaults(given, upstream), ...thinking }
  if (entry === undefined) return { ...upstream, defaults }
  return { ...withEntry(upstream, entry), defaults: { ...defaults, ...entry.defaults } }
}

/** The section `deepseek:` speaks of whatever is spoken to as DeepSeek is. */
function sectionDefaults({ models }: Given, { row }: Upstream): Defaults {
  return row.id === "deepseek" ? models.defaults : {}
}

/** The same upstream with headers, rules and defaults of an entry. */
export function withEntry(upstream: Upstream, entry: ProviderEntry): Upstream {
  return {
    ...upstream,
    headers: { ...upstream.headers, ...entry.headers },
    delta: entry.delta,
    defaults: { ...upstream.defaults, ...entry.defaults },
  }
}

const thinkingWords: Readonly<Record<string, "on" | "off" | "auto">> = {
  true: "on",
  false: "off",
  auto: "auto",
}

/** DEEPSEEK_THINKING, for whatever is spoken to as DeepSeek is. */
export function thinkingOf({ values }: Pick<Given, "values">, { row }: Pick<Upstream, "row">) {
  const word = values.get("DEEPSEEK_THINKING")?.value.toLowerCase()
  const thinking = word === undefined || row.id !== "deepseek" ? undefined : thinkingWords[word]
  return thinking === undefined ? {} : { thinking }
}

/** The provider of an entry as an upstream; undefined when it has no address. */
export function ownUpstream(entry: ProviderEntry, given: Given): Upstream | undefined {
  const known = findProvider(entry.id)
  const base = entry.profile === undefined ? known : findProvider(entry.profile)
  const text = entry.apiBase ?? known?.baseUrl ?? known?.native ?? base?.baseUrl
  const read = readBaseUrl(text ?? "", "api_key_name")
  if (!read.ok) return undefined
  const address = read.value
  const row = rowOf(entry, base ?? rowForAddress(address, undefined))
  const keyName = entry.keyName ?? keyOf(row, given.values)
  const made = upstreamOfRow(given, row, address.baseUrl, keyName)
  const query = queryFor(row, address, given.values.get("AZURE_API_VERSION")?.value)
  const defaults = { ...sectionDefaults(given, made), ...thinkingOf(given, made) }
  return withEntry({ ...made, query, defaults }, entry)
}

/** A row of the entry's own, with the rules of another one. A key is never guessed for an unknown host. */
function rowOf(entry: ProviderEntry, base: ProviderRow): ProviderRow {
  const keyNames = entry.keyName === undefined ? [] : [entry.keyName]
  if (base.id === entry.id) return entry.keyName === undefined ? base : { ...base, keyNames }
  return { ...base, id: entry.id, name: entry.id, baseUrl: entry.apiBase ?? base.baseUrl, keyNames }
}

/** Every id that PROVIDER/NAME may begin with. */
export function providerIds({ models }: Pick<Given, "models">): readonly string[] {
  return [...providers.map((row) => row.id), ...models.providers.map((entry) => entry.id)]
}
