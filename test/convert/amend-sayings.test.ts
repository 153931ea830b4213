// Refusals as providers word them, whole replies as they come, and what is changed of the request after each.
// The wordings are those of the providers' documentation and of public bug reports, read 2026-11.
import { describe, expect, test } from "bun:test"
import { amend, namedParam } from "../../src/convert/amend/amend.ts"
import { type Amendment, applyAmendment } from "../../src/convert/amend/amendments.ts"
import { bodyOf } from "../../src/convert/request/body-of.ts"
import type { Conversion } from "../../src/convert/request/request.ts"
import type { ChatMessage, ChatRequest } from "../../src/protocol/chat/chat.ts"
import { faultFromError } from "../../src/protocol/errors/upstream-error.ts"
import { objectOf } from "../../src/protocol/json.ts"
import { ask, assistant, call, convert, generic, png, result, text, user } from "./request-support.ts"

const schema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: {
    limit: { type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 10 },
    pattern: { type: "string", pattern: "^a", minLength: 2, format: "uri" },
    kind: { const: "x" },
    names: { type: "object", propertyNames: { type: "string" }, additionalProperties: {} },
    either: { oneOf: [{ type: "string" }, { type: "number" }] },
    list: { type: "array", items: { type: "string" }, uniqueItems: true },
  },
  required: ["limit"],
  additionalProperties: false,
}

const strictSchema = {
  type: "object",
  properties: { a: { type: "string" } },
  required: ["a"],
  additionalProperties: false,
}

const rich = ask(
  [
    user(text("look"), png),
    assistant(text("so"), call("c1")),
    user(result("c1", "done")),
    assistant(text("and")),
    user(text("go on")),
  ],
  {
    system: "Be kind.",
    tools: [
      { name: "Grep", description: "finds", input_schema: schema },
      { name: "Bash", strict: true, input_schema: strictSchema },
    ],
    tool_choice: { type: "tool", name: "Bash" },
  },
)

const sent: Partial<ChatRequest> = {
  ...{ max_tokens: 64_000, temperature: 1.5, top_p: 1, top_k: 500, stop: ["a", "b", "c", "d", "e", "f"] },
  ...{ store: false, prompt_cache_key: "k", service_tier: "auto", parallel_tool_calls: false },
}

const base = convert(rich, generic)
const conversion = (fields: Partial<ChatRequest> = {}): Conversion => ({
  ...base,
  body: { ...base.body, ...sent, ...fields },
})

const context = {
  provider: "x",
  model: "some-model",
  url: "u",
  inputTokens: () => 500,
  contextWindow: null,
  keyName: "",
}

/** What the proxy makes of the request after this reply; undefined: nothing can be done. */
function heal(given: Conversion, status: number, reply: unknown) {
  const body = typeof reply === "string" ? reply : JSON.stringify(reply)
  const fault = faultFromError({ status, header: () => null, body }, { ...context, secrets: [] })
  if (fault.kind !== "invalid_request_error" && fault.status !== 500) return undefined
  const { message } = fault
  return amend(given, { status, message, param: namedParam(body), body, inputTokens: () => 500 })
}

const openai = (message: string, param: string | null = null) => ({
  error: { message, type: "invalid_request_error", param, code: null },
})

type Row = readonly [
  who: string,
  reply: unknown,
  amendment: Amendment,
  fields?: Partial<ChatRequest>,
  status?: number,
]

const drop = (...fields: Extract<Amendment, { kind: "drop" }>["fields"]): Amendment => ({
  kind: "drop",
  fields,
})
const limit = (most: number): Amendment => ({ kind: "limit", most })
const range = (
  field: Extract<Amendment, { kind: "range" }>["field"],
  least: number | null,
  most: number | null,
): Amendment => ({ kind: "range", field, least, most })
const keywords = (...names: readonly string[]): Amendment => ({ kind: "keywords", names })
const image: Amendment = { kind: "media", what: "image" }
const auto: Amendment = { kind: "choice", to: "auto", whileThinking: false }
const folded: Amendment = { kind: "role", from: "system", to: "user" }
const thinking: Partial<ChatRequest> = { thinking: { type: "enabled" } }
const developer: Partial<ChatRequest> = {
  messages: base.body.messages.map((message) =>
    message.role === "system" ? { ...message, role: "developer" } : message,
  ),
}
const recalled: Partial<ChatRequest> = {
  messages: base.body.messages.map((message) =>
    message.role === "assistant" ? { ...message, reasoning_content: "hm", reasoning: "hm" } : message,
  ),
}
const stop: ChatMessage = { role: "user", content: "stop" }
const interrupted: Partial<ChatRequest> = {
  messages: base.body.messages.flatMap((message): readonly ChatMessage[] =>
    message.role === "tool" ? [message, stop] : [message],
  ),
}
/** The user speaks right after a call and its result. */
const inCalls: Partial<ChatRequest> = {
  messages: base.body.messages.filter(({ content }) => content !== "and"),
}
const blocks: Amendment = { kind: "reasoning", on: "blocks" }
const unthought =
  "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable `thinking`."
const between: Amendment = { kind: "between" }
const opening: Amendment = { kind: "opening" }
/** The history was cut behind the user's first words. */
const cutOff: Partial<ChatRequest> = {
  messages: base.body.messages.filter(
    ({ role }, at, all) => role !== "user" || at > all.findIndex((one) => one.role === "assistant"),
  ),
}
const named: Partial<ChatRequest> = {
  messages: base.body.messages.map((message) =>
    message.role === "tool" ? { ...message, name: "Bash" } : message,
  ),
}
const marked: Partial<ChatRequest> = {
  messages: base.body.messages.map((message) =>
    message.role === "system"
      ? {
          role: "system",
          content: [{ type: "text", text: "Be kind.", cache_control: { type: "ephemeral" } }],
        }
      : message,
  ),
}
const google = (message: string) => [{ error: { code: 400, message, status: "INVALID_ARGUMENT" } }]
const groq = (message: string) => ({ error: { message, type: "invalid_request_error" } })
const mistral = (...loc: readonly string[]) => ({
  object: "error",
  message: {
    detail: [{ type: "extra_forbidden", loc: ["body", ...loc], msg: "Extra inputs are not permitted" }],
  },
  type: "invalid_request_error",
})
const pydantic = (loc: readonly (string | number)[], msg: string) => ({
  detail: [{ type: "t", loc, msg, input: 1 }],
})
const dashscope = (message: string) => ({
  error: {
    message: `<400> InternalError.Algo.InvalidParameter: ${message}`,
    code: "invalid_parameter_error",
    param: null,
  },
})
const vllm = (message: string) => ({
  object: "error",
  message,
  type: "BadRequestError",
  param: null,
  code: 400,
})

