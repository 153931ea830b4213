// Which upstream is the default one.

import type { ProviderRow } from "../../providers/row.ts"
import { findProvider, providerForUrl } from "../../providers/table.ts"
import type { Upstream } from "../config.ts"
import type { ProviderEntry } from "../models/read.ts"
import { type Address, readBaseUrl, rowForAddress } from "../network/addresses.ts"
import { named } from "../settings/values.ts"
import type { Choice, Given } from "./given.ts"
import { addressAt, keysOf, makeUpstream, sameOrigin, withRules } from "./make-upstream.ts"
import { entryOf, providerIds, providerUpstream } from "./providers.ts"

const nothing = { problems: [], warnings: [], infos: [] } as const
const openAiKey = "OPENAI_API_KEY"

/** The default upstream: where the base URL points; without one, the only provider whose key is set. */
export function chooseUpstream(given: Given): Choice {
  const { values, needsUpstream } = given
  const base = values.get("OPENAI_BASE_URL")
  if (base !== undefined) return fromBaseUrl(given, base.value)
  const apiVersion = values.has("AZURE_API_VERSION")
  if (apiVersion && needsUpstream && entryOf(given, "azure")?.apiBase === undefined)
    return refuse(`${named("AZURE_API_VERSION", values)} means Azure. ${azureNeeds}`)
  if (values.has(openAiKey)) return fromProvider(given, "openai", [])
  const candidates = candidatesOf(given)
  const [only, ...more] = candidates
  if (more.length > 0) return ambiguous(given, candidates)
  if (only !== undefined) return only.choose()
  return fromLocal(given) ?? withoutKeys(given)
}

interface Candidate {
  /** What speaks for it, as a message names it. */
  readonly sign: string
  /** The setting that would choose it. */
  readonly choice: string | undefined
  readonly choose: () => Choice
}

/** Providers whose key is set, and those of models.yaml that need none. */
function candidatesOf(given: Given): readonly Candidate[] {
  return providerIds(given).flatMap((id) => candidateOf(given, id) ?? [])
}

function candidateOf(given: Given, id: string): Candidate | undefined {
  const row = findProvider(id)
  const entry = entryOf(given, id)
  // Anthropic's key is more likely the client's own: only an address makes it the default upstream.
  if (row?.delta.dialect === "messages" && entry?.keyName === undefined) return undefined
  const name = [entry?.keyName ?? [], row?.keyNames ?? []].flat().find((one) => keysOf(given, one).length > 0)
  if (name === undefined)
    return row === undefined && entry?.keyName === undefined ? keyless(given, id) : undefined
  const sign = named(name, given.values)
  const upstream = providerUpstream(given, id)
  if (upstream === undefined) return { sign, choice: undefined, choose: () => azureOnly(given, sign) }
  if (upstream.apiKeys.length === 0) return undefined
  const choice = row === undefined ? `BIG_MODEL=${id}/MODEL` : `OPENAI_BASE_URL=${upstream.baseUrl}`
  const info = `${sign} is the only key set: ${upstream.row.name} is the default upstream.`
  return { sign, choice, choose: () => ({ ...nothing, upstream, infos: [info] }) }
}

function keyless(given: Given, id: string): Candidate | undefined {
  const upstream = providerUpstream(given, id)
  if (upstream === undefined) return undefined
  const infos = [`${id} is the only provider of models.yaml: it is the default upstream.`]
  const sign = `the provider ${id} of models.yaml`
  return { sign, choice: `BIG_MODEL=${id}/MODEL`, choose: () => ({ ...nothing, upstream, infos }) }
}

const azureNeeds =
  "Azure OpenAI has no address common to all: set OPENAI_BASE_URL to yours, https://NAME.openai.azure.com."

function azureOnly(given: Given, sign: string): Choice {
  return given.needsUpstream ? refuse(`${sign} is set. ${azureNeeds}`) : fromProvider(given, "openai", [])
}

function fromLocal(given: Given): Choice | undefined {
  const { localServer } = given
  const row = localServer && findProvider(localServer.provider)
  const address = addressAt(localServer?.baseUrl)
  if (row === undefined || localServer === undefined || address === undefined) return undefined
  const [model = ""] = localServer.models
  const entry = entryAt(given, row.id, address)
  const place = {
    row: withRules(row, entry?.profile),
    address,
    key: { kind: "none" },
    needsKey: false,
  } as const
  const chosen = given.values.has("BIG_MODEL") ? "" : ` ${model} is the model it was last given.`
  const info = `no key is set and ${row.name} answers at ${localServer.baseUrl}: it is the default upstream.${chosen}`
  return { ...nothing, upstream: makeUpstream(given, { ...place, entry }), infos: [info] }
}

function withoutKeys(given: Given): Choice {
  if (!given.needsUpstream) return fromProvider(given, "openai", [])
  return { ...refuse(noKey(given.keyFile)), lacksUpstream: true }
}

function refuse(problem: string): Choice {
  return { ...nothing, upstream: undefined, problems: [problem] }
}

function noKey(keyFile: string): string {
  return (
    `${openAiKey} is not set: write ${openAiKey}=... into ${keyFile}, or set it in the environment. ` +
    "A provider's own variable (DEEPSEEK_API_KEY) does as well, and a local server needs only " +
    "OPENAI_BASE_URL. To try it without any key: claude-proxy demo."
  )
}

