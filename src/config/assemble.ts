// The whole Config out of the values of all sources: every check, and every problem found, not only the first.
import { redact } from "../protocol/redact.ts"
import { findProvider } from "../providers/table.ts"
import { type Choice, chooseOthers, chooseTiers, type Given } from "./choose.ts"
import type { Config, CustomModel, Tiers, Upstream } from "./config.ts"
import { chooseWithModels, reachModels } from "./custom-models.ts"
import { customHeaders } from "./headers.ts"
import type { ModelEntry } from "./models-file.ts"
import { resolveRoute } from "./route.ts"
import { logFormats, logLevels, type SettingName } from "./settings.ts"
import { createReader, listOf, named, type Reader, secretNames, secretsIn, type Values } from "./values.ts"

export interface Options {
  readonly terminal: boolean
  readonly needsUpstream: boolean
  readonly demoBaseUrl: string | undefined
  readonly keyFile: string
  /** What models.yaml holds. */
  readonly models: readonly ModelEntry[]
}

export interface Assembled {
  /** Undefined when there is no default upstream. To be used only when there are no problems. */
  readonly config: Config | undefined
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  readonly infos: readonly string[]
}

/** Builds the Config from the merged values. */
export function assembleConfig(values: Values, options: Options): Assembled {
  const reader = createReader(values)
  const added = customHeaders(values)
  const given = { values, headers: added.headers, ...options }
  const choice =
    options.demoBaseUrl === undefined
      ? chooseWithModels(options.models, given)
      : demoChoice(given, options.demoBaseUrl)
  const plain = scalars(reader, options)
  const { upstream } = choice
  const upstreams = upstream && upstreamPart(given, upstream, options)
  const keys = keyPart(values, upstreams === undefined ? [] : allUpstreams(upstreams), added.headers)
  const config = upstreams && freeze({ ...plain, ...upstreams, ...keys })
  return {
    config,
    problems: [
      ...hostProblems(values),
      ...reader.problems(),
      ...limitProblems(plain, values),
      ...added.problems,
      ...keyProblems(values),
      ...choice.problems,
      ...(config === undefined || !options.needsUpstream ? [] : tierProblems(config, values)),
    ],
    warnings: [...added.warnings, ...choice.warnings, ...severalKeys(config, values)],
    infos: choice.infos,
  }
}

function demoChoice(given: Given, baseUrl: string): Choice {
  const row = findProvider("demo")
  const common = { native: false, apiKey: undefined, keyName: "", query: {}, headers: given.headers }
  const upstream = row === undefined ? undefined : { ...common, row, baseUrl: baseUrl.replace(/\/+$/, "") }
  return { upstream, problems: [], warnings: [], infos: [] }
}

type Scalars = Omit<Config, keyof Upstreams | "clientKeys" | "secrets">

// What stands after "??" is never used: a value that could not be read is a problem, and ends the loading.
function scalars(reader: Reader, options: Options): Scalars {
  return {
    host: (reader.text("HOST") ?? "").replace(/^\[(.*)\]$/, "$1"),
    port: reader.number("PORT") ?? 0,
    logLevel: reader.word("LOG_LEVEL", logLevels) ?? "INFO",
    logFormat: reader.word("LOG_FORMAT", logFormats) ?? (options.terminal ? "text" : "json"),
    defaultMaxTokens: reader.number("DEFAULT_MAX_TOKENS") ?? 0,
    minTokensLimit: reader.number("MIN_TOKENS_LIMIT") ?? 0,
    maxTokensLimit: reader.number("MAX_TOKENS_LIMIT"),
    requestTimeoutMs: Math.round((reader.number("REQUEST_TIMEOUT") ?? 0) * 1000),
    maxRetries: reader.number("MAX_RETRIES") ?? 0,
    estimateTokens: reader.boolean("ENABLE_TOKEN_ESTIMATION") ?? true,
  }
}

type Upstreams = Pick<Config, "upstream" | "others" | "tiers" | "models">

// Commands that only convert may run without any model; a route to a tier is then refused by name.
const noTiers: Tiers = { big: "", middle: "", small: "" }

function upstreamPart(given: Given, upstream: Upstream, options: Options): Upstreams {
  if (options.demoBaseUrl !== undefined) {
    return { upstream, others: {}, tiers: { big: "demo", middle: "demo", small: "demo" }, models: [] }
  }
  const tiers = chooseTiers(given.values, upstream) ?? noTiers
  const models = reachModels(options.models, given, upstream)
  return { upstream, others: chooseOthers(given, upstream), tiers, models }
}

