// "The prompt does not fit", in every provider's words, becomes the words that make Claude Code recover.
import { describe, expect, test } from "bun:test"
import { isOverflow, overflowMessage } from "../../src/protocol/errors/overflow.ts"
import { faultFromError, faultFromJson } from "../../src/protocol/errors/upstream-error.ts"
import { errorContext } from "../support/fixtures.ts"

const long = (tokens: number, maximum: number) => `prompt is too long: ${tokens} tokens > ${maximum} maximum`
const both = (input: number, output: number, limit: number) =>
  `input length and \`max_tokens\` exceed context limit: ${input} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again`

// What we estimated, and the window we know: used where the provider gives no numbers.
const context = { ...errorContext, inputTokens: () => 5000, contextWindow: 4096 }
const estimated = long(5000, 4096)

const sayings: readonly (readonly [string, string, string])[] = [
  [
    "case 73: OpenAI, both",
    "This model's maximum context length is 128000 tokens. However, you requested 130000 tokens (98000 in the messages, 32000 in the completion). Please reduce the length of the messages or completion.",
    both(98000, 32000, 128000),
  ],
  [
    "case 74: OpenAI, the messages alone",
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens. Please reduce the length of the messages.",
    long(130000, 128000),
  ],
  [
    "OpenAI with tools",
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens (120000 in the messages, 10001 in the functions).",
    long(130001, 128000),
  ],
  [
    "OpenAI, new",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    estimated,
  ],
  ["Anthropic", "prompt is too long: 213000 tokens > 200000 maximum", long(213000, 200000)],
  [
    "Anthropic, both",
    "input length and `max_tokens` exceed context limit: 188059 + 64000 > 200000, decrease input length or `max_tokens` and try again",
    both(188059, 64000, 200000),
  ],
  ["Bedrock", "Input is too long for requested model.", estimated],
  [
    "Gemini",
    "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    long(1196265, 1048575),
  ],
  [
    "Gemini, without the count",
    "The input token count exceeds the maximum number of tokens allowed 1048576.",
    long(1048577, 1048576),
  ],
  [
    "xAI",
    "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
    long(140000, 131072),
  ],
  ["Groq", "Please reduce the length of the messages or completion.", estimated],
  [
    "Cerebras",
    "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
    long(9000, 8192),
  ],
  [
    "OpenRouter",
    "This endpoint's maximum context length is 128000 tokens. However, you requested about 140000 tokens (90000 of text input, 18000 of tool input, 32000 in the output). Please reduce the length of either one.",
    both(108000, 32000, 128000),
  ],
  [
    "vLLM, old",
    "This model's maximum context length is 4096 tokens. However, you requested 5100 tokens (1004 in the messages, 4096 in the completion).",
    long(5100, 4096),
  ],
  [
    "vLLM, new",
    "This model's maximum context length is 40960 tokens. However, you requested 32000 output tokens and your prompt contains at least 8961 input tokens, for a total of at least 40961 tokens.",
    both(8961, 32000, 40960),
  ],
  [
    "vLLM, max_tokens",
    "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's maximum context length is 32768 tokens and your request has 1000 input tokens (64000 > 32768 - 1000).",
    both(1000, 64000, 32768),
  ],
  [
    "vLLM, input alone",
    "This model's maximum context length is 8192 tokens. However, your request has 9000 input tokens.",
    long(9000, 8192),
  ],
  [
    "SGLang",
    "Requested token count exceeds the model's maximum context length of 8192 tokens. You requested a total of 12000 tokens: 4000 tokens from the input messages and 8000 tokens for the completion.",
    both(4000, 8000, 8192),
  ],
  [
    "Together, SGLang",
    "The input (40000 tokens) is longer than the model's context length (32768 tokens).",
    long(40000, 32768),
  ],
  [
    "text-generation-inference",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 32769. Given: 40000 `inputs` tokens and 512 `max_new_tokens`",
    long(40000, 32769),
  ],
  ["Copilot", "prompt token count of 140000 exceeds the limit of 128000", long(140000, 128000)],
  [
    "llama.cpp",
    "request (5001 tokens) exceeds the available context size (4096 tokens), try increasing it",
    long(5001, 4096),
  ],
  [
    "llama.cpp, old",
    "the request exceeds the available context size. try increasing the context size or enable context shift",
    estimated,
  ],
  [
    "LM Studio",
    "The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length",
    estimated,
  ],
  [
    "LM Studio, new",
    "Trying to keep the first 5001 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
    long(5001, 4096),
  ],
  ["MiniMax", "invalid params, context window exceeds limit (2013)", estimated],
  [
    "Kimi",
    "Invalid request: Your request exceeded model token limit: 262144 (requested: 291351)",
    long(291351, 262144),
  ],
  [
    "Mistral",
    "Prompt contains 40960 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    long(40960, 32768),
  ],
  [
    "Qwen",
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]",
    long(30721, 30720),
  ],
  ["Zhipu", "Prompt exceeds max length", estimated],
  [
    "DeepSeek",
    "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens (132000 in the messages, 8000 in the completion). Please reduce the length of the messages or completion.",
    long(132000, 131072),
  ],
  [
    "with separators",
    "This model's maximum context length is 128,000 tokens. However, your messages resulted in 130,000 tokens.",
    long(130000, 128000),
  ],
  [
    "short of room for a reply",
    "This model's maximum context length is 128000 tokens. However, you requested 159000 tokens (127000 in the messages, 32000 in the completion).",
    long(159000, 128000),
  ],
  ["too many tokens", "Too many input tokens", estimated],
  [
    "Fireworks",
    "The prompt is too long: 140000, model maximum context length: 131071",
    "prompt is too long: 140000 tokens > 131071 maximum",
  ],
  ["Ollama", "prompt too long; exceeded max context length by 523 tokens", estimated],
  [
    "SiliconFlow",
    "length of prompt_tokens (140000) must be less than max_seq_len (131072).",
    "prompt is too long: 140000 tokens > 131072 maximum",
  ],
  [
    "a local DeepSeek server",
    "Prompt has 140,000 tokens, but the configured context size is 131,072 tokens",
    "prompt is too long: 140000 tokens > 131072 maximum",
  ],
  [
    "vLLM, before it starts",
    "The decoder prompt (length 40000) is longer than the maximum model length of 32768",
    "prompt is too long: 40000 tokens > 32768 maximum",
  ],
  [
    "OpenAI, the configured limit",
    "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens. Please reduce the length of the messages.",
    long(300000, 272000),
  ],
  [
    "Cohere",
    "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4999",
    long(4999, 4081),
  ],
  [
    "Cohere, beside the limit of the reply",
    "too many tokens: size limit exceeded by 918 tokens. Try using shorter or fewer inputs, or setting prompt_truncation='AUTO'. (max_tokens 100)",
    estimated,
  ],
  ["a relay", "too many tokens in request: 140000 > 131072 (max_tokens 4096)", estimated],
  ["a relay", "Too many input tokens (max_tokens 100)", estimated],
  ["Ark", "Total tokens of image and text exceed max message tokens", estimated],
  [
    "Cloudflare",
    "AiError: The estimated number of input and maximum output tokens (40000) exceeded this model context window limit (32000).",
    long(40000, 32000),
  ],
  ["antirez/ds4#150", "Prompt tokens (9000) exceeds context size (8192)", long(9000, 8192)],
  [
    "TGI, the prompt alone",
    "Input validation error: `inputs` must have less than 4095 tokens. Given: 5000",
    long(5000, 4095),
  ],
  [
    "tabbyAPI (SillyTavern/SillyTavern#3543)",
    "Request length 71599 + 2048 is greater than max_seq_len 65536",
    long(71599, 65536),
  ],
  ["tabbyAPI, the prompt alone", "Prompt length 50000 is greater than max_seq_len 32768", long(50000, 32768)],
  [
    "LM Studio, while it writes",
    "Reached context length of 4096 tokens with model (arch: qwen3) that does not currently support mid-generation context overflow.",
    long(5000, 4096),
  ],
  ["LM Studio, in its numbers", "RuntimeError: n_keep: 20000 >= n_ctx: 4096", long(20000, 4096)],
  ["Snowflake (posit-dev/positron#11737)", "max tokens of 4000 exceeded", long(5000, 4000)],
  [
    "SambaNova, both",
    "Requested generation length 32000 is not possible! The provided prompt is 400 tokens long, so generating 32000 tokens requires a sequence length of 32400, but the maximum supported sequence length is just 16384!",
    both(400, 32000, 16384),
  ],
  [
    "Bedrock's Nova",
    "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.",
    estimated,
  ],
  ["Bedrock", "ValidationException: Input exceeds the max input token limit", estimated],
  ["Cohere, all tokens", "total tokens exceeds the model's max of 4096", estimated],
  ["Databricks", "Bad request: prompt token count (200000) exceeds the limit 131072", estimated],
  [
    "SGLang, before it waits",
    "Input length (150000 tokens) exceeds the maximum allowed length (131068 tokens). Use a shorter input or enable --allow-auto-truncate.",
    long(150000, 131068),
  ],
  ["vLLM, nothing left for a reply", "max_tokens must be at least 1, got -2000.", estimated],
  ["a relay in China", "请求的上下文过长，请压缩上下文", estimated],
]