function ambiguous(given: Given, candidates: readonly Candidate[]): Choice {
  if (!given.needsUpstream) return fromProvider(given, "openai", [])
  const signs = candidates.map(({ sign }) => sign)
  const choices = candidates.flatMap(({ choice }) => choice ?? [])
  return refuse(
    `${signs.join(" and ")} are set, and nothing says which provider is the default one: ` +
      `set ${choices.join(" or ")}.`,
  )
}

/** A provider by its id; one that is named by the settings needs no further word. */
export function fromProvider(given: Given, id: string, infos: readonly string[]): Choice {
  const upstream = providerUpstream(given, id)
  if (upstream === undefined) return refuse(`OPENAI_BASE_URL is not set: ${id} needs one.`)
  return { ...nothing, upstream, infos }
}

function fromBaseUrl(given: Given, text: string): Choice {
  const { values } = given
  const read = readBaseUrl(text)
  if (!read.ok) return refuse(`${named("OPENAI_BASE_URL", values)} ${read.why}.`)
  const address = read.value
  const own = ownAt(given, address)
  const row = asDeepSeek(given) ?? own ?? rowForAddress(address, azureVersion(given))
  const entry = entryAt(given, row.id, address)
  // Settings and paths say whose an unknown host is; models.yaml says there which key it gets.
  const host = providerForUrl(address.url).id
  const isTheirs = host === row.id || (host === "generic" && row !== own)
  const names = keyNames(row, entry?.keyName, isTheirs)
  const keyName = names.find((name) => keysOf(given, name).length > 0)
  const upstream = makeUpstream(given, {
    row: withRules(row, entry?.profile),
    address,
    key: { kind: "variable", name: keyName ?? (isTheirs ? row.keyNames[0] : undefined) ?? openAiKey },
    needsKey: row.keyNames.length > 0 && !(row.relay === true && row.baseUrl === null),
    entry,
    addressSetting: "OPENAI_BASE_URL",
  })
  return {
    ...nothing,
    upstream,
    ...keyCheck(given, upstream),
    warnings: [...baseWarnings(given, upstream, address), ...secondKey(given, row, names, keyName)],
  }
}

const azureVersion = ({ values }: Given): string | undefined => values.get("AZURE_API_VERSION")?.value

function asDeepSeek({ thinking }: Given): ProviderRow | undefined {
  return thinking === undefined ? undefined : findProvider("deepseek")
}

/** A provider of models.yaml that is served at this very address. */
function ownAt(given: Given, { baseUrl }: Address): ProviderRow | undefined {
  const entry = given.models.providers.find((one) => addressAt(one.apiBase)?.baseUrl === baseUrl)
  return entry && providerUpstream(given, entry.id)?.row
}

/** What models.yaml says of a provider is meant for the address it gives, or for the provider's own. */
function entryAt(given: Given, id: string, { baseUrl }: Address): ProviderEntry | undefined {
  const entry = entryOf(given, id)
  const own = addressAt(entry?.apiBase)?.baseUrl
  return own === undefined || sameOrigin(own, baseUrl) ? entry : undefined
}

/**
 * Variables for the key of the default upstream, the strongest first. Those of a provider count only where the
 * host is theirs; Anthropic's key never goes by OpenAI's name.
 */
function keyNames(row: ProviderRow, named: string | undefined, isTheirs: boolean): readonly string[] {
  const own = isTheirs ? row.keyNames : []
  const first = named === undefined ? [] : [named]
  return row.delta.dialect === "messages" ? [...first, ...own, openAiKey] : [...first, openAiKey, ...own]
}

function keyCheck(given: Given, upstream: Upstream): Pick<Choice, "problems"> {
  const missing = given.needsUpstream && upstream.row.id === "openai" && upstream.apiKeys.length === 0
  return { problems: missing ? [noKey(given.keyFile)] : [] }
}

/** With two keys for one host, it must be said which one it gets. */
function secondKey(
  given: Given,
  row: ProviderRow,
  names: readonly string[],
  used: string | undefined,
): readonly string[] {
  const { values } = given
  const other = names.find((name) => name !== openAiKey && keysOf(given, name).length > 0)
  if (used !== openAiKey || other === undefined || values.get(other)?.value === values.get(used)?.value)
    return []
  return [
    `${named(used, values)} is sent to ${row.name}, and ${named(other, values)} is not used: take one out.`,
  ]
}

function baseWarnings(given: Given, upstream: Upstream, { url }: Address): readonly string[] {
  const { row, apiKeys, needsKey, keyName } = upstream
  const warnings: string[] = []
  if (needsKey && apiKeys.length === 0 && row.id !== "openai")
    warnings.push(`${keyName} is not set: ${row.name} will refuse every request.`)
  const byHost = rowForAddress({ url, baseUrl: upstream.baseUrl, query: {} }, undefined)
  if (byHost.id !== row.id && byHost.id !== "generic" && findProvider(row.id) !== undefined) {
    const setting = asDeepSeek(given) === undefined ? "AZURE_API_VERSION" : "DEEPSEEK_THINKING"
    const what = `${named(setting, given.values)} makes ${url.host} ${article(row.name)} upstream`
    warnings.push(`${what}, but it is ${byHost.name}. Take it out.`)
  }
  return warnings
}

function article(name: string): string {
  return /^[aeiou]/i.test(name) ? `an ${name.split(" ")[0]}` : `a ${name.split(" ")[0]}`
}
