// What the models behind Claude's families can hold, as one answer for a client that knows only one.
import type { Config } from "../../config/config.ts"
import { type RouteRequest, resolveRoute } from "../../config/routes/route.ts"
import type { ProviderProfile } from "../../providers/profile.ts"

interface ModelLimits {
  readonly contextWindow: number | null
  readonly maxOutputTokens: number | null
  /** Behind every main model is Anthropic itself, whose models Claude Code knows better than anybody here. */
  readonly genuine: boolean
}

/**
 * One number has to do for the whole session: the smallest window. Requests on the small tier are short, so
 * that one counts only where it is known, and never for the length of replies. Where long requests have a model
 * of their own, its window is the one that counts.
 */
export function modelLimits(config: Config): ModelLimits {
  const find = (model: string, request: RouteRequest = {}): ProviderProfile | undefined => {
    const resolved = resolveRoute(config, model, request)
    return resolved.ok ? resolved.route.profile : undefined
  }
  const { longContext } = config.router
  const main = ["claude-opus", "claude-sonnet"].flatMap((name) => [
    find(name),
    find(name, { thinking: true }),
  ])
  const small = find("claude-haiku")?.contextWindow ?? null
  const longest = longContext === undefined ? undefined : find(longContext, { exact: true })
  const windows =
    longest === undefined
      ? [...main.map((profile) => profile?.contextWindow ?? null), ...(small === null ? [] : [small])]
      : [longest.contextWindow]
  const replies = longest === undefined ? main : [...main, longest]
  return {
    contextWindow: smallest(windows),
    maxOutputTokens: smallest(replies.map((profile) => profile?.maxOutputTokens ?? null)),
    genuine: replies.every((profile) => profile?.checksSignatures === true),
  }
}

/** Null as soon as one is not known. */
function smallest(values: readonly (number | null)[]): number | null {
  return values.reduce((least, value) => (least === null || value === null ? null : Math.min(least, value)))
}
