// Hosts of open models, and relays of unknown make
// (their API documentation and the reports named at each rule, 2026-11).
import { arrayOf, type JsonObject, objectOf } from "../../../src/protocol/json.ts"
import { oldFields, openaiModels } from "./rows-openai.ts"
import { thinkingFamilies } from "./rows-thinkers.ts"
import { efforts, type RulesDelta, type StrictRow, thinkingObject, tokens } from "./rules.ts"
import type { Shape, Shapes } from "./shape.ts"

const reasoning = { reasoning: "text" } as const
const reasoningContent = { reasoning_content: "text" } as const
const gptOss = efforts("low", "medium", "high")
const sampling: Shapes = { top_k: "integer", min_p: "number", repetition_penalty: "number" }
/** Models that have never seen an image. */
const blind: readonly [RegExp, RulesDelta] = [
  /^(gpt-oss|deepseek-(v[34]|r1)|llama-3\.[13]|llama-v3p[13]|glm-[\d.p]+$|zai-glm|qwen3-(235b|coder|32b)|qwen-3-235b)/,
  { images: "no" },
]

const groqFields: Shapes = {
  ...oldFields,
  max_completion_tokens: tokens,
  service_tier: { words: ["auto", "on_demand", "flex", "performance"] },
  include_reasoning: "boolean",
  search_settings: "object",
}
const format: Shape = { words: ["parsed", "raw", "hidden"] }

function checkRaw(body: JsonObject): readonly string[] {
  const bare = body["tools"] === undefined && body["response_format"] === undefined
  return body["reasoning_format"] === "raw" && !bare
    ? ["reasoning_format: 'raw' may not be combined with tool calling or JSON mode"]
    : []
}

const groq: StrictRow = {
  id: "groq",
  models: [
    "openai/gpt-oss-120b",
    "qwen/qwen3-32b",
    "llama-3.3-70b-versatile",
    "meta-llama/llama-4-scout-17b-16e-instruct",
  ],
  delta: {
    unknown: "property '{}' is unsupported",
    fields: groqFields,
    exclusive: [["include_reasoning", "reasoning_format"]],
    // agentjido/req_llm#772: reasoning_content is refused.
    members: { assistant: { ...reasoning, name: "text" }, user: { name: "text" } },
    strictTools: true,
    maxTools: 128,
    formatWithTools: false,
    also: [checkRaw],
  },
  byModel: [
    blind,
    [/^gpt-oss/, { fields: { reasoning_effort: gptOss, reasoning_format: format }, maxTokens: 65_536 }],
    [
      /^qwen3/,
      {
        fields: { reasoning_effort: efforts("none", "default"), reasoning_format: format },
        maxTokens: 40_960,
      },
    ],
    [/^llama-3/, { maxTokens: 32_768 }],
    [/^llama-4/, { maxTokens: 8_192 }],
  ],
}

const siliconflow: StrictRow = {
  id: "siliconflow",
  models: [
    "deepseek-ai/DeepSeek-V4-Pro",
    "zai-org/GLM-5.2",
    "Qwen/Qwen3-235B-A22B",
    "Qwen/Qwen3-Coder-480B-A35B-Instruct",
  ],
  delta: {
    fields: { ...oldFields, ...sampling, repetition_penalty: null, parallel_tool_calls: null },
    members: { assistant: reasoningContent },
  },
  byModel: [
    ...thinkingFamilies,
    blind,
    [
      /^(deepseek-v(3\.[12]|4)|glm-(4\.[5-9]|5)|qwen3-(?!coder))/,
      {
        fields: { enable_thinking: "boolean", thinking_budget: { from: 128, to: 32_768, whole: true } },
        thinks: "on",
      },
    ],
    [/^(deepseek-v4|glm-5\.2)/, { fields: { reasoning_effort: efforts("high", "max") } }],
  ],
}

