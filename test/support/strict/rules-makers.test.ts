// What each provider refuses beyond the common rules, with a body that breaks each rule: Mistral and xAI.
import {
  describeAccepted,
  describeRefusals,
  developer,
  forced,
  ids,
  lateSystem,
  prefill,
  required,
  stops,
} from "./cases.ts"
import { fields, message, messages, property } from "./sample.ts"

describeRefusals("mistral", {
  "mistral-large-latest": [
    ["another id", ids("toolu_0123"), /length of 9/],
    ["no name on a result", message(2, { name: undefined }), /\[2\]\.name: Field required/],
    ["a required tool", required, /is not one of auto, none, any/],
    ["a named tool", forced, /Invalid tool_choice type/],
    ["null", message(1, { content: null }), /null is refused/],
    ["stream_options", fields({ stream_options: { include_usage: true } }), /Extra inputs are not permitted/],
    ["a late system", lateSystem, /System message must be at the beginning/],
    ["the assistant last", prefill, /Expected last role User or Tool/],
    ["an effort", fields({ reasoning_effort: "high" }), /Extra inputs/],
    ["a hot temperature", fields({ temperature: 1.8 }), /range \[0, 1\.5\]/],
    ["store", fields({ store: false }), /Extra inputs/],
    ["a file part", message(0, { content: [{ type: "file", file: {} }] }), /unknown variant "file"/],
  ],
  "mistral-small-latest": [["effort low", fields({ reasoning_effort: "low" }), /none, high/]],
})

describeAccepted("mistral", {
  "mistral-small-latest": [
    [
      "its thinking",
      message(1, {
        content: [
          { type: "thinking", thinking: [{ type: "text", text: "a" }], closed: true },
          { type: "text", text: "b" },
        ],
      }),
    ],
  ],
  "mistral-large-latest": [
    ["a beginning with its mark", messages(0, { role: "assistant", content: "So", prefix: true })],
    ["any tool", fields({ tool_choice: "any" })],
  ],
})

describeRefusals("xai", {
  "grok-4.6": [
    [
      "additionalProperties",
      property({ type: "object", additionalProperties: false }),
      /additionalProperties: false/,
    ],
    ["a stop sequence", stops(1), /not supported on this model: stop/],
    ["parallel_tool_calls", fields({ parallel_tool_calls: false }), /^parallel_tool_calls/],
    ["the developer", developer, /unknown variant "developer"/],
    ["store", fields({ store: false }), /^store: /],
  ],
  "grok-3-mini": [
    ["a penalty", fields({ presence_penalty: 1 }), /presencePenalty/],
    ["effort xhigh", fields({ reasoning_effort: "xhigh" }), /low, medium, high/],
  ],
  "grok-4.20-reasoning": [["an effort", fields({ reasoning_effort: "low" }), /^reasoning_effort: /]],
  "grok-4.20-non-reasoning": [["an effort", fields({ reasoning_effort: "none" }), /^reasoning_effort: /]],
})

describeAccepted("xai", {
  "grok-4.6": [
    ["one call at a time", fields({ parallel_function_calling: false, reasoning_effort: "xhigh" })],
  ],
})
