// The example file: every known provider has an entry, every entry works by itself, and so do the sections that
// it shows in comments.
import { afterAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { parse, parseDocument } from "yaml"
import { resolveRoute } from "../../src/config/routes/route.ts"
import { arrayOf, objectOf } from "../../src/protocol/json.ts"
import { findProvider, providers } from "../../src/providers/table.ts"
import { otherForm } from "./models-support.ts"
import { configOf, folderWith, load, removeFolders, warningsOf } from "./support.ts"

afterAll(removeFolders)

const example = await Bun.file(join(import.meta.dir, "../../models.yaml.example")).text()
const entries = arrayOf(parse(example)).map(objectOf)

/** Every variable that some entry takes its key from. */
const allKeys = Object.fromEntries(
  [...providers.flatMap((row) => row.keyNames), "RELAY_API_KEY"].map((name) => [name, `key-of-${name}`]),
)

const hosts: Readonly<Record<string, string>> = {
  gpt: "https://api.openai.com/v1/chat/completions",
  "gpt-responses": "https://api.openai.com/v1/responses",
  "azure-gpt":
    "https://my-resource.openai.azure.com/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21",
  "copilot-gpt": "https://api.githubcopilot.com/chat/completions",
  claude: "https://api.anthropic.com/v1/messages",
  "kimi-direct": "https://api.moonshot.ai/anthropic/v1/messages",
  deepseek: "https://api.deepseek.com/chat/completions",
  "kimi-k3": "https://api.moonshot.ai/v1/chat/completions",
  "kimi-code": "https://api.kimi.com/coding/v1/chat/completions",
  "glm-cn": "https://open.bigmodel.cn/api/paas/v4/chat/completions",
  glm: "https://api.z.ai/api/coding/paas/v4/chat/completions",
  minimax: "https://api.minimax.io/v1/chat/completions",
  doubao: "https://ark.cn-beijing.volces.com/api/v3/chat/completions",
  qwen: "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
  "siliconflow-deepseek": "https://api.siliconflow.cn/v1/chat/completions",
  gemini: "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
  grok: "https://api.x.ai/v1/chat/completions",
  mistral: "https://api.mistral.ai/v1/chat/completions",
  "router-glm": "https://openrouter.ai/api/v1/chat/completions",
  "groq-oss": "https://api.groq.com/openai/v1/chat/completions",
  "together-oss": "https://api.together.xyz/v1/chat/completions",
  "fireworks-oss": "https://api.fireworks.ai/inference/v1/chat/completions",
  "cerebras-oss": "https://api.cerebras.ai/v1/chat/completions",
  "local-qwen": "http://localhost:11434/v1/chat/completions",
  "lmstudio-oss": "http://localhost:1234/v1/chat/completions",
  "vllm-qwen": "http://localhost:8000/v1/chat/completions",
  "llamacpp-qwen": "http://localhost:8080/v1/chat/completions",
  relay: "https://relay.example/v1/chat/completions",
  "relay-deepseek": "https://relay.example/v1/chat/completions",
  "slow-relay": "https://relay.example/v1/chat/completions",
}

test("its first line leads editors to the schema", () => {
  expect(example.split("\n")[0]).toBe("# yaml-language-server: $schema=./models.schema.json")
  expect(example).toContain("claude-proxy models --schema > models.schema.json")
})

test("every provider of the table has an entry", () => {
  const shown = new Set(entries.map((entry) => entry["provider"]))
  const unshown = providers.filter((row) => !shown.has(row.id)).map((row) => row.id)
  expect(unshown).toEqual(["demo", "generic"])
})

test("with all keys set, each of its models leads where it should", () => {
  const result = load({ env: allKeys, configDir: folderWith({ "models.yaml": example }) })
  const config = configOf(result)
  const urls = config.models.map(({ id }) => {
    const resolved = resolveRoute(config, id)
    return [id, resolved.ok ? resolved.route.url : resolved.fault.message]
  })
  expect(Object.fromEntries(urls)).toEqual(hosts)
  expect(warningsOf(result)).toEqual([])
})

const sources = textsOf(example)

/** The text of each entry. */
function textsOf(text: string): readonly (readonly [string, string])[] {
  const items = arrayOf(objectOf(parseDocument(text).contents)["items"])
  const offsets = items.map((item) => text.lastIndexOf("\n", Number(arrayOf(objectOf(item)["range"])[0])) + 1)
  return offsets.map((offset, index) => [
    String(entries[index]?.["model_id"]),
    text.slice(offset, offsets[index + 1] ?? text.length),
  ])
}

describe("each entry works alone, once its key is set", () => {
  test.each(sources)("%s", (id, text) => {
    const fields = objectOf(arrayOf(parse(text))[0])
    const named = fields["api_key_name"] ?? findProvider(String(fields["provider"]))?.keyNames[0]
    const env = typeof named === "string" ? { [named]: "the-only-key" } : {}
    // Other models of the file are not there.
    const alone = text.replace(/^ {2}fallbacks:.*\n/m, "")
    const result = load({ env, configDir: folderWith({ "models.yaml": alone }) })
    const resolved = resolveRoute(configOf(result), id)
    if (!resolved.ok) throw new Error(resolved.fault.message)
    const { url, apiKey, keyName } = resolved.route
    expect([url, apiKey, keyName]).toEqual([
      hosts[id] ?? "",
      typeof named === "string" ? "the-only-key" : undefined,
      typeof named === "string" ? named : "",
    ])
    expect(warningsOf(result)).toEqual([])
  })

  test("and the comment above it names that key", () => {
    const lines = example.split("\n")
    const unnamed = entries.flatMap((entry) => {
      const [name] = findProvider(String(entry["provider"]))?.keyNames ?? []
      const at = lines.indexOf(`- model_id: ${String(entry["model_id"])}`)
      const above = lines.slice(lines.lastIndexOf("", at), at).join("\n")
      const first = entries.find((other) => other["provider"] === entry["provider"]) === entry
      return name === undefined || !first || above.includes(name) ? [] : [entry["model_id"]]
    })
    expect(unnamed).toEqual([])
  })
})

test("the entries show what they are there to show", () => {
  const config = configOf(load({ env: allKeys, configDir: folderWith({ "models.yaml": example }) }))
  const routeOf = (id: string) => {
    const resolved = resolveRoute(config, id)
    if (!resolved.ok) throw new Error(resolved.fault.message)
    return resolved.route
  }
  expect(routeOf("gpt").defaults).toEqual({ effort: "medium" })
  expect(routeOf("mistral").defaults).toEqual({ temperature: 0.3, top_p: 0.95 })
  expect(routeOf("deepseek").prices?.input).toBe(1.32 / 1_000_000)
  expect(routeOf("router-glm").headers).toEqual({ "X-Title": "claude-proxy" })
  expect(routeOf("router-glm").profile.extraBody).toEqual({ provider: { data_collection: "deny" } })
  expect(routeOf("vllm-qwen").profile.contextWindow).toBe(131_072)
  expect(routeOf("llamacpp-qwen").profile.vision).toBe(false)
  expect(routeOf("slow-relay").profile.streams).toBe("never")
  const { profile } = routeOf("relay-deepseek")
  expect([profile.maxTokensField, profile.clamp, profile.reasoning.request]).toEqual([
    "max_completion_tokens",
    { temperature: [0, 1] },
    "effort",
  ])
  expect(profile.drop).toEqual(["top_k", "service_tier", "parallel_tool_calls", "top_p", "stop"])
})

test("its other form works as it stands", () => {
  const env = { OFFICE_API_KEY: "office-key", DEEPSEEK_API_KEY: "deepseek-key" }
  const result = load({ env, configDir: folderWith({ "models.yaml": otherForm(example) }) })
  const config = configOf(result)
  const resolved = resolveRoute(config, "claude-haiku-5")
  expect(resolved.ok && [resolved.route.provider, resolved.route.url, resolved.route.model]).toEqual([
    "office",
    "https://llm.office.example/v1/chat/completions",
    "Qwen/Qwen3-32B",
  ])
  expect(config.router.think).toBe("deepseek/deepseek-v4-pro")
  expect(config.clientKeys).toEqual(["a-key-for-a-client"])
  expect(result.ok && result.sources.models.instances.map(({ name, port }) => [name, port])).toEqual([
    ["Kimi-K3", 8081],
    ["GLM-5", 8082],
  ])
  expect(config).toMatchObject({
    cache: { enabled: true, ttlMs: 3_600_000, maxBytes: 268_435_456 },
    rateLimitPerMinute: 60,
    redisUrl: "redis://localhost:6379",
  })
})
