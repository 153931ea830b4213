// A file of models for tests, and what becomes of a request that names one.
import type { Config } from "../../src/config/config.ts"
import { resolveRoute } from "../../src/config/routes/route.ts"
import type { LoadSources } from "../../src/config/sources/load-sources.ts"
import { configOf, folderWith, load } from "./support.ts"

export const models = `
- model_id: relay/one
  model_name: vendor/one
  api_base: https://relay.example/v1/chat/completions?code=query-secret
  api_key_name: RELAY_API_KEY
  max_tokens: 1000
  max_input_tokens: 20000
  vision: false
- model_id: local
  model_name: qwen3:8b
  provider: ollama
  input_cost_per_token: 0
  output_cost_per_token: 0
- model_id: claude-mine
  model_name: gpt-5
  provider: openai
  input_cost_per_token: 0.001
  input_cost_per_million_tokens: 2
  output_cost_per_million_tokens: 8
  cache_read_cost_per_million_tokens: 0.5
- model_id: keyed
  provider: deepseek
  api_key_name: OTHER_KEY
- model_id: plain
  api_base: https://unknown.example
- model_id: hosted
  api_base: https://api.deepseek.com/v1
- model_id: azured
  provider: azure
`

export const keys = { OPENAI_API_KEY: "openai-key", RELAY_API_KEY: "relay-key, second-key" }

/** The configuration of an environment and the models above. */
export function configWith(env: Readonly<Record<string, string>>, more: Partial<LoadSources> = {}): Config {
  return configOf(load({ env, configDir: folderWith({ "models.yaml": models }), ...more }))
}

/** Where a model goes, or why it cannot. */
export function routed(config: Config, model: string) {
  const resolved = resolveRoute(config, model)
  if (!resolved.ok) return resolved.fault.message
  const { provider, url, apiKey, keyName, model: name, reason } = resolved.route
  return { provider, url, apiKey, keyName, name, reason }
}

export const byName = "model named by the client"
export const relayRoute = {
  provider: "generic",
  url: "https://relay.example/v1/chat/completions?code=query-secret",
  apiKey: "relay-key",
  keyName: "RELAY_API_KEY",
  name: "vendor/one",
}

/** The form with sections that the example file shows in comments at its end, as a file of its own. */
export function otherForm(example: string): string {
  const text = example.slice(example.indexOf("# models:\n"))
  return text.replace(/^# ?/gm, "")
}
