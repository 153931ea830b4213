// What upstreams really say when they refuse something of a request, and the request that is sent then.
import { describe, expect, test } from "bun:test"
import { amend, namedParam, type Refusal } from "../../src/convert/amend/amend.ts"
import { optionalFields } from "../../src/convert/amend/amend-fields.ts"
import { applyAmendment, causeOf, isLasting } from "../../src/convert/amend/amendments.ts"
import { namedLimit } from "../../src/convert/amend/named-limit.ts"
import { bodyOf } from "../../src/convert/request/body-of.ts"
import type { Conversion } from "../../src/convert/request/request.ts"
import type { ChatRequest } from "../../src/protocol/chat/chat.ts"
import { faultFromError } from "../../src/protocol/errors/upstream-error.ts"
import { property } from "../support/random.ts"
import { ask, convert, generic, type Target, text, user } from "./request-support.ts"

const tool = { name: "Bash", input_schema: { type: "object", properties: {} } }
const schema = { type: "object", properties: { a: { type: "string" } } }
const raw = (more: Readonly<Record<string, unknown>> = {}) => ask([user(text("hi"))], more)

function refusal(message: string, more: Partial<Refusal> = {}): Refusal {
  return { status: 400, message: `[x] ${message}`, param: undefined, inputTokens: () => 1_000, ...more }
}

/** A conversion with these fields laid over its body; undefined takes one away. */
function withBody(fields: Partial<ChatRequest>, base: Conversion = convert(raw(), generic)): Conversion {
  return { ...base, body: { ...base.body, ...fields } }
}

/** What is different in the body that is sent after the refusal. */
function difference(before: Conversion, message: string, more: Partial<Refusal> = {}) {
  const after = amend(before, refusal(message, more))
  if (after === undefined) return undefined
  const old: Readonly<Record<string, unknown>> = { ...before.body }
  const now: Readonly<Record<string, unknown>> = { ...after.conversion.body }
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])]
  return Object.fromEntries(
    keys.filter((key) => !Bun.deepEquals(old[key], now[key])).map((key) => [key, now[key]]),
  )
}

