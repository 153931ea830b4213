// The numbers in a provider's usage: each is looked for under all the names it is known by.
import { countOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"

/** The numbers of one usage, under one name each. */
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

/** A count of tokens; undefined: there is none. */
export function tokensOf(value: unknown): number | undefined {
  const count = countOf(value)
  return count === undefined || count > mostTokens ? undefined : Math.round(count)
}

/**
 * What was found, or else what the next field says. Gateways write every field they know and zero into those that do
 * not apply: a zero is the last resort.
 */
function orCount(found: number | undefined, value: unknown): number | undefined {
  if (value === undefined || (found !== undefined && found > 0)) return found
  const count = tokensOf(value)
  return count !== undefined && count > 0 ? count : (found ?? count)
}

/** The first of these fields that counts anything. */
function firstCount(raw: JsonObject, fields: readonly string[]): number | undefined {
  let found: number | undefined
  for (const field of fields) found = orCount(found, raw[field])
  return found
}

const promptFields = ["prompt_tokens", "input_tokens"] as const
const completionFields = ["completion_tokens", "output_tokens"] as const
const ownCacheFields = ["cache_read_input_tokens", "cache_creation_input_tokens"] as const
const cachedFields = [
  "prompt_cache_hit_tokens",
  "cached_tokens",
  "num_cached_tokens",
  "cache_read_input_tokens",
] as const
// Qwen; LiteLLM; new-api and Bifrost before Claude (InputTokenDetails in dto/openai_response.go); Requesty.
const writtenDetails = [
  "cache_creation_input_tokens",
  "cache_creation_tokens",
  "cached_creation_tokens",
  "caching_tokens",
] as const

/** Reads the numbers; undefined where there are none. `cacheRead` counts where the usage says nothing of the cache. */
export function readCounts(raw: unknown, cacheRead: number | undefined): Counts | undefined {
  if (!isObject(raw)) return undefined
  const total = tokensOf(raw["total_tokens"])
  const completion = firstCount(raw, completionFields)
  const prompt = firstCount(raw, promptFields) ?? missingPrompt(raw, total, completion)
  if (prompt === undefined && completion === undefined) return undefined
  return {
    prompt: prompt ?? 0,
    completion: completion ?? 0,
    total,
    reasoning: reasoningOf(raw),
    ownNames: hasOwnNames(raw) && !isInsideTotal(raw, (prompt ?? 0) + (completion ?? 0)),
    cached: cachedOf(raw) ?? cacheRead ?? 0,
    written: writtenOf(raw) ?? 0,
  }
}

/** What DeepSeek's two halves add up to, or what the total leaves. */
function missingPrompt(
  raw: JsonObject,
  total: number | undefined,
  completion: number | undefined,
): number | undefined {
  const hit = tokensOf(raw["prompt_cache_hit_tokens"])
  const miss = tokensOf(raw["prompt_cache_miss_tokens"])
  if (hit !== undefined && miss !== undefined) return hit + miss
  return total === undefined || completion === undefined || total <= completion
    ? undefined
    : total - completion
}

function hasOwnNames(raw: JsonObject): boolean {
  return (tokensOf(raw["prompt_tokens"]) ?? 0) === 0 && (firstCount(raw, ownCacheFields) ?? 0) > 0
}

const chatDetails = (raw: JsonObject): JsonObject => objectOf(raw["prompt_tokens_details"])
const ownDetails = (raw: JsonObject): JsonObject => objectOf(raw["input_tokens_details"])

/** OpenAI's own details, with a total that has no room for a cache beside the prompt: other names are an echo. */
function isInsideTotal(raw: JsonObject, used: number): boolean {
  return (cachedDetail(raw) ?? 0) > 0 && tokensOf(raw["total_tokens"]) === used
}

function cachedDetail(raw: JsonObject): number | undefined {
  return orCount(orCount(undefined, chatDetails(raw)["cached_tokens"]), ownDetails(raw)["cached_tokens"])
}

/** Copilot has it beside the details. */
function reasoningOf(raw: JsonObject): number | undefined {
  const own = objectOf(raw["output_tokens_details"])
  let found = orCount(undefined, objectOf(raw["completion_tokens_details"])["reasoning_tokens"])
  found = orCount(found, own["reasoning_tokens"])
  found = orCount(found, own["thinking_tokens"])
  return orCount(found, raw["reasoning_tokens"])
}

function cachedOf(raw: JsonObject): number | undefined {
  const detailed = orCount(cachedDetail(raw), chatDetails(raw)["cache_read_tokens"])
  return orCount(detailed, firstCount(raw, cachedFields))
}

function writtenOf(raw: JsonObject): number | undefined {
  const chat = chatDetails(raw)
  let found = orCount(undefined, chat["cache_write_tokens"])
  found = orCount(found, ownDetails(raw)["cache_write_tokens"])
  found = orCount(found, firstCount(chat, writtenDetails))
  return orCount(found, raw["cache_creation_input_tokens"])
}

/** What the total holds beside prompt and completion. */
const extraOf = ({ prompt, completion, total }: Counts): number => (total ?? 0) - prompt - completion

/** xAI may count the cached part outside the prompt, and counts under Anthropic's names always do. */
export function isCacheOutside(counts: Counts): boolean {
  const { prompt, cached, written, reasoning = 0, ownNames } = counts
  const cache = cached + written
  if (ownNames || cache > prompt) return true
  const extra = extraOf(counts)
  return cache > 0 && extra !== reasoning && (extra === cache || extra === cache + reasoning)
}

/** xAI and Gemini leave reasoning out of completion_tokens; the total gives it away, or that it is the larger. */
export function outputCount(counts: Counts): number {
  const { completion, cached, written, reasoning } = counts
  if (reasoning !== undefined && reasoning > completion) return completion + reasoning
  const extra = extraOf(counts)
  const cache = cached + written
  if (extra <= 0) return completion
  if (reasoning === undefined)
    return completion + (extra >= cache && isCacheOutside(counts) ? extra - cache : extra)
  return extra === reasoning || extra === reasoning + cache ? completion + reasoning : completion
}