/** As vLLM hands on what pydantic says. */
const tuple = (loc: string, msg: string, input: string, type = "extra_forbidden") =>
  vllm(`[{'type': '${type}', 'loc': (${loc}), 'msg': ${msg}, 'input': ${input}}]`)
const forbidden = "'Extra inputs are not permitted'"
const zhipu = (message: string) => ({ error: { code: "1210", message } })
const fireworks = (field: string, value: string) =>
  openai(`Extra inputs are not permitted, field: '${field}', value: ${value}`)
const thinkingDropped = drop(
  ...(["reasoning_effort", "thinking", "enable_thinking", "thinking_budget"] as const),
  ...(["reasoning", "chat_template_kwargs"] as const),
)

const limits: readonly Row[] = [
  ["DeepSeek", openai("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"), limit(8_192)],
  ["DashScope", dashscope("Range of max_tokens should be [1, 8192]"), limit(8_192)],
  [
    "DashScope, as a line of a stream",
    'event:error\ndata:{"code":"InvalidParameter","message":"<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]"}',
    limit(8_192),
  ],
  ["Zhipu", { error: { code: "1210", message: "max_tokens 取值范围应为 [1, 4095]" } }, limit(4_095)],
  ["Zhipu", { error: { code: "1210", message: "max_tokens不能超过32768" } }, limit(32_768)],
  [
    "MiniMax",
    { base_resp: { status_code: 2013, status_msg: "invalid params, max_tokens must be within [1,40000]" } },
    limit(40_000),
  ],
  [
    "Ark",
    {
      error: {
        code: "InvalidParameter",
        message:
          "The parameter `max_tokens` specified in the request are not valid: integer above maximum value, expected a value <= 12288, but got 64000 instead.",
        param: "max_tokens",
      },
    },
    limit(12_288),
  ],
  [
    "OpenAI",
    openai(
      "max_tokens is too large: 64000. This model supports at most 16384 completion tokens, whereas you provided 64000.",
      "max_tokens",
    ),
    limit(16_384),
  ],
  [
    "Mistral",
    pydantic(["body", "max_tokens"], "Input should be less than or equal to 32768"),
    limit(32_768),
    {},
    422,
  ],
  [
    "xAI",
    {
      code: "Client specified an invalid argument",
      error: "max_tokens is greater than maximum 131072, got 200000",
    },
    limit(131_072),
    { max_tokens: 200_000 },
  ],
  [
    "Cohere",
    { message: "invalid request: max_tokens must be less than or equal to 4096, received 64000." },
    limit(4_096),
  ],
  [
    "Bedrock",
    {
      message:
        "Malformed input request: #/max_tokens: 64000 is not less or equal to 8192, please reformat your input and try again.",
    },
    limit(8_192),
  ],
  [
    "Google",
    google(
      "Unable to submit request because it has a maxOutputTokens value of 100000 but the supported range is from 1 (inclusive) to 8193 (exclusive). Update the value and try again.",
    ),
    limit(8_192),
  ],
  ["Google", google("max_output_tokens must be in the range [1, 8193)"), limit(8_192)],
  [
    "vLLM",
    vllm(
      "max_tokens=64000 cannot be greater than max_model_len=max_total_tokens=32768. Please request fewer output tokens.",
    ),
    limit(32_768),
  ],
  ["a relay", openai("max_tokens out of range: accepts 1..8192"), limit(8_192)],
  [
    "a relay, with the host's own words inside",
    {
      error: {
        message: "Provider returned error",
        code: 400,
        metadata: {
          provider_name: "D",
          raw: '{"error":{"message":"Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"}}',
        },
      },
    },
    limit(8_192),
  ],
  [
    "OpenAI Responses",
    openai(
      "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead.",
      "max_output_tokens",
    ),
    { kind: "least", least: 16 },
    { max_tokens: 1 },
  ],
  [
    "OpenAI",
    openai(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      "max_tokens",
    ),
    { kind: "rename", to: "max_completion_tokens" },
  ],
  [
    "a relay",
    openai("max_tokens is not supported, please use max_completion_tokens"),
    { kind: "rename", to: "max_completion_tokens" },
  ],
  [
    "xAI",
    { error: "Argument not supported on this model: max_tokens" },
    { kind: "rename", to: "max_completion_tokens" },
  ],
  [
    "FastAPI",
    pydantic(["body", "max_tokens"], "Extra inputs are not permitted"),
    { kind: "rename", to: "max_completion_tokens" },
    {},
    422,
  ],
  ["Fireworks", openai("Requests with max_tokens > 4096 must have stream=true"), { kind: "stream" }],
  ["ModelScope", openai("enable thinking can not be support when `stream=False`."), { kind: "stream" }],
  ["DashScope", openai("parameter.enable_thinking必须设置为false才能进行非流式调用"), { kind: "stream" }],
  ["whoever gives streams alone", openai("该模型仅支持流式输出"), { kind: "stream" }],
  [
    "what may be used in the next sentence",
    openai("max_tokens (64000) is too large. Please use a number less than or equal to 8192"),
    limit(8_192),
  ],
  ["MiniMax under another name", openai("invalid params, invalid chat setting (2013)"), auto],

  ["Zhipu", zhipu("max_tokens参数非法。取值范围[1, 98304]"), limit(98_304), { max_tokens: 128_000 }],
  ["Zhipu", zhipu("max_tokens参数非法：不能超过98304"), limit(98_304), { max_tokens: 128_000 }],
  [
    "Zhipu",
    zhipu("max_tokens参数非法。请检查文档。max_tokens不能超过98304"),
    limit(98_304),
    { max_tokens: 128_000 },
  ],
  [
    "in Chinese, with wide signs",
    zhipu("max_tokens参数非法，取值范围为［1，98304］"),
    limit(98_304),
    { max_tokens: 128_000 },
  ],
  ["in Chinese", openai("max_tokens的取值范围为1到8192"), limit(8_192)],
  ["in Chinese", openai("max_tokens参数错误，必须在1~8192之间"), limit(8_192)],
  [
    "in Chinese",
    openai("max_tokens 128000 超过了模型最大输出长度 98304"),
    limit(98_304),
    { max_tokens: 128_000 },
  ],
  ["in Chinese", openai("max_tokens必须小于8193"), limit(8_192)],
  ["in Chinese", openai("max_tokens参数非法，最大值8192"), limit(8_192)],
  ["in Chinese", openai("max_tokens不能小于16"), { kind: "least", least: 16 }, { max_tokens: 1 }],
  [
    "Cerebras",
    {
      message: "max_completion_tokens (64000) exceeds maximum allowed value 40000 for this model",
      type: "invalid_request_error",
      param: "max_completion_tokens",
      code: "wrong_api_format",
    },
    limit(40_000),
  ],
  [
    "a relay",
    openai("The maximum number of output tokens is 8192. Too many tokens requested: max_tokens 64000"),
    limit(8_192),
  ],
  ["a relay", openai("max_tokens 64000 exceeds limit 12288"), limit(12_288)],
  ["a relay", openai("max_tokens 64000 exceeds model limit 8192"), limit(8_192)],
  ["a relay", openai("max_tokens (64000) exceeds the model's limit: 8192"), limit(8_192)],
  ["a relay", openai("max_tokens exceeds the maximum: 64000 > 8192"), limit(8_192)],
  ["a relay", openai("The value of max_tokens exceeds the maximum allowed value 8192"), limit(8_192)],
  ["a relay", openai("max_tokens exceeds the limit: requested 64000, allowed 32768"), limit(32_768)],
  [
    "a relay",
    openai("max_tokens exceeds the limit: requested 64,000, but the maximum is 32,768"),
    limit(32_768),
  ],
  ["a relay", openai("Max output tokens exceeded: 64000 (max 8192)"), limit(8_192)],
  ["a relay", openai("max_tokens exceeds the maximum (64000, limit: 8192)"), limit(8_192)],
  [
    "Cohere",
    {
      message:
        "too many tokens: max tokens must be less than or equal to 4096, the maximum output length for this model - received 64000.",
    },
    limit(4_096),
  ],
  [
    "a relay",
    openai("too many tokens requested: max_tokens must be less than or equal to 8192"),
    limit(8_192),
  ],
  ["Fireworks", fireworks("max_tokens", "64000"), { kind: "rename", to: "max_completion_tokens" }],
  [
    "vLLM",
    tuple("'body', 'max_tokens'", "'Input should be less than or equal to 4096'", "64000", "less_than_equal"),
    limit(4_096),
  ],
]

