// Every provider's own switch for thinking, at each level of the Messages API's scale: off, low, medium, high, xhigh, max.
import { describe, expect, test } from "bun:test"
import { convertRequest } from "../../src/convert/request/request.ts"
import { convertThinking, wishOf } from "../../src/convert/request/thinking.ts"
import type { MessagesRequest } from "../../src/protocol/messages/messages.ts"
import { ask, limits, parse, routeTo, type Target, text, user } from "./request-support.ts"

const levels = ["off", "low", "medium", "high", "xhigh", "max"] as const
const hi = user(text("hi"))

function asking(level: (typeof levels)[number]) {
  if (level === "off")
    return parse(ask([hi], { thinking: { type: "disabled" }, output_config: { effort: "high" } }))
  return parse(ask([hi], { thinking: { type: "adaptive" }, output_config: { effort: level } }))
}

/** The wish of a client, where the configuration has none. */
const clients = (given: MessagesRequest) => wishOf(given, {}, () => "chat")

const tools = { forced: false, hasTools: false }

const efforts = (...words: readonly string[]) => words.map((reasoning_effort) => ({ reasoning_effort }))

/** The fields that switch it off, then those for each other level: one object where they are all the same. */
test.each<[string, string, object, object | readonly object[]]>([
  ["moonshot", "kimi-k2.5", { thinking: { type: "disabled" } }, { thinking: { type: "enabled" } }],
  [
    "moonshot",
    "kimi-k2.6",
    { thinking: { type: "disabled" } },
    { thinking: { type: "enabled", keep: "all" } },
  ],
  ["moonshot", "kimi-k2.7-code", {}, { thinking: { type: "enabled", keep: "all" } }],
  ["moonshot", "kimi-k3", { reasoning_effort: "low" }, efforts("low", "high", "high", "max", "max")],
  ["kimi", "k3", { reasoning_effort: "low" }, efforts("low", "high", "high", "max", "max")],
  ["moonshot", "kimi-k2-thinking", {}, {}],
  ["moonshot", "kimi-k2-0905-preview", {}, {}],
  [
    "zhipu",
    "glm-4.6",
    { thinking: { type: "disabled" } },
    { thinking: { type: "enabled", clear_thinking: false } },
  ],
  [
    "zai",
    "glm-5.2",
    { thinking: { type: "disabled" } },
    [
      { thinking: { type: "enabled", clear_thinking: false }, reasoning_effort: "low" },
      { thinking: { type: "enabled", clear_thinking: false }, reasoning_effort: "high" },
      { thinking: { type: "enabled", clear_thinking: false }, reasoning_effort: "high" },
      { thinking: { type: "enabled", clear_thinking: false }, reasoning_effort: "max" },
      { thinking: { type: "enabled", clear_thinking: false }, reasoning_effort: "max" },
    ],
  ],
  ["minimax", "MiniMax-M2.5", {}, { thinking: { type: "adaptive" } }],
  ["minimax", "MiniMax-M3", { thinking: { type: "disabled" } }, { thinking: { type: "adaptive" } }],
  [
    "gemini",
    "gemini-2.5-flash",
    { reasoning_effort: "none" },
    efforts("low", "medium", "high", "high", "high"),
  ],
  ["gemini", "gemini-2.5-pro", { reasoning_effort: "low" }, efforts("low", "medium", "high", "high", "high")],
  [
    "gemini",
    "gemini-3-pro-preview",
    { reasoning_effort: "low" },
    efforts("low", "medium", "high", "high", "high"),
  ],
  ["gemini", "gemini-2.0-flash", {}, {}],
  ["ark", "doubao-seed-1-6-251015", { thinking: { type: "disabled" } }, { thinking: { type: "enabled" } }],
  [
    "ark",
    "doubao-seed-1-8-251228",
    { thinking: { type: "disabled" } },
    [
      { thinking: { type: "enabled" }, reasoning_effort: "low" },
      { thinking: { type: "enabled" }, reasoning_effort: "medium" },
      { thinking: { type: "enabled" }, reasoning_effort: "high" },
      { thinking: { type: "enabled" }, reasoning_effort: "high" },
      { thinking: { type: "enabled" }, reasoning_effort: "high" },
    ],
  ],
  [
    "dashscope",
    "qwen3-max",
    { enable_thinking: false },
    [
      { enable_thinking: true, thinking_budget: 1024 },
      { enable_thinking: true, thinking_budget: 4096 },
      { enable_thinking: true, thinking_budget: 16384 },
      { enable_thinking: true, thinking_budget: 24576 },
      { enable_thinking: true },
    ],
  ],
  ["dashscope", "qwen3-coder-plus", {}, {}],
  [
    "openrouter",
    "anthropic/claude-sonnet-4.6",
    { reasoning: { enabled: false } },
    [
      { reasoning: { effort: "low" } },
      { reasoning: { effort: "medium" } },
      { reasoning: { effort: "high" } },
      { reasoning: { effort: "xhigh" } },
      { reasoning: { effort: "xhigh" } },
    ],
  ],
  ["groq", "qwen/qwen3-32b", { reasoning_effort: "none" }, { reasoning_effort: "default" }],
  [
    "groq",
    "openai/gpt-oss-120b",
    { reasoning_effort: "low" },
    efforts("low", "medium", "high", "high", "high"),
  ],
  ["groq", "llama-3.3-70b-versatile", {}, {}],
  ["mistral", "mistral-small-latest", { reasoning_effort: "none" }, { reasoning_effort: "high" }],
  ["mistral", "mistral-large-latest", {}, {}],
  ["xai", "grok-4", {}, {}],
  ["xai", "grok-3-mini", { reasoning_effort: "low" }, efforts("low", "low", "high", "high", "high")],
  ["xai", "grok-4.6", { reasoning_effort: "none" }, efforts("low", "medium", "high", "xhigh", "xhigh")],
  ["xai", "grok-4.20-0309-non-reasoning", {}, {}],
  [
    "siliconflow",
    "zai-org/GLM-5.2",
    { enable_thinking: false },
    [
      { enable_thinking: true, reasoning_effort: "high", thinking_budget: 1024 },
      { enable_thinking: true, reasoning_effort: "high", thinking_budget: 4096 },
      { enable_thinking: true, reasoning_effort: "high", thinking_budget: 16384 },
      { enable_thinking: true, reasoning_effort: "max", thinking_budget: 24576 },
      { enable_thinking: true, reasoning_effort: "max", thinking_budget: 32768 },
    ],
  ],
  [
    "fireworks",
    "accounts/fireworks/models/glm-5p1",
    { reasoning_effort: "none" },
    efforts("low", "medium", "high", "xhigh", "xhigh"),
  ],
  ["together", "zai-org/GLM-5.3", {}, efforts("low", "medium", "high", "max", "max")],
  [
    "vllm",
    "Qwen/Qwen3-8B",
    { chat_template_kwargs: { enable_thinking: false, thinking: false } },
    { chat_template_kwargs: { enable_thinking: true, thinking: true } },
  ],
  [
    "vllm",
    "openai/gpt-oss-20b",
    { reasoning_effort: "low" },
    efforts("low", "medium", "high", "high", "high"),
  ],
  [
    "llamacpp",
    "some-model",
    { chat_template_kwargs: { enable_thinking: false, thinking: false } },
    { chat_template_kwargs: { enable_thinking: true, thinking: true } },
  ],
  ["lmstudio", "some-model", {}, {}],
  ["cerebras", "gpt-oss-120b", { reasoning_effort: "low" }, efforts("low", "medium", "high", "high", "high")],
])("%s %s", (provider, model, off, on) => {
  const expected = [off, ...(Array.isArray(on) ? on : Array.from({ length: 5 }, () => on))]
  const { profile } = routeTo([provider, model])
  expect(levels.map((level) => convertThinking(clients(asking(level)), profile, tools).fields)).toEqual(
    expected,
  )
  // A request that says nothing of thinking is not answered with a switch.
  expect(convertThinking(clients(parse(ask([hi]))), profile, tools).fields).toEqual({})
})

