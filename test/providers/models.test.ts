import { describe, expect, test } from "bun:test"
import { modelKey } from "../../src/providers/models.ts"
import type { ProviderProfile } from "../../src/providers/profile.ts"
import { findProvider, resolveProfile } from "../../src/providers/table.ts"

function profileOf(provider: string, model: string): ProviderProfile {
  const row = findProvider(provider)
  if (row === undefined) throw new Error(`no provider ${provider}`)
  return resolveProfile(row, model)
}

test.each([
  ["gpt-4o", "gpt-4o"],
  ["openai/gpt-4o:free", "gpt-4o:free"],
  ["accounts/fireworks/models/DeepSeek-V3p2", "deepseek-v3p2"],
  ["ft:gpt-4o-mini-2024-07-18:me::id", "gpt-4o-mini-2024-07-18:me::id"],
  ["", ""],
])("rules look at the last part of %p: %p", (model, key) => {
  expect(modelKey(model)).toBe(key)
})

test.each<readonly [string, string, "implicit" | "start" | "channels"]>([
  ["vllm", "MiniMaxAI/MiniMax-M2", "implicit"],
  ["llamacpp", "QwQ-32B", "implicit"],
  ["vllm", "Qwen/Qwen3-8B", "start"],
  ["minimax", "MiniMax-M2", "start"],
  ["generic", "openai/gpt-oss-20b", "channels"],
])("%s, %s: its template opens the thinking, or the model does", (provider, model, tags) => {
  expect(profileOf(provider, model).reasoning.thinkTags).toBe(tags)
})

describe("OpenAI's models", () => {
  const [plain, reasoning] = ["max_tokens", "max_completion_tokens"] as const
  const sampling = ["temperature", "top_p"] as const
  const oSeries = [...sampling, "parallel_tool_calls"] as const
  type Row = readonly [
    model: string,
    field: string,
    limit: number | null,
    window: number | null,
    dropped: readonly string[],
    role: string,
    stops: number,
  ]
  const rows: readonly Row[] = [
    ["gpt-4o", plain, 16_384, 128_000, [], "system", 4],
    ["gpt-4o-mini", plain, 16_384, 128_000, [], "system", 4],
    ["chatgpt-4o-latest", plain, 16_384, 128_000, [], "system", 4],
    ["gpt-4.1", plain, 32_768, 1_047_576, [], "system", 4],
    ["gpt-4", plain, 8_192, 8_192, [], "system", 4],
    ["o1-mini", reasoning, 65_536, 128_000, oSeries, "developer", 0],
    ["o3", reasoning, 100_000, 200_000, oSeries, "developer", 0],
    ["o4-mini", reasoning, 100_000, 200_000, oSeries, "developer", 0],
    ["gpt-5", reasoning, 128_000, 400_000, sampling, "developer", 0],
    ["gpt-5-mini", reasoning, 128_000, 400_000, sampling, "developer", 0],
    ["gpt-5-2025-08-07", reasoning, 128_000, 400_000, sampling, "developer", 0],
    ["gpt-5.1", reasoning, 128_000, 400_000, sampling, "developer", 0],
    ["gpt-5.2", reasoning, 128_000, 400_000, sampling, "developer", 0],
    ["gpt-5.4", reasoning, 128_000, 1_050_000, sampling, "developer", 0],
    ["gpt-5.6", reasoning, 128_000, 1_050_000, sampling, "developer", 0],
    ["gpt-5-chat-latest", reasoning, 16_384, 128_000, [], "system", 4],
    ["gpt-5.1-chat-latest", reasoning, 16_384, 128_000, [], "system", 4],
    ["gpt-oss-120b", plain, 65_536, 131_072, [], "system", 4],
    ["gpt-image-of-tomorrow", plain, null, null, [], "system", 4],
    ["opus-o3", plain, null, null, [], "system", 4],
  ]

  test.each(rows)("%s", (model, field, limit, window, dropped, role, stops) => {
    for (const [provider, prefix] of [
      ["openai", ""],
      ["azure", ""],
      ["generic", ""],
      ["generic", "openai/"],
    ] as const) {
      const profile = profileOf(provider, prefix + model)
      const known = new Set<string>(["top_k", "service_tier"])
      expect<readonly unknown[]>([
        profile.maxTokensField,
        profile.maxOutputTokens,
        profile.contextWindow,
        profile.drop.filter((name) => !known.has(name)),
        profile.stopMax,
      ]).toEqual([field, limit, window, [...dropped], stops])
      expect<string>(profile.systemRole).toBe(provider === "generic" ? "system" : role)
    }
  })

  test("service_tier goes to OpenAI only", () => {
    const drops = ["openai", "azure", "deepseek", "ollama", "generic"].map((provider) =>
      profileOf(provider, "gpt-4o").drop.includes("service_tier"),
    )
    expect(drops).toEqual([false, true, true, true, true])
  })
})

