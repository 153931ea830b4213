// Misspelt settings: an unknown name that is nearly one of ours, or what another proxy calls one of them.
import { lookUp } from "../../protocol/json.ts"
import { headerPrefix, isSettingName, settings } from "./settings.ts"

const address = "OPENAI_BASE_URL, or the provider before a model, like BIG_MODEL=gemini/NAME"
const clientKeys = "ALLOWED_API_KEYS, which lists the keys that clients must send"
const logFolder = "LOG_FILE_PATH, the folder for log files"
const deployment = "BIG_MODEL, which takes the name of the deployment"
const temperature = "temperature, which is said of a model in models.yaml"

/** What other proxies call our settings, with what is different where it is not the name alone. */
export const otherNames: readonly (readonly [ours: string, theirs: readonly string[]])[] = [
  ["HOST", ["SERVER_HOST", "PROXY_HOST", "LISTEN_HOST"]],
  ["PORT", ["SERVER_PORT", "PROXY_PORT", "LISTEN_PORT"]],
  ["OPENAI_BASE_URL", ["OPENAI_API_BASE", "OPENAI_API_BASE_URL", "OPENAI_API_URL", "OPENAI_URL"]],
  ["OPENAI_BASE_URL", ["DEEPSEEK_BASE_URL", "DEEPSEEK_API_BASE", "VLLM_ENDPOINT", "VLLM_BASE_URL"]],
  ["OPENAI_BASE_URL", ["OLLAMA_BASE_URL", "AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"]],
  [address, ["PREFERRED_PROVIDER", "LLM_PROVIDER", "MODEL_PROVIDER"]],
  ["OPENAI_API_KEY", ["API_KEY", "VLLM_API_KEY", "LLM_API_KEY", "UPSTREAM_API_KEY"]],
  ["AZURE_API_VERSION", ["AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION"]],
  ["BIG_MODEL", ["MODEL", "DEFAULT_MODEL", "OPENAI_MODEL", "DEEPSEEK_MODEL", "VLLM_MODEL", "OPUS_MODEL"]],
  [deployment, ["AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_DEPLOYMENT_NAME", "AZURE_DEPLOYMENT_NAME"]],
  ["MIDDLE_MODEL", ["SONNET_MODEL", "MEDIUM_MODEL"]],
  ["SMALL_MODEL", ["HAIKU_MODEL"]],
  ["ROUTER_THINK", ["REASONING_MODEL", "THINK_MODEL", "ROUTER_THINKING", "ROUTER_REASONING"]],
  ["ROUTER_BACKGROUND", ["BACKGROUND_MODEL"]],
  ["ROUTER_LONG_CONTEXT", ["LONG_CONTEXT_MODEL"]],
  ["DEFAULT_MAX_TOKENS", ["DEEPSEEK_MAX_TOKENS"]],
  [temperature, ["DEEPSEEK_TEMPERATURE", "DEFAULT_TEMPERATURE"]],
  [clientKeys, ["REQUIRE_API_KEY", "PROXY_API_KEY", "PROXY_AUTH_KEY", "ANTHROPIC_AUTH_TOKEN"]],
  ["RATE_LIMIT_REQUESTS_PER_MINUTE", ["RATE_LIMIT", "RATE_LIMIT_PER_MINUTE", "RATE_LIMIT_RPM"]],
  [logFolder, ["LOG_FILE", "LOG_DIR", "LOG_PATH", "LOG_FOLDER"]],
  ["CUSTOM_MODELS_FILE", ["MODELS_FILE", "MODELS_CONFIG", "CUSTOM_MODELS_CONFIG"]],
  ["REQUEST_TIMEOUT", ["REQUEST_TIMEOUT_SECONDS", "API_TIMEOUT"]],
  ["REDIS_URL, like redis://HOST:6379", ["REDIS_HOST"]],
]

function otherNameOf(name: string): string | undefined {
  return otherNames.find(([, theirs]) => theirs.includes(name))?.[0]
}

/**
 * The setting that an unknown name was probably meant to be, as the end of a question; or undefined. Names of
 * four or five letters (HOST, PORT) must be closer: two changes away from them lie too many names of other
 * programs.
 */
