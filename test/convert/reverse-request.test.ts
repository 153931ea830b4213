// Chat Completions requests as Messages requests.
import { describe, expect, test } from "bun:test"
import { ChatRequestBody, firstChatIssue } from "../../src/protocol/chat/chat-request.ts"
import { MessagesRequest } from "../../src/protocol/messages/messages.ts"
import { property } from "../support/random.ts"
import { convert, generic } from "./request-support.ts"
import { hello, noteLines, randomChatRequest, randomMess, reverse, say } from "./reverse-support.ts"

const text = (value: string) => ({ type: "text", text: value })
const use = (id: string, input: unknown, name = "clock") => ({ type: "tool_use", id, name, input })
const call = (id: string, args: unknown, name = "clock") => ({
  id,
  type: "function",
  function: { name, arguments: args },
})
const answered = (id: string, ...content: readonly unknown[]) => ({
  type: "tool_result",
  tool_use_id: id,
  content,
})
const user = (...content: readonly unknown[]) => ({ role: "user", content })
const assistant = (...content: readonly unknown[]) => ({ role: "assistant", content })

type Case = readonly [
  name: string,
  messages: readonly unknown[],
  expected: readonly unknown[],
  notes?: readonly string[],
]

const conversations: readonly Case[] = [
  ["text", [hello], [user(text("hi"))]],
  ["text parts", [user(text("a"), text("b"))], [user(text("a"), text("b"))]],
  ["an empty turn", [user(text(""))], [user(text("..."))], ["changed messages.0"]],
  [
    "an image as data",
    [user({ type: "image_url", image_url: { url: "data:image/PNG;base64,iVBOR" } })],
    [user({ type: "image", source: { type: "base64", media_type: "image/png", data: "iVBOR" } })],
  ],
  [
    "an image by its URL, with a degree of detail",
    [user({ type: "image_url", image_url: { url: "https://x.test/a", detail: "high" } })],
    [user({ type: "image", source: { type: "url", url: "https://x.test/a" } })],
    ["dropped messages.0.content.0.image_url.detail"],
  ],
  [
    "an image's URL without the object around it",
    [user({ type: "image_url", image_url: "https://x.test/a" })],
    [user({ type: "image", source: { type: "url", url: "https://x.test/a" } })],
  ],
  [
    "an image that is neither",
    [user({ type: "image_url", image_url: { url: "file:///etc/passwd" } })],
    [user(text("[image omitted: its URL is neither http(s) nor base64 data]"))],
    ["changed messages.0.content.0"],
  ],
  [
    "a PDF",
    [user({ type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0" } })],
    [
      user({
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "JVBERi0" },
        title: "a.pdf",
      }),
    ],
  ],
  [
    "a PDF without a data URL",
    [user({ type: "file", file: { file_data: "JVBERi0" } })],
    [user({ type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0" } })],
  ],
  [
    "a text file",
    [
      user({
        type: "file",
        file: { filename: "a.txt", file_data: `data:text/plain;base64,${btoa("hello")}` },
      }),
    ],
    [
      user({
        type: "document",
        source: { type: "text", media_type: "text/plain", data: "hello" },
        title: "a.txt",
      }),
    ],
  ],
  [
    "an uploaded file",
    [user({ type: "file", file: { file_id: "file-1" } })],
    [user({ type: "document", source: { type: "file", file_id: "file-1" } })],
  ],
  [
    "a file of another kind",
    [user({ type: "file", file: { filename: "a.zip", file_data: "data:application/zip;base64,UEs" } })],
    [user(text("[file a.zip omitted: the Messages API takes no application/zip]"))],
    ["changed messages.0.content.0"],
  ],
  [
    "audio",
    [user(text("a"), { type: "input_audio", input_audio: { data: "AA", format: "wav" } })],
    [user(text("a"), text("[audio omitted: the Messages API takes no audio]"))],
    ["changed messages.0.content.1"],
  ],
  [
    "a part of tomorrow",
    [user(text("a"), { type: "hologram", hologram: {} })],
    [user(text("a"))],
    ["dropped messages.0.content.1"],
  ],
  [
    "system messages in mid-conversation keep their place",
    [hello, { role: "system", content: "Be brief." }, { role: "assistant", content: "ok" }],
    [user(text("hi")), { role: "system", content: [text("Be brief.")] }, assistant(text("ok"))],
  ],
  [
    "a system prompt alone is said by the user",
    [{ role: "system", content: "Tell me a joke." }],
    [user(text("Tell me a joke."))],
    ["changed messages.0"],
  ],
  [
    "calls and their results",
    [
      hello,
      { role: "assistant", content: "Let me look.", tool_calls: [call("a", '{"x": 1}'), call("b", "")] },
      { role: "tool", tool_call_id: "b", content: "2" },
      { role: "tool", tool_call_id: "a", content: [text("1"), text("one")] },
      hello,
    ],
    [
      user(text("hi")),
      assistant(text("Let me look."), use("a", { x: 1 }), use("b", {})),
      user(answered("b", text("2")), answered("a", text("1"), text("one"))),
      user(text("hi")),
    ],
  ],
  [
    "arguments that are no JSON object",
    [hello, { role: "assistant", content: null, tool_calls: [call("a", '{"x": '), call("b", "[1]")] }],
    [
      user(text("hi")),
      assistant(use("a", { _raw_arguments: '{"x": ' }), use("b", { _raw_arguments: "[1]" })),
    ],
    [
      "changed messages.1.tool_calls.0.function.arguments",
      "changed messages.1.tool_calls.1.function.arguments",
    ],
  ],
  [
    "arguments that are an object already",
    [hello, { role: "assistant", tool_calls: [call("a", { x: 1 })] }],
    [user(text("hi")), assistant(use("a", { x: 1 }))],
  ],
  [
    "a custom tool's call",
    [
      hello,
      { role: "assistant", tool_calls: [{ id: "a", type: "custom", custom: { name: "sh", input: "ls" } }] },
    ],
    [user(text("hi")), assistant(use("a", { input: "ls" }, "sh"))],
    ["changed messages.1.tool_calls.0"],
  ],
  [
    "legacy calls, whose results name the function",
    [
      hello,
      { role: "assistant", content: null, function_call: { name: "clock", arguments: '{"zone":"UTC"}' } },
      { role: "function", name: "clock", content: "12:00" },
      { role: "function", name: "other", content: "?" },
    ],
    [
      user(text("hi")),
      assistant(use("call_function_1", { zone: "UTC" })),
      user(answered("call_function_1", text("12:00")), answered("call_function_3", text("?"))),
    ],
  ],
  [
    "reasoning, which comes back without a signature",
    [hello, { role: "assistant", content: "4", reasoning_content: "2+2" }],
    [user(text("hi")), assistant({ type: "thinking", thinking: "2+2", signature: "" }, text("4"))],
  ],
  [
    "a refusal",
    [hello, { role: "assistant", content: null, refusal: "No." }],
    [user(text("hi")), assistant(text("No."))],
  ],
  [
    "an assistant's turn without anything",
    [hello, { role: "assistant", content: "" }, hello],
    [user(text("hi")), user(text("hi"))],
    ["dropped messages.1"],
  ],
  [
    "what a reply of OpenAI's holds beside its content",
    [
      hello,
      {
        ...{ role: "assistant", content: "a", refusal: null, annotations: [], audio: null },
        ...{ function_call: null, tool_calls: null },
      },
    ],
    [user(text("hi")), assistant(text("a"))],
  ],
  ["a speaker's name", [{ ...hello, name: "speaker_7" }], [user(text("hi"))], ["dropped messages.0.name"]],
  [
    "a result without output",
    [
      hello,
      { role: "assistant", tool_calls: [call("a", "{}")] },
      { role: "tool", tool_call_id: "a", content: "" },
    ],
    [user(text("hi")), assistant(use("a", {})), user(answered("a"))],
  ],
]

test.each(conversations)("messages: %s", (_name, messages, expected, notes = []) => {
  const conversion = reverse(say(messages))
  expect(conversion.request).toEqual({ model: "m", messages: [...expected] })
  expect(noteLines(conversion)).toEqual([...notes])
})

test("leading system and developer messages are the system prompt", () => {
  const { request } = reverse(
    say([{ role: "system", content: "A" }, { role: "developer", content: [text("B"), text("")] }, hello]),
  )
  expect(request).toEqual({ model: "m", system: [text("A"), text("B")], messages: [user(text("hi"))] })
})

const clock = {
  type: "function",
  function: {
    name: "clock",
    description: "The time",
    parameters: { type: "object", properties: {} },
    strict: true,
  },
}
const bare = { type: "function", function: { name: "bare" } }
const clockTool = {
  name: "clock",
  description: "The time",
  input_schema: { type: "object", properties: {} },
  strict: true,
}
const bareTool = { name: "bare", input_schema: { type: "object", properties: {} } }
const one = { disable_parallel_tool_use: true }

const fields: readonly (readonly [string, object, object, (readonly string[])?])[] = [
  ["nothing", {}, {}],
  [
    "limits: the newer name wins",
    { max_tokens: 5, max_completion_tokens: 9 },
    { max_tokens: 9 },
    ["dropped max_tokens"],
  ],
  ["limits: the older name", { max_tokens: 5 }, { max_tokens: 5 }],
  ["sampling", { temperature: 2, top_p: 0.5, top_k: 4 }, { temperature: 2, top_p: 0.5, top_k: 4 }],
  ["one stop", { stop: "END" }, { stop_sequences: ["END"] }],
  ["stops", { stop: ["A", "", "B"] }, { stop_sequences: ["A", "B"] }],
  ["no stop", { stop: null }, {}],
  ["stream", { stream: true, stream_options: { include_usage: true } }, { stream: true }],
  ["user", { user: "u1" }, { metadata: { user_id: "u1" } }],
  ["n of 1", { n: 1 }, {}],
  ["effort none", { reasoning_effort: "none" }, { thinking: { type: "disabled" } }],
  [
    "effort minimal",
    { reasoning_effort: "minimal" },
    { thinking: { type: "adaptive" }, output_config: { effort: "low" } },
    ["changed reasoning_effort"],
  ],
  [
    "effort high",
    { reasoning_effort: "high" },
    { thinking: { type: "adaptive" }, output_config: { effort: "high" } },
  ],
  ["effort of tomorrow", { reasoning_effort: "galactic" }, {}, ["dropped reasoning_effort"]],
  [
    "a schema",
    {
      response_format: {
        type: "json_schema",
        json_schema: { name: "city", description: "A city.", strict: true, schema: { type: "object" } },
      },
    },
    {
      output_config: { format: { type: "json_schema", schema: { type: "object", description: "A city." } } },
    },
    ["dropped response_format.json_schema.name"],
  ],
  [
    "any JSON",
    { response_format: { type: "json_object" } },
    { system: [text("Answer with one JSON object only: no other text, and no code fence around it.")] },
    ["changed response_format"],
  ],
  ["plain text", { response_format: { type: "text" } }, {}],
  ["a format of tomorrow", { response_format: { type: "grammar" } }, {}, ["dropped response_format"]],
  ["tools", { tools: [clock, bare] }, { tools: [clockTool, bareTool] }],
  [
    "a custom tool",
    {
      tools: [bare, { type: "custom", custom: { name: "sh" } }],
      tool_choice: { type: "custom", custom: { name: "sh" } },
    },
    { tools: [bareTool] },
    ["dropped tools.1", "dropped tool_choice"],
  ],
  [
    "functions",
    { functions: [{ name: "bare" }], function_call: { name: "bare" } },
    { tools: [bareTool], tool_choice: { type: "tool", name: "bare", ...one } },
  ],
  [
    "functions beside tools",
    { functions: [{ name: "x" }], tools: [bare] },
    { tools: [bareTool] },
    ["dropped functions"],
  ],
  [
    "choice auto",
    { tools: [bare], tool_choice: "auto" },
    { tools: [bareTool], tool_choice: { type: "auto" } },
  ],
  [
    "choice none",
    { tools: [bare], tool_choice: "none" },
    { tools: [bareTool], tool_choice: { type: "none" } },
  ],
  [
    "choice required",
    { tools: [bare], tool_choice: "required" },
    { tools: [bareTool], tool_choice: { type: "any" } },
  ],
  [
    "a named tool",
    { tools: [bare], tool_choice: { type: "function", function: { name: "bare" } } },
    { tools: [bareTool], tool_choice: { type: "tool", name: "bare" } },
  ],
  [
    "a tool that is not there",
    { tools: [bare], tool_choice: { type: "function", function: { name: "x" } } },
    { tools: [bareTool] },
    ["dropped tool_choice"],
  ],
  [
    "allowed tools",
    {
      tools: [clock, bare],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "bare" } }] },
      },
    },
    { tools: [bareTool], tool_choice: { type: "any" } },
    ["dropped tools.0", "changed tool_choice"],
  ],
  [
    "one call at a time",
    { tools: [bare], parallel_tool_calls: false },
    { tools: [bareTool], tool_choice: { type: "auto", ...one } },
  ],
  ["one call at a time of none", { parallel_tool_calls: false }, {}],
  [
    "what has no counterpart",
    {
      ...{
        seed: 1,
        logprobs: true,
        top_logprobs: 2,
        logit_bias: { "1": 5 },
        presence_penalty: 1,
        store: true,
      },
      ...{ metadata: { a: "b" }, prompt_cache_key: "k", safety_identifier: "s", constructor: 1 },
    },
    {},
    [
      ...["dropped seed", "dropped logprobs", "dropped top_logprobs", "dropped logit_bias"],
      ...["dropped presence_penalty", "dropped store", "dropped metadata", "dropped prompt_cache_key"],
      ...["dropped safety_identifier", "dropped constructor"],
    ],
  ],
  [
    "what asks for nothing",
    {
      ...{ seed: null, logprobs: false, presence_penalty: 0, frequency_penalty: 0, store: false },
      ...{ modalities: ["text"] },
    },
    {},
  ],
]

