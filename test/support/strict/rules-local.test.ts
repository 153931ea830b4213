// What each provider refuses beyond the common rules, with a body that breaks each rule: Servers on one's own machine.
import {
  describeAccepted,
  describeRefusals,
  forced,
  format,
  ids,
  image,
  lateSystem,
  png,
  prefill,
  twoUsers,
} from "./cases.ts"
import { all, fields, message, property } from "./sample.ts"

describeRefusals("ollama", {
  "llama3.2": [["an effort", fields({ reasoning_effort: "high" }), /^reasoning_effort: /]],
  "qwen3:30b": [
    ["effort xhigh", fields({ reasoning_effort: "xhigh" }), /^reasoning_effort: /],
    ["an image's address", image("https://example.com/a.png"), /unsupported image url/],
    ["a late system", lateSystem, /must be at the beginning/],
  ],
  "gpt-oss:20b": [["effort none", fields({ reasoning_effort: "none" }), /low, medium, high/]],
})

describeAccepted("ollama", {
  "qwen3:30b": [["a choice it ignores", forced]],
})

describeRefusals("lmstudio", {
  "qwen3-30b-a3b": [
    ["a named tool", forced, /Invalid tool_choice type: 'object'/],
    ["JSON of any kind", format("json_object"), /response_format\.type/],
  ],
  "google/gemma-3-27b": [
    ["two users", twoUsers, /must alternate/],
    ["an image's address", image("https://example.com/a.png"), /unsupported/],
  ],
})

describeRefusals("vllm", {
  "Qwen/Qwen3.5-35B-A3B": [
    ["a late system", lateSystem, /must be at the beginning/],
    ["two users", twoUsers, /must alternate/],
    ["an effort", fields({ reasoning_effort: "low" }), /^reasoning_effort: /],
    [
      "going on without saying how",
      all(prefill, fields({ continue_final_message: true })),
      /Cannot set both/,
    ],
    [
      "going on from the user",
      fields({ continue_final_message: true, add_generation_prompt: false }),
      /not the assistant's/,
    ],
    ["an odd switch", fields({ chat_template_kwargs: { enable_thinking: "no" } }), /enable_thinking/],
  ],
  "openai/gpt-oss-120b": [
    ["effort minimal", fields({ reasoning_effort: "minimal" }), /low, medium, high/],
    ["an image", image(png), /image_url/],
  ],
  "mistralai/Mistral-Small-3.2-24B-Instruct": [
    ["another id", ids("toolu_0123"), /alphanumeric strings with length 9/],
  ],
})

describeAccepted("vllm", {
  "Qwen/Qwen3.5-35B-A3B": [
    [
      "going on from a beginning",
      all(prefill, fields({ continue_final_message: true, add_generation_prompt: false })),
    ],
    ["both names for reasoning", message(1, { reasoning: "a", reasoning_content: "a" })],
  ],
})

describeRefusals("llamacpp", {
  "qwen3.5-35b-a3b": [
    ["a named tool", forced, /Invalid tool_choice type: 'object'/],
    ["a loose pattern", property({ type: "string", pattern: "[a-z]+" }), /start with '\^' and end with '\$'/],
    ["a look ahead", property({ type: "string", pattern: "^(?!x)a$" }), /Unsupported pattern syntax/],
    ["a long text", property({ type: "string", maxLength: 524_288 }), /exceeds sane defaults/],
    ["many items", property({ type: "array", items: {}, maxItems: 2000 }), /exceeds sane defaults/],
    ["many repetitions", property({ type: "string", pattern: "^a{1,9000}$" }), /exceeds sane defaults/],
    ["a beginning while thinking", prefill, /prefill is incompatible/],
    ["an image's address", image("https://example.com/a.png"), /unsupported/],
    ["a late system", lateSystem, /must be at the beginning/],
  ],
  "devstral-small-2507": [["another id", ids("toolu_0123"), /alphanumeric strings with length 9/]],
})

describeAccepted("llamacpp", {
  "qwen3.5-35b-a3b": [
    ["an anchored pattern", property({ type: "string", pattern: "^a{1,9}$", maxLength: 1999 })],
    ["a beginning while off", all(prefill, fields({ chat_template_kwargs: { enable_thinking: false } }))],
  ],
})
