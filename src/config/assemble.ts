// The whole Config out of the values of all sources: every check, and every problem found, not only the first.
import { redact } from "../protocol/redact.ts"
import { findProvider } from "../providers/table.ts"
import { type CertificateTools, readAuthorities } from "./authorities.ts"
import { keyPart, keyProblems, keyRole, keyWarnings } from "./client-keys.ts"
import type { Config, CustomModel, Router, Tiers, Upstream } from "./config.ts"
import { chooseWithModels, reachModels } from "./custom-models.ts"
import type { Choice, Given } from "./given.ts"
import { customHeaders } from "./headers.ts"
import { networkPart, proxySecrets } from "./network.ts"
import { chooseOthers, chooseRouter, chooseTiers } from "./others.ts"
import { resolveRoute } from "./route.ts"
import { scalarProblems, scalars } from "./scalars.ts"
import { type SettingName, settings } from "./settings.ts"
import { createReader, named, type Values } from "./values.ts"

export type Options = Omit<Given, "values" | "headers"> & {
  readonly terminal: boolean
  readonly demoBaseUrl: string | undefined
  readonly certificates: CertificateTools
}

export interface Assembled {
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
  const given: Given = { values, headers: added.headers, ...options }
  const choice =
    options.demoBaseUrl === undefined ? chooseWithModels(given) : demoChoice(given, options.demoBaseUrl)
  const plain = scalars(reader, options.terminal)
  const upstreams = upstreamPart(given, choice, options)
  const routed = upstreams !== undefined && Object.values(upstreams.router).some((slot) => slot !== undefined)
  const all = allUpstreams(upstreams)
  const trust = readAuthorities(values, options.certificates)
  const { providers } = options.models
  const way = networkPart({ values, providers, upstreams: all, authorities: trust.authorities })
  const others = [...proxySecrets(way.network), ...headersOfModels(upstreams)]
  const facts = { upstreams: all, routed, headers: added.headers, others }
  const keys = keyPart(values, keyRole(reader), facts)
  const config = upstreams && freeze({ ...plain, ...upstreams, ...keys, network: way.network })
  return {
    config,
    problems: [
      ...reader.problems(),
      ...scalarProblems(plain, values),
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
      ...laterWarnings(values),
    ],
    infos: choice.infos,
    lacksUpstream: choice.lacksUpstream === true,
  }
}

/** The file asks for keys of clients, and nothing names one. */
function unkeyed({ needsClientKey }: Options["models"], clientKeys: readonly string[]): readonly string[] {
  return needsClientKey === undefined || clientKeys.length > 0 ? [] : [needsClientKey]
}

function demoChoice(given: Given, baseUrl: string): Choice {
  const row = findProvider("demo")
  const common = { native: false, apiKeys: [], keyName: "", query: {}, headers: given.headers }
  const plain = { delta: {}, defaults: {} }
  const upstream =
    row === undefined ? undefined : { ...common, ...plain, row, baseUrl: baseUrl.replace(/\/+$/, "") }
  return { upstream, problems: [], warnings: [], infos: [] }
}

type Upstreams = Pick<Config, "upstream" | "others" | "tiers" | "models" | "router">

// Commands that only convert may run without any model; a route to a tier is then refused by name.
const noTiers: Tiers = { big: "", middle: "", small: "" }
const noRouter: Router = {
  default: undefined,
  background: undefined,
  think: undefined,
  longContext: undefined,
}

function upstreamPart(given: Given, { upstream, model }: Choice, options: Options): Upstreams | undefined {
  if (upstream === undefined) return undefined
  if (options.demoBaseUrl !== undefined) {
    const tiers = { big: "demo", middle: "demo", small: "demo" }
    return { upstream, others: {}, tiers, router: noRouter, models: [] }
  }
  const router = chooseRouter(given.values)
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

function headersOfModels(upstreams: Upstreams | undefined): readonly string[] {
  return upstreams?.models.flatMap(({ headers }) => Object.values(headers)) ?? []
}

function freeze(config: Config): Config {
  const { others, tiers, router, models } = config
  for (const part of [...allUpstreams(config), others, tiers, router, ...models, models]) Object.freeze(part)
  return Object.freeze(config)
}

/** What is known and has no effect yet must not be believed to have one. */
function laterWarnings(values: Values): readonly string[] {
  const names = settings.flatMap(({ name, later }) => (later === true && values.has(name) ? [name] : []))
  return names.map((name) => `${named(name, values)} has no effect yet: this version has no such thing.`)
}

const modelSettings = [
  ["BIG_MODEL", (config) => config.tiers.big],
  ["MIDDLE_MODEL", (config) => config.tiers.middle],
  ["SMALL_MODEL", (config) => config.tiers.small],
  ["ROUTER_DEFAULT", (config) => config.router.default],
  ["ROUTER_BACKGROUND", (config) => config.router.background],
  ["ROUTER_THINK", (config) => config.router.think],
  ["ROUTER_LONG_CONTEXT", (config) => config.router.longContext],
] as const satisfies readonly (readonly [SettingName, (config: Config) => string | undefined])[]

/** Models that are named in the settings and cannot be had. */
function modelProblems(config: Config, values: Values): readonly string[] {
  const { row } = config.upstream
  if (config.tiers.big === "" && row.delta.checksSignatures === true) return []
  if (config.tiers.big === "") {
    return [
      `BIG_MODEL is not set, and ${row.name} has no model of its own to take: set BIG_MODEL to the model's name.`,
    ]
  }
  return modelSettings.flatMap(([name, modelIn]) => {
    const model = values.has(name) ? modelIn(config) : undefined
    if (model === undefined) return []
    const resolved = resolveRoute(config, model, { exact: true })
    return resolved.ok
      ? []
      : [
          `${named(name, values)} cannot be reached: ${redact(resolved.fault.message, config.secrets)}. Change that, or name another model.`,
        ]
  })
}
