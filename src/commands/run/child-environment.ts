// The environment a wrapped command gets. What is set here was tried with Claude Code 2.1.329 (2026-11).
import type { Environment } from "../terminal/io.ts"

interface ChildFacts {
  readonly url: string
  /** The one-time client key. */
  readonly token: string
  /** Tokens that every model the child may use can hold; null when that is not known. */
  readonly contextWindow: number | null
  /** The longest reply of the main models, in tokens; null when that is not known. */
  readonly maxOutputTokens: number | null
  /** Behind every main model is Anthropic itself. */
  readonly genuine: boolean
}

const loopback = ["localhost", "127.0.0.1", "::1"] as const

/**
 * The parent's environment plus the way to the proxy, plus limits that keep Claude Code within the real model's
 * window. A variable the user has set stays as it is; only address and credentials are replaced.
 */
export function childEnvironment(parent: Environment, facts: ChildFacts): Environment {
  const kept = without(parent, ["ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"])
  const noProxy = mergeNoProxy(kept)
  return {
    CLAUDE_CODE_ATTRIBUTION_HEADER: "0",
    ...limits(parent, facts),
    ...kept,
    NO_PROXY: noProxy,
    no_proxy: noProxy,
    ANTHROPIC_BASE_URL: facts.url,
    ANTHROPIC_AUTH_TOKEN: facts.token,
  }
}

// For ids that begin with "claude-" Claude Code ignores CLAUDE_CODE_MAX_CONTEXT_TOKENS, and it shows the
// names in ANTHROPIC_DEFAULT_*_MODEL_NAME only together with ANTHROPIC_DEFAULT_*_MODEL, which takes away what
// it knows of its own ids. So neither is set.
// Anthropic's own models keep their million for who asks for it (`opus[1m]`), unless the settings name a window.
function limits(parent: Environment, { contextWindow, maxOutputTokens, genuine }: ChildFacts): Environment {
  const output = maxOutputTokens === null ? {} : { CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(maxOutputTokens) }
  if (contextWindow === null ? genuine : contextWindow >= 1_000_000) return output
  const million = { CLAUDE_CODE_DISABLE_1M_CONTEXT: "1" }
  if (contextWindow === null || contextWindow >= 200_000) return { ...output, ...million }
  const window = { CLAUDE_CODE_AUTO_COMPACT_WINDOW: String(Math.max(contextWindow, smallestWindow)) }
  const longest = parent["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] ?? output.CLAUDE_CODE_MAX_OUTPUT_TOKENS
  const share = "CLAUDE_CODE_AUTO_COMPACT_WINDOW" in parent ? undefined : earlier(contextWindow, longest)
  const percent = share === undefined ? {} : { CLAUDE_AUTOCOMPACT_PCT_OVERRIDE: String(share) }
  return { ...output, ...million, ...window, ...percent }
}

/** Smaller windows are taken for this one. */
const smallestWindow = 100_000

/** Kept free by Claude Code for the summary, at most, and on top of that always. */
const mostReserved = 20_000
const headroom = 13_000

/** A session is about 25,000 tokens before it begins: below this, compacting would never end. */
const leastUseful = 30_000

/**
 * Under the smallest window that can be set, the point at which Claude Code compacts can still be moved: as a
 * percentage of what that window leaves after the reserve.
 */
function earlier(contextWindow: number, maxOutputTokens: string | undefined): number | undefined {
  if (contextWindow >= smallestWindow) return undefined
  const longest = Number(maxOutputTokens ?? mostReserved)
  const reserved = longest > 0 && longest < mostReserved ? longest : mostReserved
  const wanted = contextWindow - reserved - headroom
  if (wanted < leastUseful) return undefined
  return Math.floor((100 * wanted) / (smallestWindow - reserved))
}

/** Both spellings hold the same, whichever was set; a lone `*` already covers everything. */
function mergeNoProxy(parent: Environment): string {
  const set = [parent["NO_PROXY"], parent["no_proxy"]].flatMap((value) => (value ?? "").split(","))
  const hosts = set.map((host) => host.trim()).filter((host) => host !== "")
  return hosts.includes("*") ? "*" : [...new Set([...hosts, ...loopback])].join(",")
}

/** On Windows the names of variables have no case. */
function without(parent: Environment, names: readonly string[]): Environment {
  return Object.fromEntries(Object.entries(parent).filter(([name]) => !names.includes(name.toUpperCase())))
}

/** Switches that send Claude Code to another service altogether, past every base URL. */
const otherServices = [
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "CLAUDE_CODE_USE_FOUNDRY",
  "CLAUDE_CODE_USE_MANTLE",
  "CLAUDE_CODE_USE_ANTHROPIC_AWS",
  "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
  "CLAUDE_CODE_USE_GATEWAY",
] as const

/** The switches of that kind which are on. */
export function serviceSwitches(env: Environment): readonly string[] {
  return otherServices.filter((name) => /^(1|true|yes|on)$/i.test(env[name]?.trim() ?? ""))
}

/** The first variable that sends HTTP through a proxy, if there is one. */
export function proxyVariable(env: Environment): string | undefined {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()])
  return names.find((name) => (env[name] ?? "") !== "")
}
