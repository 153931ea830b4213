// Clouds that serve their own models or many: Gemini, Ark, DashScope
// (their API documentation and the reports named at each rule, 2026-11).
import { arrayOf, type JsonObject, objectOf } from "../../../src/protocol/json.ts"
import { checkCacheMarks } from "./marks.ts"
import { oldFields } from "./rows-openai.ts"
import { thinkingFamilies } from "./rows-thinkers.ts"
import { efforts, imagePart, markedTextPart, type StrictRow, thinkingObject, tokens } from "./rules.ts"
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
    also: [checkCacheMarks],
  },
  byModel: [
    [/^qwen3[.-](5|235b)/, { thinks: "on" }],
    [/^qwen3\.5|-vl/, { images: "any" }],
    [/^qwen3-(max|coder)|^qwen3\.5/, { maxTokens: 65_536 }],
    [/^qwen3-coder/, { thinks: "never" }],
  ],
}

export const cloudRows: readonly StrictRow[] = [gemini, ark, dashscope]
