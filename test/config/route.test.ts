import { describe, expect, test } from "bun:test"
import { resolveRoute } from "../../src/config/routes/route.ts"
import { configFrom, load } from "./support.ts"

const openai = configFrom({
  OPENAI_API_KEY: "o",
  DEEPSEEK_API_KEY: "d",
  MIDDLE_MODEL: "gpt-5",
  CUSTOM_HEADER_X_A: "1",
})
const plain = configFrom({ OPENAI_API_KEY: "o" })
const relayTiers = {
  BIG_MODEL: "claude-sonnet-4",
  MIDDLE_MODEL: "openai/gpt-5",
  SMALL_MODEL: "custom/my-haiku",
}
const relay = configFrom({
  OPENAI_BASE_URL: "https://relay.example/v1",
  DEEPSEEK_API_KEY: "d",
  ...relayTiers,
})
const convertOnly = configFrom({}, { needsUpstream: false })

function routed(config: typeof openai, model: string | undefined) {
  const resolved = resolveRoute(config, model)
  return resolved.ok
    ? [resolved.route.provider, resolved.route.model, resolved.route.reason]
    : resolved.fault.message
}

const big = "BIG_MODEL"
const own = "model named by the client"

describe("Claude's families", () => {
  test.each<[string | undefined, string, string]>([
    [undefined, "gpt-4o", `no model named → ${big}`],
    ["", "gpt-4o", `no model named → ${big}`],
    [" [1m]", "gpt-4o", `no model named → ${big}`],
    ["claude-haiku-4-5-20251001", "gpt-4o-mini", "haiku → SMALL_MODEL"],
    ["CLAUDE-3-5-HAIKU", "gpt-4o-mini", "haiku → SMALL_MODEL"],
    ["haiku", "gpt-4o-mini", "haiku → SMALL_MODEL"],
    ["claude-sonnet-5-5", "gpt-5", "sonnet → MIDDLE_MODEL"],
    ["claude-sonnet-4-5[1m]", "gpt-5", "sonnet → MIDDLE_MODEL"],
    ["anthropic/claude-sonnet-5", "gpt-5", "sonnet → MIDDLE_MODEL"],
    ["us.anthropic.claude-sonnet-4-20250514-v1:0", "gpt-5", "sonnet → MIDDLE_MODEL"],
    ["claude-opus-4-8[1m]", "gpt-4o", `opus → ${big}`],
    ["opus", "gpt-4o", `opus → ${big}`],
    ["claude-fable-5-2", "gpt-4o", `fable → ${big}`],
    ["mythos-preview", "gpt-4o", `mythos → ${big}`],
    ["claude-2.1", "gpt-4o", `claude → ${big}`],
    ["eu.anthropic.claude-instant-v1", "gpt-4o", `anthropic → ${big}`],
    ["anthropic/next", "gpt-4o", `anthropic → ${big}`],
  ])("%s", (name, model, reason) => {
    expect(routed(openai, name)).toEqual(["openai", model, reason])
  })
})

describe("models named outright", () => {
  test.each<[string, string, string]>([
    ["gpt-4.1", "openai", "gpt-4.1"],
    ["GPT-4.1[1m]", "openai", "GPT-4.1"],
    ["claude-via-gpt-4.1", "openai", "gpt-4.1"],
    ["Claude-Via-gpt-4.1[1m]", "openai", "gpt-4.1"],
    ["octopus-v2", "openai", "octopus-v2"],
    ["qwen-claudette", "openai", "qwen-claudette"],
    ["meta-llama/Llama-4:free", "openai", "meta-llama/Llama-4:free"],
    ["openai/gpt-4.1", "openai", "gpt-4.1"],
    ["deepseek/deepseek-v4-pro", "deepseek", "deepseek-v4-pro"],
    ["deepseek/my-haiku", "deepseek", "my-haiku"],
    ["ollama/qwen3:8b", "ollama", "qwen3:8b"],
    ["ollama/library/qwen3", "ollama", "library/qwen3"],
    ["custom/gpt-4.1", "openai", "gpt-4.1"],
    ["custom/deepseek/x", "deepseek", "x"],
    ["custom/my-opus", "openai", "my-opus"],
    ["generic/x", "openai", "generic/x"],
  ])("%s goes to %s as %s", (name, provider, model) => {
    expect(routed(openai, name)).toEqual([provider, model, own])
  })

  test.each<[string, string, string, string]>([
    ["openai/gpt-4o", "generic", "openai/gpt-4o", own],
    ["ollama/llama3", "generic", "ollama/llama3", own],
    ["azure/gpt-4o", "generic", "azure/gpt-4o", own],
    ["deepseek/deepseek-chat", "deepseek", "deepseek-chat", own],
    ["claude-sonnet-4", "generic", "claude-sonnet-4", own],
    ["claude-sonnet-5", "generic", "openai/gpt-5", "sonnet → MIDDLE_MODEL"],
    ["claude-haiku-5-5", "generic", "my-haiku", "haiku → SMALL_MODEL"],
    ["claude-opus-5-5", "generic", "claude-sonnet-4", `opus → ${big}`],
    ["bedrock/anthropic.claude-x", "generic", "claude-sonnet-4", `anthropic → ${big}`],
  ])("through a relay, %s goes to %s as %s", (name, provider, model, reason) => {
    expect(routed(relay, name)).toEqual([provider, model, reason])
  })

  test("a tier may lead to another provider", () => {
    const config = configFrom({
      OPENAI_API_KEY: "o",
      DEEPSEEK_API_KEY: "d",
      BIG_MODEL: "deepseek/deepseek-v4-pro",
    })
    expect(routed(config, "claude-opus-5")).toEqual(["deepseek", "deepseek-v4-pro", `opus → ${big}`])
    expect(routed(config, "claude-haiku-5")).toEqual(["openai", "gpt-4o-mini", "haiku → SMALL_MODEL"])
  })

  test("where nothing is sent, a provider needs no key", () => {
    expect(routed(convertOnly, "deepseek/x")).toEqual(["deepseek", "x", own])
  })
})

