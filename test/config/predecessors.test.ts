// Whole configurations as users of other proxies bring them: what becomes of every line in them.
import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import type { Config } from "../../src/config/config.ts"
import { type RouteRequest, resolveRoute } from "../../src/config/routes/route.ts"
import { configOf, load, warningsOf } from "./support.ts"

const root = join(import.meta.dir, "../fixtures/config")

function loaded(style: string, file: string) {
  return load({ envFile: join(root, style, file), env: { PATH: "/usr/bin" } })
}

function routes(config: Config, asked: readonly (readonly [string, RouteRequest?])[]) {
  return asked.map(([model, request]) => {
    const resolved = resolveRoute(config, model, request)
    if (!resolved.ok) return resolved.fault.message
    const { provider, url, model: name, apiKey, reason } = resolved.route
    return [provider, url, name, apiKey, reason]
  })
}

const families = [["claude-opus-5-5"], ["claude-sonnet-5-5"], ["claude-haiku-4-5"]] as const

describe("a gateway in front of DeepSeek", () => {
  const result = loaded("deepseek-gateway", "settings.env")

  test("settings", () => {
    expect(configOf(result)).toMatchObject({
      host: "127.0.0.1",
      port: 8082,
      requestTimeoutMs: 300_000,
      defaultMaxTokens: 8192,
      maxTokensLimit: undefined,
      clientKeys: ["sk-client-one-0123", "sk-client-two-0123"],
      tiers: { big: "deepseek-v3.1", middle: "deepseek-v3.1", small: "deepseek-v3.1" },
      upstream: { baseUrl: "https://gateway.example/v1", defaults: { thinking: "auto", temperature: 0.7 } },
    })
  })

  test("routes", () => {
    const url = "https://gateway.example/v1/chat/completions"
    expect(routes(configOf(result), families)).toEqual([
      ["deepseek", url, "deepseek-v3.1", "sk-gateway-0123456789", "opus → BIG_MODEL"],
      ["deepseek", url, "deepseek-v3.1", "sk-gateway-0123456789", "sonnet → MIDDLE_MODEL"],
      ["deepseek", url, "deepseek-v3.1", "sk-gateway-0123456789", "haiku → SMALL_MODEL"],
    ])
  })

  test("limits, cache and Redis are taken as they stand", () => {
    expect(configOf(result)).toMatchObject({
      redisUrl: "redis://:redis-pass@localhost:6379",
      cache: { enabled: true, ttlMs: 3_600_000 },
      rateLimitPerMinute: 60,
    })
  })

  test("what is called otherwise here is told", () => {
    const warnings = warningsOf(result)
    for (const [name, meant] of [
      ["SERVER_PORT", "PORT"],
      ["DEEPSEEK_MODEL", "BIG_MODEL"],
    ] as const) {
      expect(warnings.some((warning) => warning.startsWith(`${name} (`) && warning.includes(meant))).toBe(
        true,
      )
    }
  })

  test("the file alone does as well", () => {
    const path = join(root, "deepseek-gateway/models.yaml")
    const config = configOf(load({ env: { CUSTOM_MODELS_FILE: path } }))
    expect(config).toMatchObject({
      requestTimeoutMs: 300_000,
      defaultMaxTokens: 8192,
      clientKeys: ["sk-of-the-file-client-0123"],
      tiers: { big: "deepseek-v3.1", middle: "deepseek-v3.1", small: "deepseek-v3.1" },
      upstream: {
        baseUrl: "https://gateway.example/openai/v1",
        apiKeys: ["sk-of-the-file-0123456789"],
        defaults: { thinking: "off", temperature: 0.7 },
      },
    })
    expect(config.upstream.row.id).toBe("deepseek")
    expect(config.secrets).toContain("sk-of-the-file-0123456789")
    expect(config.secrets).toContain("sk-of-the-file-client-0123")
  })
})

describe("three tiers in quotes", () => {
  test("settings", () => {
    const config = configOf(loaded("tiers", "settings.env"))
    expect(config).toMatchObject({
      host: "0.0.0.0",
      port: 8082,
      logLevel: "INFO",
      maxTokensLimit: 65_536,
      minTokensLimit: 4_096,
      requestTimeoutMs: 90_000,
      maxRetries: 3,
      clientKeys: ["client-key-0123456789"],
    })
    expect(config.upstream.headers).toEqual({
      "X-Client-Id": "client-7",
      Authorization: "Bearer gateway-token-01",
    })
  })

  test("routes", () => {
    const url = "https://api.moonshot.cn/v1/chat/completions"
    const key = "sk-your-0123456789"
    expect(routes(configOf(loaded("tiers", "settings.env")), families)).toEqual([
      ["moonshot", url, "kimi-k2.6", key, "opus → BIG_MODEL"],
      ["moonshot", url, "kimi-k2.6", key, "sonnet → MIDDLE_MODEL"],
      ["moonshot", url, "kimi-k2.6-small", key, "haiku → SMALL_MODEL"],
    ])
  })

  test("an accept header is left out, and told", () => {
    const path = join(root, "tiers/settings.env")
    expect(warningsOf(loaded("tiers", "settings.env"))).toEqual([
      `CUSTOM_HEADER_ACCEPT (${path}:26) is not sent: Accept is set by the proxy itself. Take it out.`,
    ])
  })

  test("Azure", () => {
    const url =
      "https://resource.openai.azure.com/openai/deployments/gpt-four/chat/completions?api-version=2024-03-01-preview"
    expect(routes(configOf(loaded("tiers", "azure.env")), families)).toEqual([
      ["azure", url, "gpt-4", "azure-key-0123456789", "opus → BIG_MODEL"],
      ["azure", url, "gpt-4", "azure-key-0123456789", "sonnet → MIDDLE_MODEL"],
      ["azure", url, "gpt-35-turbo", "azure-key-0123456789", "haiku → SMALL_MODEL"],
    ])
  })
})

