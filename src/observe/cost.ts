// What one request cost: what the provider says it charged, else prices times tokens, else nobody knows.
import type { MessagesUsage } from "../protocol/messages.ts"
import type { Prices } from "../providers/prices.ts"
import type { Exchange } from "./exchange.ts"

/**
 * Prices times usage, in US dollars; undefined where no prices are known. Tokens that touched the cache cost as
 * much as others when their own price is not known: for those read from it better a little too much than a surprise.
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

/**
 * The cost and who says so. `reported` is what the provider charged, in US dollars. No tokens are no usage that
 * could be multiplied: then even known prices say nothing.
 */
export function costOf(reported: number | undefined, prices: Prices | undefined, usage: MessagesUsage): Cost {
  if (reported !== undefined) return { costUsd: reported, costFrom: "provider" }
  const counted = usesTokens(usage) ? costUsd(prices, usage) : undefined
  return counted === undefined ? {} : { costUsd: counted, costFrom: "prices" }
}

/** Is something missing from a sum without this request? One that failed without using a token cost nothing. */
export function isCostUnknown({ costUsd: known, usage, outcome }: Exchange): boolean {
  return known === undefined && (outcome.kind !== "failed" || usesTokens(usage))
}

function usesTokens(usage: MessagesUsage): boolean {
  const cached = usage.cache_read_input_tokens + usage.cache_creation_input_tokens
  return usage.input_tokens + cached + usage.output_tokens > 0
}

/** `$0.0123`; amounts that this would show as zero are `under $0.0001`. */
export function renderDollars(amount: number): string {
  if (amount > 0 && amount < 0.0001) return "under $0.0001"
  return `$${amount.toLocaleString("en-US", { minimumFractionDigits: 4, maximumFractionDigits: 4 })}`
}