const ranges: readonly Row[] = [
  [
    "OpenAI",
    openai(
      "Invalid 'temperature': decimal above maximum value. Expected a value <= 1, but got 1.5 instead.",
      "temperature",
    ),
    range("temperature", null, 1),
  ],
  [
    "Anthropic's API",
    { type: "error", error: { type: "invalid_request_error", message: "temperature: range: 0..1" } },
    range("temperature", 0, 1),
  ],
  ["DashScope", dashscope("Range of top_p should be (0.0, 1.0)"), range("top_p", 0.01, 0.99)],
  ["DashScope", dashscope("Range of top_k should be [0, 100]"), range("top_k", 0, 100)],
  [
    "MiniMax",
    openai("invalid params, temperature must be in (0,1]"),
    range("temperature", 0.01, 1),
    { temperature: 0 },
  ],
  [
    "FastAPI",
    pydantic(["body", "top_k"], "Input should be less than or equal to 100"),
    range("top_k", null, 100),
    {},
    422,
  ],
  ["vLLM", vllm("temperature must be between 0 and 1, got 1.5."), range("temperature", 0, 1)],
  [
    "Bedrock",
    openai("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."),
    range("top_p", 0.95, null),
    { top_p: 0.5 },
  ],
  [
    "SiliconFlow",
    { code: 20015, message: "thinking_budget must be between 128 and 32768", data: null },
    range("thinking_budget", 128, 32_768),
    { thinking_budget: 60_000 },
  ],
  ["Zhipu", { error: { code: "1214", message: "temperature参数非法。请检查文档。" } }, drop("temperature")],
  [
    "OpenAI",
    openai(
      "Unsupported value: 'temperature' does not support 1.5 with this model. Only the default (1) value is supported.",
      "temperature",
    ),
    drop("temperature"),
  ],
  ["Moonshot", openai("invalid temperature: only 1 is allowed for this model"), drop("temperature")],
  ["Bedrock", openai("`temperature` may only be set to 1 when thinking is enabled."), drop("temperature")],
  [
    "OpenAI",
    openai(
      "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 6 instead.",
      "stop",
    ),
    { kind: "stops", most: 4 },
  ],
  [
    "Google",
    google("The number of stop sequences must be at most 5; stop: at most 5"),
    { kind: "stops", most: 5 },
  ],

  [
    "DashScope",
    dashscope("The thinking_budget parameter must be a positive integer and not greater than 8192"),
    range("thinking_budget", 1, 8_192),
    { thinking_budget: 30_000 },
  ],
  ["a relay", openai("top_p cannot be greater than 0.9"), range("top_p", null, 0.9)],
  ["a relay", openai("top_p can't be larger than 0.9"), range("top_p", null, 0.9)],
  ["a relay", openai("temperature must not be greater than 1"), range("temperature", null, 1)],
  ["a relay", openai("temperature must be no greater than 1"), range("temperature", null, 1)],
  [
    "a relay",
    openai("temperature should not be less than 0.1"),
    range("temperature", 0.1, null),
    { temperature: 0 },
  ],
  [
    "a relay",
    openai("temperature cannot be less than or equal to 0"),
    range("temperature", 0.01, null),
    { temperature: 0 },
  ],
  ["a relay", openai("temperature cannot be lower than 0 or higher than 1"), range("temperature", 0, 1)],
  [
    "text-generation-inference",
    { error: "Input validation error: `top_p` must be > 0.0 and < 1.0", error_type: "validation" },
    range("top_p", 0.01, 0.99),
    {},
    422,
  ],
  [
    "text-generation-inference",
    { error: "Input validation error: `temperature` must be strictly positive", error_type: "validation" },
    range("temperature", 0.01, null),
    { temperature: 0 },
    422,
  ],
  [
    "a range that is kept",
    openai("temperature must be between 0 and 1"),
    drop("temperature"),
    { temperature: 0.5 },
  ],
  ["a range that is not understood", openai("`top_p` must be greater than 0.1"), drop("top_p")],
  [
    "a range that is kept, beside the field that is refused",
    openai("Unsupported parameter: top_k. Note: temperature must be between 0 and 2"),
    drop("top_k"),
  ],
  ["a range without spaces", openai("Range of top_k should be [1,100]"), range("top_k", 1, 100)],
  ["a range without spaces", openai("top_k should be in (0,100]"), range("top_k", 1, 100)],
  ["Zhipu", zhipu("temperature参数非法。取值范围[0, 1]"), range("temperature", 0, 1)],
  ["Zhipu", zhipu("temperature参数非法：取值范围是(0.0,1.0)"), range("temperature", 0.01, 0.99)],
  ["Zhipu", zhipu("top_p参数非法，不能大于0.9"), range("top_p", null, 0.9)],
  ["in Chinese", openai("temperature的取值必须在0到1之间"), range("temperature", 0, 1)],
  ["in Chinese", openai("temperature必须大于0"), range("temperature", 0.01, null), { temperature: 0 }],
  ["in Chinese", openai("temperature必须小于1"), range("temperature", null, 0.99)],
  ["in Chinese", openai("top_p必须大于等于0.1且不超过0.9"), range("top_p", 0.1, 0.9)],
  [
    "vLLM",
    tuple("'body', 'top_p'", "'Input should be less than or equal to 0.95'", "1.0", "less_than_equal"),
    range("top_p", null, 0.95),
  ],
  [
    "vLLM, in lines",
    vllm(
      "1 validation error for ChatCompletionRequest\ntop_p\n  Input should be less than or equal to 0.95 [type=less_than_equal, input_value=1.0, input_type=float]",
    ),
    range("top_p", null, 0.95),
  ],
  ["Zhipu", zhipu("API 调用参数有误，请检查文档。stop 最多支持1个"), { kind: "stops", most: 1 }],
  ["a relay", openai("stop sequences are not supported for this model"), drop("stop")],
  ["a relay", openai("This model does not support stop sequences."), drop("stop")],
  ["a relay", openai("More than 4 stop sequences are not supported"), { kind: "stops", most: 4 }],
]

