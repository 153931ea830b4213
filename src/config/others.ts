// The upstreams besides the default one, and what the tiers and routes stand for.
import { type ProviderRow, providers } from "../providers/table.ts"
import type { Router, Tiers, Upstream } from "./config.ts"
import type { Given } from "./given.ts"
import { changedBy, entryOf, ownUpstream } from "./own-providers.ts"
import { upstreamOfRow } from "./upstream-of-row.ts"
import type { Values } from "./values.ts"

/**
 * The other upstreams, by id: those whose key is set, and those of models.yaml. Where nothing will be sent,
 * also those without a key. Providers that need no key are left out beside a relay: such names may be the
 * relay's own.
 */
export function chooseOthers(given: Given, main: Upstream): Readonly<Record<string, Upstream>> {
  const others: Record<string, Upstream> = {}
  for (const row of providers) {
    const baseUrl = baseOf(row, given)
    if (baseUrl === null || row.id === main.row.id || entryOf(given, row.id) !== undefined) continue
    // A key that goes to the default upstream is that host's key, whatever the variable is called.
    const keyName = row.keyNames.find((name) => given.values.has(name) && name !== main.keyName)
    const open = (row.keyNames.length === 0 || !given.needsUpstream) && main.row.relay !== true
    if (keyName !== undefined || open)
      others[row.id] = changedBy(given, upstreamOfRow(given, row, baseUrl, keyName))
  }
  for (const entry of given.models.providers) {
    const upstream = entry.id === main.row.id ? undefined : ownUpstream(entry, given)
    if (upstream !== undefined) others[entry.id] = upstream
  }
  return others
}

const modelSettings = ["BIG_MODEL", "MIDDLE_MODEL", "SMALL_MODEL"] as const
const routerSettings = ["ROUTER_DEFAULT", "ROUTER_BACKGROUND", "ROUTER_THINK", "ROUTER_LONG_CONTEXT"] as const

/** Anthropic itself is only an upstream where a setting leads there: else its key is one that clients use. */
function baseOf(row: ProviderRow, { values, needsUpstream }: Given): string | null {
  if (row.delta.dialect !== "messages") return row.baseUrl
  const role = values.get("ANTHROPIC_KEY_ROLE")?.value.toLowerCase()
  if (role === "client" && needsUpstream) return null
  const named = [...modelSettings, ...routerSettings].map((name) => values.get(name)?.value ?? "")
  const leads = named.some((model) => model.startsWith(`${row.id}/`))
  return !needsUpstream || leads || role !== undefined || chooseRouterInUse(values) ? row.native : null
}

function chooseRouterInUse(values: Values): boolean {
  return routerSettings.some((name) => values.has(name))
}

/** What ROUTER_* says. */
export function chooseRouter(values: Values): Router {
  const slot = (name: (typeof routerSettings)[number]) => values.get(name)?.value
  return {
    default: slot("ROUTER_DEFAULT"),
    background: slot("ROUTER_BACKGROUND"),
    think: slot("ROUTER_THINK"),
    longContext: slot("ROUTER_LONG_CONTEXT"),
  }
}

/**
 * The tiers: what is set, else the provider's own defaults. SMALL_MODEL follows a BIG_MODEL that was set,
 * except at OpenAI: elsewhere nobody promised that gpt-4o-mini exists. Undefined when there is no big model.
 */
export function chooseTiers(
  given: Given,
  { row, baseUrl }: Upstream,
  chosen: string | undefined,
): Tiers | undefined {
  const { values } = given
  const set = values.get("BIG_MODEL")?.value
  // A deployment in the URL is the only model there is.
  const deployed = /\/openai\/deployments\/([^/?]+)/.exec(baseUrl)?.[1]
  const big =
    set ??
    chosen ??
    row.tiers?.big ??
    (deployed === undefined ? undefined : decodeURIComponent(deployed)) ??
    otherwise(given)
  if (big === undefined) return undefined
  const follows = set !== undefined && row.id !== "openai"
  return {
    big,
    middle: values.get("MIDDLE_MODEL")?.value ?? big,
    small:
      values.get("SMALL_MODEL")?.value ?? (follows || chosen !== undefined ? big : (row.tiers?.small ?? big)),
  }
}

/** The model to take where the provider has none of its own: the routes' default, or the only one there is. */
function otherwise({ values, models, localServer }: Given): string | undefined {
  const [only, ...more] = models.entries
  const single = more.length === 0 ? only?.id : undefined
  return values.get("ROUTER_DEFAULT")?.value ?? localServer?.models[0] ?? single
}
