// The whole Config out of the values of all sources: every check, and every problem found, not only the first.
import { redact } from "../../protocol/redact.ts"
import { secretsInFields } from "../../protocol/secrecy.ts"
import { findProvider, servesOthers } from "../../providers/table.ts"
import type { Config, CustomModel, Tiers, Upstream } from "../config.ts"
import { type CertificateTools, readAuthorities } from "../network/authorities.ts"
import { customHeaders } from "../network/headers.ts"
import { networkPart, proxySecrets } from "../network/network.ts"
import { readTls, type TlsTools } from "../network/tls.ts"
import { findModel } from "../routes/pick.ts"
import { resolvePlace } from "../routes/route.ts"
import { nearestKey } from "../settings/near-names.ts"
import { scalarProblems, scalars } from "../settings/scalars.ts"
import { keyRoles, thinkingWords } from "../settings/settings.ts"
import { inUse, namedModels, noRouter, routerOf, routerSlots, tierSlots } from "../settings/slots.ts"
import { createReader, named, type Reader, type Values } from "../settings/values.ts"
import { keyPart, keyProblems, keyWarnings } from "../upstreams/client-keys.ts"
import { chooseWithModels, reachModels } from "../upstreams/custom-models.ts"
import type { Choice, Given } from "../upstreams/given.ts"
import { addressAt, makeUpstream } from "../upstreams/make-upstream.ts"
import { chooseOthers, providerIds } from "../upstreams/providers.ts"
import { chooseTiers } from "../upstreams/tiers.ts"

type Options = Omit<Given, "values" | "headers" | "keyRole" | "thinking"> & {
  readonly terminal: boolean
  readonly demoBaseUrl: string | undefined
  readonly certificates: CertificateTools
  /** Undefined: nothing is served to others. */
  readonly tls: TlsTools | undefined
}

interface Assembled {
  /** Undefined when there is no default upstream. To be used only when there are no problems. */
  readonly config: Config | undefined
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  readonly infos: readonly string[]
  /** Nothing is wrong but that no setting leads anywhere: a server on this machine would do. */
  readonly lacksUpstream: boolean
}

/** Builds the Config from the merged values. */
export function assembleConfig(values: Values, options: Options): Assembled {
  const reader = createReader(values)
  const added = customHeaders(values)
  const keyRole = reader.word("ANTHROPIC_KEY_ROLE", keyRoles)
  const thinking = thinkingOf(reader)
  const given: Given = { values, headers: added.headers, keyRole, thinking, ...options }
  const choice =
    options.demoBaseUrl === undefined ? chooseWithModels(given) : demoChoice(given, options.demoBaseUrl)
  const plain = scalars(reader, options.terminal)
  const upstreams = upstreamPart(given, choice, options)
  const routed = upstreams !== undefined && inUse(upstreams.router)
  const all = allUpstreams(upstreams)
  const trust = readAuthorities(values, options.certificates)
  const door = options.tls === undefined ? { tls: undefined, problems: [] } : readTls(values, options.tls)
  const { providers } = options.models
  const way = networkPart({ values, providers, upstreams: all, authorities: trust.authorities })
  const others = [...proxySecrets(way.network), ...sentByRules(upstreams)]
  const facts = { upstreams: all, routed, headers: added.headers, others }
  const keys = keyPart(values, keyRole, facts)
  const config = upstreams && freeze({ ...plain, ...upstreams, ...keys, network: way.network, tls: door.tls })
  return {
    config,
    problems: [
      ...reader.problems(),
      ...scalarProblems(plain, values),
      ...door.problems,
      ...added.problems,
      ...keyProblems(values),
      ...unkeyed(options.models, keys.clientKeys),
      ...choice.problems,
      ...trust.problems,
      ...(options.needsUpstream ? way.problems : []),
      ...(config === undefined || !options.needsUpstream ? [] : modelProblems(config, values)),
    ],
    warnings: [
      ...added.warnings,
      ...choice.warnings,
      ...trust.warnings,
      ...keyWarnings(values, config, routed),
      ...thinkingWarnings(given, all),
      ...(config === undefined ? [] : prefixWarnings(given, config)),
    ],
    infos: [...choice.infos, ...(config === undefined ? [] : relayInfos(config, values))],
    lacksUpstream: choice.lacksUpstream === true,
  }
}

/** The file asks for keys of clients, and nothing names one. */
function unkeyed({ needsClientKey }: Options["models"], clientKeys: readonly string[]): readonly string[] {
  return needsClientKey === undefined || clientKeys.length > 0 ? [] : [needsClientKey]
}

function demoChoice(given: Given, baseUrl: string): Choice {
  const row = findProvider("demo")
  const address = addressAt(baseUrl)
  const place = { key: { kind: "none" }, needsKey: false } as const
  const upstream =
    row === undefined || address === undefined ? undefined : makeUpstream(given, { ...place, row, address })
  return { upstream, problems: [], warnings: [], infos: [] }
}

type Upstreams = Pick<Config, "upstream" | "others" | "tiers" | "models" | "router">

// Commands that only convert may run without any model; a route to a tier is then refused by name.
const noTiers: Tiers = { big: "", middle: "", small: "" }

