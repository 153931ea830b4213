// What one request cost: what the provider says it charged, else prices times tokens, else nobody knows.

import type { MessagesUsage } from "../protocol/messages/messages.ts"
import { inputOf } from "../protocol/messages/usage.ts"
import type { Prices } from "../providers/prices.ts"
import type { Exchange } from "./exchange.ts"

/**
 * Prices times usage, in US dollars; undefined where no prices are known. Tokens that touched the cache cost as
 * much as others when their own price is not known. For those read from it that is rather too much; for those
 * written to it a floor, as Anthropic for one charges more.
 */
export function costUsd(prices: Prices | undefined, usage: MessagesUsage): number | undefined {
  if (prices === undefined) return undefined
  const { input, output, cacheRead = input, cacheWrite = input } = prices
  return (
    usage.input_tokens * input +
    usage.cache_creation_input_tokens * cacheWrite +
    usage.cache_read_input_tokens * cacheRead +
    usage.output_tokens * output
  )
}

export type Cost = Pick<Exchange, "costUsd" | "costFrom">

const notKnown: Cost = {}

/**
 * The cost and who says so. `reported` is what the provider charged, in US dollars; many write a zero that charge
 * elsewhere, so that it counts only where no prices are set. Every prompt has tokens: where none are counted, prices
 * would give a part for the whole, and say nothing.
 */
export function costOf(reported: number | undefined, prices: Prices | undefined, usage: MessagesUsage): Cost {
  if (reported !== undefined && (reported > 0 || prices === undefined))
    return { costUsd: reported, costFrom: "provider" }
  const counted = inputOf(usage) > 0 ? costUsd(prices, usage) : undefined
  return counted === undefined ? notKnown : { costUsd: counted, costFrom: "prices" }
}

/** Is something missing from a sum without this request? One that failed without using a token cost nothing. */
export function isCostUnknown({ costUsd: known, usage, outcome }: Exchange): boolean {
  return known === undefined && (outcome.kind !== "failed" || usesTokens(usage))
}

function usesTokens(usage: MessagesUsage): boolean {
  return inputOf(usage) + usage.output_tokens > 0
}

/** `$0.0123`; amounts that this would show as zero are `under $0.0001`. */
export function renderDollars(amount: number): string {
  if (amount > 0 && amount < 0.0001) return "under $0.0001"
  return `$${amount.toLocaleString("en-US", { minimumFractionDigits: 4, maximumFractionDigits: 4 })}`
}
