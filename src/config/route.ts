// Where one request goes, from the model's name alone.
import { type Fault, invalidRequest } from "../protocol/fault.ts"
import { applyDelta } from "../providers/base-profile.ts"
import { inDialect } from "../providers/dialect.ts"
import type { Prices } from "../providers/prices.ts"
import type { Dialect, ProfileDelta, ProviderProfile } from "../providers/profile.ts"
import type { Route } from "../providers/route.ts"
import { findProvider, type ProviderRow, resolveProfile } from "../providers/table.ts"
import type { Config, CustomModel, Upstream } from "./config.ts"
import { lackOf } from "./custom-models.ts"
import { requestUrl, servesResponses } from "./upstreams.ts"

export type Resolved =
  | { readonly ok: true; readonly route: Route }
  | { readonly ok: false; readonly fault: Fault }

interface Picked {
  readonly model: string
  readonly reason: string
}

type Place =
  | { readonly ok: true; readonly upstream: Upstream; readonly model: string }
  | { readonly ok: false; readonly fault: Fault }

/**
 * The route for the model a client asked for (undefined or empty: the big tier). A Claude family stands for
 * its tier; a model's id (also `custom/ID`) for that model of models.yaml; every other name is the upstream's
 * own, `PROVIDER/NAME` at that provider. `asked` is the dialect to be spoken in place of the model's own.
 * The fault is a 400 that says which setting is missing.
 */
export function resolveRoute(
  config: Config,
  requestedModel: string | undefined,
  asked?: "chat" | "responses",
): Resolved {
  const sent = requestedModel?.trim() ?? ""
  const pick = pickModel(config, sent)
  if (pick.model === "")
    return { ok: false, fault: invalidRequest("model: BIG_MODEL is not set on the proxy") }
  const custom = findModel(config, pick.model)
  const place = custom === undefined ? locate(config, pick.model) : placeOf(custom)
  if (!place.ok) return place
  const { upstream, model } = place
  const known = applyDelta(resolveProfile(upstream.row, model), custom?.delta ?? {})
  const routeIn = (dialect: Dialect): Route => ({
    provider: upstream.row.id,
    url: requestUrl(upstream, model, dialect),
    apiKey: upstream.apiKey,
    keyName: upstream.keyName,
    model,
    requestedModel: sent === "" ? pick.model : sent,
    profile: inDialect({ ...known, dialect }),
    headers: upstream.headers,
    reason: pick.reason,
  })
  const dialect = asked ?? dialectOf(upstream, known, custom?.delta)
  const route = routeIn(dialect)
  return { ok: true, route: dialect === "responses" ? { ...route, chat: routeIn("chat") } : route }
}

/** The user's word counts most; a model that is best served by Responses is so where they may be known. */
function dialectOf(upstream: Upstream, { dialect }: ProviderProfile, asked: ProfileDelta = {}): Dialect {
  if (upstream.native) return "messages"
  if (asked.dialect !== undefined || dialect !== "responses") return dialect
  return servesResponses(upstream) ? dialect : "chat"
}

/** The prices of the model that a request is routed to; undefined: not known. */
export function resolvePrices(config: Config, requestedModel: string | undefined): Prices | undefined {
  return findModel(config, pickModel(config, requestedModel?.trim() ?? "").model)?.prices
}

const customPrefix = "custom/"
const byName = "model named by the client"

function pickModel(config: Config, sent: string): Picked {
  const { tiers } = config
  // Claude Code's mark for a context of a million tokens; it is no part of the name.
  const name = sent.replace(/\[1m\]$/i, "").trim()
  if (name === "") return { model: tiers.big, reason: "no model named → BIG_MODEL" }
  // A relay may serve Claude's own names: a name the user configured is never translated again.
  const configured = Object.values(tiers).includes(name) || findModel(config, name) !== undefined
  if (configured || splitName(config, name).explicit) return { model: name, reason: byName }
  const family = families.find((candidate) => candidate.match.test(name))
  if (family === undefined) return { model: name, reason: byName }
  // Anthropic knows its own models best, unless the user says otherwise.
  if (tiers[family.tier] === "" && config.upstream.row.delta.checksSignatures === true)
    return { model: name, reason: byName }
  const word = family.match.exec(name)?.[0].toLowerCase() ?? ""
  return { model: tiers[family.tier], reason: `${word} → ${family.setting}` }
}

