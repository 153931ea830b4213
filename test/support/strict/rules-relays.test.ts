// What each provider refuses beyond the common rules, with a body that breaks each rule: OpenRouter and Copilot.
import { describeAccepted, describeRefusals, forced, ids, noTools } from "./cases.ts"
import { all, fields, message, messages, property } from "./sample.ts"

describeRefusals("openrouter", {
  "openai/gpt-5.1": [
    ["max effort", fields({ reasoning: { effort: "max" } }), /reasoning\.effort/],
    ["effort and tokens", fields({ reasoning: { effort: "low", max_tokens: 9 } }), /may not be combined/],
    [
      "a mark",
      message(0, { content: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }] }),
      /cache_control/,
    ],
    [
      "an odd detail",
      message(1, { reasoning_details: [{ type: "thinking" }] }),
      /reasoning_details\[0\]\.type/,
    ],
  ],
  "anthropic/claude-sonnet-4.6": [
    ["a mark on a message", message(0, { cache_control: { type: "ephemeral" } }), /\[0\]\.cache_control/],
    [
      "five marks",
      message(0, {
        content: Array.from({ length: 5 }, () => ({
          type: "text",
          text: "a",
          cache_control: { type: "ephemeral" },
        })),
      }),
      /maximum of 4/,
    ],
    [
      "a forced tool while thinking",
      all(fields({ reasoning: { effort: "low" } }), forced),
      /forces tool use/,
    ],
    ["blanks at the end", messages(0, { role: "assistant", content: "So: " }), /trailing whitespace/],
    ["an odd id", ids("functions.Bash:0"), /\^\[a-zA-Z0-9_-\]/],
  ],
  "deepseek/deepseek-v4-pro": [["a forced tool", forced, /does not support this tool_choice/]],
  "moonshotai/kimi-k2.6": [["a forced tool", forced, /incompatible with thinking/]],
  "google/gemini-3-pro-preview": [
    ["additionalProperties", property({ type: "object", additionalProperties: false }), /Unknown name/],
    ["a call without its signature", messages(0, 1, 2), /reasoning details to be preserved/],
  ],
})

describeAccepted("openrouter", {
  "anthropic/claude-sonnet-4.6": [
    [
      "a mark on a text",
      message(0, { content: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }] }),
    ],
  ],
  "openai/gpt-5.1": [
    [
      "details as it gave them",
      message(1, {
        reasoning: "a",
        reasoning_details: [
          { type: "reasoning.summary", summary: "a", format: "openai-responses-v1", index: 0 },
        ],
      }),
    ],
  ],
  "deepseek/deepseek-v4-pro": [
    ["a forced tool while off", all(fields({ reasoning: { enabled: false } }), forced)],
  ],
})

describeRefusals("copilot", {
  "gpt-4.1": [
    ["an effort", fields({ reasoning_effort: "low" }), /^reasoning_effort: /],
    ["store", fields({ store: false }), /^store: /],
  ],
  "claude-sonnet-4.6": [
    ["calls without tools", noTools, /must define tools/],
    ["an id used again", messages(0, 1, 2, 3, 1, 2), /Duplicate tool call id/],
  ],
})

describeAccepted("copilot", {
  "claude-sonnet-4.6": [["calls with an empty list of tools", fields({ tools: [] })]],
  "gpt-4.1": [["an id of any length", ids("i".repeat(200))]],
})
