// Which models there are, as a list: the ones the settings name, those of models.yaml, and what is known of each.
import type { Config, Upstream } from "../../config/config.ts"
import { findModel, findRow, pickModel } from "../../config/routes/pick.ts"
import { resolveRoute } from "../../config/routes/route.ts"
import { routerSlots, tierSlots } from "../../config/settings/slots.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { Route } from "../../providers/route.ts"
import { findProvider } from "../../providers/table.ts"
import { upstreamOf } from "../../server/probe/target.ts"
import type { RefusalRow } from "../../store/refusal-store.ts"
import type { LearnedBook, LearnedEntry } from "./learned.ts"

/** One model, with the keys that `models --json` prints; null: not known. */
export interface ModelRow {
  /** The name a client can ask for. */
  readonly id: string
  readonly upstream_model: string
  /** What `PROVIDER/NAME` begins with. */
  readonly provider: string | null
  readonly provider_name: string | null
  readonly dialect: "chat" | "responses" | "messages" | null
  /** Input and output together, in tokens. */
  readonly context_window: number | null
  readonly max_output_tokens: number | null
  readonly input_cost_per_million_tokens: number | null
  readonly output_cost_per_million_tokens: number | null
  readonly cache_read_cost_per_million_tokens: number | null
  readonly vision: boolean | null
  /** The proxy can switch its thinking. */
  readonly reasoning: boolean | null
  readonly tools: boolean | null
  /** The upstream streams; where it does not, the proxy makes the stream. */
  readonly streaming: boolean | null
  /** What upstreams have refused of it, and what is sent since. */
  readonly learned: readonly LearnedEntry[]
  /** Claude's families and the settings that lead here. */
  readonly used_by: readonly string[]
  readonly reachable: boolean
  /** Why it cannot be reached. */
  readonly why: string | null
}

interface ListOptions {
  readonly config: Config
  /** The same settings without regard to keys: it knows models that `config` cannot reach. */
  readonly loose: Config
  /** The names of the settings that are set. */
  readonly set: ReadonlySet<string>
  /** Also the models that providers whose key is set would be asked for. */
  readonly all: boolean
  /** What proxies have learned; also of models that only requests have named. */
  readonly learned: LearnedBook
}

interface Candidate {
  readonly name: string
  readonly usedBy?: string
}

/** Every model once, the ones in use first. */
export function listModels(options: ListOptions): readonly ModelRow[] {
  const rows = new Map<string, ModelRow>()
  for (const { name, usedBy } of candidates(options)) {
    const row = describeModel(name, options)
    const place = placeOf(row, options)
    const known = rows.get(place) ?? row
    const used = usedBy === undefined ? known.used_by : [...known.used_by, usedBy]
    rows.set(place, { ...known, used_by: used })
  }
  for (const left of options.learned.left()) {
    const row = describeLearned(left, options)
    if (row !== undefined) rows.set(JSON.stringify([row.id, left[0]?.url]), row)
  }
  return [...rows.values()]
}

/** A model that is in no list, and something was learned of. */
function describeLearned(left: readonly RefusalRow[], options: ListOptions): ModelRow | undefined {
  const [first] = left
  if (first === undefined) return undefined
  const { provider, model, url } = first
  for (const name of [model, `${provider}/${model}`]) {
    const row = describeModel(name, options)
    const isIt = options.learned.rowsOf(row.learned).includes(first)
    if (isIt) return row
  }
  const why = `no upstream leads to ${url} any more`
  const learned = options.learned.entriesOf(left)
  return { id: model, upstream_model: model, ...nothingKnown, learned, used_by: [], reachable: false, why }
}

/** A model of models.yaml has a name of its own; every other one is the same wherever it is named the same. */
function placeOf({ id, provider, upstream_model }: ModelRow, { config }: ListOptions): string {
  return findModel(config, id) === undefined ? JSON.stringify([provider, upstream_model]) : id
}

function candidates(options: ListOptions): readonly Candidate[] {
  const { config, loose, all } = options
  const own = loose.models.map(({ id }) => ({ name: id }))
  const listed = [...inUse(options), ...own, ...(all ? fromProviders(config) : [])]
  return listed.filter(({ name }) => name !== "")
}

const families = ["opus", "sonnet", "haiku"] as const

function inUse({ config, set }: ListOptions): readonly Candidate[] {
  const byFamily = families.flatMap((family): readonly Candidate[] => {
    const { model } = pickModel(config, `claude-${family}`, {}, () => null)
    // Passed on under Claude's own name: no model in particular.
    return model === `claude-${family}` ? [] : [{ name: model, usedBy: family }]
  })
  const routed = routerSlots.flatMap(([slot, setting]): readonly Candidate[] => {
    const name = config.router[slot]
    return name === undefined ? [] : [{ name, usedBy: setting }]
  })
  // Where ROUTER_* takes every request of a family, its tier is still a model that the user has set up.
  const idle = tierSlots.flatMap(([tier, setting]) =>
    set.has(setting) ? [{ name: config.tiers[tier] }] : [],
  )
  return [...byFamily, ...routed, ...idle]
}

