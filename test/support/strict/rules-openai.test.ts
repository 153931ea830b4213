// What each provider refuses beyond the common rules, with a body that breaks each rule: OpenAI's own rules, and Azure's.
import {
  describeAccepted,
  describeRefusals,
  developer,
  format,
  ids,
  image,
  jsonSchema,
  longId,
  noHistory,
  png,
  stops,
  thinking,
  tools,
} from "./cases.ts"
import { all, fields, message, messages, property, tool } from "./sample.ts"

describeRefusals("openai", {
  "gpt-5": [
    ["max_tokens", fields({ max_tokens: 100 }), /'max_tokens' is not supported with this model/],
    ["a temperature", fields({ temperature: 0.2 }), /^temperature: /],
    ["a stop sequence", stops(1), /'stop' is not supported/],
    ["effort none", fields({ reasoning_effort: "none" }), /minimal, low, medium, high/],
  ],
  "gpt-4o": [
    ["both limits", fields({ max_tokens: 9, max_completion_tokens: 9 }), /may not be combined/],
    ["too many tokens", fields({ max_tokens: 64_000 }), /supports at most 16384/],
    ["five stop sequences", stops(5), /maximum length 4/],
    ["an effort", fields({ reasoning_effort: "low" }), /Unrecognized request argument/],
    ["a long id", ids(longId), /maximum length 40/],
    ["129 tools", tools(129), /Expected maximum length 128/],
    ["top_k", fields({ top_k: 40 }), /^top_k: /],
    ["a thinking switch", thinking("enabled"), /^thinking: /],
    ["reasoning in the history", message(1, { reasoning_content: "a" }), /reasoning_content/],
    ["strict and optional", tool({ strict: true }), /'additionalProperties' is required/],
    ["a long cache key", fields({ prompt_cache_key: "k".repeat(65) }), /maximum length 64/],
    ["an unknown tier", fields({ service_tier: "standard_only" }), /^service_tier: /],
    [
      "an image in a result",
      message(2, { content: [{ type: "image_url", image_url: { url: png } }] }),
      /\[2\]/,
    ],
    [
      "a choice of nothing offered",
      fields({ tool_choice: { type: "function", function: { name: "Read" } } }),
      /Tool 'Read' not found/,
    ],
    [
      "a choice at the root",
      tool({ parameters: { type: "object", properties: {}, anyOf: [{}] } }),
      /'anyOf' at the top level/,
    ],
    ["an array of nothing", property({ type: "array" }), /array schema missing items/],
    ["JSON without the word", format("json_object"), /must contain the word 'json'/],
    [
      "a format without a name",
      fields({ response_format: { type: "json_schema", json_schema: { schema: jsonSchema.schema } } }),
      /json_schema\.name/,
    ],
    [
      "a strict format with options",
      fields({ response_format: { type: "json_schema", json_schema: { ...jsonSchema, strict: true } } }),
      /json_schema\.schema/,
    ],
    [
      "a file that is no PDF",
      message(0, { content: [{ type: "file", file: { filename: "a", file_data: "https://a" } }] }),
      /Invalid file data/,
    ],
  ],
  o3: [
    ["too many tokens", fields({ max_completion_tokens: 128_000 }), /supports at most 100000/],
    ["parallel_tool_calls", fields({ parallel_tool_calls: false }), /'parallel_tool_calls' is not/],
  ],
  "gpt-5.1": [
    ["a top_p", fields({ top_p: 0.9 }), /^top_p: /],
    ["effort minimal", fields({ reasoning_effort: "minimal" }), /none, low, medium, high/],
    ["effort xhigh", fields({ reasoning_effort: "xhigh" }), /none, low, medium, high/],
  ],
  "o4-mini": [["a stop sequence", stops(1), /'stop' is not supported/]],
  "gpt-5.2": [["effort max", fields({ reasoning_effort: "max" }), /xhigh/]],
  "gpt-5.4": [
    ["tools and effort", fields({ reasoning_effort: "low" }), /Function tools with reasoning_effort/],
  ],
  "gpt-5.6": [
    ["tools and effort", fields({ reasoning_effort: "low" }), /Function tools with/],
    ["tools alone", fields({ reasoning_effort: undefined }), /Function tools with/],
  ],
  "o3-mini": [["an image", image(png), /image_url/]],
})

describeAccepted("openai", {
  "gpt-4o": [
    ["the developer", developer],
    ["a temperature and four stops", all(fields({ temperature: 0.2 }), stops(4))],
    ["an image's address", image("https://example.com/a.png")],
    ["128 tools", all(messages(0), tools(128))],
  ],
  "gpt-5.6": [["effort without tools", all(noHistory, fields({ reasoning_effort: "max" }))]],
})

describeRefusals("azure", {
  "gpt-4o": [
    ["store", fields({ store: false }), /^store: /],
    ["a cache key", fields({ prompt_cache_key: "a" }), /^prompt_cache_key: /],
  ],
  "gpt-5.6": [["tools alone", fields({ reasoning_effort: undefined }), /Function tools with/]],
})

describeRefusals("demo", {
  demo: [["an effort", fields({ reasoning_effort: "huge" }), /^reasoning_effort: /]],
})
