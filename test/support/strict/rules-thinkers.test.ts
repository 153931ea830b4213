// What each provider refuses beyond the common rules, with a body that breaks each rule: DeepSeek, Moonshot, Zhipu and MiniMax.
import {
  describeAccepted,
  describeRefusals,
  developer,
  forced,
  format,
  image,
  jsonSchema,
  noReasoning,
  noTools,
  off,
  png,
  required,
  stops,
  thinking,
} from "./cases.ts"
import { all, bash, fields, message, messages, property, tool } from "./sample.ts"

describeRefusals("deepseek", {
  "deepseek-v4-pro": [
    ["no reasoning", noReasoning, /must be passed back to the API/],
    ["no reasoning of a text", messages(0, { role: "assistant", content: "Hi." }, 3), /passed back/],
    ["a forced tool", forced, /does not support this tool_choice/],
    ["a required tool", required, /does not support this tool_choice/],
    ["an image", image(png), /image_url|expected a string/],
    ["the developer", developer, /unknown variant "developer"/],
    ["a list of texts", message(0, { content: [{ type: "text", text: "a" }] }), /expected a string/],
    [
      "an effort while off",
      all(thinking("disabled"), fields({ reasoning_effort: "high" })),
      /while thinking is disabled/,
    ],
    ["a budget", thinking("enabled", { budget_tokens: 1024 }), /thinking\.budget_tokens/],
    ["adaptive thinking", thinking("adaptive"), /thinking\.type/],
    ["effort none", fields({ reasoning_effort: "none" }), /^reasoning_effort/],
    ["17 stop sequences", stops(17), /maximum length 16/],
    ["a schema", format("json_schema"), /response_format\.type/],
    ["store", fields({ store: false }), /^store: /],
    ["strict", tool({ strict: true }), /function\.strict/],
    ["parallel_tool_calls", fields({ parallel_tool_calls: true }), /^parallel/],
  ],
  "deepseek-v3.2": [["no reasoning of a call", noReasoning, /Missing `reasoning_content` .* index 1/]],
  "deepseek-chat": [
    ["a required tool while thinking", all(thinking("enabled"), required), /does not support this/],
    ["too many tokens", fields({ max_tokens: 32_000 }), /at most 8192/],
  ],
})

describeAccepted("deepseek", {
  "deepseek-v4-pro": [
    ["no reasoning and a forced tool while off", all(off, noReasoning, forced)],
    ["an effort", fields({ thinking: { type: "enabled" }, reasoning_effort: "max" })],
  ],
  "deepseek-chat": [["no reasoning", noReasoning]],
  "deepseek-flash": [["an image", image(png)]],
})

describeRefusals("moonshot", {
  "kimi-k2.6": [
    ["no reasoning", noReasoning, /reasoning_content is missing in assistant tool call message at index 1/],
    ["a required tool", required, /incompatible with thinking enabled/],
    ["a temperature", fields({ temperature: 0.3 }), /only 1 is allowed/],
    [
      "a temperature while off",
      all(thinking("disabled"), fields({ temperature: 1 })),
      /only 0\.6 is allowed/,
    ],
    ["an effort", fields({ reasoning_effort: "high" }), /^reasoning_effort: /],
    ["an image's address", image("https://example.com/a.png"), /unsupported image url/],
    ["a tuple", property({ type: "array", items: [{ type: "number" }] }), /items should be an object/],
    [
      "type beside anyOf",
      property({ type: "string", anyOf: [{ type: "string" }] }),
      /defined in anyOf items/,
    ],
    [
      "$schema in a format",
      fields({
        response_format: {
          type: "json_schema",
          json_schema: { ...jsonSchema, schema: { ...jsonSchema.schema, $schema: "a" } },
        },
      }),
      /\$schema/,
    ],
    ["a name that begins with a digit", tool({ name: "1password" }), /must start with a letter/],
  ],
  "kimi-k3": [
    ["a named tool", forced, /incompatible with thinking enabled/],
    ["a temperature", fields({ temperature: 0 }), /^temperature: /],
    ["effort medium", fields({ reasoning_effort: "medium" }), /low, high, max/],
  ],
  "kimi-k2.5": [
    ["a top_p", fields({ top_p: 1 }), /^top_p: /],
    ["kept thinking", thinking("enabled", { keep: "all" }), /thinking\.keep/],
  ],
  "kimi-k2.7-code": [["thinking off", thinking("disabled"), /thinking\.type/]],
  "kimi-k2-thinking": [["an image", image(png), /image_url/]],
})