function findModel(config: Config, name: string): CustomModel | undefined {
  if (config.models.length === 0) return undefined
  const id = name.startsWith(customPrefix) ? name.slice(customPrefix.length) : name
  return config.models.find((model) => model.id === name) ?? config.models.find((model) => model.id === id)
}

function placeOf({ id, name, reach }: CustomModel): Place {
  if (reach.ok) return { ok: true, upstream: reach.upstream, model: name }
  return { ok: false, fault: invalidRequest(lackOf(id, reach.why)) }
}

// By family word, never by version: new models keep working. "claude" and "anthropic" count
// where a name or one of its parts begins (us.anthropic.claude-…), for others may be called after them.
const families = [
  { match: /haiku/i, tier: "small", setting: "SMALL_MODEL" },
  { match: /sonnet/i, tier: "middle", setting: "MIDDLE_MODEL" },
  { match: /(?<![a-z])(opus|fable|mythos)(?![a-z])/i, tier: "big", setting: "BIG_MODEL" },
  { match: /(?<![^/.])(claude|anthropic)/i, tier: "big", setting: "BIG_MODEL" },
] as const

interface Name {
  /** The user said which upstream is meant: no family word counts. */
  readonly explicit: boolean
  readonly row: ProviderRow | undefined
  /** Without `custom/`. */
  readonly whole: string
  /** Without the provider as well. */
  readonly rest: string
}

function splitName(config: Config, name: string): Name {
  const custom = name.startsWith(customPrefix)
  const whole = custom ? name.slice(customPrefix.length) : name
  const slash = whole.indexOf("/")
  const row = slash < 0 ? undefined : findProvider(whole.slice(0, slash))
  if (row === undefined || row.id === "generic" || row.id === "demo" || !isReachable(config, row))
    return { explicit: custom, row: undefined, whole, rest: whole }
  return { explicit: true, row, whole, rest: whole.slice(slash + 1) }
}

/** `anthropic/claude-…` is a name that relays use: it means Anthropic itself only where that is an upstream. */
function isReachable({ upstream, others }: Config, row: ProviderRow): boolean {
  return row.delta.dialect !== "messages" || upstream.row.id === row.id || others[row.id] !== undefined
}

function locate(config: Config, name: string): Place {
  const { row, whole, rest } = splitName(config, name)
  const main = config.upstream
  const upstream = row === undefined || row.id === main.row.id ? main : config.others[row.id]
  if (upstream !== undefined) {
    // Azure puts the name into the path, where dots would lead elsewhere.
    if (rest !== "" && !/^\.{1,2}$/.test(rest)) return { ok: true, upstream, model: rest }
    return { ok: false, fault: invalidRequest(`model: ${JSON.stringify(name)} names no model`) }
  }
  // A relay's own names hold slashes.
  if (main.row.relay === true || row === undefined) return { ok: true, upstream: main, model: whole }
  return {
    ok: false,
    fault: invalidRequest(`model: ${JSON.stringify(name)} names ${row.name}, but ${lack(main, row)}`),
  }
}

function lack(main: Upstream, row: ProviderRow): string {
  if (row.baseUrl === null) return `OPENAI_BASE_URL does not lead there (it leads to ${main.row.name})`
  const [keyName = ""] = row.keyNames
  if (keyName === main.keyName && main.apiKey !== undefined)
    return `${keyName} is the key for ${main.row.name} here`
  return `${keyName} is not set on the proxy`
}
