// What Claude's families stand for.
import type { Tiers, Upstream } from "../config.ts"
import { deploymentIn } from "../network/addresses.ts"
import type { Given } from "./given.ts"

/**
 * The tiers: what is set, else the provider's own defaults. SMALL_MODEL follows a BIG_MODEL that was set,
 * except at OpenAI: elsewhere nobody promised that gpt-4o-mini exists. `chosen` is the model that led to the
 * upstream, if one did. Undefined when there is no big model.
 */
export function chooseTiers(
  given: Given,
  { row, baseUrl }: Upstream,
  chosen: string | undefined,
): Tiers | undefined {
  const { values } = given
  const set = values.get("BIG_MODEL")?.value
  // A deployment in the URL is the only model there is.
  const deployed = deploymentIn(baseUrl)
  const big = set ?? chosen ?? row.tiers?.big ?? deployed ?? otherwise(given)
  if (big === undefined) return undefined
  const follows = (set !== undefined && row.id !== "openai") || chosen !== undefined
  return {
    big,
    middle: values.get("MIDDLE_MODEL")?.value ?? big,
    small: values.get("SMALL_MODEL")?.value ?? (follows ? big : (row.tiers?.small ?? big)),
  }
}

/** The model to take where the provider has none of its own: the routes' default, or the only one there is. */
function otherwise({ values, models, localServer }: Given): string | undefined {
  const [only, ...more] = models.entries
  const single = more.length === 0 ? only?.id : undefined
  return values.get("ROUTER_DEFAULT")?.value ?? localServer?.models[0] ?? single
}
