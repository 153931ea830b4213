// What a provider says, with the usage of a reply, that it charged for it.
import { countOf, isObject, objectOf, textOf } from "../../protocol/json.ts"

// docs.x.ai/developers/cost-tracking, 2026-11.
const ticksPerDollar = 10_000_000_000

// No request costs as much as this: one wrong number would spoil every sum it is in.
const mostDollars = 1_000_000

/**
 * US dollars, in the words of three providers: `cost_in_usd_ticks` (xAI), `cost` (OpenRouter, whose credits are
 * dollars; openrouter.ai/docs/use-cases/usage-accounting, 2026-11) and `cost.total_cost` (Perplexity). Undefined:
 * it says nothing, or not in dollars.
 */
export function reportedCost(usage: unknown): number | undefined {
  const dollars = dollarsOf(usage)
  return dollars !== undefined && dollars <= mostDollars ? dollars : undefined
}

function dollarsOf(usage: unknown): number | undefined {
  if (!isObject(usage)) return undefined
  const { cost, cost_in_usd_ticks: ticks } = usage
  const inTicks = amountOf(ticks)
  if (inTicks !== undefined) return inTicks / ticksPerDollar
  const currency = textOf(usage["currency"]) ?? textOf(objectOf(cost)["currency"])
  if (currency !== undefined && currency.toUpperCase() !== "USD") return undefined
  if (isObject(cost)) return amountOf(cost["total_cost"])
  const charged = amountOf(cost)
  // With a key of the user's own, OpenRouter's charge is its fee alone: what the model costs comes on top.
  const own =
    usage["is_byok"] === true ? amountOf(objectOf(usage["cost_details"])["upstream_inference_cost"]) : 0
  return charged === undefined || own === undefined ? undefined : charged + own
}

function amountOf(value: unknown): number | undefined {
  return typeof value === "boolean" ? undefined : countOf(value)
}