function upstreamPart(given: Given, { upstream, model }: Choice, options: Options): Upstreams | undefined {
  if (upstream === undefined) return undefined
  if (options.demoBaseUrl !== undefined) {
    const tiers = { big: "demo", middle: "demo", small: "demo" }
    return { upstream, others: {}, tiers, router: noRouter, models: [] }
  }
  const router = routerOf(given.values)
  const tiers = chooseTiers(given, upstream, model) ?? noTiers
  const models = reachModels(given, upstream)
  return { upstream, others: chooseOthers(given, upstream), tiers, router, models }
}

function allUpstreams(upstreams: Upstreams | undefined): readonly Upstream[] {
  if (upstreams === undefined) return []
  const { upstream, others, models } = upstreams
  const own = models.flatMap(({ reach }: CustomModel) => (reach.ok ? [reach.upstream] : []))
  return [upstream, ...Object.values(others), ...own]
}

/** Headers of models, and headers and secrets in the body that the rules of a model or provider add. */
function sentByRules(upstreams: Upstreams | undefined): readonly string[] {
  const models = upstreams?.models ?? []
  const deltas = [...allUpstreams(upstreams), ...models].map(({ delta }) => delta)
  const headers = [...models, ...deltas].flatMap((one) => Object.values(one.headers ?? {}))
  return [...headers, ...deltas.flatMap(({ extraBody }) => secretsInFields(extraBody))]
}

function freeze(config: Config): Config {
  const { others, tiers, router, models } = config
  for (const part of [...allUpstreams(config), others, tiers, router, ...models, models]) Object.freeze(part)
  return Object.freeze(config)
}

/** A relay serves what it likes: what it is asked for by a default, or under another provider's name, is told. */
function relayInfos({ upstream, tiers }: Config, values: Values): readonly string[] {
  const { row, baseUrl } = upstream
  if (!servesOthers(row) || (row.relay === true && row.baseUrl !== null)) return []
  const host = new URL(baseUrl).host
  const model = row.tiers?.big
  // The only model of models.yaml stands in for the defaults.
  const isAsked = namedModels(values).length === 0 && model !== undefined && tiers.big === model
  const whole = namedModels(values).flatMap(({ setting, model: name }) => {
    const other = name.includes("/") ? findProvider(name.split("/")[0] ?? "") : undefined
    const [key] = other?.keyNames ?? []
    if (other === undefined || key === undefined || values.has(key)) return []
    return [
      `${source(setting, values)} is sent whole to ${host}: ${name}. Set ${key} if ${other.name} itself is meant.`,
    ]
  })
  const asked = isAsked ? [`BIG_MODEL is not set: ${model} is what ${host} is asked for.`] : []
  return [...asked, ...new Set(whole)]
}

/** Only relays have names that hold a slash: elsewhere what stands before it is nearly the name of a provider. */
function prefixWarnings(given: Given, config: Config): readonly string[] {
  const { row, baseUrl } = config.upstream
  // At Ollama they are people's own.
  if (servesOthers(row) || row.keyNames.length === 0) return []
  const ids = providerIds(given)
  const warnings = namedModels(given.values).flatMap(({ setting, model }) => {
    const [prefix = "", ...rest] = model.split("/")
    const meant = rest.length === 0 || ids.includes(prefix) ? undefined : nearestKey(prefix, ids)
    if (meant === undefined || findModel(config, model) !== undefined) return []
    const sent = `is sent whole to ${new URL(baseUrl).host}: ${model}`
    return [`${source(setting, given.values)} ${sent}. Did you mean ${[meant, ...rest].join("/")}?`]
  })
  return [...new Set(warnings)]
}

/** Of the command line the one option is meant that stands for all three tiers. */
function source(setting: string, values: Values): string {
  return values.get(setting)?.origin === "command line" ? "--model" : named(setting, values)
}

/** Models that are named in the settings and cannot be had. */
function modelProblems(config: Config, values: Values): readonly string[] {
  const { upstream, tiers, router } = config
  const lacksBig = tiers.big === "" && upstream.row.delta.checksSignatures !== true
  const { name } = upstream.row
  const models = [
    ...tierSlots.map(([slot, setting]) => [setting, tiers[slot]] as const),
    ...routerSlots.map(([slot, setting]) => [setting, router[slot]] as const),
  ]
  const unreachable = models.flatMap(([setting, model = ""]) => {
    const place = model === "" || !values.has(setting) ? undefined : resolvePlace(config, model)
    if (place === undefined || place.ok) return []
    const why = redact(place.fault.message, config.secrets)
    return [`${source(setting, values)} cannot be reached: ${why}. Change that, or name another model.`]
  })
  return [
    ...(lacksBig
      ? [
          `BIG_MODEL is not set, and ${name} has no model of its own to take: set BIG_MODEL to the model's name.`,
        ]
      : []),
    ...new Set(unreachable),
  ]
}

function thinkingOf(reader: Reader): Given["thinking"] {
  const word = reader.word("DEEPSEEK_THINKING", thinkingWords)
  return word === undefined ? undefined : ({ true: "on", false: "off", auto: "auto" } as const)[word]
}

/** Whoever sets this expects DeepSeek somewhere. */
function thinkingWarnings({ values, thinking }: Given, upstreams: readonly Upstream[]): readonly string[] {
  if (thinking === undefined || upstreams.some(({ defaults }) => defaults.thinking !== undefined)) return []
  return [
    `${named("DEEPSEEK_THINKING", values)} has no effect: no upstream is DeepSeek. Set OPENAI_BASE_URL to where its model is served.`,
  ]
}
