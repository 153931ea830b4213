// What the sections of models.yaml come to in the configuration, and what is stronger than they are.
import { afterAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import type { Config } from "../../src/config/config.ts"
import { readModels } from "../../src/config/models/file.ts"
import { resolveRoute } from "../../src/config/routes/route.ts"
import { configOf, folderWith, load, problemsOf, removeFolders, warningsOf } from "./support.ts"

afterAll(removeFolders)

const keys = { OPENAI_API_KEY: "openai-key" }

function loaded(text: string, env: Readonly<Record<string, string>> = keys) {
  const configDir = folderWith({ "models.yaml": text })
  return { result: load({ env, configDir }), file: join(configDir, "models.yaml") }
}

function configIn(text: string, env: Readonly<Record<string, string>> = keys): Config {
  return configOf(loaded(text, env).result)
}

/** The settings a file gives, each with its line. */
function saidIn(text: string): readonly (readonly [string, string, string])[] {
  const { result, file } = loaded(text)
  if (!result.ok) throw new Error(result.problems.join("\n"))
  return [...result.sources.models.values].map(([name, { value, origin }]) => [
    name,
    value,
    origin.replace(`${file}:`, ""),
  ])
}

describe("each section says", () => {
  test.each<[string, string, readonly (readonly [string, string, string])[]]>([
    [
      "tiers",
      "tiers:\n  big: a\n  middle: b\n  small: c",
      [
        ["BIG_MODEL", "a", "2"],
        ["MIDDLE_MODEL", "b", "3"],
        ["SMALL_MODEL", "c", "4"],
      ],
    ],
    [
      "router",
      "router: {default: a, background: b,\n think: c, long_context: d, long_context_threshold: 2k}",
      [
        ["ROUTER_DEFAULT", "a", "1"],
        ["ROUTER_BACKGROUND", "b", "1"],
        ["ROUTER_THINK", "c", "2"],
        ["ROUTER_LONG_CONTEXT", "d", "2"],
        ["LONG_CONTEXT_THRESHOLD", "2048", "2"],
      ],
    ],
    ["auth: keys", "auth: {allowed_keys: [a, ' b ']}", [["ALLOWED_API_KEYS", "a,b", "1"]]],
    ["auth: keys by another word", "auth: {allowed_api_keys: [a]}", [["ALLOWED_API_KEYS", "a", "1"]]],
    [
      "auth: keys by a third one",
      "auth: {require_api_key: true, api_keys: [a]}",
      [["ALLOWED_API_KEYS", "a", "1"]],
    ],
    ["auth: no keys", "auth: {require_api_key: false, api_keys: []}", []],
    ["auth: keys not asked for", "auth: {require_api_key: false, api_keys: [a]}", []],
    ["auth: a limit", "auth: {rate_limit: true}", [["RATE_LIMIT_REQUESTS_PER_MINUTE", "60", "1"]]],
    ["auth: a limit with a number", "auth: {rate_limit: 5}", [["RATE_LIMIT_REQUESTS_PER_MINUTE", "5", "1"]]],
    [
      "auth: a limit in two lines",
      "auth:\n  rate_limit: true\n  rate_limit_requests_per_minute: 7",
      [["RATE_LIMIT_REQUESTS_PER_MINUTE", "7", "3"]],
    ],
    ["auth: a limit switched off", "auth: {rate_limit: false, rate_limit_requests_per_minute: 7}", []],
    [
      "cache",
      "cache: {enabled: true, ttl: 0.5, max_bytes: 1024, redis_url: redis://r.example}",
      [
        ["CACHE_ENABLED", "true", "1"],
        ["CACHE_TTL", "0.5", "1"],
        ["CACHE_MAX_BYTES", "1024", "1"],
        ["REDIS_URL", "redis://r.example", "1"],
      ],
    ],
    ["cache: an older word", "cache: {default_ttl: 60}", [["CACHE_TTL", "60", "1"]]],
    [
      "openai",
      "openai: {base_url: https://a.example/v1, api_key: 'k-123456,k-789012', timeout: 30.5, max_retries: 0}",
      [
        ["OPENAI_BASE_URL", "https://a.example/v1", "1"],
        ["OPENAI_API_KEY", "k-123456,k-789012", "1"],
        ["REQUEST_TIMEOUT", "30.5", "1"],
        ["MAX_RETRIES", "0", "1"],
      ],
    ],
    [
      "openai without a key",
      'openai: {base_url: https://a.example/v1, api_key: ""}',
      [
        ["OPENAI_BASE_URL", "https://a.example/v1", "1"],
        ["OPENAI_API_KEY", "", "1"],
      ],
    ],
    [
      "deepseek",
      "openai: {base_url: https://a.example}\ndeepseek:\n  model_name: deepseek-chat\n  default_thinking: true\n  max_tokens: 4k",
      [
        ["OPENAI_BASE_URL", "https://a.example", "1"],
        ["BIG_MODEL", "deepseek-chat", "3"],
        ["MIDDLE_MODEL", "deepseek-chat", "3"],
        ["SMALL_MODEL", "deepseek-chat", "3"],
        ["DEEPSEEK_THINKING", "true", "4"],
        ["DEFAULT_MAX_TOKENS", "4096", "5"],
      ],
    ],
    [
      "deepseek beneath tiers, wherever they stand",
      "deepseek: {model_name: b}\ntiers: {big: a}",
      [
        ["BIG_MODEL", "a", "2"],
        ["MIDDLE_MODEL", "b", "1"],
        ["SMALL_MODEL", "b", "1"],
      ],
    ],
  ])("%s", (_, text, expected) => {
    expect(saidIn(text)).toEqual(expected)
  })
})

describe("in the configuration", () => {
  test("tiers and routes", () => {
    const models = "models:\n  - {model_id: mine, provider: ollama, model_name: qwen3}\n"
    const config = configIn(
      `${models}tiers: {big: mine, middle: gpt-5, small: gpt-5-nano}\nrouter: {long_context_threshold: 4k}`,
    )
    expect(config.tiers).toEqual({ big: "mine", middle: "gpt-5", small: "gpt-5-nano" })
    expect(config.longContextThreshold).toBe(4096)
    const routed = configIn(
      `${models}router: {default: gpt-4o, background: mine, think: gpt-5, long_context: gpt-4.1}`,
    )
    expect(routed.router).toEqual({
      default: "gpt-4o",
      background: "mine",
      think: "gpt-5",
      longContext: "gpt-4.1",
    })
    const resolved = resolveRoute(routed, "claude-haiku-5")
    expect(resolved.ok && [resolved.route.provider, resolved.route.model]).toEqual(["ollama", "qwen3"])
  })

  test("the file in the form of an older one", () => {
    const text =
      "openai: {base_url: https://api.deepseek.com, api_key: file-key-123, timeout: 60}\n" +
      "deepseek: {model_name: deepseek-v4-pro, default_thinking: auto, max_tokens: 4000, temperature: 0.7, top_p: 0.9}\n" +
      "auth: {require_api_key: true, api_keys: [client-key-1, client-key-2]}"
    const config = configIn(text, {})
    expect([config.upstream.row.id, config.upstream.apiKeys]).toEqual(["deepseek", ["file-key-123"]])
    expect(config.tiers).toEqual({
      big: "deepseek-v4-pro",
      middle: "deepseek-v4-pro",
      small: "deepseek-v4-pro",
    })
    expect([config.requestTimeoutMs, config.defaultMaxTokens]).toEqual([60_000, 4000])
    expect(config.clientKeys).toEqual(["client-key-1", "client-key-2"])
    expect(config.secrets.toSorted()).toEqual(["client-key-1", "client-key-2", "file-key-123"])
    const resolved = resolveRoute(config, "claude-sonnet-5")
    expect(resolved.ok && resolved.route.defaults).toEqual({ temperature: 0.7, top_p: 0.9, thinking: "auto" })
  })

  test("thinking switched off is not the same as not said", () => {
    const base = "openai: {base_url: https://api.deepseek.com, api_key: file-key-123}\n"
    const thinkingOf = (text: string) => configIn(base + text, {}).upstream.defaults.thinking
    expect(thinkingOf("deepseek: {default_thinking: false}")).toBe("off")
    expect(thinkingOf("deepseek: {default_thinking: true}")).toBe("on")
    expect(thinkingOf("deepseek: {model_name: a}")).toBeUndefined()
  })

  test("everything else is stronger: the environment, and any .env", () => {
    const configDir = folderWith({
      ".env": "SMALL_MODEL=from-the-file",
      "models.yaml": "tiers: {big: a, middle: b, small: c}\nopenai: {timeout: 5, max_retries: 7}",
    })
    const flags = { MAX_RETRIES: "1" }
    const result = load({ env: { ...keys, BIG_MODEL: "from-the-environment" }, configDir, flags })
    const config = configOf(result)
    expect(config.tiers).toEqual({ big: "from-the-environment", middle: "b", small: "from-the-file" })
    expect([config.requestTimeoutMs, config.maxRetries]).toEqual([5000, 1])
    expect(result.ok && result.described.origins["MIDDLE_MODEL"]).toBe(`${join(configDir, "models.yaml")}:1`)
  })

  test("a cache and a limit for each key", () => {
    const { result } = loaded("cache:\n  enabled: true\n  ttl: 30\nauth:\n  rate_limit: 5")
    expect(warningsOf(result)).toEqual([])
    expect(configOf(result)).toMatchObject({
      cache: { enabled: true, ttlMs: 30_000 },
      rateLimitPerMinute: 5,
    })
  })

  test("keys that are not asked for are told, and not used", () => {
    const { result, file } = loaded("auth:\n  require_api_key: false\n  allowed_keys: [client-key-1]")
    expect(configOf(result).clientKeys).toEqual([])
    expect(warningsOf(result)).toEqual([
      `${file}:3:3: these keys are not asked for, as require_api_key is false: take one of the two out.`,
    ])
  })

  test("a wrong model in a section is found where it is said", () => {
    const { result, file } = loaded("tiers:\n  small: deepseek/deepseek-v4-pro")
    expect(problemsOf(result)).toEqual([
      `SMALL_MODEL (${file}:2) cannot be reached: model: "deepseek/deepseek-v4-pro" names DeepSeek, but ` +
        "DEEPSEEK_API_KEY is not set on the proxy. Change that, or name another model.",
    ])
  })
})

test.each<[string, unknown, string | undefined]>([
  [
    "without any",
    { require_api_key: true },
    "m.yaml:2:20: require_api_key is true, and there is no key that clients could send: list keys under " +
      "allowed_keys, or set ALLOWED_API_KEYS.",
  ],
  [
    "with an empty list",
    { require_api_key: true, api_keys: [] },
    "m.yaml:2:20: require_api_key is true, and there is no key that clients could send: list keys under " +
      "allowed_keys, or set ALLOWED_API_KEYS.",
  ],
  ["with some", { require_api_key: true, api_keys: ["a"] }, undefined],
  ["that is none", { require_api_key: false }, undefined],
  ["that is not there", {}, undefined],
])("a demand for keys %s is kept for who knows all settings", (_, auth, expected) => {
  const placeOf = (path: readonly PropertyKey[]) =>
    path.join(".") === "auth.require_api_key" ? { line: 2, column: 20 } : { line: 1, column: 1 }
  const read = readModels("m.yaml", { value: { auth }, placeOf })
  expect(read.needsClientKey).toBe(expected)
  expect(read.problems).toEqual([])
})