const together: StrictRow = {
  id: "together",
  models: [
    "zai-org/GLM-5.3",
    "openai/gpt-oss-120b",
    "deepseek-ai/DeepSeek-V4-Pro",
    "meta-llama/Llama-3.3-70B-Instruct-Turbo",
  ],
  delta: {
    fields: {
      ...oldFields,
      ...sampling,
      parallel_tool_calls: null,
      echo: "boolean",
      safety_model: "text",
      context_length_exceeded_behavior: "text",
    },
    members: { assistant: { ...reasoning, ...reasoningContent } },
  },
  byModel: [
    blind,
    [/^glm-5\.3/, { fields: { reasoning_effort: efforts("low", "medium", "high", "max") } }],
    [/^gpt-oss/, { fields: { reasoning_effort: gptOss } }],
    [
      /^(deepseek-v|glm|qwen3|kimi)/,
      { fields: { reasoning: { members: { enabled: "boolean" }, needs: ["enabled"] } } },
    ],
  ],
}

const fireworks: StrictRow = {
  id: "fireworks",
  models: ["deepseek-v4-pro", "glm-5p1", "kimi-k2p6", "gpt-oss-120b", "llama-v3p3-70b-instruct"].map(
    (name) => `accounts/fireworks/models/${name}`,
  ),
  delta: {
    unknown: "Extra inputs are not permitted, field: '{}'",
    fields: {
      ...oldFields,
      ...sampling,
      max_completion_tokens: tokens,
      reasoning_effort: efforts("none", "low", "medium", "high", "xhigh"),
      thinking: thinkingObject(["enabled", "disabled"], { budget_tokens: tokens }),
      context_length_exceeded_behavior: "text",
    },
    exclusive: [["thinking", "reasoning_effort"]],
    members: { assistant: reasoningContent },
    unstreamedTokens: 4096,
  },
  byModel: [blind, [/^gpt-oss/, { fields: { reasoning_effort: gptOss } }]],
}

const cerebras: StrictRow = {
  id: "cerebras",
  models: ["gpt-oss-120b", "zai-glm-4.7", "qwen-3-235b-a22b-instruct-2507"],
  delta: {
    unknown: "property '{}' is unsupported",
    fields: {
      ...oldFields,
      presence_penalty: null,
      frequency_penalty: null,
      max_tokens: null,
      max_completion_tokens: tokens,
      service_tier: "text",
      clear_thinking: "boolean",
    },
    members: { assistant: reasoning },
    images: "no",
    strictTools: true,
    also: [checkMixedStrict],
  },
  byModel: [
    [/^gpt-oss/, { fields: { reasoning_effort: gptOss } }],
    [/^zai-glm/, { fields: { reasoning_effort: efforts("none"), disable_reasoning: "boolean" } }],
  ],
}

function checkMixedStrict(body: JsonObject): readonly string[] {
  const marks = arrayOf(body["tools"]).map((tool) => objectOf(objectOf(tool)["function"])["strict"] === true)
  return new Set(marks).size > 1 ? ["tools: Tools with mixed values for 'strict' are not allowed"] : []
}

/** What a relay of unknown make passes on, and nothing that only some servers know. */
const generic: StrictRow = {
  id: "generic",
  models: ["some-model", "deepseek-v4-pro", "deepseek-v3.2", "kimi-k2.6", "gpt-5.1", "gpt-oss-20b", "glm-5"],
  delta: {
    members: { assistant: { ...reasoning, ...reasoningContent } },
    systemFirst: true,
    alternate: true,
    textLists: false,
  },
  byModel: [
    ...thinkingFamilies,
    ...openaiModels,
    blind,
    [/^gpt-5/, { fields: { max_completion_tokens: tokens } }],
    [/^(deepseek|kimi|glm)/, { fields: { thinking: thinkingObject(["enabled", "disabled"]) } }],
    [/^deepseek/, { fields: { reasoning_effort: efforts("low", "medium", "high", "max") } }],
    [
      /^kimi/,
      { fields: { temperature: { from: 1, to: 1 }, top_p: { from: 0.95, to: 0.95 } }, schemas: ["moonshot"] },
    ],
    [/^gpt-oss/, { fields: { reasoning_effort: gptOss } }],
  ],
}

export const hostRows: readonly StrictRow[] = [groq, siliconflow, together, fireworks, cerebras, generic]