describe("DeepSeek's models", () => {
  test.each<[string, string, number | null, boolean, string]>([
    ["deepseek", "deepseek-chat", 8_192, false, "all-turns"],
    ["deepseek", "deepseek-reasoner", 65_536, false, "all-turns"],
    ["deepseek", "deepseek-v4-pro", 384_000, false, "all-turns"],
    ["deepseek", "deepseek-flash", 384_000, true, "all-turns"],
    ["generic", "deepseek/deepseek-v4.1-flash", 384_000, true, "all-turns"],
    ["generic", "deepseek/deepseek-v4-flash", 384_000, false, "all-turns"],
    ["deepseek", "deepseek-v4-vision", 384_000, true, "all-turns"],
    ["generic", "deepseek-v4-pro", 384_000, false, "all-turns"],
    ["generic", "deepseek/deepseek-v4-pro", 384_000, false, "all-turns"],
    ["generic", "deepseek-ai/DeepSeek-V3.2", null, false, "all-turns"],
    ["generic", "accounts/fireworks/models/deepseek-v3p2", null, false, "all-turns"],
    ["generic", "deepseek/deepseek-chat", 8_192, false, "never"],
    ["generic", "deepseek-r1-distill-llama-70b", null, false, "never"],
    ["generic", "deepseek-ai/deepseek-vl2", null, true, "never"],
    ["ollama", "deepseek-v3.2:cloud", null, false, "tool-turns"],
  ])("%s %s", (provider, model, limit, vision, sendBack) => {
    const profile = profileOf(provider, model)
    expect<readonly unknown[]>([
      profile.maxTokensField,
      profile.maxOutputTokens,
      profile.vision,
      profile.reasoning.sendBack,
    ]).toEqual([...(["max_tokens", limit, vision, sendBack] as const)])
    if (sendBack === "all-turns") {
      expect([profile.reasoning.sendBackAs, profile.reasoning.backfill]).toEqual(["reasoning_content", ""])
    }
  })

  test("thinking is switched on DeepSeek's own endpoint alone", () => {
    expect(profileOf("deepseek", "deepseek-v4-pro").reasoning.request).toBe("thinking-object")
    expect(profileOf("generic", "deepseek-v4-pro").reasoning.request).toBe("none")
  })
})

describe("Ollama", () => {
  test("asks for a degree of thinking only where the model knows degrees", () => {
    expect(profileOf("ollama", "qwen2.5-coder").reasoning.levels).toEqual({ off: "none" })
    expect(profileOf("ollama", "gpt-oss:20b").reasoning.levels).toEqual({
      ...{ off: "low", low: "low", medium: "medium", high: "high", xhigh: "high", max: "high" },
    })
  })

  test("sends an earlier thought under Ollama's own name", () => {
    const { reasoning } = profileOf("ollama", "deepseek-v4-flash:cloud")
    expect([reasoning.sendBackAs, reasoning.backfill]).toEqual(["reasoning", ""])
  })
})

describe("Kimi's models on any host", () => {
  test.each([
    ["kimi-k2.5", true],
    ["moonshotai/Kimi-K2-Thinking", true],
    ["k3", true],
    ["k3-other", false],
    ["my-kimi", false],
  ])("%s: %p", (model, known) => {
    const { drop, reasoning } = profileOf("generic", model)
    expect(drop.includes("temperature")).toBe(known)
    expect<unknown>([reasoning.sendBack, reasoning.backfill]).toEqual(
      known ? ["tool-turns", ""] : ["never", null],
    )
  })
})

const makersOnly = [
  ...[
    "gpt-4o",
    "gpt-5.4",
    "gpt-3.5-turbo",
    "openai/gpt-4.1",
    "chatgpt-4o-latest",
    "o1",
    "o3-mini",
    "o4-mini",
  ],
  ...["claude-sonnet-4.5", "anthropic/claude-opus-4.1", "us.anthropic.claude-3-5-sonnet-v2:0"],
  ...[
    "anthropic.claude-haiku-4-5",
    "google/gemini-2.5-pro",
    "gemini-3-pro",
    "x-ai/grok-4",
    "grok-code-fast-1",
  ],
]
const open = [
  "gpt-oss-120b",
  "openai/gpt-oss-20b",
  "qwen3-coder",
  "deepseek-chat",
  "gemma-3-27b",
  "kimi-k2",
  "glm-4.6",
]

describe("calls written as text", () => {
  test.each(["generic", "openrouter", "copilot", "vllm", "ollama", "groq", "openai", "gemini", "xai"])(
    "%s: not looked for in what only its makers run",
    (provider) => {
      expect(makersOnly.filter((model) => profileOf(provider, model).textToolCalls)).toEqual([])
    },
  )

  test.each(["generic", "openrouter", "copilot", "vllm", "ollama", "groq"])(
    "%s: looked for in everything else",
    (provider) => {
      expect(open.filter((model) => !profileOf(provider, model).textToolCalls)).toEqual([])
    },
  )
})
