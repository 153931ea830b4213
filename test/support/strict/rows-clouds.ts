// Clouds that serve their own models or many: Gemini, Ark, DashScope, OpenRouter, Copilot
// (their API documentation and the reports named at each rule, 2026-11).
import { arrayOf, type JsonObject, objectOf } from "../../../src/protocol/json.ts"
import { oldFields } from "./rows-openai.ts"
import { thinkingFamilies } from "./rows-thinkers.ts"
import {
  efforts,
  filePart,
  imagePart,
  markedTextPart,
  type RulesDelta,
  type StrictRow,
  textPart,
  thinkingObject,
  tokens,
} from "./rules.ts"
import type { Shape } from "./shape.ts"

const signature: Shape = {
  members: { google: { members: { thought_signature: "text" }, needs: ["thought_signature"] } },
  needs: ["google"],
}
const thinkingConfig: Shape = {
  members: {
    thinking_budget: "integer",
    thinking_level: efforts("minimal", "low", "medium", "high"),
    include_thoughts: "boolean",
  },
}

/** A call has to follow the user's or a tool's turn. */
function checkCallTurns(body: JsonObject): readonly string[] {
  const messages = arrayOf(body["messages"]).map(objectOf)
  return messages.flatMap((message, index) => {
    const before = messages[index - 1]?.["role"]
    return message["tool_calls"] === undefined || before === "user" || before === "tool"
      ? []
      : [
          `messages[${index}]: Please ensure that function call turn comes immediately after a user turn or after a function response turn.`,
        ]
  })
}

const gemini: StrictRow = {
  id: "gemini",
  models: ["gemini-3-pro-preview", "gemini-3-flash-preview", "gemini-2.5-pro", "gemini-2.5-flash"],
  delta: {
    unknown: 'Invalid JSON payload received. Unknown name "{}": Cannot find field.',
    fields: {
      n: tokens,
      max_completion_tokens: tokens,
      parallel_tool_calls: null,
      reasoning_effort: efforts("minimal", "low", "medium", "high"),
      extra_body: {
        members: {
          google: {
            members: { thinking_config: thinkingConfig, cached_content: "text", thought_tag_marker: "text" },
          },
        },
      },
    },
    exclusive: [
      ["reasoning_effort", "extra_body.google.thinking_config"],
      [
        "extra_body.google.thinking_config.thinking_budget",
        "extra_body.google.thinking_config.thinking_level",
      ],
    ],
    members: { assistant: { extra_content: signature }, tool: { name: "text" } },
    callMembers: { extra_content: signature },
    systemFirst: true,
    images: "data",
    names: {
      pattern: /^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/,
      why: "Invalid function name. Must start with a letter or an underscore",
    },
    schemas: ["gemini"],
    formatSchemas: ["gemini"],
    formatWithTools: false,
    stopMost: 5,
    maxTokens: 65_536,
    also: [checkCallTurns],
  },
  byModel: [
    [/^gemini-3/, { signatures: true }],
    [
      /^gemini-2\.5-flash/,
      { fields: { reasoning_effort: efforts("none", "minimal", "low", "medium", "high") } },
    ],
  ],
}

const ark: StrictRow = {
  id: "ark",
  models: ["doubao-seed-1-8-251228", "doubao-seed-1-6-251015", "deepseek-v4-pro", "deepseek-v3-2-251201"],
  delta: {
    fields: {
      ...oldFields,
      max_completion_tokens: tokens,
      service_tier: { words: ["auto", "default"] },
      thinking: thinkingObject(["enabled", "disabled", "auto"]),
    },
    members: { assistant: { reasoning_content: "text" } },
    thinks: "on",
    also: [
      ({ thinking, reasoning_effort: effort }) =>
        objectOf(thinking)["type"] === "disabled" && effort !== undefined && effort !== "minimal"
          ? ["reasoning_effort: only minimal is supported when thinking is disabled"]
          : [],
    ],
  },
  byModel: [
    ...thinkingFamilies,
    [/^doubao-seed-(1-8|2)/, { fields: { reasoning_effort: efforts("minimal", "low", "medium", "high") } }],
    [/^deepseek/, { images: "no", fields: { thinking: thinkingObject(["enabled", "disabled"]) } }],
  ],
}

const dashscope: StrictRow = {
  id: "dashscope",
  models: ["qwen3-max", "qwen3.5-plus", "qwen3-235b-a22b", "qwen3-vl-plus", "qwen3-coder-plus"],
  delta: {
    fields: {
      ...oldFields,
      top_k: "integer",
      repetition_penalty: "number",
      enable_thinking: "boolean",
      thinking_budget: tokens,
      preserve_thinking: "boolean",
      enable_search: "boolean",
      search_options: "object",
    },
    members: { assistant: { reasoning_content: "text", encrypted_content: "text", partial: "boolean" } },
    parts: {
      system: { text: markedTextPart },
      user: { text: markedTextPart, image_url: imagePart },
      tool: { text: markedTextPart },
    },
    images: "no",
    thinks: "off",
    streamToThink: true,
    unforcedWhileThinking: ["required", "named"],
    unforcedWhy:
      "The tool_choice parameter does not support being set to required or object in thinking mode",
    also: [checkMarks],
  },
  byModel: [
    [/^qwen3[.-](5|235b)/, { thinks: "on" }],
    [/^qwen3\.5|-vl/, { images: "any" }],
    [/^qwen3-(max|coder)|^qwen3\.5/, { maxTokens: 65_536 }],
    [/^qwen3-coder/, { thinks: "never" }],
  ],
}

