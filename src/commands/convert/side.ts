// Whose request is this? Both APIs call their conversation `messages`; what is in it and beside it tells.
import { arrayOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"

export type Side = "openai" | "anthropic"

// In order of how sure they make it; what both APIs have is not here.
const anthropicFields = [
  ...["system", "stop_sequences", "output_config", "output_format", "context_management", "container"],
  ...["mcp_servers", "anthropic_version", "anthropic_beta", "thread", "speed"],
] as const

const openaiFields = [
  ...["max_completion_tokens", "response_format", "stream_options", "reasoning_effort", "functions"],
  ...["function_call", "parallel_tool_calls", "stop", "n", "logprobs", "top_logprobs", "logit_bias", "seed"],
  ...["presence_penalty", "frequency_penalty", "store", "user", "modalities", "prompt_cache_key"],
  ...["safety_identifier", "verbosity", "web_search_options", "prediction"],
] as const

const openaiParts: ReadonlySet<unknown> = new Set(["image_url", "input_audio", "file", "refusal"])

const anthropicBlocks: ReadonlySet<unknown> = new Set([
  ...["tool_use", "tool_result", "thinking", "redacted_thinking", "image", "document", "search_result"],
])

/** The side a request with `messages` belongs to; "either" when all that it holds is common to both. */
export function sideOfRequest(request: JsonObject): Side | "either" {
  const messages = arrayOf(request["messages"]).filter(isObject)
  return sideOfMessages(messages) ?? sideOfFields(request, messages) ?? "either"
}

function sideOfMessages(messages: readonly JsonObject[]): Side | undefined {
  for (const message of messages) {
    const role = message["role"]
    if (role === "tool" || role === "function") return "openai"
    if (message["tool_calls"] || message["function_call"]) return "openai"
    for (const part of arrayOf(message["content"]).filter(isObject)) {
      if (openaiParts.has(part["type"])) return "openai"
      if (anthropicBlocks.has(part["type"])) return "anthropic"
    }
  }
  return undefined
}

function sideOfFields(request: JsonObject, messages: readonly JsonObject[]): Side | undefined {
  const has = (field: string) => request[field] !== undefined
  if (anthropicFields.some(has)) return "anthropic"
  const tools = arrayOf(request["tools"]).map(objectOf)
  if (tools.some((tool) => tool["input_schema"] !== undefined)) return "anthropic"
  if (tools.some((tool) => isObject(tool["function"]))) return "openai"
  if (openaiFields.some(has) || typeof request["tool_choice"] === "string") return "openai"
  // Other hosts of Chat Completions know this field as well.
  if (has("thinking")) return "anthropic"
  const first = messages[0]?.["role"]
  return first === "system" || first === "developer" ? "openai" : undefined
}