describe("a limit of the reply that is named", () => {
  test.each<[string, number]>([
    ["Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8_192],
    [
      "max_tokens is too large: 64000. This model supports at most 16384 completion tokens, whereas you provided 64000.",
      16_384,
    ],
    [
      "max_tokens=64000 cannot be greater than max_model_len=max_total_tokens=32768. Please request fewer output tokens.",
      32_768,
    ],
    [
      "max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-haiku",
      8_192,
    ],
    [
      "`max_completion_tokens` must be less than or equal to `32768`, the maximum value for `max_completion_tokens` is less than the `context_window` for this model",
      32_768,
    ],
    [
      "Invalid 'max_tokens': integer above maximum value. Expected a value <= 4096, but got 64000 instead.",
      4_096,
    ],
    [
      "The parameter `max_tokens` specified in the request are not valid: integer above maximum value, expected a value <= 12288, but got 64000 instead.",
      12_288,
    ],
    ["<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]", 8_192],
    ["invalid params, max_tokens must be within [1,40000]", 40_000],
    ["body.max_tokens: Input should be less than or equal to 16384", 16_384],
    [
      "Unable to submit request because it has a maxOutputTokens value of 64000 but the supported range is from 1 (inclusive) to 8193 (exclusive). Update the value and try again.",
      8_192,
    ],
    [
      "The maximum tokens you requested exceeds the model limit of 8192. Try again with a maximum tokens value that is lower than 8192.",
      8_192,
    ],
    ["max_tokens must be less than 32,769", 32_768],
    ["max_tokens must be between 1 and 4096", 4_096],
    ["max_completion_tokens is too high, the maximum is 20000", 20_000],
  ])("%s", (message, most) => {
    expect(difference(withBody({ max_tokens: 64_000 }), message)).toEqual({ max_tokens: most })
    const { max_tokens: _gone, ...rest } = convert(raw(), generic).body
    const renamed = { ...convert(raw(), generic), body: { ...rest, max_completion_tokens: 64_000 } }
    expect(difference(renamed, message)).toEqual({ max_completion_tokens: most })
  })

  test.each([
    "max_tokens must be at least 16",
    "max_tokens is not an integer",
    "messages: at most 4 images",
    "Invalid max_tokens value, the valid range of max_tokens is [1, 100000]",
    "`max_tokens` must be greater than `thinking.budget_tokens`",
  ])("not: %s", (message) => {
    expect(difference(withBody({ max_tokens: 64_000 }), message)).toBeUndefined()
  })

  test("a note says so in numbers", () => {
    const after = amend(withBody({ max_tokens: 64_000 }), refusal("max_tokens: 64000 > 8192"))
    expect(after?.notes).toEqual([
      {
        kind: "changed",
        path: "max_tokens",
        why: "lowered from 64000 to 8192, the most this model gives in one reply",
      },
    ])
  })
})

describe("a prompt and a reply that do not fit together", () => {
  const read = (body: unknown) =>
    faultFromError(
      { status: 400, header: () => null, body: JSON.stringify(body) },
      {
        provider: "x",
        model: "m",
        url: "u",
        inputTokens: () => 5_000,
        contextWindow: null,
        keyName: "",
        secrets: [],
      },
    ).message

  test.each<[string, number | undefined]>([
    [
      "This model's maximum context length is 128000 tokens. However, you requested 130000 tokens (98000 in the messages, 32000 in the completion).",
      29_000,
    ],
    [
      "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's maximum context length is 32768 tokens and your request has 1200 input tokens (64000 > 32768 - 1200).",
      30_568,
    ],
    [
      "This model's maximum context length is 32768 tokens. However, you requested 64000 output tokens and your prompt contains at least 1 input tokens, for a total of at least 64001 tokens.",
      26_768,
    ],
    [
      "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens (139000 in the messages, 1000 in the completion). Please reduce the length of the messages or completion.",
      undefined,
    ],
    [
      "This model's maximum context length is 131072 tokens. However, your messages resulted in 140000 tokens.",
      undefined,
    ],
  ])("%s", (said, tokens) => {
    const message = read({ error: { message: said } })
    const after = amend(withBody({ max_tokens: 64_000 }), {
      ...{ status: 400, message, param: undefined },
      inputTokens: () => 5_000,
    })
    expect(after?.conversion.body.max_tokens).toBe(tokens)
    expect(after === undefined || isLasting(after.amendment)).toBe(after === undefined)
  })
})

describe("structured output that is refused", () => {
  const asked = (more = {}) =>
    convert(
      raw({ system: "Be kind.", output_config: { format: { type: "json_schema", schema } }, ...more }),
      generic,
    )

  test.each([
    "This response_format type is unavailable now",
    "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
    "This model does not support response format `json_schema`. See supported models at https://example.com",
    "body.response_format: Extra inputs are not permitted",
    "Unrecognized request argument supplied: response_format",
    "Model does not support response formats json_object, json_schema",
  ])("%s: an instruction in its place", (message) => {
    const after = amend(asked(), refusal(message))
    expect(after?.conversion.body.response_format).toBeUndefined()
    expect(after?.conversion.body.messages[0]).toEqual({
      role: "system",
      content: `Be kind.\n\nAnswer with one JSON object only, no other text, that matches this JSON schema:\n${JSON.stringify(schema)}`,
    })
    expect(after?.conversion.json).toBe(true)
    expect(after?.amendment).toEqual({ kind: "format", to: "none", lasting: true })
  })

  test.each([
    "response_format json_schema is not supported, use json_object instead",
    "'response_format.type' must be one of 'text', 'json_object'",
    "Unsupported response_format. Supported: text, json_object",
  ])("%s: json_object first", (message) => {
    const first = amend(asked({ system: undefined }), refusal(message))
    expect(first?.conversion.body.response_format).toEqual({ type: "json_object" })
    expect(first?.conversion.body.messages.map(({ role }) => role)).toEqual(["system", "user"])
    const second = first && amend(first.conversion, refusal("response_format is not supported"))
    expect(second?.conversion.body.response_format).toBeUndefined()
    expect(second?.conversion.body.messages).toEqual(first?.conversion.body.messages ?? [])
  })

  test("a mistake in one schema is not remembered", () => {
    const after = amend(
      asked(),
      refusal("Invalid schema for response_format 'response': required is missing"),
    )
    expect(after && isLasting(after.amendment)).toBe(false)
  })

  test("a cached system prompt gets one more part", () => {
    const conversion = asked()
    const [, ...others] = conversion.body.messages
    const content = [{ type: "text", text: "Be kind.", cache_control: { type: "ephemeral" } }] as const
    const marked = withBody({ messages: [{ role: "system", content }, ...others] }, conversion)
    const [system] =
      amend(marked, refusal("response_format is not supported"))?.conversion.body.messages ?? []
    expect(system?.content).toHaveLength(2)
    expect(system?.content?.[0]).toEqual(content[0])
  })

  test("a request without it stays as it is", () => {
    expect(difference(withBody({}), "This response_format type is unavailable now")).toBeUndefined()
  })
})

describe("thinking", () => {
  test.each<[string, Partial<ChatRequest>, Readonly<Record<string, unknown>> | undefined]>([
    [
      "Unsupported value: 'none' is not supported with the 'gpt-5' model. Supported values are: 'low', 'medium', and 'high'.",
      { reasoning_effort: "none" },
      { reasoning_effort: "low" },
    ],
    [
      "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported values are: 'minimal', 'low', 'medium', and 'high'.",
      { reasoning_effort: "none" },
      { reasoning_effort: "minimal" },
    ],
    [
      "Unsupported value: 'xhigh' is not supported with the 'gpt-5' model. Supported values are: 'low', 'medium', and 'high'.",
      { reasoning_effort: "xhigh" },
      { reasoning_effort: "high" },
    ],
    [
      "`reasoning_effort` must be one of `none` or `default`",
      { reasoning_effort: "low" },
      { reasoning_effort: "default" },
    ],
    [
      "body.reasoning_effort: Input should be 'low', 'medium' or 'high'",
      { reasoning_effort: "max" },
      { reasoning_effort: "high" },
    ],
    [
      "reasoning.effort: Supported values are: low, medium, high",
      { reasoning: { enabled: false } },
      { reasoning: { effort: "low" } },
    ],
    [
      "Function tools with reasoning_effort are not supported for gpt-5.4 in /v1/chat/completions. Please use /v1/responses or set reasoning_effort to 'none'.",
      { reasoning_effort: "high", tools: convert(raw({ tools: [tool] }), generic).body.tools ?? [] },
      { reasoning_effort: "none" },
    ],
    [
      "Reasoning is mandatory for this endpoint and cannot be disabled.",
      { reasoning: { enabled: false } },
      { reasoning: undefined },
    ],
    [
      "Reasoning is mandatory for this endpoint and cannot be disabled.",
      { reasoning_effort: "none" },
      { reasoning_effort: undefined },
    ],
    [
      "Budget 0 is invalid. This model only works in thinking mode.",
      { reasoning_effort: "none" },
      { reasoning_effort: undefined },
    ],
    [
      "thinking cannot be disabled for this model",
      { thinking: { type: "disabled" } },
      { thinking: undefined },
    ],
    [
      "This model does not support disabling thinking",
      { enable_thinking: false },
      { enable_thinking: undefined },
    ],
    [
      "parameter.enable_thinking must be set to true for this model",
      { enable_thinking: false },
      { enable_thinking: undefined },
    ],
    [
      "Unsupported parameter: 'reasoning_effort' is not supported with this model.",
      { reasoning_effort: "high" },
      { reasoning_effort: undefined },
    ],
    [
      "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
      { reasoning_effort: "high" },
      { reasoning_effort: undefined },
    ],
    [
      "Model grok-4 does not support parameter reasoningEffort.",
      { reasoning_effort: "low" },
      { reasoning_effort: undefined },
    ],
    // Another rule is broken here, and the switch is not to blame.
    ["This model does not support thinking with tools", { reasoning_effort: "high" }, undefined],
    ["thinking is not supported with this model while streaming", { reasoning_effort: "high" }, undefined],
    ["Thinking mode does not support this tool_choice", { thinking: { type: "enabled" } }, undefined],
    ["tool_choice should be auto or none in thinking mode", { thinking: { type: "enabled" } }, undefined],
    [
      "tool_choice 'required' is incompatible with thinking enabled",
      { thinking: { type: "enabled" } },
      undefined,
    ],
    [
      "The reasoning_content in the thinking mode must be passed back to the API.",
      { thinking: { type: "enabled" } },
      undefined,
    ],
    [
      "Reasoning is mandatory for this endpoint and cannot be disabled.",
      { reasoning_effort: "low" },
      undefined,
    ],
  ])("%s %p", (message, fields, expected) => {
    expect(difference(withBody(fields), message)).toEqual(expected)
  })

  test("the only degree beside tools is kept for requests with tools", () => {
    const tools = convert(raw({ tools: [tool] }), generic).body.tools ?? []
    const said =
      "Function tools with reasoning_effort are not supported. Please set reasoning_effort to 'none'."
    const after = amend(withBody({ reasoning_effort: "high", tools }), refusal(said))
    if (after === undefined) throw new Error("nothing was amended")
    expect(applyAmendment(withBody({ reasoning_effort: "high" }), after.amendment)).toBeUndefined()
    expect(applyAmendment(withBody({ tools }), after.amendment)?.conversion.body.reasoning_effort).toBe(
      "none",
    )
  })
})

describe("a field that is refused by name", () => {
  const all: Partial<ChatRequest> = {
    ...{ temperature: 0.5, top_p: 0.9, top_k: 40, stop: ["x"], store: false, prompt_cache_key: "k" },
    ...{ stream: true, stream_options: { include_usage: true }, parallel_tool_calls: false },
    service_tier: "auto",
  }

  test.each<[string, readonly string[], string]>([
    ["Unsupported parameter: 'temperature' is not supported with this model.", ["temperature"], ""],
    [
      "Unsupported value: 'temperature' does not support 0.3 with this model. Only the default (1) value is supported.",
      ["temperature"],
      "",
    ],
    ["Unrecognized request argument supplied: parallel_tool_calls", ["parallel_tool_calls"], ""],
    ["Unrecognized request arguments supplied: store, prompt_cache_key", ["store", "prompt_cache_key"], ""],
    ["body.store: Extra inputs are not permitted", ["store"], ""],
    [
      "body.parallel_tool_calls: Extra inputs are not permitted; body.stream_options: Extra inputs are not permitted",
      ["stream_options", "parallel_tool_calls"],
      "",
    ],
    ["body.stream_options.include_usage: Extra inputs are not permitted", ["stream_options"], ""],
    ["Extra inputs are not permitted", ["top_k"], "top_k"],
    ["This field is not supported", ["temperature"], "temperature"],
    [
      `Invalid JSON payload received. Unknown name "parallel_tool_calls": Cannot find field.`,
      ["parallel_tool_calls"],
      "",
    ],
    ["property 'store' is unsupported", ["store"], ""],
    ["Argument not supported on this model: stop", ["stop"], ""],
    // xAI (lobehub/lobehub#7336), by its name alone.
    ["Argument not supported: stop", ["stop"], ""],
    ["Model grok-4 does not support parameter stop.", ["stop"], ""],
    ["This model does not support the `stop` parameter.", ["stop"], ""],
    ["The model does not support the stream parameter", ["stream", "stream_options"], ""],
    ["Unknown parameter: 'stream'.", ["stream", "stream_options"], "stream"],
    ["Model 'grok-4' does not support parameter stop.", ["stop"], ""],
    [
      "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
      ["top_p"],
      "",
    ],
    ["`temperature` and `top_p` are not supported by this model", ["temperature", "top_p"], ""],
    ["invalid temperature: only 1 is allowed for this model", ["temperature"], ""],
    ["AsyncCompletions.create() got an unexpected keyword argument 'service_tier'", ["service_tier"], ""],
  ])("%s", (message, gone, param) => {
    const expected = Object.fromEntries(gone.map((field) => [field, undefined]))
    expect(difference(withBody(all), message, { param })).toEqual(expected)
  })

  test.each<[string, string]>([
    ["Unsupported parameter: 'tools' is not supported with this model.", "tools"],
    ["tool_choice is not supported", "tool_choice"],
    [
      "Unsupported value: 'messages[0].role' does not support 'developer' with this model.",
      "messages[0].role",
    ],
    ["model is not supported", ""],
    ["Unknown parameter: 'messages[3].reasoning_content'.", ""],
    ["Invalid type for 'temperature': expected a decimal, but got a string instead.", "temperature"],
    ["Invalid 'top_p': decimal above maximum value. Expected a value <= 1, but got 2 instead.", "top_p"],
    ["temperature is not a number, stop is empty", ""],
    ["", ""],
  ])("not: %s", (message, param) => {
    expect(difference(withBody(all), message, { param })).toBeUndefined()
  })

  test("stop sequences that are not sent are watched for here, all of them", () => {
    const conversion = convert(raw({ stop_sequences: ["a", "b"] }), generic)
    expect(conversion.watchedStops).toEqual([])
    const after = amend(conversion, refusal("Unsupported parameter: 'stop'"))
    expect(after?.conversion.body.stop).toBeUndefined()
    expect(after?.conversion.watchedStops).toEqual(["a", "b"])
    expect(after?.notes).toEqual([
      { kind: "dropped", path: "stop_sequences", why: "refused by the upstream" },
    ])
  })

  test.each<[string, Partial<ChatRequest>, Readonly<Record<string, unknown>> | undefined]>([
    [
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      { max_tokens: 900 },
      { max_tokens: undefined, max_completion_tokens: 900 },
    ],
    [
      "Unsupported parameter: 'max_tokens' is not supported with this model.",
      { max_tokens: 900 },
      { max_tokens: undefined, max_completion_tokens: 900 },
    ],
  ])("%s", (message, fields, expected) => {
    expect(difference(withBody(fields), message)).toEqual(expected)
  })

  test("a server that knows only the older name gets it", () => {
    const target: Target = ["groq", "some-model"]
    const conversion = convert(raw(), target)
    expect(difference(conversion, "Unrecognized request argument supplied: max_completion_tokens")).toEqual({
      max_completion_tokens: undefined,
      max_tokens: 1000,
    })
  })

  test.each([401, 403, 404, 413, 429, 500])("never after a %d", (status) => {
    expect(difference(withBody(all), "Unsupported parameter: 'temperature'", { status })).toBeUndefined()
  })

  test("422 is as good as 400", () => {
    expect(difference(withBody(all), "body.store: Extra inputs are not permitted", { status: 422 })).toEqual({
      store: undefined,
    })
  })
})

test.each<[unknown, string | undefined]>([
  [{ error: { message: "no", param: "temperature" } }, "temperature"],
  [{ error: { metadata: { raw: '{"error":{"param":"top_p"}}' } } }, "top_p"],
  [{ error: { param: null } }, undefined],
  ["no", undefined],
])("the field beside the words of %j is %p", (body, param) => {
  expect(namedParam(JSON.stringify(body))).toBe(param)
})

property("whatever is said, what is essential stays, and the same words lead to an end", 2_000, (random) => {
  const words = [
    ...optionalFields,
    ...[
      "Unsupported parameter:",
      "is not supported",
      "and",
      "must be one of",
      "'none'",
      "low",
      "max_tokens",
      "[",
    ],
    ...[
      "1, 4096]",
      "tools",
      "messages",
      "model",
      "tool_choice",
      "response_format",
      "json_object",
      "not",
      ": 9 > 3",
    ],
    ...[
      "Extra inputs are not permitted",
      "reasoning",
      "mandatory",
      "cannot be disabled",
      "use max_completion_tokens",
    ],
  ]
  const message = Array.from({ length: random.integer(1, 11) }, () => random.pick(words)).join(" ")
  const format = { format: { type: "json_schema", schema } }
  const first = convert(
    raw({ tools: [tool], tool_choice: { type: "any" }, temperature: 1, output_config: format }),
    generic,
  )
  let conversion = withBody({ reasoning_effort: "none", stop: ["a"] }, first)
  const causes: string[] = []
  for (;;) {
    const after = amend(conversion, refusal(message))
    if (after === undefined || causes.includes(causeOf(after.amendment))) break
    causes.push(causeOf(after.amendment))
    conversion = after.conversion
    expect(after.notes.length).toBeGreaterThan(0)
  }
  const { model, tools, tool_choice, messages, max_tokens, max_completion_tokens } = conversion.body
  expect({ model, tools }).toEqual({ model: first.body.model, tools: first.body.tools })
  // What was insisted on may be left to the model, and then a note says so.
  const isFree = causes.some((cause) => cause.startsWith("choice"))
  expect(tool_choice).toBe(isFree ? undefined : first.body.tool_choice)
  expect(messages.at(-1)).toEqual(first.body.messages.at(-1))
  expect(max_tokens ?? max_completion_tokens).toBeGreaterThan(0)
})

test("a hostile refusal costs no time", () => {
  const started = performance.now()
  for (const piece of [
    "a",
    "a_",
    "max_tokens ",
    "tokens[1",
    "is not ",
    "reasoning ",
    "expected ",
    "'a', ",
    "unsupported parameter: a and ",
    "max_tokens requested exceeds the limit ",
    "max_tokens 1 exceeded, max ",
    "'loc': ('a', 1, 'b', ",
    "\na\n ",
    "'a'",
    "1,000",
    "stop sequences ",
    "不能",
    "temperature is not less than 1 or ",
    "temperature 范围1",
    "too many tokens ",
    "does not support thinking ",
    "property a, a ",
    "could not understand the instance {'a': ",
    "tools maximum ",
    "maximum number of tools ",
    "prompt tokens exceed ",
    "input exceeds max ",
    "tool_use blocks ",
  ]) {
    amend(withBody({ max_tokens: 64_000, temperature: 1 }), refusal(piece.repeat(100_000)))
    namedLimit(`max_tokens ${piece.repeat(1_000)}`)
  }
  expect(performance.now() - started).toBeLessThan(1_000)
})

describe("what OpenAI gives to verified organizations only", () => {
  const raw56 = raw({ thinking: { type: "adaptive" }, stream: true })
  const conversion = convert(raw56, ["openai", "gpt-5.6"], { dialect: "responses" })
  const ask56 = "Your organization must be verified to"
  const link = "Please go to: https://platform.openai.com/settings/organization/general and click on Verify."

  test("summaries of reasoning", () => {
    const given = refusal(`${ask56} generate reasoning summaries. ${link}`, { param: "reasoning.summary" })
    const after = amend(conversion, given)
    expect(conversion.responses?.summarises).toBe(true)
    expect(after?.conversion.responses?.summarises).toBe(false)
    expect(after?.conversion.body).toEqual(conversion.body)
    expect(after === undefined ? undefined : amend(after.conversion, given)).toBe(undefined)
  })

  test("streams", () => {
    expect(difference(conversion, `${ask56} stream this model. ${link}`, { param: "stream" })).toEqual({
      ...{ stream: undefined, stream_options: undefined },
    })
  })
})

describe("what speaks of something else", () => {
  const rich = withBody({
    ...{ max_tokens: 64_000, temperature: 0.5, stop: ["x"], store: false, reasoning_effort: "high" },
    ...{ thinking: { type: "enabled" }, reasoning: { effort: "high" } },
    response_format: { type: "json_schema", json_schema: { name: "a", schema } },
  } as const)

  test.each<[string, string | undefined]>([
    ["Invalid value: 'thinking'. Supported values are: 'text', 'image_url'.", "messages[2].content[0].type"],
    ["Invalid value: 'reasoning'. Supported values are: 'message'.", "input[3].type"],
    [
      "Unsupported value: 'high' is not supported with the image detail. Supported values are: 'low' and 'auto'.",
      "messages[0].content[0].image_url.detail",
    ],
    ["The model `thinking` is not supported", undefined],
    ["tools.0.custom.input_schema: unknown key 'stop'", undefined],
    ["Unknown name \"store\" at 'tools[0].function_declarations[0].parameters'", undefined],
    ["Invalid user message: 'please say temperature is not supported'", undefined],
    ['Could not parse tool call: {"reason":"the parameter temperature is deprecated"}', undefined],
    ["messages: text is not allowed. This is expected: max effort none default", undefined],
    [
      "Invalid schema for function 'w': property 'temperature' is not supported",
      "tools[0].function.parameters",
    ],
    ["Image is too large: at most 4096 tokens per image; max_tokens ok", undefined],
    ["Total tokens in request must be at most 8192, got 9000 (max_tokens=4000)", undefined],
    ["The sum of prompt tokens and max_tokens must not exceed 300", undefined],
    ["This model accepts at most 20 images per request. Reduce images or max_tokens.", undefined],
    ["'stop' supports at most 4 sequences; max_tokens ok", undefined],
    ["Invalid schema for function 'Ask': property 'max_tokens': maximum of 100 is not permitted", undefined],
    ["messages.4.content.0.text: tool said: max_tokens must be at most 5", undefined],
    ["tools.3.description: output tokens: string must be at most 1024 characters", undefined],
    [
      "Rate limit: output tokens per min: Limit 30000. The max_tokens must be reduced; see up to 3 retries",
      undefined,
    ],
    ["thinking.budget_tokens must be less than or equal to 1024 (max_tokens)", undefined],
    ["Invalid image: must be one of png, jpeg. json_schema fine", undefined],
    ["Invalid request: the prompt must contain the word json; structured outputs", undefined],
    ["Invalid value: 'thinking'. Supported values are: 'text', 'image_url'.", undefined],
    [
      "Unsupported value: 'high' is not supported with the image detail. Supported values are: 'low', 'auto'.",
      undefined,
    ],
    [
      "Unsupported value: 'low' is not supported with the 'm' model. Supported values are: 'medium'.",
      "text.verbosity",
    ],
    ["Model 'thinking' is not supported", undefined],
    ["Model 'stop' does not exist", undefined],
    ["The parameter temperature is not supported", "tools"],
    ["The parameter temperature is not supported", "tool_choice"],
    ["The parameter temperature is not supported", "functions[0].parameters"],
    ["The parameter temperature is not supported", "model"],
    ["The parameter temperature is not supported", "system"],
    ["The parameter temperature is not supported", "instructions"],
    ["Invalid 'input', 3, 'content': unknown field 'stop'", undefined],
    ["relay: bad request - messages: effort must be one of low, max", undefined],
    ["relay: Invalid user message: 'please say temperature is not supported'", undefined],
    ['Failed to parse tool call arguments: {"a":"the parameter temperature is deprecated"}', undefined],
    ['Invalid function arguments: {"effort":"must be one of low, max"}', undefined],
    ["tool call validation failed: errors: [unknown property 'stop']", undefined],
    ["tools.function.parameters is not a valid schema: property 'stop' is not supported", undefined],
    ["[{'type': 'x', 'loc': ('body', 'messages'), 'msg': 'the parameter stop is not supported'}]", undefined],
    ["The tool call arguments for 'temperature' are unsupported: unknown parameter 'city'", undefined],
    ["The input exceeds limit 4096 (max_tokens 1000)", undefined],
    ["Prompt exceeds the limit: 4100, max 4096 (max_tokens 64000)", undefined],
    ["max_tokens exceeds your remaining quota 5000", undefined],
    ["max_tokens exceeds the limit of model some-2507", undefined],
    ["max_tokens exceeds the limit: 64000", undefined],
    ["max_tokens必须大于thinking_budget，至少为2048", undefined],
    ["max_tokens必须大于2048", undefined],
    ["messages中的图片数量不能超过1000，max_tokens没有问题", undefined],
    ["Thinking blocks are not supported for this model in the last message", undefined],
    ["temperature is not greater than 0, top_p is", undefined],
    ["Invalid 'temperature': must be between 0 and 2, but got 3 instead", undefined],
    ["temperature: [{'type': 'x', 'msg': 'Input should be less than or equal to 1', 'input': 3}]", undefined],
    [
      "[{'type': 'x', 'loc': ('body', 'messages', 0, 'stop'), 'msg': 'Extra inputs are not permitted'}]",
      undefined,
    ],
    ["1 validation error for Request\ntools.0.function.stop\n  Extra inputs are not permitted", undefined],
    ["Extra inputs are not permitted, field: 'messages[1].stop', value: 'store'", undefined],
    ["Extra inputs are not permitted, field: 'n', value: 'store'", undefined],
    ["A pattern of stop sequences was supported by this model", undefined],
    ["max_tokens ok: at most 4096 tokens of the context length", undefined],
  ])("%s", (message, param) => {
    expect(difference(rich, message, { param })).toBe(undefined)
  })
})

describe("encrypted reasoning", () => {
  const said = { type: "reasoning", summary: [], encrypted_content: "gAAAA" } as const
  const base = convert(raw({ thinking: { type: "adaptive" } }), ["openai", "gpt-5.6"], {
    dialect: "responses",
  })
  const parts = base.responses
  const conversion: Conversion =
    parts === undefined ? base : { ...base, responses: { ...parts, input: [said, ...parts.input] } }

  test.each<[string, string | undefined]>([
    ["Encrypted content is not supported with this model.", "include"],
    ["Encrypted content is not supported with this model.", undefined],
    ["Unsupported value: 'reasoning.encrypted_content'", "include[0]"],
    ["Unrecognized request argument supplied: include", undefined],
  ])("that the model does not give is not asked for any more: %s %p", (message, param) => {
    const after = amend(conversion, refusal(message, { param }))
    expect(after?.conversion.responses).toEqual(
      parts && { ...parts, input: [said, ...parts.input], keepsReasoning: false },
    )
    expect(after?.conversion.body).toEqual(conversion.body)
    expect(after?.notes.map(({ kind, path }) => `${kind} ${path}`)).toEqual(["dropped thinking"])
    expect(after === undefined ? false : isLasting(after.amendment)).toBe(true)
  })

  // xAI (openclaw/openclaw#12910), and Ark's way to say it.
  test.each(["Argument not supported: include", 'json: unknown field "include"'])(
    "without it, what else is included is not asked for any more: %s",
    (message) => {
      const search = { type: "web_search_20250305", name: "web_search" }
      const searching = convert(raw({ tools: [search] }), ["xai", "grok-4-1-fast"], {
        dialect: "responses",
      })
      expect(searching.responses).toMatchObject({ keepsReasoning: false, search: [{ type: "web_search" }] })
      const given = refusal(message, {})
      const after = amend(searching, given)
      expect(after?.conversion.responses).toEqual(
        searching.responses && { ...searching.responses, withoutSources: true },
      )
      expect(after === undefined ? undefined : bodyOf(after.conversion)).not.toHaveProperty("include")
      expect(after === undefined ? undefined : amend(after.conversion, given)).toBeUndefined()
    },
  )

  test("a search that is not included says nothing of it", () => {
    const given = refusal("Unsupported include: web_search_call.action.sources", { param: "include" })
    expect(amend(conversion, given)).toBeUndefined()
  })

  test.each<[string, string | undefined]>([
    ["Unsupported parameter: 'reasoning.summary' is not supported with this model.", "reasoning.summary"],
    ["Unknown parameter: 'reasoning.summary'.", undefined],
    ["No.", "reasoning.summary"],
    ["Unsupported value: 'auto'. Supported values are: 'none'.", "body.reasoning.summary"],
  ])("a summary is left out, and not the reasoning: %s %p", (message, param) => {
    const after = amend(conversion, refusal(message, { param }))
    expect(after?.amendment).toEqual({ kind: "summary" })
    expect(after?.conversion.body).toEqual(conversion.body)
    expect(after?.conversion.responses?.summarises).toBe(false)
  })

  test.each<[string, string | undefined]>([
    [
      "The encrypted content gAAA...AA== could not be verified. Reason: Encrypted content organization_id did not match.",
      "input",
    ],
    ["Item 'rs_1' of type 'reasoning' was provided without its required following item.", "input"],
    ["Could not decrypt the provided encrypted_content", "input"],
    ["Failed to decode encrypted reasoning content", undefined],
    // OpenCode's gateway, of what another model or account was given (anomalyco/opencode#48805).
    [
      "Upstream request failed: [invalid_request_error] reasoning `encrypted_content` was not issued to this caller",
      undefined,
    ],
  ])("that cannot be read is left out of this one request: %s", (message, param) => {
    const after = amend(conversion, refusal(message, { param }))
    expect<unknown>(after?.conversion.responses?.input).toEqual(parts?.input)
    expect(after === undefined ? true : isLasting(after.amendment)).toBe(false)
  })
})

describe("a lower limit lowers the budget of thinking that it would leave no words", () => {
  test.each<[number, number, number | undefined]>([
    [32_000, 8_192, 4_096],
    [8_192, 8_192, 4_096],
    [8_191, 8_192, 8_191],
    [32_000, 2_048, 1_024],
    [32_000, 2_047, undefined],
  ])("%d beside a limit of %d: %p", (thinking_budget, most, expected) => {
    const conversion = withBody({ max_tokens: 64_000, thinking_budget })
    for (const amendment of [{ kind: "limit", most } as const, { kind: "room", tokens: most } as const]) {
      const after = applyAmendment(conversion, amendment)
      expect(after?.conversion.body.max_tokens).toBe(most)
      expect(after?.conversion.body.thinking_budget).toBe(expected)
      expect(after?.notes.some(({ path }) => path === "thinking")).toBe(expected !== thinking_budget)
    }
  })
})

test("a prompt and a reply that do not fit: also where the conversation is named", () => {
  const said = "input length and `max_tokens` exceed context limit: 98000 + 32000 > 128000"
  const after = amend(withBody({ max_tokens: 32_000 }), {
    ...{ status: 400, message: said, param: "messages", inputTokens: () => 98_000 },
  })
  expect(after?.conversion.body.max_tokens).toBe(29_000)
})

test("what is taken beside tools has a cause of its own", () => {
  const [plain, withTools] = [false, true].map((withTools) =>
    causeOf({ kind: "effort", taken: ["none"], withTools }),
  )
  expect(plain).not.toBe(withTools)
})
