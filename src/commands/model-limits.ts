// What the models behind the three tiers can hold, as one answer for a client that knows only one.
import type { Config } from "../config/config.ts"
import { resolveRoute } from "../config/route.ts"

export interface ModelLimits {
  readonly contextWindow: number | null
  readonly maxOutputTokens: number | null
}

/**
 * One number has to do for the whole session: the smallest window. Requests on the small tier are short, so
 * that one counts only where it is known, and never for the length of replies.
 */
export function modelLimits(config: Config): ModelLimits {
  const profiles = ["opus", "sonnet", "haiku"].map((family) => {
    const resolved = resolveRoute(config, `claude-${family}`)
    return resolved.ok ? resolved.route.profile : undefined
  })
  const main = profiles.slice(0, 2)
  const small = profiles[2]?.contextWindow ?? null
  const windows = [
    ...main.map((profile) => profile?.contextWindow ?? null),
    ...(small === null ? [] : [small]),
  ]
  return {
    contextWindow: smallest(windows),
    maxOutputTokens: smallest(main.map((profile) => profile?.maxOutputTokens ?? null)),
  }
}

/** Null as soon as one is not known. */
function smallest(values: readonly (number | null)[]): number | null {
  return values.reduce((least, value) => (least === null || value === null ? null : Math.min(least, value)))
}