export function suggestName(name: string): string | undefined {
  if (isSettingName(name)) return undefined
  const upper = name.toUpperCase()
  const meant = otherNameOf(upper)
  if (meant !== undefined) return meant
  const keyed = upper.replace(/_(API)?KEY$/, "_API_KEY")
  if (isSettingName(keyed)) return keyed
  const close = settings
    .filter((setting) => Math.abs(setting.name.length - upper.length) <= mostChanges)
    .map((setting) => ({ name: setting.name, distance: editDistance(upper, setting.name) }))
    .filter((candidate) => candidate.distance <= (candidate.name.length > 5 ? 2 : 1))
    .sort((one, other) => one.distance - other.distance)
  return close[0]?.name ?? suggestHeader(upper)
}

// A name of another length is further away than any slip.
const mostChanges = 2

function suggestHeader(upper: string): string | undefined {
  const found = /^([A-Z]+_[A-Z]+_)(\w+)$/.exec(upper)
  if (found === null || editDistance(found[1] ?? "", headerPrefix) > 2) return undefined
  return `${headerPrefix}${found[2] ?? ""}`
}

// Other programs' words for what we call otherwise; the first one that is known counts.
const otherKeys: Readonly<Record<string, readonly string[]>> = {
  apikey: ["api_key_name", "api_keys"],
  apikeyenv: ["api_key_name"],
  apikeyvar: ["api_key_name"],
  key: ["api_key_name", "api_key"],
  keys: ["allowed_keys"],
  clientkeys: ["allowed_keys"],
  enabled: ["require_api_key"],
  requestsperminute: ["rate_limit_requests_per_minute"],
  rpm: ["rate_limit_requests_per_minute"],
  apibase: ["base_url"],
  apibaseurl: ["api_base", "base_url"],
  baseurl: ["api_base"],
  endpoint: ["api_base", "base_url"],
  url: ["api_base", "base_url", "redis_url"],
  httpproxy: ["proxy"],
  id: ["model_id"],
  model: ["model_id", "model_name"],
  name: ["model_name"],
  upstreammodel: ["model_name"],
  contextlength: ["max_input_tokens", "context_window"],
  contextwindow: ["max_input_tokens"],
  maxcontext: ["max_input_tokens", "context_window"],
  maxoutputtokens: ["max_tokens"],
  headers: ["extra_headers"],
  customheaders: ["extra_headers"],
  body: ["extra_body"],
  extraparams: ["extra_body"],
  stream: ["can_stream"],
  streaming: ["can_stream"],
  supportsstreaming: ["can_stream"],
  supportsvision: ["vision"],
  supportsreasoning: ["reasoning"],
  thinking: ["reasoning", "default_thinking", "think"],
  effort: ["reasoning_effort"],
  inputcost: ["input_cost_per_token"],
  outputcost: ["output_cost_per_token"],
  opus: ["big"],
  sonnet: ["middle"],
  haiku: ["small", "background"],
  medium: ["middle"],
  threshold: ["long_context_threshold"],
  reasoning: ["think"],
  defaultmodel: ["default"],
  file: ["env"],
  envfile: ["env"],
  maxsize: ["max_bytes"],
  maxsizebytes: ["max_bytes"],
  redis: ["redis_url"],
  retries: ["max_retries"],
  requesttimeout: ["timeout"],
}

/** The key of a file that an unknown one was probably meant to be: another spelling, a slip, a common synonym. */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  const plain = plainName(key)
  const same = known.find((name) => plainName(name) === plain)
  if (same !== undefined) return same
  const close = known
    .map((name) => ({ name, distance: editDistance(plain, plainName(name)) }))
    .filter((candidate) => candidate.distance <= (plain.length > 5 ? 2 : 1))
    .sort((one, other) => one.distance - other.distance)
  const synonyms = lookUp(otherKeys, plain) ?? []
  return close[0]?.name ?? synonyms.find((name) => known.includes(name))
}

/** A name without its spelling: small letters and digits alone. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "")
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(one: string, other: string): number {
  let before: readonly number[] = []
  let last: readonly number[] = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let row = 1; row <= one.length; row += 1) {
    const next = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1]
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      next.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (next[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    before = last
    last = next
  }
  return last[other.length] ?? 0
}