test.each<[string, string, string | undefined, boolean]>([
  ["deepseek", "deepseek-v4-pro", "required", true],
  ["moonshot", "kimi-k2.6", "required", true],
  ["moonshot", "kimi-k2.7-code", "auto", false],
  ["moonshot", "kimi-k3", "required", false],
  ["dashscope", "qwen3-max", "required", true],
  ["openrouter", "anthropic/claude-sonnet-4.6", "required", true],
  ["zai", "glm-5.2", "auto", false],
  ["minimax", "MiniMax-M3", undefined, false],
  ["mistral", "mistral-small-latest", "any", false],
  ["ollama", "qwen3", undefined, false],
  ["generic", "kimi-k2.6", "auto", false],
])("a call that is insisted on while thinking: %s %s", (provider, model, choice, isOff) => {
  const request = parse(
    ask([hi], {
      thinking: { type: "adaptive" },
      tools: [{ name: "Bash", input_schema: { type: "object", properties: {} } }],
      tool_choice: { type: "any" },
    }),
  )
  const { body, showReasoning } = convertRequest(request, routeTo([provider, model]), limits, undefined)
  const off = !showReasoning || body.thinking?.type === "disabled" || body.reasoning?.enabled === false
  expect([body.tool_choice as unknown, off]).toEqual([choice, isOff])
})

