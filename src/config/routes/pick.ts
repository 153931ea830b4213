// Which of the configured models one request is meant for: by its content where ROUTER_* is set, else by the
// name it asks for.
import { isKnownModel } from "../../providers/models.ts"
import type { ProviderRow } from "../../providers/row.ts"
import { findProvider } from "../../providers/table.ts"
import type { Config, CustomModel } from "../config.ts"
import { inUse } from "../settings/slots.ts"

/** What routing by content looks at, besides the name. */
export interface RequestFacts {
  /** Thinking is switched on: `enabled` or `adaptive`. */
  readonly thinking?: boolean
  /** The prompt in tokens, estimated for the model it would go to; asked for only where a rule depends on it. */
  readonly tokens?: (to: Target | null) => number
  /** The very model that is named, past every rule. */
  readonly exact?: boolean
}

/** The model that a name leads to, as its upstream knows it. */
export interface Target {
  readonly provider: string
  readonly model: string
  /** In tokens. Null: not known. */
  readonly contextWindow: number | null
}

export interface Picked {
  readonly model: string
  /** For the log: what was seen, and the setting that it led to. */
  readonly reason: string
  /** The content of the request decided, by a ROUTER_* setting. */
  readonly routed: boolean
}

/**
 * Stands before the names of models that Claude Code's model discovery would leave out: it shows only those that begin
 * with "claude" or "anthropic" (seen with 2.1.223), and asks for them so. It is no part of the name.
 */
export const discoverable = "claude-via-"
const discovered = /^claude-via-/i

const byName = "model named by the client"
const customPrefix = "custom/"

/**
 * The model for a name (empty: none was sent). `targetOf` tells what a model picked by the other rules leads to: a
 * prompt that exceeds its window is long, whatever the threshold.
 */
export function pickModel(
  config: Config,
  sent: string,
  facts: RequestFacts,
  targetOf: (model: string) => Target | null,
): Picked {
  // Claude Code's mark for a context of a million tokens; it is no part of the name.
  const name = sent
    .replace(/\[1m\]$/i, "")
    .replace(discovered, "")
    .trim()
  if (facts.exact === true && name !== "") return named(name)
  const { router } = config
  if (!inUse(router)) return byTier(config, name)
  const picked = byContent(config, name, facts)
  const { longContext } = router
  if (longContext === undefined || facts.tokens === undefined) return picked
  const target = targetOf(picked.model)
  const tokens = facts.tokens(target)
  const limit = Math.min(config.longContextThreshold, target?.contextWindow ?? Number.POSITIVE_INFINITY)
  if (tokens <= limit) return picked
  return {
    model: longContext,
    reason: `${tokens} tokens, more than ${limit} → ROUTER_LONG_CONTEXT`,
    routed: true,
  }
}

const named = (model: string): Picked => ({ model, reason: byName, routed: false })

/** A rule without a model does not apply; where the last one has none, the tier of the name does. */
function byContent(config: Config, name: string, { thinking }: RequestFacts): Picked {
  const { think, background, default: rest } = config.router
  if (thinking === true && think !== undefined)
    return { model: think, reason: `thinking → ROUTER_THINK`, routed: true }
  if (name !== "" && isNamed(config, name)) return named(name)
  const isBackground = familyOf(name)?.tier === "small"
  const model = isBackground ? background : rest
  if (model === undefined) return byTier(config, name)
  const what = isBackground ? "haiku" : name === "" ? "no model named" : (wordOf(name) ?? "unknown model")
  return { model, reason: `${what} → ${isBackground ? "ROUTER_BACKGROUND" : "ROUTER_DEFAULT"}`, routed: true }
}

/** Does the name mean one model, and one we know? */
function isNamed(config: Config, name: string): boolean {
  if (isConfigured(config, name) || splitName(config, name).explicit) return true
  return familyOf(name) === undefined && isKnownModel(name)
}

