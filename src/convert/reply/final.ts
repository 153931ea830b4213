// What a message ends with: why it stopped, and its tokens.
import type { MessagesUsage, StopReason } from "../../protocol/messages.ts"
import { inputOf } from "./finish.ts"
import type { WriterState } from "./writer-state.ts"

/** What was really called outweighs what the provider says of it; a call cut by the limit is max_tokens. */
export function finalReason(state: WriterState): StopReason {
  const { finish, sawTool } = state
  if (sawTool) return finish === "max_tokens" && !state.lastToolComplete ? "max_tokens" : "tool_use"
  return finish === undefined || finish === "tool_use" ? "end_turn" : finish
}

/** Reported numbers, with an estimate for each side that was not reported or reported as zero. */
export function finalUsage(state: WriterState): Partial<MessagesUsage> & { readonly output_tokens: number } {
  const { usage, options, written } = state
  const { estimate, inputTokens } = options
  const output_tokens = usage?.output_tokens || (written === "" ? 0 : (estimate?.(written) ?? 0))
  const requests = usage?.server_tool_use?.web_search_requests ?? state.searches
  const searches = requests === 0 ? {} : { server_tool_use: { web_search_requests: requests } }
  if (usage !== undefined && inputOf(usage) > 0) return { ...usage, output_tokens, ...searches }
  const details = usage?.output_tokens_details
  return {
    // An unknown number is left out: a zero would wipe the client's own.
    ...(estimate === null
      ? {}
      : { input_tokens: inputTokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }),
    output_tokens,
    ...(details === undefined ? {} : { output_tokens_details: details }),
    ...searches,
  }
}

/** Did the upstream leave out what the final usage then had to estimate? */
export function isEstimated(state: WriterState): boolean {
  const { usage, written, options } = state
  if (options.estimate === null) return false
  return usage === undefined || inputOf(usage) === 0 || (usage.output_tokens === 0 && written !== "")
}
