import { describe, expect, test } from "bun:test"
import { chatUrl, readBaseUrl } from "../../src/config/network/addresses.ts"
import { configFrom, load } from "./support.ts"

describe("base URLs as people paste them", () => {
  test.each([
    ["https://api.openai.com/v1/", "https://api.openai.com/v1"],
    ["https://api.openai.com/v1///", "https://api.openai.com/v1"],
    ["https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1"],
    ["https://api.openai.com/v1/chat/completions/", "https://api.openai.com/v1"],
    ["HTTPS://API.DeepSeek.com", "https://api.deepseek.com"],
    ["http://localhost:8000/v1#x", "http://localhost:8000/v1"],
    ["http://[::1]:8000", "http://[::1]:8000"],
    [
      "https://generativelanguage.googleapis.com/v1beta/",
      "https://generativelanguage.googleapis.com/v1beta/openai",
    ],
    [
      "https://generativelanguage.googleapis.com/v1beta/openai/",
      "https://generativelanguage.googleapis.com/v1beta/openai",
    ],
  ])("%s is %s", (text, baseUrl) => {
    const read = readBaseUrl(text)
    expect(read.ok && read.value.baseUrl).toBe(baseUrl)
  })

  test("a query stays, on every URL", () => {
    const { upstream } = configFrom({ OPENAI_BASE_URL: "https://relay.example/v1/?team=a%20b&x=1" })
    expect(chatUrl(upstream, "m")).toBe("https://relay.example/v1/chat/completions?team=a+b&x=1")
  })
})

describe("Azure", () => {
  const root = "https://my.openai.azure.com"
  const path = "/chat/completions?api-version="
  test.each<[string, string | undefined, string]>([
    [root, undefined, `${root}/openai/deployments/a%2Fb%20c${path}2024-10-21`],
    [`${root}/`, "2025-01-01-preview", `${root}/openai/deployments/a%2Fb%20c${path}2025-01-01-preview`],
    [`${root}/openai`, undefined, `${root}/openai/deployments/a%2Fb%20c${path}2024-10-21`],
    [`${root}/openai/deployments/`, undefined, `${root}/openai/deployments/a%2Fb%20c${path}2024-10-21`],
    [`${root}/openai/deployments/gpt`, undefined, `${root}/openai/deployments/gpt${path}2024-10-21`],
    [`${root}/openai/deployments/openai`, undefined, `${root}/openai/deployments/openai${path}2024-10-21`],
    [
      `${root}/openai/deployments/gpt${path}2024-06-01`,
      undefined,
      `${root}/openai/deployments/gpt${path}2024-06-01`,
    ],
    [`${root}/openai/v1/`, undefined, `${root}/openai/v1/chat/completions`],
    [`${root}/openai/v1/`, "preview", `${root}/openai/v1${path}preview`],
    [
      "https://a.services.ai.azure.com/openai/v1",
      undefined,
      "https://a.services.ai.azure.com/openai/v1/chat/completions",
    ],
    ["https://a.services.ai.azure.com/models", "v", `https://a.services.ai.azure.com/models${path}v`],
    [
      "https://gate.example/azure/openai/deployments/gpt",
      undefined,
      `https://gate.example/azure/openai/deployments/gpt${path}2024-10-21`,
    ],
    ["https://gate.example/azure", "v", `https://gate.example/azure/openai/deployments/a%2Fb%20c${path}v`],
  ])("%s with version %s", (base, version, url) => {
    const env = { OPENAI_BASE_URL: base, AZURE_API_KEY: "azure-key", BIG_MODEL: "gpt-4o" }
    const { upstream } = configFrom(version === undefined ? env : { ...env, AZURE_API_VERSION: version })
    expect(chatUrl(upstream, "a/b c")).toBe(url)
    expect([upstream.row.id, upstream.apiKeys[0], upstream.keyName]).toEqual([
      "azure",
      "azure-key",
      "AZURE_API_KEY",
    ])
  })
})