function byTier(config: Config, name: string): Picked {
  const { tiers } = config
  if (name === "") return { model: tiers.big, reason: "no model named → BIG_MODEL", routed: false }
  if (isConfigured(config, name) || splitName(config, name).explicit) return named(name)
  const family = familyOf(name)
  if (family === undefined) return named(name)
  // Anthropic knows its own models best, unless the user says otherwise.
  if (tiers[family.tier] === "" && config.upstream.row.delta.checksSignatures === true) return named(name)
  return { model: tiers[family.tier], reason: `${wordOf(name)} → ${family.setting}`, routed: false }
}

/** A relay may serve Claude's own names: a name the user configured is never translated again. */
function isConfigured(config: Config, name: string): boolean {
  const { tiers, router } = config
  return (
    [...Object.values(tiers), ...Object.values(router)].includes(name) ||
    findModel(config, name) !== undefined
  )
}

// By family word, never by version: new models keep working. "claude" and "anthropic" count
// where a name or one of its parts begins (us.anthropic.claude-…), for others may be called after them.
const families = [
  { match: /haiku/i, tier: "small", setting: "SMALL_MODEL" },
  { match: /sonnet/i, tier: "middle", setting: "MIDDLE_MODEL" },
  { match: /(?<![a-z])(opus|fable|mythos)(?![a-z])/i, tier: "big", setting: "BIG_MODEL" },
  { match: /(?<![^/.])(claude|anthropic)/i, tier: "big", setting: "BIG_MODEL" },
] as const

function familyOf(name: string): (typeof families)[number] | undefined {
  return families.find((candidate) => candidate.match.test(name))
}

function wordOf(name: string): string | undefined {
  return familyOf(name)?.match.exec(name)?.[0].toLowerCase()
}

/** The model of models.yaml that a name means, with `custom/` before it or without, in whatever case. */
export function findModel({ models }: Config, name: string): CustomModel | undefined {
  if (models.length === 0) return undefined
  const id = name.startsWith(customPrefix) ? name.slice(customPrefix.length) : name
  const exact = models.find((model) => model.id === name) ?? models.find((model) => model.id === id)
  if (exact !== undefined) return exact
  const lower = id.toLowerCase()
  const alike = models.filter((model) => model.id.toLowerCase() === lower)
  return alike.length === 1 ? alike[0] : undefined
}

/** `custom/ID` with an ID that models.yaml does not have, though it has others: it can mean nothing else. */
export function missesModel(config: Config, name: string): boolean {
  if (!name.startsWith(customPrefix) || config.models.length === 0) return false
  return findModel(config, name) === undefined && splitName(config, name).row === undefined
}

interface Name {
  /** The user said which upstream is meant: no family word counts. */
  readonly explicit: boolean
  readonly row: ProviderRow | undefined
  /** Without `custom/`. */
  readonly whole: string
  /** Without the provider as well. */
  readonly rest: string
}

/** Takes `custom/` and `PROVIDER/` off a name. */
export function splitName(config: Config, name: string): Name {
  const custom = name.startsWith(customPrefix)
  const whole = custom ? name.slice(customPrefix.length) : name
  const slash = whole.indexOf("/")
  const row = slash < 0 ? undefined : findRow(config, whole.slice(0, slash))
  if (row === undefined || row.id === "generic" || row.id === "demo" || !isReachable(config, row))
    return { explicit: custom, row: undefined, whole, rest: whole }
  return { explicit: true, row, whole, rest: whole.slice(slash + 1) }
}

/** Whoever speaks the Messages API is meant by `PROVIDER/` before a name, and nothing here leads there. */
export function unreachedRow(config: Config, whole: string): ProviderRow | undefined {
  const slash = whole.indexOf("/")
  const row = slash < 0 ? undefined : findRow(config, whole.slice(0, slash))
  return row === undefined || isReachable(config, row) ? undefined : row
}

/** models.yaml may add providers of its own. */
export function findRow({ upstream, others }: Config, id: string): ProviderRow | undefined {
  if (upstream.row.id === id) return upstream.row
  return Object.hasOwn(others, id) ? others[id]?.row : findProvider(id)
}

/** `anthropic/claude-…` is a name that relays use: it means Anthropic itself only where that is an upstream. */
function isReachable({ upstream, others }: Config, row: ProviderRow): boolean {
  return row.delta.dialect !== "messages" || upstream.row.id === row.id || others[row.id] !== undefined
}