/** Providers of the user's own have no models that we know of. */
function fromProviders({ upstream, others }: Config): readonly Candidate[] {
  const keyed = Object.values(others).filter(({ apiKeys }) => apiKeys.length > 0)
  return [upstream, ...keyed].flatMap(({ row }) => {
    const known = row.id === "generic" ? undefined : findProvider(row.id)?.tiers
    const names = known === undefined || known === null ? [] : [known.big, known.small]
    return names.map((name) => ({ name: row === upstream.row ? name : `${row.id}/${name}` }))
  })
}

/** What is known of the model with this name, whether it can be reached or not. */
function describeModel(name: string, options: ListOptions): ModelRow {
  const { config, loose } = options
  const resolved = resolveRoute(config, name, { exact: true })
  const known = resolved.ok ? resolved : resolveRoute(loose, name, { exact: true })
  const why = resolved.ok ? lackOfKey(options, name, resolved.route) : lackOf(config, name, resolved.fault)
  const custom = findModel(loose, name)
  const id = custom?.id ?? name
  const facts = known.ok ? factsOf(known.route, loose) : nothingKnown
  const upstream_model = known.ok ? known.route.model : (custom?.name ?? name)
  const learned = known.ok ? options.learned.of(known.route) : []
  return { id, upstream_model, ...facts, learned, used_by: [], reachable: why === null, why }
}

type Facts = Omit<ModelRow, "id" | "upstream_model" | "learned" | "used_by" | "reachable" | "why">

const nothingKnown: Facts = {
  provider: null,
  provider_name: null,
  dialect: null,
  context_window: null,
  max_output_tokens: null,
  input_cost_per_million_tokens: null,
  output_cost_per_million_tokens: null,
  cache_read_cost_per_million_tokens: null,
  vision: null,
  reasoning: null,
  tools: null,
  streaming: null,
}

function factsOf({ provider, profile, prices }: Route, config: Config): Facts {
  return {
    provider,
    provider_name: findRow(config, provider)?.name ?? provider,
    dialect: profile.dialect,
    context_window: profile.contextWindow,
    max_output_tokens: profile.maxOutputTokens,
    input_cost_per_million_tokens: perMillion(prices?.input),
    output_cost_per_million_tokens: perMillion(prices?.output),
    cache_read_cost_per_million_tokens: perMillion(prices?.cacheRead),
    ...capabilities(profile),
  }
}

/** What is passed through reaches the model as the client wrote it: what it makes of it is its own affair. */
function capabilities(profile: ProviderProfile): Pick<Facts, "vision" | "reasoning" | "tools" | "streaming"> {
  const passed = profile.dialect === "messages"
  return {
    vision: passed ? null : profile.vision,
    reasoning: passed ? null : profile.reasoning.request !== "none",
    tools: passed ? null : profile.maxTools !== 0,
    streaming: profile.streams !== "never",
  }
}

/** Dollars for a million tokens, without the dust of the multiplication. */
function perMillion(price: number | undefined): number | null {
  return price === undefined ? null : Number((price * 1_000_000).toPrecision(12))
}

function lackOf(config: Config, name: string, fault: { readonly message: string }): string {
  const reach = findModel(config, name)?.reach
  return reach?.ok === false ? reach.why : fault.message.replace(/^model: /, "")
}

/** An upstream that wants a key and has none; a server of the user's own may need none. */
function lackOfKey({ config, loose }: ListOptions, name: string, route: Route): string | null {
  const { upstream } = config
  const place = upstreamOf(config, name)
  if (route.apiKeys.length > 0 || place === undefined) return null
  if (route.keyName === "" && !isTaken(place, upstream)) return null
  // Where settings are read without regard to keys, no upstream says that it needs one.
  const needsKey = place.needsKey || (place === upstream ? !isOpen(place) : config === loose)
  if (!needsKey) return null
  return route.keyName === "" || (route.keyName === upstream.keyName && upstream.apiKeys.length > 0)
    ? `needs a key: ${upstream.keyName} is the one for ${upstream.row.name} here`
    : `needs the key ${route.keyName}, which is not set`
}

/** Its provider's variable holds the key of the default upstream. */
function isTaken({ row, addressSetting }: Upstream, { keyName, apiKeys }: Upstream): boolean {
  return addressSetting === undefined && apiKeys.length > 0 && row.keyNames.includes(keyName)
}

function isOpen({ row }: Upstream): boolean {
  return row.keyNames.length === 0 || (row.relay === true && row.baseUrl === null)
}
