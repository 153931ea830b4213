// Every provider's own switch for thinking, at each level of the Messages API's scale: off, low, medium, high, xhigh, max.
import { expect, test } from "bun:test"
import { convertRequest } from "../../src/convert/request/request.ts"
import { convertThinking } from "../../src/convert/request/thinking.ts"
import { ask, limits, parse, routeTo, text, user } from "./request-support.ts"

const levels = ["off", "low", "medium", "high", "xhigh", "max"] as const
const hi = user(text("hi"))

function asking(level: (typeof levels)[number]) {
  if (level === "off")
    return parse(ask([hi], { thinking: { type: "disabled" }, output_config: { effort: "high" } }))
  return parse(ask([hi], { thinking: { type: "adaptive" }, output_config: { effort: level } }))
}

const tools = { forced: false, hasTools: false }

test.each<[string, string, readonly object[]]>([
  [
    "moonshot",
    "kimi-k2.5",
    [
      { thinking: { type: "disabled" } },
      { thinking: { type: "enabled" } },
      { thinking: { type: "enabled" } },
      { thinking: { type: "enabled" } },
      { thinking: { type: "enabled" } },
      { thinking: { type: "enabled" } },
    ],
  ],
  [
    "moonshot",
    "kimi-k2.6",
    [
      { thinking: { type: "disabled" } },
      { thinking: { type: "enabled", keep: "all" } },
      { thinking: { type: "enabled", keep: "all" } },
      { thinking: { type: "enabled", keep: "all" } },
      { thinking: { type: "enabled", keep: "all" } },
      { thinking: { type: "enabled", keep: "all" } },
    ],
  ],
  [
    "moonshot",
    "kimi-k2.7-code",
    [
      {},
      { thinking: { type: "enabled", keep: "all" } },
      { thinking: { type: "enabled", keep: "all" } },
      { thinking: { type: "enabled", keep: "all" } },
      { thinking: { type: "enabled", keep: "all" } },
      { thinking: { type: "enabled", keep: "all" } },
    ],
  ],
  [
    "moonshot",
    "kimi-k3",
    [
      { reasoning_effort: "low" },
      { reasoning_effort: "low" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "max" },
      { reasoning_effort: "max" },
    ],
  ],
  [
    "kimi",
    "k3",
    [
      { reasoning_effort: "low" },
      { reasoning_effort: "low" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "max" },
      { reasoning_effort: "max" },
    ],
  ],
  ["moonshot", "kimi-k2-thinking", [{}, {}, {}, {}, {}, {}]],
  ["moonshot", "kimi-k2-0905-preview", [{}, {}, {}, {}, {}, {}]],
  [
    "zhipu",
    "glm-4.6",
    [
      { thinking: { type: "disabled" } },
      { thinking: { type: "enabled", clear_thinking: false } },
      { thinking: { type: "enabled", clear_thinking: false } },
      { thinking: { type: "enabled", clear_thinking: false } },
      { thinking: { type: "enabled", clear_thinking: false } },
      { thinking: { type: "enabled", clear_thinking: false } },
    ],
  ],
  [
    "zai",
    "glm-5.2",
    [
      { thinking: { type: "disabled" } },
      { thinking: { type: "enabled", clear_thinking: false }, reasoning_effort: "low" },
      { thinking: { type: "enabled", clear_thinking: false }, reasoning_effort: "high" },
      { thinking: { type: "enabled", clear_thinking: false }, reasoning_effort: "high" },
      { thinking: { type: "enabled", clear_thinking: false }, reasoning_effort: "max" },
      { thinking: { type: "enabled", clear_thinking: false }, reasoning_effort: "max" },
    ],
  ],
  [
    "minimax",
    "MiniMax-M2.5",
    [
      {},
      { thinking: { type: "adaptive" } },
      { thinking: { type: "adaptive" } },
      { thinking: { type: "adaptive" } },
      { thinking: { type: "adaptive" } },
      { thinking: { type: "adaptive" } },
    ],
  ],
  [
    "minimax",
    "MiniMax-M3",
    [
      { thinking: { type: "disabled" } },
      { thinking: { type: "adaptive" } },
      { thinking: { type: "adaptive" } },
      { thinking: { type: "adaptive" } },
      { thinking: { type: "adaptive" } },
      { thinking: { type: "adaptive" } },
    ],
  ],
  [
    "gemini",
    "gemini-2.5-flash",
    [
      { reasoning_effort: "none" },
      { reasoning_effort: "low" },
      { reasoning_effort: "medium" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
    ],
  ],
  [
    "gemini",
    "gemini-2.5-pro",
    [
      { reasoning_effort: "low" },
      { reasoning_effort: "low" },
      { reasoning_effort: "medium" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
    ],
  ],
  [
    "gemini",
    "gemini-3-pro-preview",
    [
      { reasoning_effort: "low" },
      { reasoning_effort: "low" },
      { reasoning_effort: "medium" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
    ],
  ],
  ["gemini", "gemini-2.0-flash", [{}, {}, {}, {}, {}, {}]],
  [
    "ark",
    "doubao-seed-1-6-251015",
    [
      { thinking: { type: "disabled" } },
      { thinking: { type: "enabled" } },
      { thinking: { type: "enabled" } },
      { thinking: { type: "enabled" } },
      { thinking: { type: "enabled" } },
      { thinking: { type: "enabled" } },
    ],
  ],
  [
    "ark",
    "doubao-seed-1-8-251228",
    [
      { thinking: { type: "disabled" } },
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
    [
      { enable_thinking: false },
      { enable_thinking: true, thinking_budget: 1024 },
      { enable_thinking: true, thinking_budget: 4096 },
      { enable_thinking: true, thinking_budget: 16384 },
      { enable_thinking: true, thinking_budget: 24576 },
      { enable_thinking: true },
    ],
  ],
  ["dashscope", "qwen3-coder-plus", [{}, {}, {}, {}, {}, {}]],
  [
    "openrouter",
    "anthropic/claude-sonnet-4.6",
    [
      { reasoning: { enabled: false } },
      { reasoning: { effort: "low" } },
      { reasoning: { effort: "medium" } },
      { reasoning: { effort: "high" } },
      { reasoning: { effort: "xhigh" } },
      { reasoning: { effort: "xhigh" } },
    ],
  ],
  [
    "groq",
    "qwen/qwen3-32b",
    [
      { reasoning_effort: "none" },
      { reasoning_effort: "default" },
      { reasoning_effort: "default" },
      { reasoning_effort: "default" },
      { reasoning_effort: "default" },
      { reasoning_effort: "default" },
    ],
  ],
  [
    "groq",
    "openai/gpt-oss-120b",
    [
      { reasoning_effort: "low" },
      { reasoning_effort: "low" },
      { reasoning_effort: "medium" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
    ],
  ],
  ["groq", "llama-3.3-70b-versatile", [{}, {}, {}, {}, {}, {}]],
  [
    "mistral",
    "mistral-small-latest",
    [
      { reasoning_effort: "none" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
    ],
  ],
  ["mistral", "mistral-large-latest", [{}, {}, {}, {}, {}, {}]],
  ["xai", "grok-4", [{}, {}, {}, {}, {}, {}]],
  [
    "xai",
    "grok-3-mini",
    [
      { reasoning_effort: "low" },
      { reasoning_effort: "low" },
      { reasoning_effort: "low" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
    ],
  ],
  [
    "xai",
    "grok-4.6",
    [
      { reasoning_effort: "none" },
      { reasoning_effort: "low" },
      { reasoning_effort: "medium" },
      { reasoning_effort: "high" },
      { reasoning_effort: "xhigh" },
      { reasoning_effort: "xhigh" },
    ],
  ],
  ["xai", "grok-4.20-0309-non-reasoning", [{}, {}, {}, {}, {}, {}]],
  [
    "siliconflow",
    "zai-org/GLM-5.2",
    [
      { enable_thinking: false },
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
    [
      { reasoning_effort: "none" },
      { reasoning_effort: "low" },
      { reasoning_effort: "medium" },
      { reasoning_effort: "high" },
      { reasoning_effort: "xhigh" },
      { reasoning_effort: "xhigh" },
    ],
  ],
  [
    "together",
    "zai-org/GLM-5.3",
    [
      {},
      { reasoning_effort: "low" },
      { reasoning_effort: "medium" },
      { reasoning_effort: "high" },
      { reasoning_effort: "max" },
      { reasoning_effort: "max" },
    ],
  ],
  [
    "vllm",
    "Qwen/Qwen3-8B",
    [
      { chat_template_kwargs: { enable_thinking: false, thinking: false } },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
    ],
  ],
  [
    "vllm",
    "openai/gpt-oss-20b",
    [
      { reasoning_effort: "low" },
      { reasoning_effort: "low" },
      { reasoning_effort: "medium" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
    ],
  ],
  [
    "llamacpp",
    "some-model",
    [
      { chat_template_kwargs: { enable_thinking: false, thinking: false } },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
      { chat_template_kwargs: { enable_thinking: true, thinking: true } },
    ],
  ],
  ["lmstudio", "some-model", [{}, {}, {}, {}, {}, {}]],
  [
    "cerebras",
    "gpt-oss-120b",
    [
      { reasoning_effort: "low" },
      { reasoning_effort: "low" },
      { reasoning_effort: "medium" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
      { reasoning_effort: "high" },
    ],
  ],
])("%s %s", (provider, model, expected) => {
  const { profile } = routeTo([provider, model])
  expect(levels.map((level) => convertThinking(asking(level), profile, tools).fields)).toEqual([...expected])
  // A request that says nothing of thinking is not answered with a switch.
  expect(convertThinking(parse(ask([hi])), profile, tools).fields).toEqual({})
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
