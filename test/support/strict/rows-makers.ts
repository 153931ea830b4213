import { oldFields } from "./rows-openai.ts"
import { efforts, imagePart, type RulesDelta, type StrictRow, textPart, tokens } from "./rules.ts"
import type { Shape } from "./shape.ts"

const reasoningContent = { reasoning_content: "text" } as const

const thinkingPart: Shape = {
  members: { thinking: { list: { byType: { text: textPart } } }, closed: "boolean" },
  needs: ["thinking"],
}
const mistral: StrictRow = {
  id: "mistral",
  models: ["mistral-large-latest", "mistral-small-latest", "mistral-medium-3.5", "magistral-medium-latest"],
  delta: {
    unknown: "Extra inputs are not permitted",
    fields: {
      n: tokens,
      presence_penalty: oldFields["presence_penalty"] ?? "number",
      frequency_penalty: oldFields["frequency_penalty"] ?? "number",
      temperature: { from: 0, to: 1.5 },
      random_seed: "integer",
      prompt_mode: "text",
      safe_prompt: "boolean",
      prediction: "object",
      stream_options: null,
    },
    systemFirst: true,
    lastAssistant: "prefix",
    members: { assistant: { prefix: "boolean" }, tool: { name: "text" } },
    toolNameNeeded: true,
    nullContent: false,
    parts: {
      user: {
        text: textPart,
        image_url: imagePart,
        document_url: { members: { document_url: "text", document_name: "text" }, needs: ["document_url"] },
      },
      tool: { text: textPart },
    },
    ids: {
      pattern: /^[a-zA-Z0-9]{9}$/,
      why: "must be a-z, A-Z, 0-9, with a length of 9.",
    },
    choices: ["auto", "none", "any"],
    namedChoice: false,
    strictTools: true,
    stopMost: Number.POSITIVE_INFINITY,
  },
  byModel: [
    [/^(mistral-small|mistral-medium-3)/, { fields: { reasoning_effort: efforts("none", "high") } }],
    [
      /^(magistral|mistral-small|mistral-medium-3)/,
      { parts: { assistant: { text: textPart, thinking: thinkingPart } } },
    ],
  ],
}

const xaiReasons: RulesDelta = {
  refused: {
    stop: "Argument not supported on this model: stop",
    presence_penalty: "Argument not supported on this model: presencePenalty",
    frequency_penalty: "Argument not supported on this model: frequencyPenalty",
  },
}
const xai: StrictRow = {
  id: "xai",
  models: ["grok-4.6", "grok-4.20-reasoning", "grok-4.20-non-reasoning", "grok-3-mini"],
  delta: {
    fields: {
      ...oldFields,
      max_completion_tokens: tokens,
      parallel_tool_calls: null,
      parallel_function_calling: "boolean",
      search_parameters: "object",
      deferred: "boolean",
    },
    members: { assistant: reasoningContent },
    strictTools: true,
    schemas: ["xai"],
  },
  byModel: [
    [/^grok-4\.6/, { fields: { reasoning_effort: efforts("none", "low", "medium", "high", "xhigh") } }],
    [/^grok-3-mini/, { fields: { reasoning_effort: efforts("low", "medium", "high") }, images: "no" }],
    [/^(grok-4\.6|grok-3-mini|grok-4\.20(-\d+)?-reasoning)/, xaiReasons],
  ],
}

export const makerRows: readonly StrictRow[] = [mistral, xai]
