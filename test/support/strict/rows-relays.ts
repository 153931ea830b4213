// Relays, which pass on what the models behind them refuse: OpenRouter, Copilot
// (their API documentation and the reports named at each rule, 2026-11).
import { arrayOf, objectOf } from "../../../src/protocol/json.ts"
import { checkCacheMarks } from "./marks.ts"
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
  tokens,
} from "./rules.ts"
import type { Shape } from "./shape.ts"
import { checkSignedDetails } from "./thinking.ts"

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
  also: [checkCacheMarks],
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
    [/^gemini-3/, { also: [checkSignedDetails] }],
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

export const relayRows: readonly StrictRow[] = [openrouter, copilot]
