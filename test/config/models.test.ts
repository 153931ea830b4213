// Models of models.yaml: where a request goes that names one.
import { afterAll, describe, expect, test } from "bun:test"
import { resolveRoute } from "../../src/config/routes/route.ts"
import { byName, configWith, keys, relayRoute, routed } from "./models-support.ts"
import { removeFolders } from "./support.ts"

afterAll(removeFolders)

describe("where a model is served", () => {
  const config = configWith(keys)

  test.each<[string, ReturnType<typeof routed>]>([
    ["relay/one", { ...relayRoute, reason: byName }],
    ["custom/relay/one", { ...relayRoute, reason: byName }],
    ["relay/one[1m]", { ...relayRoute, reason: byName }],
    [
      "local",
      {
        provider: "ollama",
        url: "http://localhost:11434/v1/chat/completions",
        apiKey: undefined,
        keyName: "",
        name: "qwen3:8b",
        reason: byName,
      },
    ],
    [
      "claude-mine",
      {
        provider: "openai",
        url: "https://api.openai.com/v1/chat/completions",
        apiKey: "openai-key",
        keyName: "OPENAI_API_KEY",
        name: "gpt-5",
        reason: byName,
      },
    ],
    [
      "plain",
      {
        provider: "generic",
        url: "https://unknown.example/chat/completions",
        apiKey: undefined,
        keyName: "",
        name: "plain",
        reason: byName,
      },
    ],
    ["keyed", 'model: "keyed" needs the key OTHER_KEY, which is not set on the proxy'],
    ["hosted", 'model: "hosted" needs the key DEEPSEEK_API_KEY, which is not set on the proxy'],
    ["azured", 'model: "azured" has no address: azure needs api_base in models.yaml'],
  ])("%s", (name, expected) => {
    expect(routed(config, name)).toEqual(expected)
  })

  test("what cannot be reached is the client's mistake, not ours", () => {
    const resolved = resolveRoute(config, "keyed")
    expect(!resolved.ok && [resolved.fault.status, resolved.fault.kind]).toEqual([
      400,
      "invalid_request_error",
    ])
  })

  test("where nothing is sent, a model needs no key", () => {
    const resolved = resolveRoute(configWith({}, { needsUpstream: false }), "keyed")
    expect(resolved.ok && resolved.route.keyName).toBe("OTHER_KEY")
  })

  test("a provider alone is the default upstream where that is the same provider", () => {
    const env = {
      OPENAI_BASE_URL: "https://mine.openai.azure.com",
      AZURE_API_KEY: "azure-key",
      BIG_MODEL: "azured",
    }
    expect(routed(configWith(env), "azured")).toEqual({
      provider: "azure",
      url: "https://mine.openai.azure.com/openai/deployments/azured/chat/completions?api-version=2024-10-21",
      apiKey: "azure-key",
      keyName: "AZURE_API_KEY",
      name: "azured",
      reason: byName,
    })
  })

  test("a key never goes to a host it is not for", () => {
    const relay = configWith({
      OPENAI_API_KEY: "key-of-the-relay",
      OPENAI_BASE_URL: "https://other.example/v1",
    })
    expect(routed(relay, "claude-mine")).toBe(
      'model: "claude-mine" needs api_key_name in models.yaml: OPENAI_API_KEY is the key for OpenAI-compatible here',
    )
    expect(routed(relay, "plain")).toMatchObject({ apiKey: undefined })
    const same = configWith({
      OPENAI_API_KEY: "key-of-the-relay",
      OPENAI_BASE_URL: "https://unknown.example/v1",
    })
    expect(routed(same, "plain")).toMatchObject({ apiKey: "key-of-the-relay" })
  })
})

test("what the file says of a model stands over what is known of its provider and name", () => {
  const config = configWith(keys)
  const profileOf = (model: string) => {
    const resolved = resolveRoute(config, model)
    if (!resolved.ok) return resolved.fault.message
    const { maxOutputTokens, contextWindow, vision, maxTokensField } = resolved.route.profile
    return { maxOutputTokens, contextWindow, vision, maxTokensField }
  }
  expect(profileOf("relay/one")).toEqual({
    maxOutputTokens: 1000,
    contextWindow: 20_000,
    vision: false,
    maxTokensField: "max_tokens",
  })
  expect(profileOf("claude-mine")).toEqual({
    maxOutputTokens: 128_000,
    contextWindow: 400_000,
    vision: true,
    maxTokensField: "max_completion_tokens",
  })
})
