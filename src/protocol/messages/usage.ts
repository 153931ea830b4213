// What is said of the tokens of a reply, whoever counted them.
import type { MessagesUsage } from "./reply.ts"

/** Nothing was used, or nothing is known of it. */
export const noUsage: MessagesUsage = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
}

/** The whole prompt in tokens: input_tokens leaves out what touched the cache. */
export function inputOf(usage: MessagesUsage): number {
  return usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens
}