const fields: readonly Row[] = [
  [
    "NIM (Alishahryar1/free-claude-code#1519)",
    openai("Validation: `top_p` is immutable for this model and must be 0.95, got 1"),
    drop("top_p"),
  ],
  [
    "vLLM with Mistral's tokenizer (Alishahryar1/free-claude-code#89)",
    openai("chat_template is not supported for Mistral tokenizers."),
    drop("chat_template_kwargs"),
    { chat_template_kwargs: { enable_thinking: true } },
  ],
  [
    "LiteLLM, with values",
    openai(
      "litellm.UnsupportedParamsError: openai does not support parameters: {'stop': ['X']}, for model=x.",
    ),
    drop("stop"),
  ],
  [
    "a relay with one status for everything",
    openai("Unsupported parameter: 'stop' is not supported with this model.", "stop"),
    drop("stop"),
    ...([{}, 500] as const),
  ],
  [
    "LM Studio, of its engine",
    {
      error:
        'Engine protocol predict request returned 400: {"error":{"message":"temperature is not supported"}}',
    },
    drop("temperature"),
    ...([{}, 500] as const),
  ],
  ["OpenAI", openai("Unrecognized request argument supplied: top_k"), drop("top_k")],
  ["OpenAI", openai("Unknown parameter: 'store'.", "store"), drop("store")],
  [
    "Google",
    google(`Invalid JSON payload received. Unknown name "store": Cannot find field.`),
    drop("store"),
  ],
  [
    "Google, several at once",
    google(
      `Invalid JSON payload received. Unknown name "store": Cannot find field.\nInvalid JSON payload received. Unknown name "parallel_tool_calls": Cannot find field.`,
    ),
    drop("parallel_tool_calls", "store"),
  ],
  ["Mistral", mistral("prompt_cache_key"), drop("prompt_cache_key"), {}, 422],
  ["Groq", groq("property 'store' is unsupported"), drop("store")],
  ["jsonschema", openai("Additional properties are not allowed ('store' was unexpected)"), drop("store")],
  [
    "serde",
    openai(
      "Failed to deserialize the JSON body into the target type: unknown field `store`, expected one of `model`, `messages`",
    ),
    drop("store"),
  ],
  [
    "LiteLLM",
    openai(
      "litellm.UnsupportedParamsError: x does not support parameters: ['parallel_tool_calls'], for model=some-model",
    ),
    drop("parallel_tool_calls"),
  ],
  ["xAI", { error: "Model some-model does not support parameter stop." }, drop("stop")],
  ["a relay", openai("The following parameters are not supported: top_k, stop"), drop("top_k", "stop")],
  ["a relay", openai("Unsupported parameter(s): `top_k`, `store`"), drop("top_k", "store")],
  [
    "a relay",
    openai("This model does not support stream_options"),
    drop("stream_options"),
    { stream: true, stream_options: { include_usage: true } },
  ],
  [
    "OpenAI",
    openai("Invalid value: 'auto'. Supported values are: 'default' and 'flex'.", "service_tier"),
    drop("service_tier"),
  ],
  [
    "OpenAI",
    openai("Invalid 'prompt_cache_key': string too long.", "prompt_cache_key"),
    drop("prompt_cache_key"),
  ],
  [
    "Anthropic's API",
    {
      error: {
        message: "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
      },
    },
    drop("top_p"),
  ],
  [
    "Fireworks",
    openai("thinking and reasoning_effort cannot be specified together"),
    drop("thinking"),
    { ...thinking, reasoning_effort: "high" },
  ],
  [
    "a relay",
    openai("reasoning_effort and thinking are mutually exclusive"),
    drop("reasoning_effort"),
    { thinking: { type: "disabled" }, reasoning_effort: "high" },
  ],
  [
    "Moonshot",
    openai("thinking.keep: extra fields not permitted"),
    { kind: "member", field: "thinking", name: "keep" },
    { thinking: { type: "enabled", keep: "all" } },
  ],
  [
    "DashScope",
    dashscope("parameter.enable_thinking must be set to false for non-streaming calls"),
    { kind: "stream" },
    { enable_thinking: true },
  ],
  [
    "DashScope",
    dashscope(
      "This model only support stream mode, please enable the stream parameter to access the model. ",
    ),
    { kind: "stream" },
  ],

  [
    "Fireworks",
    fireworks("stream_options", "{'include_usage': True}"),
    drop("stream_options"),
    { stream: true, stream_options: { include_usage: true } },
  ],
  [
    "Fireworks",
    fireworks("stream_options.include_usage", "True"),
    drop("stream_options"),
    { stream: true, stream_options: { include_usage: true } },
  ],
  ["vLLM", vllm("`parallel_tool_calls` = False is not supported by this model"), drop("parallel_tool_calls")],
  ["Fireworks", fireworks("top_k", "5"), drop("top_k")],
  ["Fireworks", fireworks("parallel_tool_calls", "False"), drop("parallel_tool_calls")],
  [
    "Fireworks",
    fireworks("thinking.keep", "'all'"),
    { kind: "member", field: "thinking", name: "keep" },
    { thinking: { type: "enabled", keep: "all" } },
  ],
  [
    "vLLM",
    tuple("'body', 'stream_options'", forbidden, "{}"),
    drop("stream_options"),
    { stream: true, stream_options: { include_usage: true } },
  ],
  ["vLLM", tuple("'body', 'parallel_tool_calls'", forbidden, "False"), drop("parallel_tool_calls")],
  [
    "vLLM",
    tuple("'body', 'enable_thinking'", forbidden, "True"),
    drop("enable_thinking"),
    { enable_thinking: true },
  ],
  [
    "vLLM, several",
    vllm(
      `2 validation errors:\n  {'type': 'extra_forbidden', 'loc': ('body', 'store'), 'msg': ${forbidden}, 'input': False}\n  {'type': 'extra_forbidden', 'loc': ('body', 'parallel_tool_calls'), 'msg': ${forbidden}, 'input': False}`,
    ),
    drop("parallel_tool_calls", "store"),
  ],
  [
    "vLLM, as JSON",
    vllm(
      '[{"type":"extra_forbidden","loc":["body","store"],"msg":"Extra inputs are not permitted","input":false}]',
    ),
    drop("store"),
  ],
  [
    "vLLM, in lines",
    vllm(
      "1 validation error for ChatCompletionRequest\nstream_options\n  Extra inputs are not permitted [type=extra_forbidden, input_value={'include_usage': True}, input_type=dict]\n    For further information visit https://errors.pydantic.dev/2.10/v/extra_forbidden",
    ),
    drop("stream_options"),
    { stream: true, stream_options: { include_usage: true } },
  ],
]

