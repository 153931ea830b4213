// DeepSeek, Moonshot, Zhipu and MiniMax: models that think by themselves and are particular about it
// (their API documentation and the reports named at each rule, 2026-11).
import { type JsonObject, objectOf } from "../../../src/protocol/json.ts"
import { oldFields } from "./rows-openai.ts"
import {
  efforts,
  imagePart,
  type RulesDelta,
  type StrictRow,
  textPart,
  thinkingObject,
  tokens,
} from "./rules.ts"
import type { Shape } from "./shape.ts"

const reasoningContent = { reasoning_content: "text" } as const
const onOff = ["enabled", "disabled"]

/** deepseek-ai/DeepSeek-V3#1376, anomalyco/opencode#24722. */
export const deepseekThinks: RulesDelta = {
  thinks: "on",
  unforcedWhileThinking: ["required", "named"],
  reasoningBack: {
    on: "all",
    why: "The reasoning_content in the thinking mode must be passed back to the API.",
  },
}

const v32Back: RulesDelta = {
  reasoningBack: {
    on: "calls",
    why: "Missing `reasoning_content` field in the assistant message at message index {}",
  },
}

/** UKGovernmentBEIS/inspect_ai#5152, QuantumNous/new-api#3121. */
export const kimiThinks: RulesDelta = {
  thinks: "on",
  unforcedWhileThinking: ["required", "named"],
  unforcedWhy: "tool_choice 'specified' is incompatible with thinking enabled",
  reasoningBack: {
    on: "calls",
    why: "thinking is enabled but reasoning_content is missing in assistant tool call message at index {}",
  },
}

/** Rules of models that relays pass on, whoever serves them. */
export const thinkingFamilies: readonly (readonly [RegExp, RulesDelta])[] = [
  [/^deepseek-(v4|v3[.p-]2|reasoner|flash)/, deepseekThinks],
  [/^deepseek-v3[.p-]2/, v32Back],
  [/^(kimi-(k2[.p-]?[5-9]|k2-thinking|k3|for-coding)|k3$)/, kimiThinks],
  [/^(kimi-k3|k3$)/, { unforcedWhileThinking: ["named"] }],
]

const kimi: RulesDelta = {
  fields: {
    ...oldFields,
    max_completion_tokens: tokens,
    prompt_cache_key: "text",
    safety_identifier: "text",
    temperature: { from: 0, to: 1 },
  },
  members: {
    system: { name: "text" },
    user: { name: "text" },
    assistant: { ...reasoningContent, name: "text", partial: "boolean" },
    tool: { name: "text" },
  },
  images: "data",
  names: {
    pattern: /^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/,
    why: "function name is invalid, must start with a letter",
  },
  schemas: ["moonshot"],
  formatSchemas: ["moonshot", "no-dollar-schema"],
  maxTools: 128,
}

const fixed = (temperature: Shape, more: RulesDelta["fields"] = {}): RulesDelta => ({
  fields: { temperature, ...more },
})

/** MoonshotAI/kimi-code#686: 1 while it thinks, 0.6 while it does not. */
function checkTemperature({ temperature, thinking }: JsonObject): readonly string[] {
  const only = objectOf(thinking)["type"] === "disabled" ? 0.6 : 1
  const fine = temperature === undefined || temperature === only
  return fine ? [] : [`temperature: invalid temperature: only ${only} is allowed for this model`]
}

const keep = { keep: { words: ["all"] } } as const

const kimiModels: StrictRow["byModel"] = [
  ...thinkingFamilies,
  [
    /^kimi-k2\.[56]|^kimi-for-coding/,
    { fields: { thinking: thinkingObject(onOff) }, also: [checkTemperature] },
  ],
  // iOfficeAI/gemini-cli-pro#30.
  [/^kimi-/, { fields: { top_p: { from: 0.95, to: 0.95 } } }],
  [/^kimi-k2\.6/, { fields: { thinking: thinkingObject(onOff, keep) } }],
  [
    /^kimi-k2\.7/,
    { ...fixed({ from: 1, to: 1 }, { thinking: thinkingObject(["enabled"], keep) }), thinks: "always" },
  ],
  [/^kimi-k2-thinking/, { ...fixed({ from: 1, to: 1 }), thinks: "always", images: "no" }],
  [
    /^(kimi-)?k3/,
    {
      ...fixed(
        { from: 1, to: 1 },
        { thinking: thinkingObject(["enabled"], keep), reasoning_effort: efforts("low", "high", "max") },
      ),
      thinks: "always",
    },
  ],
]

