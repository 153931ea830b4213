// What a message ends with: why it stopped, and its tokens.
import type { MessagesUsage, StopReason } from "../../protocol/messages/messages.ts"
import { inputOf } from "../../protocol/messages/usage.ts"
import { isNoText, textOf } from "../common/grown-text.ts"
import type { WriterState } from "./writer-state.ts"

/** What was really called outweighs what the provider says of it; a call cut by the limit is max_tokens. */
export function finalReason(state: WriterState): StopReason {
  const { finish, sawTool } = state
  if (sawTool) return finish === "max_tokens" && !state.lastToolComplete ? "max_tokens" : "tool_use"
  return finish === undefined || finish === "tool_use" ? "end_turn" : finish
}

/**
 * Reported numbers, with an estimate for each side that was not reported or reported as zero. A report that came
 * before the reply broke off (`isWhole` is false) may count less than was written: then the larger number stands.
 */
export function finalUsage(
  state: WriterState,
  isWhole = true,
): Partial<MessagesUsage> & { readonly output_tokens: number } {
  const { usage, options } = state
  const { estimate, inputTokens } = options
  const output_tokens = outputTokens(state, isWhole)
  const requests = usage?.server_tool_use?.web_search_requests ?? state.searches
  const searches = requests === 0 ? undefined : { server_tool_use: { web_search_requests: requests } }
  if (usage !== undefined && inputOf(usage) > 0) {
    const isAsReported = searches === undefined && output_tokens === usage.output_tokens
    return isAsReported ? usage : { ...usage, output_tokens, ...searches }
  }
  const details = usage?.output_tokens_details
  return {
    // An unknown number is left out: a zero would wipe the client's own.
    ...(estimate === null ? undefined : { ...noInput, input_tokens: inputTokens }),
    output_tokens,
    ...(details === undefined ? undefined : { output_tokens_details: details }),
    ...searches,
  }
}

const noInput = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 } as const

function outputTokens({ usage, options, written }: WriterState, isWhole: boolean): number {
  const reported = usage?.output_tokens ?? 0
  if (isNoText(written) || (isWhole && reported > 0)) return reported
  return Math.max(reported, options.estimate?.(textOf(written)) ?? 0)
}

/** Did the upstream leave out what the final usage then had to estimate? `isWhole` as for `finalUsage`. */
export function isEstimated(state: WriterState, isWhole = true): boolean {
  const { usage, written, options } = state
  if (options.estimate === null) return false
  if (usage === undefined || inputOf(usage) === 0) return true
  if (usage.output_tokens === 0 && !isNoText(written)) return true
  return outputTokens(state, isWhole) !== usage.output_tokens
}