// OpenRouter refuses to switch off what its hosts cannot ("Reasoning is mandatory for this endpoint").
test.each<[string, object]>([
  ["google/gemini-2.5-pro", { effort: "low" }],
  ["google/gemini-3-pro-preview", { effort: "low" }],
  ["google/gemini-3.1-pro-preview", { effort: "low" }],
  ["google/gemini-2.5-flash", { enabled: false }],
  ["openai/gpt-5", { effort: "minimal" }],
  ["openai/gpt-5-mini", { effort: "minimal" }],
  ["openai/gpt-5-nano:nitro", { effort: "minimal" }],
  ["openai/gpt-5-codex", { effort: "low" }],
  ["openai/gpt-5-pro", { effort: "low" }],
  ["openai/gpt-5-chat", { enabled: false }],
  ["openai/gpt-5.1", { enabled: false }],
  ["openai/gpt-5.2-codex", { enabled: false }],
  ["openai/o1", { effort: "low" }],
  ["openai/o3-mini", { effort: "low" }],
  ["openai/o4-mini-high", { effort: "low" }],
  ["openai/gpt-oss-120b:free", { effort: "low" }],
  ["openai/gpt-4o", { enabled: false }],
  ["x-ai/grok-4", { effort: "low" }],
  ["x-ai/grok-4-0709", { effort: "low" }],
  ["x-ai/grok-code-fast-1", { effort: "low" }],
  ["x-ai/grok-4-fast", { enabled: false }],
  ["x-ai/grok-4.3", { enabled: false }],
  ["minimax/minimax-m2", { effort: "low" }],
  ["minimax/minimax-m2.5", { effort: "low" }],
  ["moonshotai/kimi-k2-thinking", { effort: "low" }],
  ["moonshotai/kimi-k2.5", { enabled: false }],
  ["deepseek/deepseek-r1-0528:free", { effort: "low" }],
  ["deepseek/deepseek-v3.2", { enabled: false }],
  ["qwen/qwen3-235b-a22b-thinking-2507", { effort: "low" }],
  ["qwen/qwen3-next-80b-a3b-thinking", { effort: "low" }],
  ["qwen/qwen3-235b-a22b-2507", { enabled: false }],
])("no thinking from %s at OpenRouter", (model, reasoning) => {
  const { fields } = convertThinking(clients(asking("off")), routeTo(["openrouter", model]).profile, tools)
  expect(fields).toEqual({ reasoning })
  const high = convertThinking(clients(asking("high")), routeTo(["openrouter", model]).profile, tools)
  expect(high.fields).toEqual({ reasoning: { effort: "high" } })
})