const efforts: readonly Row[] = [
  [
    "serde",
    openai("reasoning_effort: unknown variant `minimal`, expected one of `low`, `medium`, `high`"),
    { kind: "effort", taken: ["low", "medium", "high"], withTools: false },
    { reasoning_effort: "minimal" },
  ],
  [
    "pydantic",
    openai(
      "Validation error for `reasoning_effort`: expected one of `'low' | 'medium' | 'high'`, received `'xhigh'`",
    ),
    { kind: "effort", taken: ["low", "medium", "high"], withTools: false },
    { reasoning_effort: "xhigh" },
  ],
  [
    "a relay",
    openai('level "max" not supported, valid levels: low, medium, high, xhigh'),
    { kind: "effort", taken: ["low", "medium", "high", "xhigh"], withTools: false },
    { reasoning_effort: "max" },
  ],
  [
    "OpenRouter",
    openai("Reasoning is mandatory for this endpoint and cannot be disabled."),
    { kind: "always-thinks" },
    { reasoning: { enabled: false } },
  ],
  [
    "a relay",
    openai("Unsupported parameter: 'reasoning_effort'"),
    drop("reasoning_effort"),
    { reasoning_effort: "high" },
  ],

  [
    "vLLM",
    tuple(
      "'body', 'reasoning_effort'",
      `"Input should be 'low' or 'high'"`,
      "'medium', 'ctx': {'expected': \"'low' or 'high'\"}",
      "literal_error",
    ),
    { kind: "effort", taken: ["low", "high"], withTools: false },
    { reasoning_effort: "medium" },
  ],
  [
    "Ollama",
    { error: 'invalid reasoning value: \'medium\' (must be "high", "low", "max", or "none")' },
    { kind: "effort", taken: ["none", "low", "high", "max"], withTools: false },
    { reasoning_effort: "medium" },
  ],
  [
    "Ollama",
    openai('"llama3.1:8b" does not support thinking'),
    thinkingDropped,
    { reasoning_effort: "high" },
  ],
  ["Ollama", openai('"llama3.1:8b" does not support thinking'), thinkingDropped, thinking],
  [
    "Ollama",
    openai('think value "medium" is not supported for this model'),
    thinkingDropped,
    { reasoning_effort: "medium" },
  ],
  ["Ollama", openai("invalid reasoning value: 'medium'"), thinkingDropped, { reasoning_effort: "medium" }],
  [
    "Gemini",
    google("Thinking level is not supported for this model."),
    thinkingDropped,
    { reasoning_effort: "low" },
  ],
  [
    "Gemini",
    google("Thinking level MEDIUM is not supported for this model. Please retry with other thinking level."),
    thinkingDropped,
    { reasoning_effort: "medium" },
  ],
  [
    "Gemini",
    google("Unable to submit request because thinking is not supported by this model."),
    thinkingDropped,
    { reasoning_effort: "low" },
  ],
  [
    "DashScope",
    dashscope("The value of the enable_thinking parameter is restricted to True."),
    { kind: "always-thinks" },
    { enable_thinking: false },
  ],
  [
    "DashScope",
    dashscope("The value of the enable_thinking parameter is restricted to False."),
    thinkingDropped,
    { enable_thinking: true },
  ],
  [
    "DashScope",
    dashscope("parameter.enable_thinking must be set to false for this model"),
    thinkingDropped,
    { enable_thinking: true },
  ],
  [
    "Gemini",
    google("Reasoning effort is not supported for this model: some-model"),
    thinkingDropped,
    { reasoning_effort: "low" },
  ],
  // A field by its name is no more than that.
  [
    "a relay",
    openai("thinking_budget is not supported for this model"),
    drop("thinking_budget"),
    { enable_thinking: true, thinking_budget: 2_000 },
  ],
]

