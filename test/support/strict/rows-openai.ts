// OpenAI's own rules (API reference and openapi.yaml, 2026-11), and of those who serve the same models.
import { arrayOf, type JsonObject, objectOf } from "../../../src/protocol/json.ts"
import { efforts, filePart, imagePart, type RulesDelta, type StrictRow, textPart, tokens } from "./rules.ts"
import type { Shape } from "./shape.ts"

const penalty: Shape = { from: -2, to: 2 }
/** Fields of OpenAI's first days that nearly everybody knows. */
export const oldFields: Readonly<Record<string, Shape>> = {
  n: tokens,
  seed: "integer",
  presence_penalty: penalty,
  frequency_penalty: penalty,
  logprobs: "boolean",
  top_logprobs: "integer",
  logit_bias: "object",
  user: "text",
}

const openai: RulesDelta = {
  unknown: "Unrecognized request argument supplied: {}",
  fields: {
    ...oldFields,
    max_completion_tokens: tokens,
    metadata: "object",
    safety_identifier: { longest: 64 },
    prompt_cache_key: { longest: 64 },
    service_tier: { words: ["auto", "default", "flex", "priority", "scale"] },
    store: "boolean",
    verbosity: { words: ["low", "medium", "high"] },
  },
  roles: ["system", "developer", "user", "assistant", "tool"],
  members: {
    system: { name: "text" },
    user: { name: "text" },
    assistant: { name: "text", refusal: "text" },
    tool: {},
  },
  parts: {
    user: { text: textPart, image_url: imagePart, file: filePart },
    tool: { text: textPart },
  },
  ids: { pattern: /^.{1,40}$/su, why: "string too long. Expected a string with maximum length 40" },
  maxTools: 128,
  strictTools: true,
  schemas: ["openai"],
  also: [checkFiles],
}

/** File parts hold a PDF as a data URL. */
function checkFiles(body: JsonObject): readonly string[] {
  return arrayOf(body["messages"]).flatMap((message, index) =>
    arrayOf(objectOf(message)["content"]).flatMap((part, place) => {
      const { type, file } = objectOf(part)
      const data = String(objectOf(file)["file_data"])
      const fine = type !== "file" || /^data:application\/pdf;base64,[A-Za-z0-9+/]+=*$/.test(data)
      return fine ? [] : [`messages[${index}].content[${place}].file.file_data: Invalid file data`]
    }),
  )
}

const noTokens =
  "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
const unsupported = (field: string): string =>
  `Unsupported parameter: '${field}' is not supported with this model.`

/** Models that reason: their own field for the limit, fixed sampling, no stop sequences. */
export function reasoningModel(...words: readonly string[]): RulesDelta {
  return {
    fields: {
      temperature: { from: 1, to: 1 },
      top_p: { from: 1, to: 1 },
      reasoning_effort: efforts(...words),
    },
    refused: {
      max_tokens: noTokens,
      stop: unsupported("stop"),
      presence_penalty: unsupported("presence_penalty"),
      frequency_penalty: unsupported("frequency_penalty"),
      logprobs: unsupported("logprobs"),
    },
  }
}

/** From gpt-5.4 on, tools and reasoning exclude each other here; later models reason unless told not to. */
function withTools(model: string, mayBeAbsent: boolean): RulesDelta {
  const check = (body: JsonObject): readonly string[] => {
    const effort = body["reasoning_effort"] ?? (mayBeAbsent ? "none" : "the default effort")
    if (body["tools"] === undefined || effort === "none") return []
    return [
      `reasoning_effort: Function tools with reasoning_effort are not supported for ${model} in /v1/chat/completions`,
    ]
  }
  return { also: [check] }
}

const most = (maxTokens: number): RulesDelta => ({ maxTokens })

/** What OpenAI's models refuse, whoever passes their refusals on. */
export const openaiModels: readonly (readonly [RegExp, RulesDelta])[] = [
  [/^gpt-4o/, most(16_384)],
  [/^gpt-4\.1/, most(32_768)],
  [/^o\d/, reasoningModel("low", "medium", "high")],
  [/^o\d/, { ...most(100_000), refused: { parallel_tool_calls: unsupported("parallel_tool_calls") } }],
  [/^o[13]-mini/, { images: "no" }],
  [/^gpt-5/, most(128_000)],
  [/^gpt-5(?![.\d])/, reasoningModel("minimal", "low", "medium", "high")],
  [/^gpt-5\.1/, reasoningModel("none", "low", "medium", "high")],
  [/^gpt-5\.[2-5]/, reasoningModel("none", "low", "medium", "high", "xhigh")],
  [/^gpt-5\.6/, reasoningModel("none", "low", "medium", "high", "xhigh", "max")],
  [/^gpt-5\.4/, withTools("gpt-5.4", true)],
  [/^gpt-5\.[56]/, withTools("gpt-5.5 and gpt-5.6", false)],
]

/** A key that the row does not know, in the words OpenAI uses when it knows it elsewhere. */
export const openaiRows: readonly StrictRow[] = [
  {
    id: "openai",
    models: [
      ...["gpt-4o", "gpt-4.1", "gpt-5", "gpt-5.1", "gpt-5.2", "gpt-5.4", "gpt-5.5", "gpt-5.6"],
      ...["o3", "o4-mini", "o3-mini"],
    ],
    delta: openai,
    byModel: openaiModels,
  },
  {
    // The dated API versions know none of the fields that say what is kept, cached or paid for.
    id: "azure",
    models: ["gpt-4o", "gpt-5", "gpt-5.1", "gpt-5.6", "o4-mini"],
    delta: {
      ...openai,
      fields: { ...openai.fields, store: null, prompt_cache_key: null, service_tier: null, metadata: null },
    },
    byModel: openaiModels,
  },
  {
    id: "demo",
    models: ["demo"],
    delta: { fields: { reasoning_effort: efforts("none", "low", "medium", "high", "xhigh", "max") } },
  },
]
