// No configuration at all: one provider's variable, or a server on this machine, is enough.
import { describe, expect, test } from "bun:test"
import { resolveRoute } from "../../src/config/routes/route.ts"
import { providers } from "../../src/providers/table.ts"
import { configOf, load, problemsOf } from "./support.ts"

const alone = providers.flatMap((row) =>
  row.baseUrl === null || row.delta.dialect === "messages"
    ? []
    : row.keyNames.map((keyName) => [keyName, row] as const),
)

test("every provider with an address has a key variable to be chosen by, or needs none", () => {
  expect(alone.length).toBeGreaterThan(20)
})

test.each(alone)("%s alone is enough", (keyName, row) => {
  const result = load({ env: { [keyName]: "k-123456" } })
  const config = configOf(result)
  expect([config.upstream.row.id, config.upstream.apiKeys]).toEqual([row.id, ["k-123456"]])
  for (const family of ["opus", "sonnet", "haiku"]) {
    const resolved = resolveRoute(config, `claude-${family}-5`)
    expect(resolved.ok && resolved.route.model !== "" && resolved.route.provider).toBe(row.id)
  }
  const said = result.ok ? result.described.infos : []
  expect(said).toEqual(
    keyName === "OPENAI_API_KEY"
      ? []
      : [`${keyName} (environment) is the only key set: ${row.name} is the default upstream.`],
  )
})

const ollama = { provider: "ollama", baseUrl: "http://127.0.0.1:11434/v1", models: ["qwen3:8b", "old"] }

describe("an Ollama on this machine", () => {
  test("is taken when nothing is set, with its newest model", () => {
    const result = load({ env: {}, localServer: ollama })
    const { upstream, tiers } = configOf(result)
    expect([upstream.row.id, upstream.baseUrl, upstream.apiKeys, tiers]).toEqual([
      "ollama",
      ollama.baseUrl,
      [],
      { big: "qwen3:8b", middle: "qwen3:8b", small: "qwen3:8b" },
    ])
    expect(result.ok && result.described.infos).toEqual([
      "no key is set and Ollama answers at http://127.0.0.1:11434/v1: it is the default upstream. qwen3:8b is the model it was last given.",
    ])
  })

  test("keeps the model that is set", () => {
    const { tiers } = configOf(load({ env: { BIG_MODEL: "old" }, localServer: ollama }))
    expect(tiers).toEqual({ big: "old", middle: "old", small: "old" })
  })

  test("is not taken where a key is set", () => {
    const env = { DEEPSEEK_API_KEY: "k-123456" }
    expect(configOf(load({ env, localServer: ollama })).upstream.row.id).toBe("deepseek")
  })

  test("is looked for only when nothing else is wrong", () => {
    const lacks = (env: Readonly<Record<string, string>>) => {
      const result = load({ env })
      return !result.ok && result.lacksUpstream
    }
    expect([lacks({}), lacks({ BIG_MODEL: "qwen3:8b" }), lacks({ PORT: "x" })]).toEqual([true, true, false])
    expect(lacks({ DEEPSEEK_API_KEY: "a-123456", XAI_API_KEY: "b-123456" })).toBe(false)
  })
})

test("two keys: which variable to set", () => {
  expect(problemsOf(load({ env: { DEEPSEEK_API_KEY: "a-123456", XAI_API_KEY: "b-123456" } }))).toEqual([
    "DEEPSEEK_API_KEY (environment) and XAI_API_KEY (environment) are set, and nothing says which provider is the default one: set OPENAI_BASE_URL=https://api.deepseek.com or OPENAI_BASE_URL=https://api.x.ai/v1.",
  ])
})

test("two keys, and a model that says which", () => {
  const env = { DEEPSEEK_API_KEY: "a-123456", XAI_API_KEY: "b-123456", BIG_MODEL: "xai/grok-4" }
  const config = configOf(load({ env }))
  expect([config.upstream.row.id, config.others["deepseek"]?.apiKeys]).toEqual(["xai", ["a-123456"]])
})