const faultOf = (status: number, message: string, more: object = {}) =>
  faultFromError(
    { status, header: () => null, body: JSON.stringify({ error: { message, ...more } }) },
    context,
  )

describe("recognised, with the right numbers", () => {
  test.each(sayings)("%s", (_name, message, expected) => {
    const { kind, status, retry, message: said } = faultOf(400, message)
    expect({ kind, status, retry, said }).toEqual({
      kind: "invalid_request_error",
      status: 400,
      retry: "no",
      said: `${expected} (upstream: ${message})`,
    })
  })

  test.each([413, 422, 500, 502])("also with status %d", (status) => {
    expect(faultOf(status, "Prompt exceeds max length").message).toStartWith(estimated)
  })

  test("by code alone", () => {
    for (const code of ["context_length_exceeded", "model_max_prompt_tokens_exceeded", "1261", 1261]) {
      expect(faultOf(400, "no", { code }).message).toBe(`${estimated} (upstream: no)`)
    }
  })

  test("llama.cpp's numbers in fields of their own", () => {
    const more = { type: "exceed_context_size_error", n_prompt_tokens: 9000, n_ctx: 8192 }
    expect(faultOf(400, "too big", more).message).toBe(`${long(9000, 8192)} (upstream: too big)`)
    const bare = faultFromJson({ ...more, code: 400, message: "too big" }, errorContext)
    expect(bare.message).toBe(`${long(9000, 8192)} (upstream: too big)`)
  })

  test("inside what OpenRouter hands on", () => {
    const raw = JSON.stringify({ error: { message: "no", code: "context_length_exceeded" } })
    expect(faultOf(400, "Provider returned error", { metadata: { raw } }).message).toStartWith(estimated)
  })

  test("no numbers at all: the maximum is one less than our estimate", () => {
    expect(overflowMessage("", 5000, null)).toBe(long(5000, 4999))
    expect(overflowMessage("", 0, null)).toBe(long(2, 1))
  })

  test("Claude Code's own expression finds the numbers", () => {
    const found = /prompt is too long[^0-9]*(\d+)\s*tokens?\s*>\s*(\d+)/i.exec(
      faultOf(400, "Prompt exceeds max length").message,
    )
    expect([found?.[1], found?.[2]]).toEqual(["5000", "4096"])
  })
})