const choices: readonly Row[] = [
  ["DeepSeek", openai("Thinking mode does not support this tool_choice"), { kind: "unthinking" }, thinking],
  [
    "DeepSeek, thinking by itself",
    openai("Thinking mode does not support this tool_choice"),
    { kind: "choice", to: "auto", whileThinking: true },
  ],
  ["DeepSeek", openai("deepseek-reasoner does not support this tool_choice"), auto],
  [
    "DashScope",
    dashscope("The tool_choice parameter does not support being set to required or object in thinking mode"),
    { kind: "unthinking" },
    { enable_thinking: true },
  ],
  [
    "Anthropic's API",
    openai("Thinking may not be enabled when tool_choice forces tool use."),
    { kind: "unthinking" },
    thinking,
  ],
  [
    "Moonshot",
    openai("tool_choice 'required' is incompatible with thinking enabled"),
    { kind: "unthinking" },
    thinking,
  ],
  [
    "OpenRouter",
    openai(
      "No endpoints found that support the provided 'tool_choice' value. To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing",
    ),
    auto,
    {},
    404,
  ],
  [
    "serde",
    openai("tool_choice: unknown variant `required`, expected `none` or `auto`"),
    auto,
    { tool_choice: "required" },
  ],
  ["Zhipu", openai("tool_choice only supports auto"), auto],
  [
    "Mistral",
    pydantic(["body", "tool_choice"], "Input should be 'auto', 'none' or 'any'"),
    { kind: "choice", to: "any", whileThinking: false },
    { tool_choice: "required" },
    422,
  ],
  [
    "LM Studio",
    { error: "Invalid tool_choice type: 'object'. Supported string values: none, auto, required" },
    { kind: "choice", to: "required", whileThinking: false },
  ],
  ["a server without it", openai("Unrecognized request argument supplied: tool_choice"), auto],
]

