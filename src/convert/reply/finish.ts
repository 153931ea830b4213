// Small tables: how a reply ended, and what it cost in tokens.
import { type Fault, fault } from "../../protocol/fault.ts"
import { countOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import type { MessagesUsage, StopReason } from "../../protocol/messages.ts"

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
  "sensitive",
  "safety",
  "recitation",
  "moderation",
  "prohibited_content",
  "blocklist",
])

const failureWords: ReadonlySet<string> = new Set(["error", "network_error", "abort", "aborted", "timeout"])

/** Reads a `finish_reason`; `added` are the provider's own words, which win. */
export function mapFinishReason(word: string, added: Readonly<Record<string, StopReason>>): Finish {
  const lower = word.toLowerCase()
  const known = lookUp(added, word) ?? lookUp(commonStopReasons, lower)
  if (known !== undefined) return { kind: "stop", reason: known, known: true }
  if (filterWords.has(lower)) return { kind: "filtered" }
  if (lower === "model_context_window_exceeded") return { kind: "window" }
  if (failureWords.has(lower)) return { kind: "fault", fault: failure("api_error", 502, lower) }
  // DeepSeek's word for "no capacity" (api-docs.deepseek.com, chat completions).
  if (lower === "insufficient_system_resource") {
    return { kind: "fault", fault: failure("overloaded_error", 529, lower) }
  }
  return { kind: "stop", reason: "end_turn", known: false }
}

/** A provider may say "constructor": only what the table itself holds counts. */
function lookUp(table: Readonly<Record<string, StopReason>>, word: string): StopReason | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined
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
  const [prompt, cached] = [tokensOf(prompt_n), tokensOf(cache_n) ?? 0]
  return {
    prompt_tokens: prompt === undefined ? undefined : prompt + cached,
    completion_tokens: predicted_n,
    prompt_tokens_details: { cached_tokens: prompt === undefined ? 0 : cached },
  }
}

function readUsage(raw: unknown, cacheRead: number | undefined): MessagesUsage | undefined {
  if (!isObject(raw)) return undefined
  const total = tokensOf(raw["total_tokens"])
  const completion = firstCount(raw["completion_tokens"], raw["output_tokens"])
  const prompt =
    firstCount(raw["prompt_tokens"], raw["input_tokens"]) ?? missingPrompt(raw, total, completion)
  if (prompt === undefined && completion === undefined) return undefined
  const counts: Counts = {
    prompt: prompt ?? 0,
    completion: completion ?? 0,
    total,
    reasoning: reasoningOf(raw),
    ownNames: hasOwnNames(raw) && !isInsideTotal(raw, (prompt ?? 0) + (completion ?? 0)),
    ...cacheCounts(raw, cacheRead),
  }
  const { cached, written, reasoning } = counts
  const output = outputCount(counts)
  return {
    input_tokens: isCacheOutside(counts) ? counts.prompt : counts.prompt - cached - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: output,
    ...(reasoning === undefined ? {} : { output_tokens_details: { thinking_tokens: reasoning } }),
  }
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

/** The whole prompt in tokens, cached or not. */
export function inputOf(usage: MessagesUsage): number {
  return usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens
}

interface Counts {
  readonly prompt: number
  readonly completion: number
  readonly total: number | undefined
  readonly cached: number
  readonly written: number
  readonly reasoning: number | undefined
  /** The prompt is counted under Anthropic's names, and so without what touched the cache. */
  readonly ownNames: boolean
}

// No request has so many: such a number is a mistake, and no count.
const mostTokens = 1_000_000_000

function tokensOf(value: unknown): number | undefined {
  const count = countOf(value)
  return count === undefined || count > mostTokens ? undefined : Math.round(count)
}

/** Gateways write every field they know and zero into those that do not apply: a zero is the last resort. */
function firstCount(...values: readonly unknown[]): number | undefined {
  let found: number | undefined
  for (const value of values) {
    if (value === undefined) continue
    const count = tokensOf(value)
    if (count !== undefined && count > 0) return count
    found ??= count
  }
  return found
}

/** What DeepSeek's two halves add up to, or what the total leaves. */
function missingPrompt(
  raw: JsonObject,
  total: number | undefined,
  completion: number | undefined,
): number | undefined {
  const [hit, miss] = [tokensOf(raw["prompt_cache_hit_tokens"]), tokensOf(raw["prompt_cache_miss_tokens"])]
  if (hit !== undefined && miss !== undefined) return hit + miss
  return total === undefined || completion === undefined || total <= completion
    ? undefined
    : total - completion
}

function hasOwnNames(raw: JsonObject): boolean {
  const counted = firstCount(raw["cache_read_input_tokens"], raw["cache_creation_input_tokens"])
  return (tokensOf(raw["prompt_tokens"]) ?? 0) === 0 && (counted ?? 0) > 0
}

/** OpenAI's own details, with a total that has no room for a cache beside the prompt: other names are an echo. */
function isInsideTotal(raw: JsonObject, used: number): boolean {
  const [chat, own] = [objectOf(raw["prompt_tokens_details"]), objectOf(raw["input_tokens_details"])]
  const detailed = firstCount(chat["cached_tokens"], own["cached_tokens"])
  return (detailed ?? 0) > 0 && tokensOf(raw["total_tokens"]) === used
}

/** Copilot has it beside the details. */
function reasoningOf(raw: JsonObject): number | undefined {
  const [chat, own] = [objectOf(raw["completion_tokens_details"]), objectOf(raw["output_tokens_details"])]
  return firstCount(
    ...[chat["reasoning_tokens"], own["reasoning_tokens"], own["thinking_tokens"]],
    raw["reasoning_tokens"],
  )
}

function cacheCounts(raw: JsonObject, cacheRead: number | undefined): Pick<Counts, "cached" | "written"> {
  const [chat, own] = [objectOf(raw["prompt_tokens_details"]), objectOf(raw["input_tokens_details"])]
  const cached = firstCount(
    ...[chat["cached_tokens"], own["cached_tokens"], chat["cache_read_tokens"]],
    ...[raw["prompt_cache_hit_tokens"], raw["cached_tokens"], raw["num_cached_tokens"]],
    raw["cache_read_input_tokens"],
  )
  const written = firstCount(
    ...[chat["cache_write_tokens"], own["cache_write_tokens"], chat["cache_creation_input_tokens"]],
    ...[chat["cache_creation_tokens"], raw["cache_creation_input_tokens"]],
  )
  return { cached: cached ?? cacheRead ?? 0, written: written ?? 0 }
}

/** What the total holds beside prompt and completion. */
const extraOf = ({ prompt, completion, total }: Counts): number => (total ?? 0) - prompt - completion

/** xAI may count the cached part outside the prompt, and counts under Anthropic's names always do. */
function isCacheOutside(counts: Counts): boolean {
  const { prompt, cached, written, reasoning = 0, ownNames } = counts
  const cache = cached + written
  if (ownNames || cache > prompt) return true
  const extra = extraOf(counts)
  return cache > 0 && extra !== reasoning && (extra === cache || extra === cache + reasoning)
}

/** xAI and Gemini leave reasoning out of completion_tokens; the total gives it away, or that it is the larger. */
function outputCount(counts: Counts): number {
  const { completion, cached, written, reasoning } = counts
  if (reasoning !== undefined && reasoning > completion) return completion + reasoning
  const extra = extraOf(counts)
  const cache = cached + written
  if (extra <= 0) return completion
  if (reasoning === undefined)
    return completion + (extra >= cache && isCacheOutside(counts) ? extra - cache : extra)
  return extra === reasoning || extra === reasoning + cache ? completion + reasoning : completion
}
