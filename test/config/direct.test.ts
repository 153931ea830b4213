// Upstreams that speak Anthropic's own API: how they are named, and whose key goes where.
import { afterAll, describe, expect, test } from "bun:test"
import { isNative } from "../../src/config/network/addresses.ts"
import { resolveRoute } from "../../src/config/routes/route.ts"
import { findProvider } from "../../src/providers/table.ts"
import { configFrom, configOf, folderWith, load, removeFolders } from "./support.ts"

afterAll(removeFolders)

function routed(config: ReturnType<typeof configFrom>, model: string) {
  const resolved = resolveRoute(config, model)
  if (!resolved.ok) return resolved.fault.message
  const { url, apiKey, model: name, profile } = resolved.route
  return [profile.dialect, url, name, apiKey, profile.auth]
}

describe("by models.yaml", () => {
  const models = `
- model_id: opus
  model_name: claude-opus-5-5
  api_base: https://api.anthropic.com
  api_key_name: ANTHROPIC_API_KEY
- model_id: ds
  model_name: deepseek-v4-pro
  provider: deepseek
  direct: true
- model_id: relay
  api_base: https://relay.example/claude/v1
  direct: true
- model_id: nowhere
  provider: groq
  direct: true
  api_key_name: GROQ_API_KEY
- model_id: whole
  provider: deepseek
  can_stream: false
`
  const env = {
    OPENAI_API_KEY: "openai-key",
    ANTHROPIC_API_KEY: "ant-key",
    DEEPSEEK_API_KEY: "ds-key",
    GROQ_API_KEY: "g-key",
  }
  const config = configOf(load({ env, configDir: folderWith({ "models.yaml": models }) }))

  test.each<[string, unknown]>([
    [
      "opus",
      ["messages", "https://api.anthropic.com/v1/messages", "claude-opus-5-5", "ant-key", "x-api-key"],
    ],
    [
      "ds",
      ["messages", "https://api.deepseek.com/anthropic/v1/messages", "deepseek-v4-pro", "ds-key", "bearer"],
    ],
    ["relay", ["messages", "https://relay.example/claude/v1/messages", "relay", undefined, "bearer"]],
    [
      "nowhere",
      'model: "nowhere" has no known address for Anthropic\'s API: groq needs api_base in models.yaml',
    ],
    ["whole", ["chat", "https://api.deepseek.com/chat/completions", "whole", "ds-key", "bearer"]],
  ])("%s", (model, expected) => {
    expect<unknown>(routed(config, model)).toEqual(expected)
  })

  test("a key for Anthropic itself is no client's key", () => {
    expect(config.clientKeys).toEqual([])
    expect(config.secrets).toContain("ant-key")
  })

  test("a model that cannot stream is asked without", () => {
    const resolved = resolveRoute(config, "whole")
    expect(resolved.ok && resolved.route.profile.streams).toBe("never")
  })
})

describe("by a tier", () => {
  const env = { OPENAI_API_KEY: "openai-key", ANTHROPIC_API_KEY: "ant-key" }

  test("anthropic/NAME", () => {
    const config = configFrom({ ...env, BIG_MODEL: "anthropic/claude-opus-5-5" })
    const expected = [
      "messages",
      "https://api.anthropic.com/v1/messages",
      "claude-opus-5-5",
      "ant-key",
      "x-api-key",
    ]
    expect<unknown>(routed(config, "claude-opus-4-1")).toEqual(expected)
    expect(config.clientKeys).toEqual([])
  })

  test("elsewhere such a name is only a Claude model's, and the key a client's", () => {
    const config = configFrom(env)
    expect(config.clientKeys).toEqual(["ant-key"])
    expect(routed(config, "anthropic/claude-sonnet-4")).toEqual([
      ...["chat", "https://api.openai.com/v1/chat/completions", "gpt-4o", "openai-key", "bearer"],
    ])
  })

  test("a relay has such names itself", () => {
    const config = configFrom({ OPENROUTER_API_KEY: "or-key", BIG_MODEL: "anthropic/claude-sonnet-4.6" })
    expect(routed(config, "claude-opus-5-5")).toEqual([
      ...[
        "chat",
        "https://openrouter.ai/api/v1/chat/completions",
        "anthropic/claude-sonnet-4.6",
        "or-key",
        "bearer",
      ],
    ])
    expect(routed(config, "deepseek/deepseek-v4")).toContain("deepseek/deepseek-v4")
  })

  test("an address of its own in models.yaml is meant by the name, and gets nobody's key", () => {
    const yaml = "providers: {anthropic: {api_base: https://gateway.example}}"
    const named = { ...env, BIG_MODEL: "anthropic/claude-opus-5-5" }
    const config = configFrom(named, { configDir: folderWith({ "models.yaml": yaml }) })
    expect(routed(config, "claude-opus-4-1")).toEqual([
      ...["messages", "https://gateway.example/v1/messages", "claude-opus-5-5", undefined, "x-api-key"],
    ])
  })

  test("a relay has them where nothing is sent, too, as `convert` shows it", () => {
    const shown = (env: Record<string, string>) => {
      const config = configFrom({ OPENROUTER_API_KEY: "or-key", ...env }, { needsUpstream: false })
      return routed(config, "anthropic/claude-sonnet-4.6").slice(1, 3)
    }
    const atRelay = ["https://openrouter.ai/api/v1/chat/completions", "anthropic/claude-sonnet-4.6"]
    const tier = { BIG_MODEL: "anthropic/claude-sonnet-4.6" }
    expect(shown(tier)).toEqual(atRelay)
    expect(shown({ ANTHROPIC_API_KEY: "a-clients" })[0]).toBe(atRelay[0])
    expect(shown({ ...tier, ANTHROPIC_API_KEY: "ant-key" })).toEqual([
      ...["https://api.anthropic.com/v1/messages", "claude-sonnet-4.6"],
    ])
  })
})

describe("by the base URL", () => {
  test("Anthropic's own: Claude's names stay as they are", () => {
    const config = configFrom({ OPENAI_BASE_URL: "https://api.anthropic.com", ANTHROPIC_API_KEY: "ant-key" })
    expect(routed(config, "claude-sonnet-5-5")).toEqual([
      ...["messages", "https://api.anthropic.com/v1/messages", "claude-sonnet-5-5", "ant-key", "x-api-key"],
    ])
  })

  test.each([
    ["deepseek", "https://api.deepseek.com/anthropic", true],
    ["deepseek", "https://api.deepseek.com/anthropic/v1", true],
    ["deepseek", "https://api.deepseek.com/v1", false],
    ["kimi", "https://api.kimi.com/coding", false],
    ["kimi", "https://api.kimi.com/coding/v1", false],
    ["openrouter", "https://openrouter.ai/api", false],
    ["openrouter", "https://openrouter.ai/api/v1", false],
    ["ollama", "http://localhost:11434", false],
    ["ollama", "http://localhost:11434/v1", false],
    ["zhipu", "https://open.bigmodel.cn/api/anthropic", true],
    ["generic", "https://relay.example/anthropic", true],
    ["generic", "https://relay.example/v1", false],
    ["anthropic", "https://api.anthropic.com/v1", true],
  ])("%s at %s: %p", (id, baseUrl, expected) => {
    const row = findProvider(id)
    expect(row !== undefined && isNative(row, baseUrl)).toBe(expected)
  })
})