/** Four marks for the cache, no more. */
function checkMarks(body: JsonObject): readonly string[] {
  const marks = arrayOf(body["messages"])
    .flatMap((message) => arrayOf(objectOf(message)["content"]))
    .filter((part) => objectOf(part)["cache_control"] !== undefined)
  return marks.length > 4
    ? [`messages: A maximum of 4 blocks with cache_control may be provided. Found ${marks.length}.`]
    : []
}

/** Claude refuses what ends in blanks, and a forced call while it thinks (docs.claude.com, extended thinking). */
const claude: RulesDelta = {
  fields: { temperature: { from: 0, to: 1 } },
  ids: { pattern: /^[a-zA-Z0-9_-]+$/, why: "should match pattern '^[a-zA-Z0-9_-]+$'" },
  uniqueIds: "conversation",
  unforcedWhileThinking: ["required", "named"],
  unforcedWhy: "Thinking may not be enabled when tool_choice forces tool use.",
  also: [
    (body) => {
      const last = objectOf(arrayOf(body["messages"]).at(-1))
      const text = last["role"] === "assistant" ? String(last["content"] ?? "") : ""
      return text === text.trimEnd()
        ? []
        : ["messages: final assistant content cannot end with trailing whitespace"]
    },
  ],
}

const marked: RulesDelta = {
  parts: {
    system: { text: markedTextPart },
    user: { text: markedTextPart, image_url: imagePart, file: filePart },
    tool: { text: markedTextPart },
  },
  also: [checkMarks],
}

const detail: Shape = {
  byType: Object.fromEntries(
    [
      ["reasoning.text", "text"],
      ["reasoning.summary", "summary"],
      ["reasoning.encrypted", "data"],
    ].map(([type = "", member = ""]) => [
      type,
      {
        members: Object.fromEntries(
          [member, "id", "format", "index", "signature"].map((key) => [key, "anything" as const]),
        ),
      },
    ]),
  ),
}

const openrouter: StrictRow = {
  id: "openrouter",
  models: [
    ...["anthropic/claude-sonnet-4.6", "google/gemini-3-pro-preview", "openai/gpt-5.1", "z-ai/glm-5"],
    ...["deepseek/deepseek-v4-pro", "moonshotai/kimi-k2.6", "meta-llama/llama-3.3-70b-instruct"],
  ],
  delta: {
    fields: {
      ...oldFields,
      max_completion_tokens: tokens,
      top_k: "integer",
      min_p: "number",
      top_a: "number",
      repetition_penalty: "number",
      reasoning: {
        members: {
          effort: efforts("none", "minimal", "low", "medium", "high", "xhigh"),
          max_tokens: tokens,
          enabled: "boolean",
          exclude: "boolean",
        },
      },
      include_reasoning: "boolean",
      models: { list: "text" },
      provider: "object",
      plugins: {
        list: {
          members: { id: "text", max_results: "integer", engine: "text", pdf: "object" },
          needs: ["id"],
        },
      },
      transforms: { list: "text" },
      usage: { members: { include: "boolean" } },
      verbosity: { words: ["low", "medium", "high"] },
      prompt_cache_key: "text",
    },
    exclusive: [["reasoning.effort", "reasoning.max_tokens"]],
    members: { assistant: { reasoning: "text", reasoning_details: { list: detail } } },
    parts: {
      user: { text: textPart, image_url: imagePart, file: filePart },
      tool: { text: textPart },
    },
    strictTools: true,
    thinks: "off",
  },
  byModel: [
    // The relay fills in what reasoning is missing; a forced call it passes on.
    ...thinkingFamilies.map(([match, delta]) => [match, { ...delta, reasoningBack: null }] as const),
    [/^claude|^gemini/, marked],
    [/^claude/, claude],
    [/^gemini/, { schemas: ["gemini"] }],
    [/^(deepseek|llama|glm-[\d.]+$)/, { images: "no" }],
    [/^gpt-5/, { ids: { pattern: /^.{1,64}$/su, why: "string too long" }, schemas: ["openai"] }],
  ],
}

const copilot: StrictRow = {
  id: "copilot",
  models: ["gpt-4.1", "gpt-4o", "claude-sonnet-4.6", "gemini-3-pro-preview"],
  delta: {
    fields: { ...oldFields, intent: "boolean", snippy: "object" },
    members: { assistant: { reasoning_text: "text", reasoning_opaque: "text" } },
    parts: { tool: { text: textPart } },
    ids: { pattern: /./, why: "should not be empty" },
    maxTools: 128,
  },
  byModel: [
    [/^gpt/, { schemas: ["openai"] }],
    [/^gpt-4o/, { maxTokens: 16_384 }],
    [/^gpt-4\.1/, { maxTokens: 32_768 }],
    // A gateway to Anthropic's own models wants the tools declared that its history calls.
    [/^claude/, { ...claude, toolsForHistory: true }],
    [/^gemini/, { schemas: ["gemini"] }],
  ],
}

export const cloudRows: readonly StrictRow[] = [gemini, ark, dashscope, openrouter, copilot]