function allUpstreams({ upstream, others, models }: Upstreams): readonly Upstream[] {
  const own = models.flatMap(({ reach }: CustomModel) => (reach.ok ? [reach.upstream] : []))
  return [upstream, ...Object.values(others), ...own]
}

// Shorter header values are words ("true", "beta"): redacting those would tear up every log line.
const shortestHeaderSecret = 6

function keyPart(
  values: Values,
  upstreams: readonly Upstream[],
  headers: Readonly<Record<string, string>>,
): Pick<Config, "clientKeys" | "secrets"> {
  // Where a route leads to Anthropic itself, its key is for there, and no client's.
  const isUpstreams = upstreams.some(({ keyName }) => keyName === "ANTHROPIC_API_KEY")
  const own = isUpstreams ? [] : listOf(values.get("ANTHROPIC_API_KEY"))
  const clientKeys = [...new Set([...listOf(values.get("ALLOWED_API_KEYS")), ...own])]
  const sent = [...Object.values(headers), ...upstreams.flatMap(queryValues)]
  const secrets = [...secretsIn(values), ...sent.filter((value) => value.length >= shortestHeaderSecret)]
  // Longest first: a secret that is part of another one would leave the rest of it standing.
  return { clientKeys, secrets: [...new Set(secrets)].sort((one, other) => other.length - one.length) }
}

function queryValues({ query }: Upstream): readonly string[] {
  const pairs = Object.entries(query)
  return pairs.filter(([name]) => name !== "api-version").map(([, value]) => value)
}

function freeze(config: Config): Config {
  for (const part of [...allUpstreams(config), config.others, config.tiers, ...config.models, config.models])
    Object.freeze(part)
  return Object.freeze(config)
}

function hostProblems(values: Values): readonly string[] {
  const host = values.get("HOST")?.value
  if (host === undefined || !/[\s/]|^[^:]*:\d*$/.test(host)) return []
  return [
    `${named("HOST", values)} is not a host name or an address: leave out http:// and the port (that is PORT).`,
  ]
}

function limitProblems(plain: Scalars, values: Values): readonly string[] {
  const { minTokensLimit: least, maxTokensLimit: most } = plain
  if (most === undefined || least <= most) return []
  const names = `${named("MIN_TOKENS_LIMIT", values)} is ${least}, above ${named("MAX_TOKENS_LIMIT", values)}`
  return [`${names}, which is ${most}: raise the one or lower the other.`]
}

/** Keys are sent in a header, which takes visible ASCII only; Bun would fail at every request. */
function keyProblems(values: Values): readonly string[] {
  return secretNames(values).flatMap((name) => {
    const found = values.get(name)
    if (found === undefined) return []
    const keys = listOf(found)
    if (keys.length === 0)
      return [`${named(name, values)} holds commas and no key: write one or take the line out.`]
    const clean = keys.every((key) => /^[!-~]+$/.test(key))
    return clean
      ? []
      : [`${named(name, values)} holds a space or a character no key can have: copy the key again.`]
  })
}

function severalKeys(config: Config | undefined, values: Values): readonly string[] {
  if (config === undefined) return []
  const names = allUpstreams(config).map((upstream) => upstream.keyName)
  return [...new Set(names)].flatMap((name) => {
    const { length } = listOf(values.get(name))
    return length > 1
      ? [`${named(name, values)} holds ${length} keys: the first is used, the others are not yet.`]
      : []
  })
}

const tierNames = [
  ["BIG_MODEL", "big"],
  ["MIDDLE_MODEL", "middle"],
  ["SMALL_MODEL", "small"],
] as const satisfies readonly (readonly [SettingName, keyof Tiers])[]

function tierProblems(config: Config, values: Values): readonly string[] {
  const { row } = config.upstream
  if (config.tiers.big === "" && row.delta.checksSignatures === true) return []
  if (config.tiers.big === "") {
    return [
      `BIG_MODEL is not set, and ${row.name} has no model of its own to take: set BIG_MODEL to the model's name.`,
    ]
  }
  return tierNames.flatMap(([name, tier]) => {
    if (!values.has(name)) return []
    const resolved = resolveRoute(config, config.tiers[tier])
    return resolved.ok
      ? []
      : [
          `${named(name, values)} cannot be reached: ${redact(resolved.fault.message, config.secrets)}. Change that, or name another model.`,
        ]
  })
}