describe("a server of one's own", () => {
  const base = (port: number) => `http://localhost:${port}/v1`
  const lmstudio = { OPENAI_BASE_URL: base(1234), BIG_MODEL: "openai/gpt-oss-20b" }
  const name = "deepseek/deepseek-r1-0528-qwen3-8b"
  test.each([
    ["serves models by their makers' names", lmstudio, "claude-opus-5", ["lmstudio", "openai/gpt-oss-20b"]],
    ["with a key that says nothing", { ...lmstudio, OPENAI_API_KEY: "none" }, name, ["lmstudio", name]],
    ["but not beside the key", { ...lmstudio, DEEPSEEK_API_KEY: "d" }, "deepseek/x", ["deepseek", "x"]],
    ["nor for another server", lmstudio, "ollama/qwen3", ["ollama", "qwen3"]],
  ])("%s", (_what, env, asked, expected) => {
    for (const needsUpstream of [true, false])
      expect(routed(configFrom(env, { needsUpstream }), asked)?.slice(0, 2)).toEqual(expected)
  })

  test("what is asked of it by another provider's name is told", () => {
    const result = load({ env: lmstudio })
    expect(result.ok && result.described.infos).toEqual([
      "BIG_MODEL (environment) is sent whole to localhost:1234: openai/gpt-oss-20b. " +
        "Set OPENAI_API_KEY if OpenAI itself is meant.",
    ])
  })
})

describe("refused with 400", () => {
  const deepseek = configFrom({ OPENAI_BASE_URL: "https://api.deepseek.com", OPENAI_API_KEY: "k" })
  const ollama = configFrom({ OPENAI_BASE_URL: "http://localhost:11434/v1", BIG_MODEL: "qwen3" })
  const noModel = configFrom({ OPENAI_BASE_URL: "http://localhost:11434/v1" }, { needsUpstream: false })
  test.each([
    [plain, "deepseek/x", 'model: "deepseek/x" names DeepSeek, but DEEPSEEK_API_KEY is not set on the proxy'],
    [
      plain,
      "azure/x",
      'model: "azure/x" names Azure OpenAI, but OPENAI_BASE_URL does not lead there (it leads to OpenAI)',
    ],
    [
      plain,
      "custom/anthropic/x",
      'model: "custom/anthropic/x" names Anthropic, but ANTHROPIC_API_KEY is not set on the proxy, ' +
        "or is the clients' (ANTHROPIC_KEY_ROLE)",
    ],
    [
      ollama,
      "deepseek/x",
      'model: "deepseek/x" names DeepSeek, but DEEPSEEK_API_KEY is not set on the proxy',
    ],
    [deepseek, "openai/x", 'model: "openai/x" names OpenAI, but OPENAI_API_KEY is the key for DeepSeek here'],
    [plain, "openai/", 'model: "openai/" names no model'],
    [plain, "custom/", 'model: "custom/" names no model'],
    [noModel, "claude-opus-5", "model: BIG_MODEL is not set on the proxy"],
    [noModel, "haiku", "model: BIG_MODEL is not set on the proxy"],
  ])("%#", (config, name, message) => {
    expect(resolveRoute(config, name)).toEqual({
      ok: false,
      fault: { kind: "invalid_request_error", source: "client", status: 400, retry: "no", message },
    })
  })
})

test("a route holds everything the request needs", () => {
  const resolved = resolveRoute(openai, "claude-sonnet-5[1m]")
  expect(resolved.ok && { ...resolved.route, profile: resolved.route.profile.maxTokensField }).toEqual({
    provider: "openai",
    url: "https://api.openai.com/v1/chat/completions",
    apiKeys: ["o"],
    apiKey: "o",
    keyName: "OPENAI_API_KEY",
    model: "gpt-5",
    requestedModel: "claude-sonnet-5[1m]",
    profile: "max_completion_tokens",
    headers: { "X-A": "1" },
    defaults: {},
    tuning: false,
    prices: undefined,
    fallbacks: [],
    reason: "sonnet → MIDDLE_MODEL",
    routed: false,
  })
})

test("a request that names no model is answered as the tier's model", () => {
  const resolved = resolveRoute(openai, undefined)
  expect(resolved.ok && resolved.route.requestedModel).toBe("gpt-4o")
})
