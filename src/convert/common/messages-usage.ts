// The `usage` objects that an upstream writes which speaks Messages itself.
import { countOf, isObject, objectOf } from "../../protocol/json.ts"
import type { MessagesUsage } from "../../protocol/messages/messages.ts"
import { inputOf, noUsage } from "../../protocol/messages/usage.ts"

const countFields = [
  "input_tokens",
  "cache_creation_input_tokens",
  "cache_read_input_tokens",
  "output_tokens",
] as const

/** The counts that a `usage` object names; those of a stream's later ones are totals, so they replace. */
export function readUsage(value: unknown): Partial<MessagesUsage> {
  const usage = objectOf(value)
  const counts = countFields.flatMap((field) => {
    const count = countOf(usage[field])
    return count === undefined ? [] : [[field, count] as const]
  })
  const details = usage["output_tokens_details"]
  const thinking_tokens = isObject(details) ? countOf(details["thinking_tokens"]) : undefined
  return {
    ...Object.fromEntries(counts),
    ...(thinking_tokens === undefined ? {} : { output_tokens_details: { thinking_tokens } }),
  }
}

/** Later counts are totals and replace the earlier ones; where all of one side is zero they take nothing back. */
export function laterCounts(before: MessagesUsage, now: Partial<MessagesUsage>): MessagesUsage {
  const { output_tokens = 0, output_tokens_details: details, ...rest } = now
  const isTold = inputOf({ ...noUsage, ...rest }) > 0
  return {
    ...before,
    ...(isTold ? rest : {}),
    ...(output_tokens > 0 ? { output_tokens } : {}),
    ...(details === undefined ? {} : { output_tokens_details: details }),
  }
}
