// What each provider refuses beyond the common rules, with a body that breaks each rule: Hosts of open models, and relays of unknown make.
import {
  describeAccepted,
  describeRefusals,
  developer,
  forced,
  format,
  image,
  lateSystem,
  noHistory,
  noReasoning,
  png,
  stops,
  thinking,
  tools,
  twoUsers,
} from "./cases.ts"
import { all, bash, fields, message, messages } from "./sample.ts"

describeRefusals("groq", {
  "openai/gpt-oss-120b": [
    ["a format with tools", format("json_schema"), /may not be combined with tool calling/],
    ["raw reasoning with tools", fields({ reasoning_format: "raw" }), /'raw' may not be combined/],
    ["effort none", fields({ reasoning_effort: "none" }), /low, medium, high/],
    ["reasoning_content", message(1, { reasoning_content: "a" }), /unsupported/],
    ["129 tools", tools(129), /Expected maximum length 128/],
    [
      "both switches",
      all(noHistory, fields({ reasoning_format: "parsed", include_reasoning: true })),
      /may not be combined/,
    ],
    ["an image", image(png), /image_url/],
  ],
  "qwen/qwen3-32b": [["effort low", fields({ reasoning_effort: "low" }), /none, default/]],
  "llama-3.3-70b-versatile": [
    ["an effort", fields({ reasoning_effort: "low" }), /property 'reasoning_effort' is unsupported/],
    ["a reasoning format", fields({ reasoning_format: "parsed" }), /unsupported/],
    ["too many tokens", fields({ max_tokens: 64_000 }), /at most 32768/],
  ],
})

describeAccepted("groq", {
  "qwen/qwen3-32b": [["effort default", fields({ reasoning_effort: "default", reasoning_format: "parsed" })]],
})

describeRefusals("siliconflow", {
  "Qwen/Qwen3-Coder-480B-A35B-Instruct": [
    ["a switch", fields({ enable_thinking: false }), /^enable_thinking: /],
  ],
  "Qwen/Qwen3-235B-A22B": [
    ["a huge budget", fields({ thinking_budget: 40_000 }), /range \[128, 32768\]/],
    ["an effort", fields({ reasoning_effort: "high" }), /^reasoning_effort: /],
  ],
  "zai-org/GLM-5.2": [["effort low", fields({ reasoning_effort: "low" }), /high, max/]],
  "deepseek-ai/DeepSeek-V4-Pro": [
    ["five stop sequences", stops(5), /maximum length 4/],
    ["a forced tool", forced, /does not support this tool_choice/],
  ],
})

describeRefusals("together", {
  "meta-llama/Llama-3.3-70B-Instruct-Turbo": [
    ["an effort", fields({ reasoning_effort: "low" }), /^reasoning_effort/],
  ],
  "openai/gpt-oss-120b": [["effort none", fields({ reasoning_effort: "none" }), /low, medium, high/]],
  "zai-org/GLM-5.3": [
    ["an effort in the object", fields({ reasoning: { effort: "low" } }), /reasoning\.effort/],
  ],
})

describeRefusals("fireworks", {
  "accounts/fireworks/models/glm-5p1": [
    ["much at once", fields({ stream: false, max_tokens: 8192 }), /must have stream=true/],
    ["both switches", all(thinking("enabled"), fields({ reasoning_effort: "low" })), /may not be combined/],
    ["an unknown field", fields({ store: false }), /Extra inputs are not permitted, field: 'store'/],
  ],
  "accounts/fireworks/models/gpt-oss-120b": [
    ["effort none", fields({ reasoning_effort: "none" }), /low, medium, high/],
  ],
})

describeAccepted("fireworks", {
  "accounts/fireworks/models/glm-5p1": [["much in a stream", fields({ max_tokens: 32_000 })]],
})

describeRefusals("cerebras", {
  "gpt-oss-120b": [
    ["max_tokens", fields({ max_tokens: 9 }), /property 'max_tokens' is unsupported/],
    ["store", fields({ store: false }), /property 'store' is unsupported/],
    ["the developer", developer, /unknown variant "developer"/],
    ["an image", image(png), /image_url/],
    [
      "one strict tool of two",
      fields({ tools: [bash, { ...bash, function: { ...bash.function, name: "b", strict: true } }] }),
      /mixed values for 'strict'/,
    ],
  ],
  "zai-glm-4.7": [["effort low", fields({ reasoning_effort: "low" }), /^reasoning_effort: /]],
})

describeRefusals("generic", {
  "some-model": [
    ["an effort", fields({ reasoning_effort: "low" }), /^reasoning_effort: /],
    ["a late system", lateSystem, /must be at the beginning/],
    ["two users", twoUsers, /must alternate/],
    ["the assistant first", messages({ role: "assistant", content: "Hi." }, 3), /must alternate/],
    ["a list of texts", message(0, { content: [{ type: "text", text: "a" }] }), /should be one string/],
    ["store", fields({ store: false }), /^store: /],
  ],
  "deepseek-v4-pro": [["no reasoning", noReasoning, /passed back/]],
  "kimi-k2.6": [["a temperature", fields({ temperature: 0.5 }), /^temperature: /]],
  "gpt-5.1": [["max_tokens", fields({ max_tokens: 9 }), /'max_tokens' is not supported/]],
})
