// Where one request goes: the model picked for it, and everything that is known of the way there.
import { type Fault, invalidRequest } from "../../protocol/fault.ts"
import { applyDelta } from "../../providers/base-profile.ts"
import { inDialect } from "../../providers/dialect.ts"
import type { Dialect, ProfileDelta, ProviderProfile } from "../../providers/profile.ts"
import type { Route } from "../../providers/route.ts"
import type { ProviderRow } from "../../providers/row.ts"
import { resolveProfile, servesOthers } from "../../providers/table.ts"
import type { Config, CustomModel, Upstream } from "../config.ts"
import { requestUrl, servesResponses } from "../network/addresses.ts"
import { mergeHeaders } from "../network/headers.ts"
import { wayTo } from "../network/network.ts"
import { nearestKey } from "../settings/near-names.ts"
import { lackOf } from "../upstreams/custom-models.ts"
import { anthropicKey } from "../upstreams/make-upstream.ts"
import {
  findModel,
  missesModel,
  type Picked,
  pickModel,
  type RequestFacts,
  splitName,
  type Target,
  unreachedRow,
} from "./pick.ts"

export type Resolved =
  | { readonly ok: true; readonly route: Route }
  | { readonly ok: false; readonly fault: Fault }

/** Where a name leads. */
type Place =
  | { readonly ok: true; readonly upstream: Upstream; readonly model: string }
  | { readonly ok: false; readonly fault: Fault }

export interface RouteRequest extends RequestFacts {
  /** The dialect to be spoken in place of the model's own. */
  readonly dialect?: "chat" | "responses"
}

/**
 * The route for the model a client asked for (undefined or empty: none). ROUTER_* settings route by content;
 * else a Claude family stands for its tier, a model's id (also `custom/ID`) for that model of models.yaml, and
 * every other name is the upstream's own, `PROVIDER/NAME` at that provider. The fault is a 400 that says which
 * setting is missing.
 */
export function resolveRoute(
  config: Config,
  requestedModel: string | undefined,
  request: RouteRequest = {},
): Resolved {
  const sent = requestedModel?.trim() ?? ""
  const pick = pickModel(config, sent, request, (model) => targetOf(config, model))
  if (pick.model === "") return noBigModel()
  const custom = findModel(config, pick.model)
  const place = placeOf(config, pick.model, custom)
  if (!place.ok) return place
  const { upstream, model } = place
  const known = profileOf(upstream, model, custom)
  const routeIn = (dialect: Dialect): Route => ({
    ...describe(config, upstream, custom, pick),
    ...wayTo(config.network, upstream.baseUrl, upstream.row.id),
    url: requestUrl(upstream, model, dialect),
    model,
    requestedModel: sent === "" ? pick.model : sent,
    profile: inDialect({ ...known, dialect }, wishesOf(upstream, custom)),
  })
  const dialect = request.dialect ?? dialectOf(upstream, model, known, custom?.delta)
  const route = routeIn(dialect)
  return { ok: true, route: dialect === "responses" ? { ...route, chat: routeIn("chat") } : route }
}

/**
 * Where a model leads that is named in the settings, and what it is called there. Much is known of every model, and
 * all of it is in a route: who only wants to say where something goes does without.
 */
export function resolvePlace(config: Config, name: string): Place {
  const { model } = pickModel(config, name.trim(), { exact: true }, () => null)
  return model === "" ? noBigModel() : placeOf(config, model, findModel(config, model))
}

function noBigModel(): { readonly ok: false; readonly fault: Fault } {
  return { ok: false, fault: invalidRequest("model: BIG_MODEL is not set on the proxy") }
}

/** A model that may stand in for another one, by its id in models.yaml. */
interface Fallback {
  readonly id: string
  /** The fault says what is missing to reach it. */
  readonly resolved: Resolved
}

/**
 * The models that stand in for the one a route leads to, in their order: exactly those that it names, without the
 * fallbacks that they have of their own. To the client all of them go by the name it asked for.
 */
export function resolveFallbacks(config: Config, from: Route): readonly Fallback[] {
  return from.fallbacks.map((id) => {
    const resolved = resolveRoute(config, id, { exact: true })
    return { id, resolved: resolved.ok ? { ok: true, route: standIn(resolved.route, from, id) } : resolved }
  })
}

function standIn({ chat, ...route }: Route, from: Route, id: string): Route {
  const { requestedModel, routed } = from
  const reason = `${from.reason} → fallback ${id}`
  return {
    ...route,
    ...{ requestedModel, routed, reason, fallbacks: [] },
    ...(chat === undefined ? {} : { chat: standIn(chat, from, id) }),
  }
}