test.each(fields)("parameters: %s", (_name, more, expected, notes = []) => {
  const conversion = reverse({ messages: [hello], ...more })
  expect(conversion.request).toEqual({ messages: [user(text("hi"))], ...expected })
  expect(noteLines(conversion)).toEqual([...notes])
  for (const { why } of conversion.notes) expect(why).toMatch(/^\S.{5,}$/)
})

test("wishes for the reply", () => {
  const plain = reverse(say([hello]))
  expect(plain.wishes).toEqual({ includeUsage: false, legacyCalls: false })
  const more = { functions: [{ name: "a" }], stream_options: { include_usage: true } }
  expect(reverse(say([hello], more)).wishes).toEqual({ includeUsage: true, legacyCalls: true })
})

describe("refused, in OpenAI's words", () => {
  const cases: readonly (readonly [object, string, string])[] = [
    [{}, "messages", "missing_required_parameter"],
    [{ messages: "hi" }, "messages", "invalid_type"],
    [{ messages: [] }, "messages", "invalid_value"],
    [say([{ role: "robot", content: "x" }]), "messages[0].role", "invalid_value"],
    [say([hello, { role: "user" }]), "messages[1].content", "missing_required_parameter"],
    [say([{ role: "user", content: null }]), "messages[0].content", "invalid_type"],
    [say([{ role: "user", content: [{}] }]), "messages[0].content[0].type", "missing_required_parameter"],
    [
      say([{ role: "user", content: [{ type: "text" }] }]),
      "messages[0].content[0].text",
      "missing_required_parameter",
    ],
    [
      say([{ role: "user", content: [{ type: "image_url", image_url: {} }] }]),
      "messages[0].content[0].image_url.url",
      "missing_required_parameter",
    ],
    [say([{ role: "tool", content: "x" }]), "messages[0].tool_call_id", "missing_required_parameter"],
    [say([{ role: "function", content: "x" }]), "messages[0].name", "missing_required_parameter"],
    [
      say([{ role: "assistant", tool_calls: [{ id: "a" }] }]),
      "messages[0].tool_calls[0].function",
      "missing_required_parameter",
    ],
    [say([hello], { n: 2 }), "n", "unsupported_value"],
    [say([hello], { stop: 1 }), "stop", "invalid_value"],
    [say([hello], { temperature: "hot" }), "temperature", "invalid_type"],
    [say([hello], { tools: [{ type: "function" }] }), "tools[0].function", "missing_required_parameter"],
    [say([hello], { tool_choice: "maybe" }), "tool_choice", "invalid_value"],
    [say([hello], { tool_choice: 7 }), "tool_choice", "invalid_type"],
    [
      say([hello], { response_format: { type: "json_schema" } }),
      "response_format.json_schema",
      "missing_required_parameter",
    ],
  ]

  test.each(cases)("%j", (raw, param, code) => {
    const parsed = ChatRequestBody.safeParse(raw)
    if (parsed.success) throw new Error("was accepted")
    const issue = firstChatIssue(parsed.error)
    expect([issue.param, issue.code]).toEqual([param, code])
    expect(issue.message).toStartWith(`Invalid '${param}': `)
  })
})

property("a conversation comes through both conversions as it was", 400, (random) => {
  const chat = randomChatRequest(random)
  const { request } = reverse(chat)
  const { body } = convert(request, generic)
  expect<unknown>(body.messages).toEqual(chat.messages)
  expect<unknown>(body.tools).toEqual(chat.tools)
  expect([body.temperature, body.stop]).toEqual([chat.temperature, chat.stop])
})

property("whatever is accepted is a valid Messages request", 3000, (random) => {
  const parsed = ChatRequestBody.safeParse(randomMess(random))
  if (!parsed.success) {
    expect(firstChatIssue(parsed.error).message).not.toBe("")
    return
  }
  const { request } = reverse(parsed.data)
  expect(MessagesRequest.safeParse(request).error).toBeUndefined()
})
