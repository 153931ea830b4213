// What every strict validator has in common: it takes a good body and bites at each bad one.
import { describe, expect, test } from "bun:test"
import { strictProvider, strictProviders } from "./providers.ts"
import { refusal } from "./refusal.ts"
import {
  all,
  bash,
  type Change,
  call,
  callId,
  fields,
  message,
  messages,
  property,
  sampleFor,
  tool,
} from "./sample.ts"

const models = strictProviders.flatMap(({ id, models }) => models.map((model) => [id, model] as const))

/** Claude behind a gateway may be given an empty list of tools. */
const mayBeEmpty = (id: string, model: string): boolean => id === "copilot" && model.startsWith("claude")

const user = { role: "user", content: "Hello." }
const result = { role: "tool", tool_call_id: callId, content: "again", name: "Bash" }

const bad: readonly (readonly [string, Change, RegExp])[] = [
  ["no messages", fields({ messages: [] }), /^messages: /],
  ["no model", fields({ model: undefined }), /^model: Field required/],
  ["an empty model", fields({ model: "" }), /^model: must not be empty/],
  ["a field nobody knows", fields({ anthropic_version: "2023-06-01" }), /^anthropic_version: /],
  ["Anthropic's system", fields({ system: "Be brief." }), /^system: /],
  ["Anthropic's choice", fields({ tool_choice: { type: "any" } }), /^tool_choice/],
  ["a temperature of text", fields({ temperature: "1" }), /^temperature: /],
  ["no tokens", fields({ max_tokens: 0 }), /^max_tokens: /],
  ["streaming by a word", fields({ stream: "yes" }), /^stream: /],
  ["usage of a stream that is none", fields({ stream: false, stream_options: {} }), /^stream_options: /],
  [
    "a foreign member of a message",
    message(0, { cache_control: { type: "ephemeral" } }),
    /\[0\]\.cache_control/,
  ],
  ["a foreign member of a result", message(2, { is_error: true }), /\[2\]\.is_error/],
  ["a foreign member of a call", call({ caller: { type: "direct" } }), /tool_calls\[0\]\.caller/],
  ["an unknown role", message(0, { role: "operator" }), /\[0\]\.role: /],
  ["a message that is none", messages(0, 1, 2, {}), /\[3\]\.role: /],
  ["a call without a result", messages(0, 1, 3), /must be followed by tool messages/],
  ["a call at the end", messages(0, 1), /must be followed by tool messages/],
  ["the user before the result", messages(0, 1, 3, 2), /must be followed by tool messages/],
  ["a result without a call", messages(0, 2, 3), /must be a response to a preceding message/],
  ["a second result", messages(0, 1, 2, result, 3), /must be a response to a preceding message/],
  ["two calls of one id", (body) => twice(body), /Duplicate tool call id/],
  ["a user without content", message(0, { content: "" }), /\[0\]\.content: must not be empty/],
  ["a user with blanks", message(0, { content: " \n" }), /\[0\]\.content: must not be empty/],
  ["no content at all", message(0, { content: null }), /\[0\]\.content: content or tool_calls must be set/],
  ["a result without content", message(2, { content: "" }), /\[2\]\.content: must not be empty/],
  ["content of a number", message(0, { content: 7 }), /\[0\]\.content: should be/],
  ["Anthropic's parts", message(0, { content: [{ type: "image", source: {} }] }), /\[0\]\.content/],
  ["an empty list of calls", message(1, { tool_calls: [] }), /\[1\]\.tool_calls: \[\] is too short/],
  [
    "arguments that are no JSON",
    call({ function: { name: "Bash", arguments: "{" } }),
    /arguments: should be/,
  ],
  [
    "arguments that are a list",
    call({ function: { name: "Bash", arguments: "[]" } }),
    /arguments: should be/,
  ],
  [
    "arguments that are an object",
    call({ function: { name: "Bash", arguments: {} } }),
    /arguments: should be/,
  ],
  ["a call's odd name", call({ function: { name: "a b", arguments: "{}" } }), /name: "a b"/],
  ["a call without an id", call({ id: undefined }), /tool_calls\[0\]\.id: Field required/],
  [
    "a call with an empty id",
    all(call({ id: "" }), message(2, { tool_call_id: "" })),
    /tool_calls\[0\]\.id: ""/,
  ],
  ["a choice without tools", fields({ tools: undefined, tool_choice: "auto" }), /^tool_choice: /],
  ["a tool with an odd name", tool({ name: "files.read" }), /name: "files\.read"/],
  ["a tool with a long name", tool({ name: "a".repeat(65) }), /name: "a+"/],
  ["two tools of one name", fields({ tools: [bash, bash] }), /^tools: Tool names must be unique/],
  ["Anthropic's tool", fields({ tools: [{ name: "Bash", input_schema: {} }] }), /^tools\[0\]/],
  [
    "a foreign member of a tool",
    fields({ tools: [{ ...bash, defer_loading: true }] }),
    /^tools\[0\]\.defer_loading/,
  ],
  ["a foreign member of a function", tool({ input_examples: [] }), /^tools\[0\]\.function\.input_examples/],
  ["parameters without properties", tool({ parameters: { type: "object" } }), /missing properties/],
  ["parameters of another type", tool({ parameters: { type: "string", properties: {} } }), /type 'object'/],
  ["no parameters", tool({ parameters: undefined }), /schema should be an object/],
  ["a reference to nothing", property({ $ref: "#/$defs/lost" }), /\$ref: #\/\$defs\/lost not found/],
  ["a type nobody knows", property({ type: "any" }), /type: unknown word/],
  ["half a pair in a text", message(0, { content: "\ud83d" }), /messages\[0\]\.content: lone surrogate/],
  [
    "half a pair in a key",
    property({ type: "object", properties: { "\udc00": {} } }),
    /lone surrogate in a key/,
  ],
  [
    "half a pair in arguments",
    call({ function: { name: "Bash", arguments: '{"a":"\\ud83d"}' } }),
    /arguments\.a|arguments: lone/,
  ],
]

function twice(body: ReturnType<Change>): ReturnType<Change> {
  const { messages: list } = body
  const [, assistant] = Array.isArray(list) ? list : []
  return message(1, { tool_calls: [...assistant.tool_calls, ...assistant.tool_calls] })(body)
}

test.each(models)("%s takes a good body for %s", (id, model) => {
  expect(strictProvider(id).check(sampleFor(id, model), model)).toEqual([])
})

test.each(models)("%s takes a system text, one question and no tools, for %s", (id, model) => {
  const body = { model, stream: true, messages: [{ role: "system", content: "Be brief." }, user] }
  expect(strictProvider(id).check(body, model)).toEqual([])
})

test.each(bad)("%s is refused by all", (_, change, why) => {
  const lenient = models.filter(([id, model]) => {
    const reasons = strictProvider(id).check(change(sampleFor(id, model)), model)
    return !reasons.some((reason) => why.test(reason))
  })
  expect(lenient).toEqual([])
})

test.each(models.filter(([id, model]) => !mayBeEmpty(id, model)))(
  "%s wants tools or none at all, for %s",
  (id, model) => {
    const reasons = strictProvider(id).check({ ...sampleFor(id, model), tools: [] }, model)
    expect(reasons.join()).toMatch(/^tools: \[\] is too short/)
  },
)

test("an unknown provider has no validator", () => {
  expect(() => strictProvider("nobody")).toThrow("no strict validator for nobody")
})

describe("a refusal", () => {
  test.each(strictProviders.map(({ id }) => id))("of %s names the reason in its own shape", (id) => {
    const { status, body } = refusal(id, ["messages: bad", "tools: worse"])
    expect(JSON.stringify(body)).toContain("tools: worse")
    expect(status === 200 ? JSON.stringify(body) : String(status)).toMatch(/^4\d\d$|base_resp/)
  })

  test.each([
    ["openai", 400, { error: { message: "a", type: "invalid_request_error", param: null, code: null } }],
    ["gemini", 400, [{ error: { code: 400, message: "a", status: "INVALID_ARGUMENT" } }]],
    ["xai", 400, { code: "Client specified an invalid argument", error: "a" }],
    ["zai", 400, { error: { code: "1210", message: "a" } }],
    ["siliconflow", 400, { code: 20015, message: "a", data: null }],
    ["somebody", 400, { error: { message: "a", type: "invalid_request_error", param: null, code: null } }],
  ])("of %s", (id, status, body) => {
    expect(refusal(id, ["a"])).toEqual({ status, body })
  })

  test("without a reason still says something", () => {
    expect(refusal("openrouter", []).body).toEqual({ error: { message: "Invalid request", code: 400 } })
  })
})
