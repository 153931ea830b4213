// Which upstream is the default one.
import { findProvider, type ProviderRow, providers } from "../providers/table.ts"
import type { Upstream } from "./config.ts"
import type { Choice, Given } from "./given.ts"
import { changedBy, ownUpstream } from "./own-providers.ts"
import { keyOf, upstreamOfRow } from "./upstream-of-row.ts"
import { queryFor, readBaseUrl, rowForAddress } from "./upstreams.ts"
import { named } from "./values.ts"

const nothing = { problems: [], warnings: [], infos: [] } as const

/** The default upstream: where the base URL points; without one, the only provider whose key is set. */
export function chooseUpstream(given: Given): Choice {
  const { values, needsUpstream } = given
  const base = values.get("OPENAI_BASE_URL")
  if (base !== undefined) return fromBaseUrl(given, base.value)
  const apiVersion = values.has("AZURE_API_VERSION")
  if (apiVersion && needsUpstream)
    return refuse(`${named("AZURE_API_VERSION", values)} means Azure. ${azureNeeds}`)
  if (values.has("OPENAI_API_KEY") || apiVersion) return fromOpenAi(given)
  const candidates = candidatesOf(given)
  const [only, ...more] = candidates
  if (more.length > 0) return ambiguous(given, candidates)
  if (only !== undefined) return only.choose()
  return fromLocal(given) ?? withoutKeys(given)
}

interface Candidate {
  /** What speaks for it, as a message names it. */
  readonly sign: string
  readonly baseUrl: string | null
  readonly choose: () => Choice
}

/** Providers whose key is set, and those that models.yaml adds. */
function candidatesOf(given: Given): readonly Candidate[] {
  const { values, models } = given
  const rows = providers.filter((row) => mayBeDefault(row) && keyOf(row, values) !== undefined)
  const known = rows.map((row) => ({
    sign: named(keyOf(row, values) ?? "", values),
    baseUrl: row.baseUrl,
    choose: () => fromKey(given, row),
  }))
  const ids = new Set(rows.map((row) => row.id))
  const own = models.providers.flatMap((entry) => {
    const upstream =
      ids.has(entry.id) || findProvider(entry.id) !== undefined ? undefined : ownUpstream(entry, given)
    if (upstream === undefined || (entry.keyName !== undefined && upstream.apiKeys.length === 0)) return []
    const infos = [`${entry.id} is the only provider of models.yaml: it is the default upstream.`]
    const choose = () => ({ ...nothing, upstream, infos })
    return [{ sign: `the provider ${entry.id} of models.yaml`, baseUrl: upstream.baseUrl, choose }]
  })
  return [...known, ...own]
}

function fromKey(given: Given, row: ProviderRow): Choice {
  const key = named(keyOf(row, given.values) ?? "", given.values)
  if (row.baseUrl === null)
    return given.needsUpstream ? refuse(`${key} is set. ${azureNeeds}`) : fromRow(given, "openai")
  const infos = [`${key} is the only key set: ${row.name} is the default upstream.`]
  return { ...fromRow(given, row.id), infos }
}

function fromLocal(given: Given): Choice | undefined {
  const { localServer } = given
  const row = localServer && findProvider(localServer.provider)
  if (row === undefined || localServer === undefined) return undefined
  const [model = ""] = localServer.models
  const upstream = upstreamOfRow(given, row, localServer.baseUrl, undefined)
  const chosen = given.values.has("BIG_MODEL") ? "" : ` ${model} is the model it was last given.`
  const info = `no key is set and ${row.name} answers at ${localServer.baseUrl}: it is the default upstream.${chosen}`
  return { ...nothing, upstream, infos: [info] }
}

function withoutKeys(given: Given): Choice {
  if (!given.needsUpstream) return fromRow(given, "openai")
  return { ...refuse(noKey(given.keyFile)), lacksUpstream: true }
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

function ambiguous(given: Given, candidates: readonly Candidate[]): Choice {
  if (!given.needsUpstream) return fromRow(given, "openai")
  const signs = candidates.map(({ sign }) => sign)
  const addresses = candidates.flatMap(({ baseUrl }) => baseUrl ?? [])
  const choices = addresses.map((address) => `OPENAI_BASE_URL=${address}`)
  return refuse(
    `${signs.join(" and ")} are set, and nothing says which provider is the default one: ` +
      `set ${choices.join(" or ")}.`,
  )
}

function fromRow(given: Given, id: string): Choice {
  const row = findProvider(id)
  if (row === undefined || row.baseUrl === null) return refuse(`OPENAI_BASE_URL is not set: ${id} needs one.`)
  const upstream = upstreamOfRow(given, row, row.baseUrl, keyOf(row, given.values))
  return { ...nothing, upstream: changedBy(given, upstream) }
}

/** OpenAI's own key goes to no other host, whatever else is set. */
function fromOpenAi(given: Given): Choice {
  const choice = fromRow(given, "openai")
  if (!given.values.has("DEEPSEEK_THINKING")) return choice
  const thinking = named("DEEPSEEK_THINKING", given.values)
  const warning = `${thinking} has no effect at OpenAI: set OPENAI_BASE_URL to where DeepSeek's model is served.`
  return { ...choice, warnings: [warning] }
}

function fromBaseUrl(given: Given, text: string): Choice {
  const { values } = given
  const read = readBaseUrl(text)
  if (!read.ok) return refuse(`${named("OPENAI_BASE_URL", values)} ${read.why}.`)
  const address = read.value
  const apiVersion = values.get("AZURE_API_VERSION")?.value
  const row = asDeepSeek(given) ?? rowForAddress(address, apiVersion)
  const keyName = ["OPENAI_API_KEY", ...row.keyNames].find((name) => values.has(name))
  const made = upstreamOfRow(given, row, address.baseUrl, keyName)
  const upstream = {
    ...made,
    keyName: made.keyName === "" ? "OPENAI_API_KEY" : made.keyName,
    query: queryFor(row, address, apiVersion),
  }
  return {
    ...nothing,
    upstream: changedBy(given, upstream),
    ...keyCheck(given, upstream),
    warnings: baseWarnings(given, upstream, address.url),
  }
}

function asDeepSeek({ values }: Given): ProviderRow | undefined {
  return values.has("DEEPSEEK_THINKING") ? findProvider("deepseek") : undefined
}

function keyCheck(given: Given, upstream: Upstream): Pick<Choice, "problems"> {
  const missing = given.needsUpstream && upstream.row.id === "openai" && upstream.apiKeys.length === 0
  return { problems: missing ? [noKey(given.keyFile)] : [] }
}

function baseWarnings(given: Given, upstream: Upstream, url: URL): readonly string[] {
  const { row } = upstream
  const warnings: string[] = []
  const unkeyed = given.needsUpstream && upstream.apiKeys.length === 0
  if (unkeyed && row.keyNames.length > 0 && !isOpenAi(row)) {
    warnings.push(`${upstream.keyName} is not set: ${row.name} will refuse every request.`)
  }
  const byHost = rowForAddress({ url, baseUrl: upstream.baseUrl, query: {} }, undefined)
  if (byHost.id !== row.id && byHost.id !== "generic") {
    const setting = asDeepSeek(given) === undefined ? "AZURE_API_VERSION" : "DEEPSEEK_THINKING"
    const what = `${named(setting, given.values)} makes ${url.host} ${article(row.name)} upstream`
    warnings.push(`${what}, but it is ${byHost.name}. Take it out.`)
  }
  return warnings
}

function article(name: string): string {
  return /^[aeiou]/i.test(name) ? `an ${name.split(" ")[0]}` : `a ${name.split(" ")[0]}`
}