describe("the default upstream and its key", () => {
  test.each<
    [string, Readonly<Record<string, string>>, readonly [string, string, string | undefined, string]]
  >([
    ["OpenAI", { OPENAI_API_KEY: "o" }, ["openai", "https://api.openai.com/v1", "o", "OPENAI_API_KEY"]],
    [
      "OpenAI before another key",
      { OPENAI_API_KEY: "o", DEEPSEEK_API_KEY: "d" },
      ["openai", "https://api.openai.com/v1", "o", "OPENAI_API_KEY"],
    ],
    [
      "the only key set",
      { DEEPSEEK_API_KEY: "d" },
      ["deepseek", "https://api.deepseek.com", "d", "DEEPSEEK_API_KEY"],
    ],
    [
      "a base URL with the provider's own key",
      { OPENAI_BASE_URL: "https://api.deepseek.com/v1", DEEPSEEK_API_KEY: "d" },
      ["deepseek", "https://api.deepseek.com/v1", "d", "DEEPSEEK_API_KEY"],
    ],
    [
      "a base URL with both keys",
      { OPENAI_BASE_URL: "https://api.deepseek.com", DEEPSEEK_API_KEY: "d", OPENAI_API_KEY: "o" },
      ["deepseek", "https://api.deepseek.com", "o", "OPENAI_API_KEY"],
    ],
    [
      "a base URL with a key of someone else",
      { OPENAI_BASE_URL: "http://localhost:1/v1", DEEPSEEK_API_KEY: "d" },
      ["generic", "http://localhost:1/v1", undefined, "OPENAI_API_KEY"],
    ],
    [
      "a local server",
      { OPENAI_BASE_URL: "http://gpu:11434/v1", BIG_MODEL: "qwen" },
      ["ollama", "http://gpu:11434/v1", undefined, "OPENAI_API_KEY"],
    ],
    [
      "the first of several keys",
      { OPENAI_API_KEY: " k1 , k2" },
      ["openai", "https://api.openai.com/v1", "k1", "OPENAI_API_KEY"],
    ],
  ])("%s", (_, env, expected) => {
    const { row, baseUrl, apiKeys, keyName } = configFrom(env).upstream
    expect([row.id, baseUrl, apiKeys[0], keyName]).toEqual([...expected])
  })

  test("taking the only provider is said", () => {
    const result = load({ env: { DEEPSEEK_API_KEY: "d" } })
    expect(result.ok && [result.warnings, result.described.infos]).toEqual([
      [],
      ["DEEPSEEK_API_KEY (environment) is the only key set: DeepSeek is the default upstream."],
    ])
  })

  test("others are the providers whose keys are set, and never with the default's key", () => {
    const keys = (env: Readonly<Record<string, string>>) => {
      const pairs = Object.entries(configFrom(env).others).map(([id, other]) => [id, other.apiKeys[0]])
      return Object.fromEntries(pairs)
    }
    expect(keys({ OPENAI_API_KEY: "o", DEEPSEEK_API_KEY: "d" })).toEqual({ deepseek: "d", ollama: undefined })
    expect(keys({ OPENAI_API_KEY: "o", OPENAI_BASE_URL: "https://api.deepseek.com" })).toEqual({
      ollama: undefined,
    })
    expect(keys({ OPENAI_API_KEY: "o", OPENAI_BASE_URL: "https://relay.example" })).toEqual({})
    expect(keys({ DEEPSEEK_API_KEY: "d", OPENAI_BASE_URL: "https://relay.example" })).toEqual({
      deepseek: "d",
    })
  })
})

describe("tiers", () => {
  const deepseek = { OPENAI_BASE_URL: "https://api.deepseek.com", OPENAI_API_KEY: "k" }
  const relay = { OPENAI_BASE_URL: "https://relay.example" }
  test.each<[Readonly<Record<string, string>>, readonly [string, string, string]]>([
    [{ OPENAI_API_KEY: "k" }, ["gpt-4o", "gpt-4o", "gpt-4o-mini"]],
    [{ OPENAI_API_KEY: "k", BIG_MODEL: "b" }, ["b", "b", "gpt-4o-mini"]],
    [{ OPENAI_API_KEY: "k", SMALL_MODEL: "s", MIDDLE_MODEL: "m" }, ["gpt-4o", "m", "s"]],
    [deepseek, ["deepseek-v4-pro", "deepseek-v4-pro", "deepseek-flash"]],
    [{ ...deepseek, BIG_MODEL: "b" }, ["b", "b", "b"]],
    [{ ...deepseek, BIG_MODEL: "b", SMALL_MODEL: "s" }, ["b", "b", "s"]],
    [relay, ["gpt-4o", "gpt-4o", "gpt-4o-mini"]],
    [{ ...relay, BIG_MODEL: "b" }, ["b", "b", "b"]],
    [{ OPENAI_BASE_URL: "http://localhost:11434/v1", BIG_MODEL: "b", MIDDLE_MODEL: "m" }, ["b", "m", "b"]],
  ])("%j", (env, [big, middle, small]) => {
    expect(configFrom(env).tiers).toEqual({ big, middle, small })
  })
})

describe("without an upstream", () => {
  test.each<[Readonly<Record<string, string>>, string]>([
    [{}, "openai"],
    [{ AZURE_API_VERSION: "v" }, "openai"],
    [{ AZURE_API_KEY: "a" }, "openai"],
    [{ DEEPSEEK_API_KEY: "d", AZURE_API_KEY: "a" }, "openai"],
    [{ DEEPSEEK_API_KEY: "d" }, "deepseek"],
    [{ OPENAI_BASE_URL: "http://localhost:11434/v1" }, "ollama"],
  ])("%j is enough to convert, by the rules of %s", (env, id) => {
    const result = load({ env, needsUpstream: false })
    expect(result.ok && [result.config.upstream.row.id, result.warnings]).toEqual([id, []])
  })

  test("every provider with an address can be named", () => {
    expect(Object.keys(configFrom({}, { needsUpstream: false }).others)).toEqual([
      ...["deepseek", "moonshot", "kimi", "zhipu", "zai", "minimax", "gemini", "ark", "dashscope"],
      ...["openrouter", "groq", "mistral", "xai", "siliconflow", "together", "fireworks", "cerebras"],
      ...["ollama", "lmstudio", "vllm", "llamacpp", "copilot", "anthropic"],
    ])
  })

  test("the built-in upstream stands for every other", () => {
    const env = { OPENAI_BASE_URL: "nonsense", DEEPSEEK_API_KEY: "d-secret", BIG_MODEL: "b", PORT: "1" }
    const config = configFrom(env, { demoBaseUrl: "http://127.0.0.1:5/v1/" })
    const { row, baseUrl, apiKeys, keyName } = config.upstream
    expect([row.id, baseUrl, apiKeys, keyName]).toEqual(["demo", "http://127.0.0.1:5/v1", [], ""])
    expect([config.tiers, config.others, config.port, config.secrets]).toEqual([
      { big: "demo", middle: "demo", small: "demo" },
      {},
      1,
      ["d-secret"],
    ])
  })
})