describe("one file for each of many proxies", () => {
  test.each([
    ["kimi", 8081, "moonshot", "https://api.moonshot.cn/v1/chat/completions", "kimi-k2.6"],
    ["glm", 8082, "zhipu", "https://open.bigmodel.cn/api/paas/v4/chat/completions", "GLM-4.7"],
    ["minimax", 8083, "minimax", "https://api.minimaxi.com/v1/chat/completions", "MiniMax-M2.1"],
    [
      ...(["gemini", 8084, "gemini"] as const),
      "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
      "gemini-3-pro-preview",
    ],
  ] as const)("%s", (name, port, provider, url, model) => {
    const config = configOf(loaded("instances", `env-${name}`))
    expect([config.port, config.clientKeys, config.maxTokensLimit]).toEqual([port, [], 131_072])
    const key = `sk-${name}-0123456789`
    expect(routes(config, [["claude-haiku-4-5"]])).toEqual([
      [provider, url, model, key, "haiku → SMALL_MODEL"],
    ])
  })
})

describe("routes by content, and a list of models", () => {
  const result = loaded("router", "settings.env")

  test("settings", () => {
    const config = configOf(result)
    expect(config).toMatchObject({
      port: 8090,
      logLevel: "WARNING",
      longContextThreshold: 66 * 1024,
      maxTokensLimit: 16_384,
    })
    expect(config.models.map(({ id, reach }) => [id, reach.ok])).toEqual([
      ["deepseek-v3-250324", true],
      ["deepseek-r1-250528", true],
      ["gemini-2.5-pro", true],
      ["claude-relay", true],
    ])
  })

  test("routes", () => {
    const deepseek = "https://api.deepseek.com/v1/chat/completions"
    const gemini = "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"
    const key = "sk-deepseek-0123456789"
    const asked = [
      ["claude-opus-5-5"],
      ["claude-haiku-4-5"],
      ["claude-opus-5-5", { thinking: true }],
      ["claude-opus-5-5", { tokens: () => 70_000 }],
      ["custom/deepseek-r1-250528"],
      ["claude-relay"],
    ] as const
    expect(routes(configOf(result), asked)).toEqual([
      ["deepseek", deepseek, "deepseek-chat", key, "opus → ROUTER_DEFAULT"],
      ["deepseek", deepseek, "deepseek-chat", key, "haiku → ROUTER_BACKGROUND"],
      ["deepseek", deepseek, "deepseek-reasoner", key, "thinking → ROUTER_THINK"],
      [
        ...["gemini", gemini, "gemini-2.5-pro", "gemini-key-0123456789"],
        "70000 tokens, more than 67584 → ROUTER_LONG_CONTEXT",
      ],
      ["deepseek", deepseek, "deepseek-reasoner", key, "model named by the client"],
      [
        ...["generic", "https://relay.example/anthropic/v1/messages", "claude-sonnet-4"],
        ...["relay-key-0123456789", "model named by the client"],
      ],
    ])
  })

  test("what a model says of itself", () => {
    const config = configOf(result)
    const route = (model: string) => {
      const resolved = resolveRoute(config, model)
      if (!resolved.ok) throw new Error(resolved.fault.message)
      return resolved.route
    }
    expect(route("deepseek-v3-250324")).toMatchObject({
      prices: { input: 0.27 / 1e6, output: 1.1 / 1e6 },
      profile: { contextWindow: 131_072, maxOutputTokens: 8_192 },
    })
    expect(route("deepseek-r1-250528")).toMatchObject({
      prices: { input: 0.00000055, output: 0.00000219 },
      profile: { contextWindow: 65_536, maxOutputTokens: 65_536 },
      defaults: { effort: "high" },
    })
    expect(route("gemini-2.5-pro")).toMatchObject({
      headers: { "X-Team": "research" },
      profile: { extraBody: { extra_body: { google: { safety_settings: [] } } } },
    })
  })
})

describe("two clouds and Anthropic", () => {
  test("routes", () => {
    const config = configOf(loaded("two-clouds", "settings.env"))
    expect(config.clientKeys).toEqual([])
    expect(routes(config, families)).toEqual([
      [
        ...["gemini", "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"],
        ...["gemini-2.5-pro", "gemini-0123456789", "opus → BIG_MODEL"],
      ],
      [
        ...["anthropic", "https://api.anthropic.com/v1/messages", "claude-sonnet-4-5"],
        ...["sk-ant-0123456789", "sonnet → MIDDLE_MODEL"],
      ],
      [
        ...["openai", "https://api.openai.com/v1/chat/completions", "gpt-4.1-mini"],
        ...["sk-openai-0123456789", "haiku → SMALL_MODEL"],
      ],
    ])
  })
})
