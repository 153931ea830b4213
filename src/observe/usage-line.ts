// The line that says what one request used. Its wording is promised to users: scripts read it.
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
  const input = inputTokens(exchange)
  const requested = exchange.requestedModel === "" ? "" : `${exchange.requestedModel} → `
  const parts = [
    `🎯 Token Usage${exchange.stream ? " [Stream]" : ""}`,
    `Model: ${requested}${exchange.model}`,
    `Input: ${input}`,
    ...(usage.cache_read_input_tokens > 0 ? [`Cached: ${usage.cache_read_input_tokens}`] : []),
    `Output: ${usage.output_tokens}`,
    `Total: ${input + usage.output_tokens}`,
    ...(exchange.costUsd === undefined ? [] : [`Cost: ${renderDollars(exchange.costUsd)}`]),
    ...(exchange.cache === "hit" ? [`Cache: ${exchange.shared === true ? "shared" : "hit"}`] : []),
    ...(exchange.estimated ? ["📊 Using estimated tokens"] : []),
  ]
  return parts.join(" | ")
}

/** Everything the model read. Anthropic's input_tokens leaves out what touched the cache. */
export function inputTokens({ usage }: Pick<Exchange, "usage">): number {
  return usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens
}