// A call that is insisted on is worth more than the thinking before it.
test.each<[string, string, object]>([
  ["siliconflow", "deepseek-ai/DeepSeek-V3.2", { enable_thinking: false }],
  ["siliconflow", "Pro/deepseek-ai/DeepSeek-V3.2-Exp", { enable_thinking: false }],
  ["siliconflow", "deepseek-ai/DeepSeek-V4", { enable_thinking: false }],
  ["siliconflow", "moonshotai/Kimi-K2.5", { enable_thinking: false }],
  ["siliconflow", "zai-org/GLM-5.2", { enable_thinking: false }],
  ["fireworks", "accounts/fireworks/models/deepseek-v3p2", { reasoning_effort: "none" }],
  ["fireworks", "accounts/fireworks/models/deepseek-v4", { reasoning_effort: "none" }],
  ["fireworks", "accounts/fireworks/models/kimi-k2p5", { reasoning_effort: "none" }],
  ["fireworks", "accounts/fireworks/models/kimi-k2p6", { reasoning_effort: "none" }],
  ["fireworks", "accounts/fireworks/routers/kimi-k2p5-turbo", { reasoning_effort: "none" }],
  ["fireworks", "fireworks/kimi-k2p5", { reasoning_effort: "none" }],
  ["fireworks", "kimi-k2p5", { reasoning_effort: "none" }],
  ["fireworks", "deepseek-v3.2", { reasoning_effort: "none" }],
])("a forced call at %s from %s switches thinking off", (provider, model, off) => {
  const tool = { name: "Read", input_schema: { type: "object", properties: {} } }
  for (const [tool_choice, sent] of [
    [
      { type: "tool", name: "Read" },
      { type: "function", function: { name: "Read" } },
    ],
    [{ type: "any" }, "required"],
  ] as const) {
    const more = { thinking: { type: "adaptive" }, tools: [tool], tool_choice }
    const { body } = convertRequest(parse(ask([hi], more)), routeTo([provider, model]), limits, undefined)
    expect(body).toMatchObject({ tool_choice: sent, ...off })
  }
})

describe("room for thinking", () => {
  const adaptive = { thinking: { type: "adaptive" } }
  const tool = { name: "Read", input_schema: { type: "object", properties: {} } }
  const forced = { tools: [tool], tool_choice: { type: "any" } }
  test.each<[string, Target, number, object, number]>([
    ["raised", ["deepseek", "deepseek-v4-pro"], 1_000, adaptive, 4_096],
    [
      "also for an effort",
      ["deepseek", "deepseek-v4-pro"],
      1_000,
      { output_config: { effort: "low" } },
      4_096,
    ],
    [
      "also for a budget",
      ["openai", "gpt-5"],
      2_000,
      { thinking: { type: "enabled", budget_tokens: 1_024 } },
      4_096,
    ],
    ["enough already", ["deepseek", "deepseek-v4-pro"], 5_000, adaptive, 5_000],
    ["nothing said", ["deepseek", "deepseek-v4-pro"], 1_000, {}, 1_000],
    ["off", ["deepseek", "deepseek-v4-pro"], 1_000, { thinking: { type: "disabled" } }, 1_000],
    ["off for a forced call", ["deepseek", "deepseek-v4-pro"], 1_000, { ...adaptive, ...forced }, 1_000],
    ["none beside tools", ["openai", "gpt-5.6"], 1_000, { ...adaptive, tools: [tool] }, 1_000],
  ])("%s: %p, %d tokens", (_name, target, max_tokens, more, expected) => {
    const { body, notes } = convertRequest(
      parse(ask([hi], { max_tokens, ...more })),
      routeTo(target),
      limits,
      undefined,
    )
    expect(body.max_tokens ?? body.max_completion_tokens).toBe(expected)
    const why = notes.find(({ path }) => path === "max_tokens")?.why
    expect(why).toBe(
      expected === max_tokens
        ? undefined
        : `raised from ${max_tokens} to 4096, because thinking counts as output`,
    )
  })

  test.each([
    [limits, 2_048, 2_048],
    [{ ...limits, maxTokensLimit: 3_000 }, null, 3_000],
    [{ ...limits, maxTokensLimit: 500 }, null, 500],
  ])("but not above a limit: %j, %p", (given, maxOutputTokens, expected) => {
    const route = routeTo(["deepseek", "deepseek-v4-pro"], { maxOutputTokens })
    const { body } = convertRequest(parse(ask([hi], adaptive)), route, given, undefined)
    expect(body.max_tokens).toBe(expected)
  })
})