const messages: readonly Row[] = [
  [
    "OpenAI",
    openai(
      "Unsupported value: 'messages[0].role' does not support 'developer' with this model.",
      "messages[0].role",
    ),
    { kind: "role", from: "developer", to: "system" },
    developer,
  ],
  [
    "DashScope",
    openai(
      "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.['0].role'",
    ),
    { kind: "role", from: "developer", to: "system" },
    developer,
  ],
  [
    "DeepSeek",
    openai(
      "Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool` at line 1 column 30",
    ),
    { kind: "role", from: "developer", to: "system" },
    developer,
  ],
  [
    "pydantic",
    openai("Input should be 'system', 'user', 'assistant' or 'tool'", "messages.0.role"),
    { kind: "role", from: "developer", to: "system" },
    developer,
  ],
  [
    "OpenAI",
    openai(
      "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
      "messages[0].role",
    ),
    folded,
  ],
  ["Gemma's template", vllm("System role not supported"), folded],
  ["Gemma's template in SGLang", vllm("System role not supported"), folded, {}, 500],
  ["Gemini", google("Developer instruction is not enabled for models/gemma-3-27b-it"), folded],
  [
    "Mistral",
    {
      ...{ object: "error", message: "Unexpected role 'user' after role 'tool'" },
      ...{ type: "invalid_request_message_order", param: null, code: "3230" },
    },
    between,
    interrupted,
  ],
  [
    "DeepSeek under another name",
    openai("The reasoning_content in the thinking mode must be passed back to the API."),
    { kind: "reasoning", on: "all" },
  ],
  [
    "DeepSeek V3.2",
    openai("Missing `reasoning_content` field in the assistant message at message index 1."),
    { kind: "reasoning", on: "all" },
  ],
  [
    "Kimi",
    openai("thinking is enabled but reasoning_content is missing in assistant tool call message at index 1"),
    { kind: "reasoning", on: "calls" },
  ],
  [
    "Gemini",
    google(
      "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:Bash` , position 2.",
    ),
    { kind: "reasoning", on: "signatures" },
  ],
  [
    "Vertex AI",
    google(
      "Unable to submit request because function call `default_api:Bash` in the 2. content block is missing a `thought_signature`. Learn more: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thought-signatures",
    ),
    { kind: "reasoning", on: "signatures" },
  ],
  ["Claude behind a relay", openai(unthought), blocks, { ...inCalls, reasoning_effort: "high" }],
  ["Claude at OpenRouter", openai(unthought), blocks, { ...inCalls, reasoning: { effort: "high" } }],
  ["NIM", vllm("Unexpected role 'user' after role 'tool'"), between, interrupted],
  [
    "Hunyuan",
    openai(
      "messages 中 user（tool） 和 assistant 角色需交替出现 (一问一答)，以 user 提问开始， user（tool）提问结束, tool 可以连续出现多次",
    ),
    between,
    interrupted,
  ],
  [
    "Cloudflare, to which some models' content is one string",
    {
      errors: {
        message:
          "AiError: Bad input: Error: oneOf at '/' not met, 0 matches: required properties at '/' are 'prompt', Type mismatch of '/messages/1/content', 'array' not in 'string', Type mismatch of '/messages/2/content', 'string' not in 'array', required properties at '/messages/1' are 'role,content' (d9e09afe)",
        code: 5006,
      },
      ...{ success: false, result: {}, messages: [] },
    },
    { kind: "text" },
  ],
  [
    "LiteLLM before it asks Bedrock",
    openai(
      "litellm.UnsupportedParamsError: Bedrock doesn't support tool calling without `tools=` param specified. Pass `tools=` param OR set `litellm.modify_params = True` // `litellm_settings::modify_params: True` to add dummy tool to the request.. Received Model Group=claude-sonnet-5",
    ),
    { kind: "past-tools", choice: false },
    { tools: [] },
  ],
  [
    "Bedrock",
    { message: "The toolConfig field must be defined when using toolUse and toolResult content blocks." },
    { kind: "past-tools", choice: false },
    { tools: [] },
  ],
  [
    "Devstral's template in llama.cpp",
    openai(
      "\n------------\nWhile executing CallExpression at line 46, column 32 in source:\n...== 0) %}\u21b5            {{- raise_exception('After the optional system message, con...\n                                           ^\nError: Jinja Exception: After the optional system message, conversation roles must alternate user and assistant roles except for tool calls and results.",
    ),
    between,
    interrupted,
    500,
  ],
  [
    "the same with nothing between a result and the user to be added",
    vllm("conversation roles must alternate user and assistant roles except for tool calls and results."),
    folded,
  ],
  ...(
    [
      [
        "Bedrock",
        "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
      ],
      ["Claude at Bedrock", 'messages: first message must use the "user" role'],
      [
        "DeepSeek",
        "The first message (except the system message) of deepseek-reasoner must be a user message, but an assistant message detected.",
      ],
      [
        "Perplexity",
        "After the (optional) system message(s), user and assistant roles should be alternating.",
      ],
      [
        "Gemini",
        "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
      ],
      ["Gemma's template", "Conversation roles must alternate user/assistant/user/assistant/..."],
      ["Qwen's template", 'Error rendering prompt with jinja template: "No user query found in messages.".'],
    ] as const
  ).map(([who, said]): Row => [`${who}, of a history without its beginning`, openai(said), opening, cutOff]),
  ["older templates", vllm("Conversation roles must alternate user/assistant/user/assistant/..."), folded],
  [
    "Groq",
    groq(
      "'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' : property 'reasoning_content' is unsupported)]",
    ),
    { kind: "members", names: ["reasoning_content"] },
    recalled,
  ],
  [
    "Groq",
    groq("messages[2].reasoning: reasoning is not supported with this model"),
    { kind: "members", names: ["reasoning"] },
    recalled,
  ],
  [
    "OpenAI",
    openai("Unknown parameter: 'messages[2].reasoning_content'.", "messages[2].reasoning_content"),
    { kind: "members", names: ["reasoning_content"] },
    recalled,
  ],
  [
    "Mistral",
    mistral("messages", "2", "assistant", "reasoning_content"),
    { kind: "members", names: ["reasoning_content"] },
    recalled,
    422,
  ],
  ["Mistral", mistral("messages", "3", "tool", "name"), { kind: "members", names: ["name"] }, named, 422],
  [
    "Groq",
    groq(
      "'messages.3' : for 'role:tool' the following must be satisfied[('messages.3' : property 'name' is unsupported)]",
    ),
    { kind: "members", names: ["name"] },
    named,
  ],
  [
    "OpenRouter",
    openai("No endpoints found that support cache control"),
    { kind: "members", names: ["cache_control"] },
    marked,
    404,
  ],
  [
    "pydantic",
    openai("messages.0.content.0.text.cache_control: Extra inputs are not permitted"),
    { kind: "members", names: ["cache_control"] },
    marked,
  ],
  [
    "OpenAI",
    openai(
      "Invalid content type. image_url is only supported by certain models.",
      "messages.[1].content.[1].type",
    ),
    image,
  ],
  [
    "DeepSeek",
    openai(
      "Failed to deserialize the JSON body into the target type: messages[1]: unknown variant `image_url`, expected `text` at line 1 column 690848",
    ),
    image,
  ],
  ["OpenRouter", openai("No endpoints found that support image input"), image, {}, 404],
  ["vLLM", vllm("some-model is not a multimodal model"), image],
  ["vLLM", vllm("At most 0 image(s) may be provided in one prompt."), image],
  [
    "SiliconFlow",
    {
      code: 20041,
      message: "The model is not a VLM (Vision Language Model). Please use text-only prompts.",
      data: null,
    },
    image,
  ],
  [
    "llama.cpp",
    {
      error: {
        code: 500,
        message:
          "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
        type: "server_error",
      },
    },
    image,
    {},
    500,
  ],
  ["Ollama", openai("this model does not support image input"), image],
  ["in Chinese", openai("该模型不支持图片输入"), image],
  [
    "a relay",
    openai("Invalid value: 'image_url'. Supported values are: 'text'.", "messages[1].content[1].type"),
    image,
  ],
  [
    "Groq",
    groq(
      "'messages.1' : for 'role:user' the following must be satisfied[('messages.1.content' : value must be a string)]",
    ),
    { kind: "text" },
  ],
  [
    "DeepSeek",
    openai(
      "Failed to deserialize the JSON body into the target type: messages[1]: invalid type: sequence, expected a string at line 1 column 2901",
    ),
    { kind: "text" },
    {},
    422,
  ],
  [
    "DeepSeek",
    openai(
      "Failed to deserialize the JSON body into the target type: messages[1]: data did not match any variant of untagged enum ChatCompletionRequestContent at line 1 column 18254",
    ),
    { kind: "text" },
    {},
    422,
  ],

  [
    "vLLM",
    tuple("'body', 'messages', 1, 'typed-dict', 'reasoning_content'", forbidden, "'hm'"),
    { kind: "members", names: ["reasoning_content"] },
    recalled,
  ],
  [
    "Fireworks",
    fireworks("messages[1].reasoning_content", "'hm'"),
    { kind: "members", names: ["reasoning_content"] },
    recalled,
  ],
  [
    "vLLM, in lines",
    vllm(
      "1 validation error for ChatCompletionRequest\nmessages.1.typed-dict.reasoning_content\n  Extra inputs are not permitted [type=extra_forbidden, input_value='hm', input_type=str]",
    ),
    { kind: "members", names: ["reasoning_content"] },
    recalled,
  ],
]

const unknownAt = (name: string, at: string) =>
  `Invalid JSON payload received. Unknown name "${name}" at '${at}': Cannot find field.`
const inTool = (at: string) => `tools[0].function_declarations[0].parameters${at}`

