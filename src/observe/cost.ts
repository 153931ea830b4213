// What one request cost.
import type { MessagesUsage } from "../protocol/messages.ts"
import type { Prices } from "../providers/prices.ts"

/**
 * Prices times usage, in US dollars; undefined where no prices are known. Tokens read from the cache cost as
 * much as others when their own price is not known: better a little too much than a surprise.
 */
export function costUsd(prices: Prices | undefined, usage: MessagesUsage): number | undefined {
  if (prices === undefined) return undefined
  const fresh = usage.input_tokens + usage.cache_creation_input_tokens
  const cached = usage.cache_read_input_tokens * (prices.cacheRead ?? prices.input)
  return fresh * prices.input + cached + usage.output_tokens * prices.output
}
