// What is Anthropic's, the client's or ours, and must not reach a provider, though no server would refuse it.
import { isObject, type JsonObject } from "../../../src/protocol/json.ts"

/** Start of the carrier that a proxy puts into `signature`; of the billing line; of the client's identity. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/ccp1\.[A-Za-z0-9_-]{4}/, "a carrier of ours"],
  [/x-anthropic-billing-header/i, "Claude Code's billing line"],
  [/device_id|"account_uuid|session_id\\?"/, "the client's identity"],
  [/(^|[^A-Za-z0-9+/])E[opq][A-Za-z0-9+/]{60}/, "Anthropic's signature"],
  [/gAAAAA[A-Za-z0-9_-]{40}/, "OpenAI's encrypted reasoning"],
]

/** Members of Anthropic's requests that no Chat Completions server documents. */
const words = new Set([
  ...["citations", "signature", "budget_tokens", "is_error", "caller", "toolset_name", "input_examples"],
  ...["defer_loading", "eager_input_streaming", "allowed_callers", "context_management", "tool_use_id"],
  ...["input_schema", "anthropic_version", "betas", "container", "mcp_servers", "output_config", "clear_at"],
  ...["inference_geo", "diagnostics", "billing_policy", "encrypted_index"],
])

/** Where such a thing stands in a body; the schemas and arguments of tools are the client's own. */
export function findLeaks(body: JsonObject): readonly string[] {
  return walk(body, "")
}

function walk(value: unknown, path: string): readonly string[] {
  if (typeof value === "string") {
    return secrets.flatMap(([pattern, what]) => (pattern.test(value) ? [`${path}: ${what}`] : []))
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => walk(item, `${path}[${index}]`))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, item]) => {
    const at = path === "" ? key : `${path}.${key}`
    if (["parameters", "schema", "arguments", "reasoning_details"].includes(key)) return []
    return [...(words.has(key) ? [`${at}: a word of Anthropic's`] : []), ...walk(item, at)]
  })
}