const schemas: readonly Row[] = [
  [
    "Gemini",
    google(unknownAt("exclusiveMinimum", inTool(".properties[0].value"))),
    keywords("exclusiveMinimum"),
  ],
  [
    "Gemini, a line for each",
    google(
      [
        unknownAt("$schema", inTool("")),
        unknownAt("additionalProperties", inTool("")),
        unknownAt("propertyNames", inTool(".properties[3].value")),
      ].join("\n"),
    ),
    keywords("additionalProperties", "propertyNames"),
  ],
  [
    "Gemini, more lines than a message has room for",
    google(
      [
        ...Array.from({ length: 60 }, (_, at) =>
          unknownAt("additionalProperties", inTool(`.properties[${at}].value`)),
        ),
        unknownAt("const", inTool("")),
      ].join("\n"),
    ),
    keywords("additionalProperties", "const"),
  ],
  [
    "Gemini",
    google(
      "Unable to submit request because `Grep` functionDeclaration `parameters.kind` schema didn't specify the schema type field.",
    ),
    { kind: "schema", rules: "gemini" },
  ],
  [
    "Gemini",
    google(
      "GenerateContentRequest.tools[0].function_declarations[0].parameters.properties[pattern].format: only 'enum' and 'date-time' are supported for STRING type",
    ),
    keywords("format"),
  ],
  [
    "Gemini",
    google(
      "Invalid JSON payload received. Unknown name \"type\" at 'tools[0].function_declarations[0].parameters.properties[1].value': Proto field is not repeating, cannot start list.",
    ),
    { kind: "schema", rules: "gemini" },
  ],
  [
    "llama.cpp",
    {
      error: {
        code: 400,
        message: "Failed to initialize samplers: failed to parse grammar",
        type: "invalid_request_error",
      },
    },
    { kind: "schema", rules: "llama" },
  ],
  [
    "llama.cpp",
    { error: { code: 500, message: "failed to parse grammar", type: "server_error" } },
    { kind: "schema", rules: "llama" },
    {},
    500,
  ],
  [
    "llama.cpp",
    {
      error: {
        code: 400,
        message: "JSON schema conversion failed:\nPattern must start with '^' and end with '$'",
      },
    },
    { kind: "schema", rules: "llama" },
  ],
  [
    "vLLM",
    vllm("The provided JSON schema contains features not supported by xgrammar."),
    { kind: "schema", rules: "llama" },
  ],
  [
    "Ark",
    { error: { code: "InvalidParameter", message: "Invalid decoding guidance syntax. Request id: 0217" } },
    { kind: "schema", rules: "llama" },
  ],
  [
    "OpenAI",
    openai(
      "Invalid schema for function 'Grep': In context=('properties', 'list'), 'uniqueItems' is not permitted.",
      "tools[0].function.parameters",
    ),
    keywords("uniqueItems"),
  ],
  [
    "OpenAI",
    openai(
      "Invalid schema for function 'Grep': In context=('properties', 'pattern'), 'uri' is not a valid format.",
      "tools[0].function.parameters",
    ),
    keywords("format"),
  ],
  [
    "Anthropic's API",
    openai(
      "tools.0.custom: For 'integer' type, properties exclusiveMaximum, exclusiveMinimum are not supported",
    ),
    keywords("exclusiveMaximum", "exclusiveMinimum"),
  ],
  [
    "Cerebras",
    {
      message: "Unsupported JSON schema fields: {'propertyNames'}",
      type: "invalid_request_error",
      param: "tools",
      code: "wrong_api_format",
    },
    keywords("propertyNames"),
  ],
  [
    "Cerebras",
    {
      message: "Invalid fields for schema with types ['string']: {'format', 'minLength'}",
      type: "invalid_request_error",
    },
    keywords("format", "minLength"),
  ],
  [
    "pydantic",
    openai("body.tools.0.function.parameters.additionalProperties: Extra inputs are not permitted"),
    keywords("additionalProperties"),
  ],
  ["a relay", openai("schema keyword 'oneOf' is not supported"), keywords("oneOf")],
  [
    "Moonshot",
    openai(
      "tools.function.parameters is not a valid moonshot flavored json schema, details: <At path 'properties.kind': type is not defined>",
    ),
    { kind: "schema", rules: "moonshot" },
  ],

  [
    "Fireworks",
    openai("JSON Schema not supported: could not understand the instance `{'pattern': '^a'}`."),
    keywords("pattern"),
  ],
  [
    "Fireworks, where a value is a keyword's name",
    openai(
      "JSON Schema not supported: could not understand the instance `{'pattern': 'format', 'x': 'const'}`.",
    ),
    keywords("pattern"),
  ],
  [
    "Bedrock",
    openai("tools.0.function.parameters: JSON schema is invalid - property propertyNames not supported"),
    keywords("propertyNames"),
  ],
  ["a relay", openai("Error: pattern is not supported in tool schema"), keywords("pattern")],
  ["a relay", openai("pattern is not supported in tool schema"), keywords("pattern")],
  [
    "vLLM",
    tuple("'body', 'tools', 0, 'function', 'parameters', 'additionalProperties'", forbidden, "False"),
    keywords("additionalProperties"),
  ],
]

describe.each([
  ["the limit of a reply", limits],
  ["values", ranges],
  ["fields", fields],
  ["efforts", efforts],
  ["forced calls", choices],
  ["messages", messages],
  ["schemas", schemas],
])("%s", (_name, rows) => {
  test.each(
    rows.map(
      (row) =>
        [row[0], typeof row[1] === "string" ? row[1] : JSON.stringify(row[1]).slice(0, 220), row] as const,
    ),
  )("%s: %s", (_who, _said, [, reply, amendment, given = {}, status = 400]) => {
    const before = conversion(given)
    const after = heal(before, status, reply)
    expect(after?.amendment).toEqual(amendment)
    expect(after?.notes.length).toBeGreaterThan(0)
    if (after === undefined) throw new Error("nothing was amended")
    expect(bodyOf(after.conversion)).not.toEqual(bodyOf(before))
    // Once made, there is nothing more to do: the next request that is sent this way is changed once.
    expect(applyAmendment(after.conversion, amendment)).toBeUndefined()
    // What the client asked for is all there.
    expect(after.conversion.body.model).toBe(before.body.model)
    expect(JSON.stringify(after.conversion.body.messages)).toContain("go on")
    expect(after.conversion.body.tools?.length ?? 0).toBeGreaterThan(0)
  })
})

const strictly: Partial<ChatRequest> = {
  tools: (base.body.tools ?? []).map((tool) =>
    tool.type === "function" ? { ...tool, function: { ...tool.function, strict: true } } : tool,
  ),
}

test.each([
  openai(
    "Invalid schema for function 'Bash': In context=(), 'additionalProperties' is required to be supplied and to be false.",
    "tools[1].function.parameters",
  ),
  openai(
    "Invalid schema for function 'Bash': In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'b'.",
  ),
  openai("Unknown parameter: 'tools[0].function.strict'.", "tools[0].function.strict"),
  mistral("tools", "0", "function", "strict"),
  google(unknownAt("strict", "tools[0].function")),
  groq("property 'tools.0.function.strict' is unsupported"),
  openai("'strict' is not supported in tools"),
])("without the promise of strict schemas: %j", (reply) => {
  const after = heal(conversion(strictly), 400, reply)
  expect(after?.amendment).toEqual({ kind: "strict" })
  expect(JSON.stringify(after?.conversion.body.tools)).not.toContain("strict")
  expect(after?.conversion.body.tools).toEqual(
    (base.body.tools ?? []).map((tool) => {
      const { strict: _strict, ...rest } = objectOf(tool.function)
      return { ...tool, function: rest }
    }) as never,
  )
})
