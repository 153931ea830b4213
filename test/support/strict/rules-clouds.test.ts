// What each provider refuses beyond the common rules, with a body that breaks each rule: Gemini, Ark and DashScope.
import {
  describeAccepted,
  describeRefusals,
  forced,
  format,
  image,
  lateSystem,
  noHistory,
  noReasoning,
  png,
  required,
  thinking,
} from "./cases.ts"
import { all, call, fields, messages, property, tool } from "./sample.ts"

describeRefusals("gemini", {
  "gemini-3-pro-preview": [
    [
      "no signature",
      all(call({ extra_content: undefined }), messages(0, 1, 2)),
      /missing a thought_signature/,
    ],
    ["an unknown field", fields({ store: false }), /Unknown name "store"/],
    ["effort none", fields({ reasoning_effort: "none" }), /minimal, low, medium, high/],
  ],
  "gemini-2.5-flash": [
    [
      "effort and a budget",
      fields({
        reasoning_effort: "low",
        extra_body: { google: { thinking_config: { thinking_budget: 9 } } },
      }),
      /may not be combined/,
    ],
    [
      "a level and a budget",
      fields({ extra_body: { google: { thinking_config: { thinking_budget: 9, thinking_level: "low" } } } }),
      /may not be combined/,
    ],
    ["parallel_tool_calls", fields({ parallel_tool_calls: true }), /Unknown name/],
    ["an image's address", image("https://example.com/a.png"), /unsupported image url/],
    ["a format with tools", format("json_schema"), /may not be combined with tool calling/],
    ["a call before the user", messages(1, 2, 3), /immediately after a user turn/],
    ["a name that begins with a digit", tool({ name: "1password" }), /Must start with a letter/],
    ["a late system", lateSystem, /System message must be at the beginning/],
    ["$ref", property({ $ref: "#" }), /Unknown name "\$ref"/],
    [
      "additionalProperties",
      property({ type: "object", additionalProperties: false }),
      /Unknown name "additionalProperties"/,
    ],
    ["const", property({ const: "a" }), /Unknown name "const"/],
    [
      "propertyNames",
      property({ type: "object", propertyNames: { type: "string" } }),
      /Unknown name "propertyNames"/,
    ],
    [
      "exclusiveMinimum",
      property({ type: "integer", exclusiveMinimum: 0 }),
      /Unknown name "exclusiveMinimum"/,
    ],
    ["oneOf", property({ oneOf: [{ type: "string" }] }), /Unknown name "oneOf"/],
    ["default", property({ type: "string", default: "a" }), /Unknown name "default"/],
    ["prefixItems", property({ type: "array", items: {}, prefixItems: [] }), /Unknown name "prefixItems"/],
    ["a list of types", property({ type: ["string", "null"] }), /cannot start list/],
    ["an unknown format", property({ type: "string", format: "uri" }), /only enum,date-time/],
    ["numbers to choose from", property({ type: "integer", enum: [1] }), /only non-empty strings/],
    ["an empty choice", property({ type: "string", enum: [""] }), /only non-empty strings/],
    ["an untyped choice", property({ enum: ["a"] }), /only allowed for STRING/],
    ["an array of nothing", property({ type: "array" }), /items: missing field/],
    ["a property that is true", property(true), /a schema should be an object/],
    [
      "required strangers",
      property({ type: "object", properties: {}, required: ["a"] }),
      /property is not defined: a/,
    ],
  ],
})

describeAccepted("gemini", {
  "gemini-3-pro-preview": [
    [
      "the stand-in for a signature",
      call({ extra_content: { google: { thought_signature: "skip_thought_signature_validator" } } }),
    ],
    [
      "no signature in an earlier turn",
      (body) => all(call({ extra_content: undefined }), messages(0, 1, 2, 3))(body),
    ],
  ],
  "gemini-2.5-flash": [
    [
      "no signature, no thinking",
      all(call({ extra_content: undefined }), fields({ reasoning_effort: "none" })),
    ],
    ["a schema in its own words", property({ type: "string", nullable: true, format: "date-time" })],
    ["a format alone", all(noHistory, format("json_schema"))],
  ],
})

describeRefusals("ark", {
  "doubao-seed-1-6-251015": [["an effort", fields({ reasoning_effort: "low" }), /^reasoning_effort: /]],
  "doubao-seed-1-8-251228": [
    ["an effort while off", all(thinking("disabled"), fields({ reasoning_effort: "high" })), /only minimal/],
    ["adaptive thinking", thinking("adaptive"), /thinking\.type/],
  ],
  "deepseek-v4-pro": [["no reasoning", noReasoning, /passed back/]],
  "deepseek-v3-2-251201": [["no reasoning", noReasoning, /Missing `reasoning_content`/]],
})

describeAccepted("ark", {
  "doubao-seed-1-8-251228": [["thinking by itself", thinking("auto")]],
})

describeRefusals("dashscope", {
  "qwen3.5-plus": [["a required tool", required, /required or object in thinking mode/]],
  "qwen3-max": [
    ["a named tool while thinking", all(fields({ enable_thinking: true }), forced), /thinking mode/],
    ["thinking without a stream", fields({ enable_thinking: true, stream: false }), /non-streaming calls/],
    ["an image", image(png), /image_url/],
    ["a thinking object", thinking("enabled"), /^thinking: /],
    ["a budget of nothing", fields({ thinking_budget: 0 }), /^thinking_budget: /],
    ["too many tokens", fields({ max_tokens: 128_000 }), /at most 65536/],
  ],
  "qwen3-235b-a22b": [["no stream", fields({ stream: false }), /non-streaming calls/]],
})

describeAccepted("dashscope", {
  "qwen3-max": [["a budget", fields({ enable_thinking: true, thinking_budget: 4096 })]],
  "qwen3.5-plus": [
    ["a forced tool while off", all(fields({ enable_thinking: false, stream: false }), forced)],
  ],
})
