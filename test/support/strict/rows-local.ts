// Servers on one's own machine: lenient about fields, strict about what their chat templates and grammars
// can express (their documentation and the reports named at each rule, 2026-11).
import { arrayOf, type JsonObject, objectOf } from "../../../src/protocol/json.ts"
import { oldFields } from "./rows-openai.ts"
import { efforts, type RulesDelta, type StrictRow, tokens } from "./rules.ts"
import type { Shape } from "./shape.ts"

const gptOss = efforts("low", "medium", "high")

/** Variables of the chat template: switches, and gpt-oss's effort. */
const kwargs: Shape = {
  members: {
    enable_thinking: "boolean",
    thinking: "boolean",
    preserve_thinking: "boolean",
    clear_thinking: "boolean",
    reasoning_effort: gptOss,
  },
}

/** Templates raise when the system speaks late or roles do not alternate (ggml-org/llama.cpp#27367). */
const templated: RulesDelta = { systemFirst: true, alternate: true }

/** Mistral's templates check ids as Mistral does (nearai/ironclaw#1241). */
const mistralIds: RulesDelta = {
  ids: { pattern: /^[a-zA-Z0-9]{9}$/, why: "Tool call IDs should be alphanumeric strings with length 9!" },
}
const mistralTemplates = /^(mistral|ministral|devstral|magistral)/

/** To think and to go on from a given beginning exclude each other. */
function checkPrefill(body: JsonObject): readonly string[] {
  const last = objectOf(arrayOf(body["messages"]).at(-1))
  const off = objectOf(body["chat_template_kwargs"])["enable_thinking"] === false
  return last["role"] === "assistant" && !off
    ? ["messages: Assistant response prefill is incompatible with enable_thinking."]
    : []
}

function checkContinue(body: JsonObject): readonly string[] {
  if (body["continue_final_message"] !== true) return []
  const last = objectOf(arrayOf(body["messages"]).at(-1))
  return [
    ...(body["add_generation_prompt"] === false
      ? []
      : [
          "continue_final_message: Cannot set both `continue_final_message` and `add_generation_prompt` to True.",
        ]),
    ...(last["role"] === "assistant"
      ? []
      : ["continue_final_message: the last message is not the assistant's"]),
  ]
}

/** Degrees are for models that think; to ask another one is an error (ollama/ollama#12561). */
const ollamaThinks = efforts("none", "low", "medium", "high", "max")

export const localRows: readonly StrictRow[] = [
  {
    id: "ollama",
    models: ["qwen3:30b", "gpt-oss:20b", "llama3.2", "deepseek-v4-flash:cloud"],
    delta: {
      fields: {
        ...oldFields,
        parallel_tool_calls: null,
        reasoning_effort: efforts("none"),
        reasoning: { members: { effort: ollamaThinks } },
      },
      members: { assistant: { reasoning: "text" }, tool: { name: "text" } },
      systemFirst: true,
      images: "data",
    },
    byModel: [
      [/^(qwen3|deepseek)/, { fields: { reasoning_effort: ollamaThinks } }],
      [/^gpt-oss/, { fields: { reasoning_effort: gptOss } }],
    ],
  },
  {
    id: "lmstudio",
    models: ["qwen3-30b-a3b", "openai/gpt-oss-20b", "google/gemma-3-27b"],
    delta: {
      ...templated,
      fields: {
        ...oldFields,
        top_k: "integer",
        repeat_penalty: "number",
        ttl: "integer",
        parallel_tool_calls: null,
      },
      members: { assistant: { reasoning: "text", reasoning_content: "text" } },
      images: "data",
      namedChoice: false,
      formats: ["text", "json_schema"],
    },
    byModel: [[/^gpt-oss/, { fields: { reasoning_effort: gptOss } }]],
  },
  {
    id: "vllm",
    models: [
      "Qwen/Qwen3.5-35B-A3B",
      "openai/gpt-oss-120b",
      "mistralai/Mistral-Small-3.2-24B-Instruct",
      "deepseek-ai/DeepSeek-V3.2",
    ],
    delta: {
      ...templated,
      fields: {
        ...oldFields,
        max_completion_tokens: tokens,
        top_k: "integer",
        min_p: "number",
        repetition_penalty: "number",
        chat_template_kwargs: kwargs,
        include_reasoning: "boolean",
        continue_final_message: "boolean",
        add_generation_prompt: "boolean",
        structured_outputs: "object",
        stream_options: { members: { include_usage: "boolean", continuous_usage_stats: "boolean" } },
      },
      members: { assistant: { reasoning: "text", reasoning_content: "text" } },
      strictTools: true,
      also: [checkContinue],
    },
    byModel: [
      [/^gpt-oss/, { fields: { reasoning_effort: gptOss } }],
      [/^(gpt-oss|deepseek-v)/, { images: "no" }],
      [mistralTemplates, mistralIds],
    ],
  },
  {
    id: "llamacpp",
    models: ["qwen3.5-35b-a3b", "gpt-oss-20b", "devstral-small-2507"],
    delta: {
      ...templated,
      fields: {
        ...oldFields,
        top_k: "integer",
        min_p: "number",
        repeat_penalty: "number",
        n_predict: "integer",
        cache_prompt: "boolean",
        chat_template_kwargs: kwargs,
        reasoning_format: { words: ["none", "auto", "deepseek", "deepseek-legacy"] },
        parse_tool_calls: "boolean",
        add_generation_prompt: "boolean",
      },
      members: { assistant: { reasoning_content: "text" } },
      images: "data",
      // An object is taken for "auto" without a word: the choice would be lost.
      namedChoice: false,
      schemas: ["llama"],
      formatSchemas: ["llama"],
    },
    byModel: [
      [/^qwen3/, { also: [checkPrefill] }],
      [/^gpt-oss/, { fields: { reasoning_effort: gptOss } }],
      [mistralTemplates, mistralIds],
    ],
  },
]