const glm: RulesDelta = {
  fields: {
    temperature: { from: 0, to: 1 },
    top_p: { from: 0.01, to: 1 },
    do_sample: "boolean",
    request_id: "text",
    user_id: "text",
    tool_stream: "boolean",
    parallel_tool_calls: null,
    thinking: thinkingObject(onOff, { clear_thinking: "boolean" }),
    // GLM-4 ignores the effort, GLM-5 takes three words.
    reasoning_effort: efforts("low", "high", "max"),
  },
  members: { assistant: reasoningContent },
  needsUser: true,
  choices: ["auto"],
  namedChoice: false,
  toolKinds: {
    web_search: { members: { web_search: "object" }, needs: ["web_search"] },
    retrieval: "anything",
  },
  formats: ["text", "json_object"],
  images: "no",
  maxTools: 128,
  thinks: "on",
}

const glmModels: StrictRow["byModel"] = [
  [/^glm-4\.5/, { maxTokens: 98_304 }],
  [/^glm-(4\.[6-9]|5)/, { maxTokens: 131_072 }],
  [/^glm-[\d.]+v/, { images: "any", maxTokens: 32_768 }],
]
const glmNames = ["glm-4.5-air", "glm-4.6", "glm-4.7", "glm-5", "glm-5.2", "glm-4.6v"]

export const thinkerRows: readonly StrictRow[] = [
  {
    id: "deepseek",
    models: ["deepseek-v4-pro", "deepseek-v4-flash", "deepseek-v3.2", "deepseek-flash", "deepseek-chat"],
    delta: {
      ...deepseekThinks,
      fields: {
        ...oldFields,
        parallel_tool_calls: null,
        thinking: thinkingObject(onOff),
        reasoning_effort: efforts("low", "medium", "high", "xhigh", "max"),
      },
      parts: { system: {}, user: {}, assistant: {}, tool: {} },
      members: { assistant: { ...reasoningContent, name: "text" } },
      images: "no",
      maxTools: 128,
      stopMost: 16,
      thinks: "off",
      formats: ["text", "json_object"],
      also: [
        ({ thinking, reasoning_effort: effort }) =>
          effort !== undefined && objectOf(thinking)["type"] === "disabled"
            ? ["reasoning_effort: is not supported while thinking is disabled"]
            : [],
      ],
    },
    byModel: [
      ...thinkingFamilies,
      [
        /vision|^deepseek-(v4\.1-)?flash/,
        { images: "any", parts: { user: { text: textPart, image_url: imagePart } } },
      ],
      [/^deepseek-v4|^deepseek-flash/, { maxTokens: 384_000 }],
      [/^deepseek-chat/, { maxTokens: 8_192 }],
    ],
  },
  {
    id: "moonshot",
    models: ["kimi-k2.5", "kimi-k2.6", "kimi-k2.7-code", "kimi-k3", "kimi-k2-thinking"],
    delta: kimi,
    byModel: kimiModels,
  },
  { id: "kimi", models: ["kimi-for-coding", "k3"], delta: kimi, byModel: kimiModels },
  { id: "zhipu", models: glmNames, delta: glm, byModel: glmModels },
  { id: "zai", models: glmNames, delta: glm, byModel: glmModels },
  {
    id: "minimax",
    models: ["MiniMax-M2.5", "MiniMax-M3"],
    delta: {
      fields: {
        max_completion_tokens: tokens,
        temperature: { from: 0, to: 1, above: true },
        top_p: { from: 0, to: 1, above: true },
        thinking: thinkingObject(["adaptive", "disabled"]),
        reasoning_split: "boolean",
        mask_sensitive_info: "boolean",
        tool_choice: null,
        parallel_tool_calls: null,
        response_format: null,
      },
      members: {
        assistant: {
          name: "text",
          reasoning_details: { list: { byType: { "reasoning.text": minimaxDetail() } } },
        },
      },
      images: "no",
      systemFirst: true,
      thinks: "on",
    },
    byModel: [
      [/^minimax-m2/, { thinks: "always" }],
      [/^minimax-m3/, { images: "any" }],
    ],
  },
]

function minimaxDetail(): Shape {
  return { members: { text: "text", id: "text", format: "text", index: "integer" }, needs: ["text"] }
}
