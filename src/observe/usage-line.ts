// The line that says what one request used. Its wording is promised to users: scripts read it.
import { inputOf } from "../protocol/messages/usage.ts"
import { renderDollars } from "./cost.ts"
import type { Exchange } from "./exchange.ts"

/**
 * `🎯 Token Usage | Model: claude-3-haiku → gpt-4o-mini | Input: 15 | Output: 42 | Total: 57`; streams say
 * `[Stream]`, tokens read from the cache are named, estimates are marked, and a known cost comes last. Input
 * counts cached tokens too. A reply that the response cache had, or that came from an equal request under way, used
 * nothing, and says so.
 */
export function usageLine(exchange: Exchange): string {
  const { usage } = exchange
  const input = inputOf(usage)
  const requested = exchange.requestedModel === "" ? "" : `${exchange.requestedModel} → `
  let line = `🎯 Token Usage${exchange.stream ? " [Stream]" : ""} | Model: ${requested}${exchange.model}`
  line += ` | Input: ${input}`
  if (usage.cache_read_input_tokens > 0) line += ` | Cached: ${usage.cache_read_input_tokens}`
  line += ` | Output: ${usage.output_tokens} | Total: ${input + usage.output_tokens}`
  if (exchange.costUsd !== undefined) line += ` | Cost: ${renderDollars(exchange.costUsd)}`
  if (exchange.cache === "hit") line += ` | Cache: ${exchange.shared === true ? "shared" : "hit"}`
  return exchange.estimated ? `${line} | 📊 Using estimated tokens` : line
}