/** What is the same in every dialect. */
function describe(
  config: Config,
  upstream: Upstream,
  custom: CustomModel | undefined,
  { reason, routed }: Picked,
): Omit<Route, "url" | "model" | "requestedModel" | "profile"> {
  return {
    provider: upstream.row.id,
    apiKeys: upstream.apiKeys,
    apiKey: upstream.apiKeys[0],
    keyName: upstream.keyName,
    headers: mergeHeaders(upstream.headers, custom?.headers ?? {}),
    defaults: { ...upstream.defaults, ...custom?.defaults },
    tuning: config.promptTuning,
    prices: custom?.prices ?? config.defaultPrices,
    fallbacks: custom?.fallbacks ?? [],
    reason,
    routed,
  }
}

function profileOf(upstream: Upstream, model: string, custom: CustomModel | undefined): ProviderProfile {
  return wishesOf(upstream, custom).reduce(applyDelta, resolveProfile(upstream.row, model))
}

/** What the settings say of a profile. */
const wishesOf = (upstream: Upstream, custom: CustomModel | undefined): readonly ProfileDelta[] => [
  upstream.delta,
  custom?.delta ?? {},
]

function targetOf(config: Config, name: string): Target | null {
  const custom = findModel(config, name)
  const place = placeOf(config, name, custom)
  if (!place.ok) return null
  const { upstream, model } = place
  const { contextWindow } = profileOf(upstream, model, custom)
  return { provider: upstream.row.id, model, contextWindow }
}

/** The user's word counts most; a model that is best served by Responses is so where they may be known. */
function dialectOf(
  upstream: Upstream,
  model: string,
  { dialect }: ProviderProfile,
  asked: ProfileDelta = {},
): Dialect {
  if (upstream.native) return "messages"
  if (asked.dialect !== undefined || upstream.delta.dialect !== undefined || dialect !== "responses")
    return dialect
  return servesResponses(upstream, model) ? dialect : "chat"
}

function placeOf(config: Config, name: string, custom: CustomModel | undefined): Place {
  if (missesModel(config, name)) return { ok: false, fault: invalidRequest(missing(config, name)) }
  if (custom === undefined) return locate(config, name)
  const { id, reach } = custom
  if (reach.ok) return { ok: true, upstream: reach.upstream, model: custom.name }
  return { ok: false, fault: invalidRequest(lackOf(id, reach.why)) }
}

function missing({ models }: Config, name: string): string {
  const meant = nearestKey(
    name.slice(name.indexOf("/") + 1),
    models.map(({ id }) => id),
  )
  const hint = meant === undefined ? "" : ` (did you mean custom/${meant}?)`
  return `model: ${JSON.stringify(name)} is no model_id of models.yaml${hint}`
}

function locate(config: Config, name: string): Place {
  const { row, whole, rest } = splitName(config, name)
  const main = config.upstream
  const unreached = row === undefined ? unreachedRow(config, whole) : undefined
  const lacking = ({ name: provider }: ProviderRow, why: string): Place => {
    return {
      ok: false,
      fault: invalidRequest(`model: ${JSON.stringify(name)} names ${provider}, but ${why}`),
    }
  }
  if (unreached !== undefined && !servesOthers(main.row))
    return lacking(unreached, lack(main, unreached, undefined))
  const upstream = row === undefined || row.id === main.row.id ? main : config.others[row.id]
  const lacksKey = upstream?.needsKey === true && upstream.apiKeys.length === 0
  if (upstream !== undefined && (upstream === main || !lacksKey)) {
    // Azure puts the name into the path, where dots would lead elsewhere.
    if (rest !== "" && !/^\.{1,2}$/.test(rest)) return { ok: true, upstream, model: rest }
    return { ok: false, fault: invalidRequest(`model: ${JSON.stringify(name)} names no model`) }
  }
  // A relay's own names hold slashes, and so do those of LM Studio.
  if (row === undefined || (servesOthers(main.row) && !lacksKey))
    return { ok: true, upstream: main, model: whole }
  return lacking(row, lack(main, row, upstream))
}

function lack(main: Upstream, row: ProviderRow, upstream: Upstream | undefined): string {
  if (upstream === undefined && row.baseUrl === null && row.native === null)
    return `OPENAI_BASE_URL does not lead there (it leads to ${main.row.name})`
  const keyName = upstream?.keyName || (row.keyNames[0] ?? "")
  if (keyName === main.keyName && main.apiKeys.length > 0)
    return `${keyName} is the key for ${main.row.name} here`
  if (keyName === anthropicKey)
    return `${keyName} is not set on the proxy, or is the clients' (ANTHROPIC_KEY_ROLE)`
  return `${keyName} is not set on the proxy`
}