describe("not taken for it", () => {
  test.each([
    [429, "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000."],
    [
      413,
      "Request too large for model on tokens per minute (TPM): Limit 12000, Requested 15000, please reduce the length of the messages",
    ],
    [429, "Too many tokens, please wait before trying again."],
    [
      400,
      "max_tokens is too large: 64000. This model supports at most 16384 completion tokens, whereas you provided 64000.",
    ],
    [400, "Range of max_tokens should be [1, 8192]"],
    [
      400,
      "too many tokens: max tokens must be less than or equal to 4096, the maximum output length for this model - received 64000.",
    ],
    [400, "invalid request: too many tokens: max tokens must be less than or equal to 4096"],
    [400, "Input validation error: too many tokens: max_tokens must be at most 8192"],
    [400, "too many tokens requested: max_tokens must be less than or equal to 8192"],
    [400, "The maximum number of output tokens is 8192. Too many tokens requested: max_tokens 64000"],
    [400, "Invalid image: the image exceeds the maximum size of 20 MB."],
    [400, "Invalid 'messages[0].content': string too long."],
    [400, "1261 is not a valid value for n"],
    [400, "ThrottlingException: Too many tokens, please wait before trying again."],
    [400, "Quota exceeded: input tokens exceed the limit of 250000 for this project"],
    [
      400,
      "max_tokens (131072) cannot exceed 65536. Please reduce the length of max output tokens generated.",
    ],
    [400, "The maximum tokens you requested exceeds the model limit of 32768"],
    [400, "max_tokens must be at least 1, got 0."],
    [400, "Input image exceeds the maximum of 20 MB"],
    [403, "The request's API token exceeds its maximum usage limit"],
    [403, "Total tokens used this month exceed the limit of your plan (1000000)."],
    [403, "Daily token limit exceeded (100000): upgrade your plan."],
    [400, "Input tokens exceed the maximum of 500000 per day for this key"],
    [400, "Input validation error: output tokens exceed the maximum 4096"],
    [400, "Invalid 'tools': array too long. Expected at most 128 elements."],
    [401, "maximum context length"],
    [404, "The model `maximum context length` does not exist"],
    [503, "context window exceeds limit"],
    [400, `Invalid value at messages.3.content: ${"x".repeat(1000)} prompt is too long`],
  ])("%d %s", (status, message) => {
    expect(faultOf(status, message).message).not.toMatch(/prompt is too long: \d|exceed context limit: \d/)
  })

  test("the words of codes are compared whole", () => {
    expect(isOverflow("no", ["12610"])).toBe(false)
    expect(isOverflow("no", ["1261"])).toBe(true)
  })
})
