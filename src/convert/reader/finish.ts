// Small tables: how a reply ended, and what it cost in tokens.

import { type Fault, fault } from "../../protocol/fault.ts"
import { type JsonObject, lookUp } from "../../protocol/json.ts"
import type { MessagesUsage, StopReason } from "../../protocol/messages/messages.ts"
import { inputOf } from "../../protocol/messages/usage.ts"
import { isCacheOutside, outputCount, readCounts, tokensOf } from "./token-counts.ts"

/** What a finish reason means: an ordinary stop, a policy stop, a full window, or a failure in disguise. */
export type Finish =
  | { readonly kind: "stop"; readonly reason: StopReason; readonly known: boolean }
  | { readonly kind: "filtered" }
  | { readonly kind: "window" }
  | { readonly kind: "fault"; readonly fault: Fault }

// Words seen from providers; unknown ones end the turn normally.
const commonStopReasons: Readonly<Record<string, StopReason>> = {
  stop: "end_turn",
  end: "end_turn",
  eos: "end_turn",
  end_turn: "end_turn",
  stop_sequence: "end_turn",
  load: "end_turn",
  repetition: "end_turn",
  length: "max_tokens",
  max_tokens: "max_tokens",
  model_length: "max_tokens",
  max_output_tokens: "max_tokens",
  tool_calls: "tool_use",
  function_call: "tool_use",
  tool_use: "tool_use",
}

const filterWords: ReadonlySet<string> = new Set([
  "content_filter",
  "refusal",
  "sensitive",
  "safety",
  "recitation",
  "moderation",
  "prohibited_content",
  "blocklist",
  "spii",
])

const failureWords: ReadonlySet<string> = new Set(["error", "network_error", "abort", "aborted", "timeout"])

/** Reads a `finish_reason`; `added` are the provider's own words, which win. */
export function mapFinishReason(word: string, added: Readonly<Record<string, StopReason>>): Finish {
  const lower = word.toLowerCase()
  const known = lookUp(added, word) ?? lookUp(commonStopReasons, lower)
  if (known !== undefined) return { kind: "stop", reason: known, known: true }
  // Gemini's compatible endpoint adds what its filter found: "content_filter: RECITATION", often with no message at all.
  if (filterWords.has(lower.split(":", 1)[0] ?? lower)) return { kind: "filtered" }
  if (lower === "model_context_window_exceeded") return { kind: "window" }
  if (failureWords.has(lower)) return { kind: "fault", fault: failure("api_error", 502, lower) }
  // DeepSeek's word for "no capacity" (api-docs.deepseek.com, chat completions).
  if (lower === "insufficient_system_resource") {
    return { kind: "fault", fault: failure("overloaded_error", 529, lower) }
  }
  return { kind: "stop", reason: "end_turn", known: false }
}

function failure(kind: "api_error" | "overloaded_error", status: number, word: string): Fault {
  const message = `the upstream ended its reply with finish_reason "${word}"`
  return fault({ kind, source: "upstream", status, retry: "before-first-byte", message })
}

/**
 * Reads the usage of a chunk or reply, whichever provider wrote it; undefined when it holds no counts.
 * `input_tokens` is what was neither read from nor written to the cache, as Anthropic counts. `timings` are
 * llama.cpp's: they tell what came from the cache where the usage does not, and all of it where there is none.
 * `cachedTokens` is what else tells the former.
 */
export function convertUsage(
  raw: unknown,
  timings?: JsonObject,
  cachedTokens?: number,
): MessagesUsage | undefined {
  const cached = tokensOf(timings?.["cache_n"]) ?? cachedTokens
  return readUsage(raw, cached) ?? (timings && readUsage(fromTimings(timings), undefined))
}

/** `prompt_n` counts what was not in the cache (llama.cpp, tools/server/README.md). */
function fromTimings({ prompt_n, predicted_n, cache_n }: JsonObject): JsonObject {
  const prompt = tokensOf(prompt_n)
  const cached = tokensOf(cache_n) ?? 0
  return {
    prompt_tokens: prompt === undefined ? undefined : prompt + cached,
    completion_tokens: predicted_n,
    prompt_tokens_details: { cached_tokens: prompt === undefined ? 0 : cached },
  }
}

function readUsage(raw: unknown, cacheRead: number | undefined): MessagesUsage | undefined {
  const counts = readCounts(raw, cacheRead)
  if (counts === undefined) return undefined
  const { prompt, cached, written, reasoning } = counts
  const usage: MessagesUsage = {
    input_tokens: isCacheOutside(counts) ? prompt : prompt - cached - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: outputCount(counts),
  }
  return reasoning === undefined ? usage : { ...usage, output_tokens_details: { thinking_tokens: reasoning } }
}

/** Counts are totals: the later report stands, but a zero in it does not take back what was known. */
export function laterUsage(before: MessagesUsage | undefined, now: MessagesUsage): MessagesUsage {
  if (before === undefined) return now
  const input = inputOf(now) > 0 ? now : before
  const output = now.output_tokens > 0 ? now : before
  const details = output.output_tokens_details
  return {
    input_tokens: input.input_tokens,
    cache_creation_input_tokens: input.cache_creation_input_tokens,
    cache_read_input_tokens: input.cache_read_input_tokens,
    output_tokens: output.output_tokens,
    ...(details === undefined ? {} : { output_tokens_details: details }),
  }
}