describeAccepted("moonshot", {
  "kimi-k2.6": [
    ["a required tool while off", all(off, noReasoning, required)],
    ["kept thinking", thinking("enabled", { keep: "all" })],
  ],
  "kimi-k3": [["a required tool", required]],
})

describeRefusals("kimi", {
  "kimi-for-coding": [
    ["no reasoning", noReasoning, /reasoning_content is missing/],
    ["kept thinking", thinking("enabled", { keep: "all" }), /thinking\.keep/],
  ],
  k3: [["a named tool", forced, /incompatible with thinking enabled/]],
})

describeRefusals("zhipu", {
  "glm-5": [
    ["a required tool", required, /is not one of auto/],
    ["a named tool", forced, /Invalid tool_choice type/],
  ],
})

describeRefusals("zai", {
  "glm-5": [
    ["no choice", fields({ tool_choice: "none" }), /is not one of auto/],
    ["strict", tool({ strict: true }), /function\.strict/],
    ["a tool's name in its result", message(2, { name: "Bash" }), /\[2\]\.name/],
    ["a temperature over 1", fields({ temperature: 1.5 }), /range \[0, 1\]/],
    ["a top_p of 0", fields({ top_p: 0 }), /range \[0\.01, 1\]/],
    ["no user", all(noTools, messages({ role: "system", content: "Hi." })), /at least one user message/],
    ["an image", image(png), /image_url/],
    ["effort medium", fields({ reasoning_effort: "medium" }), /low, high, max/],
    ["a schema", format("json_schema"), /response_format\.type/],
    ["the other limit", fields({ max_completion_tokens: 9 }), /^max_completion_tokens/],
  ],
  "glm-4.5-air": [["too many tokens", fields({ max_tokens: 128_000 }), /at most 98304/]],
})

describeAccepted("zai", {
  "glm-5": [
    [
      "preserved thinking, and a stream of arguments",
      all(thinking("enabled", { clear_thinking: false }), fields({ tool_stream: true })),
    ],
    ["its own search", fields({ tools: [bash, { type: "web_search", web_search: { enable: true } }] })],
  ],
  "glm-4.6v": [["an image", image(png)]],
})

describeRefusals("minimax", {
  "MiniMax-M2.5": [
    ["a temperature of 0", fields({ temperature: 0 }), /range \(0, 1\]/],
    ["a choice", fields({ tool_choice: "auto" }), /^tool_choice: /],
    ["an effort", fields({ reasoning_effort: "low" }), /^reasoning_effort: /],
    ["parallel_tool_calls", fields({ parallel_tool_calls: true }), /^parallel_tool_calls/],
    ["a format", format("json_schema"), /^response_format: /],
    ["strict", tool({ strict: false }), /function\.strict/],
    ["an image", image(png), /image_url/],
  ],
  "MiniMax-M3": [
    ["thinking enabled", thinking("enabled"), /thinking\.type/],
    [
      "foreign details",
      message(1, { reasoning_details: [{ type: "reasoning.encrypted", data: "a" }] }),
      /reasoning\.encrypted/,
    ],
  ],
})

describeAccepted("minimax", {
  "MiniMax-M3": [
    ["its own details", message(1, { reasoning_details: [{ type: "reasoning.text", text: "a" }] })],
  ],
  "MiniMax-M2.5": [["split reasoning", fields({ reasoning_split: true, temperature: 0.01 })]],
})
