import { describe, expect, test } from "bun:test"
import {
  CountRequest,
  knownFields,
  MessagesRequest,
  renderIssues,
} from "../../src/protocol/messages/messages.ts"

const messages = [{ role: "user", content: "hi" }]
const inContent = (block: unknown, role = "user") => ({ messages: [{ role, content: [block] }] })
const tool = { name: "t", input_schema: {} }

function problemOf(body: unknown): string {
  const parsed = MessagesRequest.safeParse(body)
  return parsed.success ? "none" : renderIssues(parsed.error)
}

describe("what is wrong with a request, in Anthropic's words", () => {
  test.each<[unknown, string]>([
    [null, "Input should be a valid dictionary"],
    ["hi", "Input should be a valid dictionary"],
    [{}, "messages: Field required"],
    [{ messages: null }, "messages: Input should be a valid list"],
    [{ messages: "hi" }, "messages: Input should be a valid list"],
    [{ messages: [] }, "messages: at least one message is required"],
    [{ messages: ["hi"] }, "messages.0: Input should be a valid dictionary"],
    [{ messages: [{ content: "hi" }] }, "messages.0.role: Field required"],
    [
      { messages: [...messages, { role: "tool", content: "hi" }] },
      "messages.1.role: Input should be 'user', 'assistant' or 'system'",
    ],
    [{ messages: [{ role: "user" }] }, "messages.0.content: Field required"],
    [{ messages: [{ role: "assistant" }] }, "messages.0.content: Field required"],
    [
      { messages: [{ role: "user", content: null }] },
      "messages.0.content: Input should be a valid string or list",
    ],
    [
      { messages: [{ role: "user", content: 5 }] },
      "messages.0.content: Input should be a valid string or list",
    ],
    [
      { messages: [{ role: "user", content: [{ type: "text", text: "a" }, { type: "text" }] }] },
      "messages.0.content.1.text: Field required",
    ],
    [inContent({ type: "text", text: null }), "messages.0.content.0.text: Input should be a valid string"],
    [inContent(5), "messages.0.content.0: Input should be a valid dictionary"],
    [inContent({ text: "a" }), "messages.0.content.0.type: Field required"],
    [inContent({ type: 5 }), "messages.0.content.0.type: Input should be a valid string"],
    [inContent({ type: "image" }), "messages.0.content.0.source: Field required"],
    [inContent({ type: "image", source: {} }), "messages.0.content.0.source.type: Field required"],
    [
      inContent({ type: "image", source: { type: "url", url: 5 } }),
      "messages.0.content.0.source.url: Input should be a valid string",
    ],
    [
      inContent({ type: "image", source: { type: "base64", data: "" } }),
      "messages.0.content.0.source.media_type: Field required",
    ],
    [
      inContent({ type: "document", source: { type: "content", content: [{ type: "text" }] } }),
      "messages.0.content.0.source.content.0.text: Field required",
    ],
    [inContent({ type: "tool_result" }), "messages.0.content.0.tool_use_id: Field required"],
    [
      inContent({ type: "tool_result", tool_use_id: "a", content: [{ type: "text" }] }),
      "messages.0.content.0.content.0.text: Field required",
    ],
    [
      inContent({ type: "tool_result", tool_use_id: "a", content: 5 }),
      "messages.0.content.0.content: Input should be a valid string or list",
    ],
    [inContent({ type: "tool_use", id: "a" }, "assistant"), "messages.0.content.0.name: Field required"],
    [inContent({ type: "thinking" }, "assistant"), "messages.0.content.0.thinking: Field required"],
    [{ messages, model: 5 }, "model: Input should be a valid string"],
    [{ messages, system: 5 }, "system: Input should be a valid string or list"],
    [{ messages, system: [{ type: "text" }] }, "system.0.text: Field required"],
    [{ messages, max_tokens: "5" }, "max_tokens: Input should be a valid number"],
    [{ messages, temperature: [] }, "temperature: Input should be a valid number"],
    [{ messages, stream: "yes" }, "stream: Input should be a valid boolean"],
    [{ messages, stop_sequences: "x" }, "stop_sequences: Input should be a valid list"],
    [{ messages, stop_sequences: ["x", 1] }, "stop_sequences.1: Input should be a valid string"],
    [{ messages, tools: {} }, "tools: Input should be a valid list"],
    [{ messages, tools: [null] }, "tools.0: Input should be a valid dictionary"],
    [{ messages, tools: [tool, { input_schema: {} }] }, "tools.1.name: Field required"],
    [{ messages, tools: [{ name: "t" }] }, "tools.0.input_schema: Field required"],
    [
      { messages, tools: [{ ...tool, input_schema: [] }] },
      "tools.0.input_schema: Input should be a valid dictionary",
    ],
    [{ messages, tool_choice: "auto" }, "tool_choice: Input should be a valid dictionary"],
    [{ messages, tool_choice: {} }, "tool_choice.type: Field required"],
    [
      { messages, tool_choice: { type: "required" } },
      "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'",
    ],
    [{ messages, tool_choice: { type: "tool" } }, "tool_choice.name: Field required"],
    [{ messages, thinking: "on" }, "thinking: Input should be a valid dictionary"],
    [{ messages, thinking: {} }, "thinking.type: Field required"],
    [{ messages, output_config: { format: {} } }, "output_config.format.type: Field required"],
    [{ messages, mcp_servers: [{ url: "https://x.test" }] }, "mcp_servers: not supported by this proxy"],
  ])("%j: %s", (body, expected) => {
    expect(problemOf(body)).toBe(expected)
  })

  test("three problems are told at most", () => {
    const body = { messages: [{}, {}], max_tokens: "a", stream: "b", system: 5 }
    expect(problemOf(body)).toBe(
      "messages.0.role: Field required; messages.1.role: Field required; system: Input should be a valid string or list",
    )
  })
})

describe("what is not wrong", () => {
  const optional = [
    ...["model", "system", "max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "stream"],
    ...["tools", "tool_choice", "thinking", "output_config", "output_format", "metadata", "service_tier"],
    ...["speed", "mcp_servers", "container", "context_management", "cache_control"],
  ]
  test.each<[string, unknown]>([
    ...optional.map((field): [string, unknown] => [`${field}: null`, { messages, [field]: null }]),
    ["fields of tomorrow", { messages, tomorrow: { a: [1] }, diagnostics: {} }],
    ["a block of tomorrow", inContent({ type: "hologram", data: 5 })],
    ["a source of tomorrow", inContent({ type: "image", source: { type: "telepathy" } })],
    ["a thinking of tomorrow", { messages, thinking: { type: "deep", depth: "very" } }],
    ["an effort of tomorrow", { messages, output_config: { effort: 11, task_budget: 5 } }],
    ["a role of the other API", { messages: [{ role: "developer", content: "x" }] }],
    [
      "a system message without content",
      { messages: [{ role: "system", output_config: { effort: "low" } }] },
    ],
    ["a system message with null", { messages: [{ role: "system", content: null, clear_at: null }] }],
    ["an odd per-message setting", { messages: [{ ...messages[0], output_config: "x", clear_at: 5 }] }],
    ["metadata of any kind", { messages, metadata: "me" }],
    ["no mcp servers", { messages, mcp_servers: [] }],
    ["a choice with nulls", { messages, tool_choice: { type: "auto", disable_parallel_tool_use: null } }],
    [
      "a tool with nulls",
      { messages, tools: [{ ...tool, type: null, description: null, strict: null, defer_loading: null }] },
    ],
    ["a typed tool without name and schema", { messages, tools: [{ type: "mcp_toolset", name: null }] }],
    [
      "a result with nulls",
      inContent({ type: "tool_result", tool_use_id: "a", content: null, is_error: null }),
    ],
    ["a result of nothing", inContent({ type: "tool_result", tool_use_id: "a" })],
    ["a call without input", inContent({ type: "tool_use", id: "a", name: "b" }, "assistant")],
    [
      "thinking without signature",
      inContent({ type: "thinking", thinking: "x", signature: null }, "assistant"),
    ],
    [
      "nulls in a document",
      inContent({ type: "document", title: null, context: null, source: { type: "url", url: "u" } }),
    ],
    [
      "strings among the blocks",
      { messages: [{ role: "user", content: ["a", { type: "text", text: "b" }] }] },
    ],
  ])("%s", (_, body) => {
    expect(problemOf(body)).toBe("none")
  })
})

test("content and system come out as blocks and texts, whatever they went in as", () => {
  const parsed = MessagesRequest.parse({
    messages: [{ role: "user", content: "hi" }, { role: "system" }],
    system: [{ type: "text", text: "a", cache_control: {} }, { type: "image_of_tomorrow" }],
  })
  expect(parsed.messages.map(({ content }) => content)).toEqual([[{ type: "text", text: "hi" }], []])
  expect(parsed.system).toEqual(["a"])
  expect(MessagesRequest.parse({ messages, system: "b" }).system).toEqual(["b"])
  expect(MessagesRequest.parse({ messages }).system).toEqual([])
})

test("tools come out in one form", () => {
  const names = (tools: readonly unknown[]) =>
    MessagesRequest.parse({ messages, tools }).tools?.map(({ type, name, defer_loading, strict }) => [
      ...[type, name, defer_loading, strict],
    ])
  expect(names([tool, { ...tool, type: "custom", defer_loading: true, strict: true }])).toEqual([
    ["custom", "t", false, false],
    ["custom", "t", true, true],
  ])
  expect(names([{ type: "bash_20250124", name: "bash" }, { type: "mcp_toolset" }])).toEqual([
    ["bash_20250124", "bash", false, false],
    ["mcp_toolset", "mcp_toolset", false, false],
  ])
})

describe("what cannot be served here is refused with its place", () => {
  const files = "this proxy has no Files API; send the content itself, as base64 or by its URL"
  const file = (type: string) => ({ type, source: { type: "file", file_id: "f" } })
  const result = (...content: readonly unknown[]) => ({ type: "tool_result", tool_use_id: "a", content })
  const whole = { type: "document", source: { type: "content", content: ["a", file("image")] } }
  const text = { type: "text", text: "a" }
  const no = (what: string) => `${what} source type 'file' is not supported: ${files}`
  test.each<[object, string]>([
    [inContent(file("image")), `messages.0.content.0.source: ${no("image")}`],
    [inContent(file("document")), `messages.0.content.0.source: ${no("document")}`],
    [inContent(result(text, file("image"))), `messages.0.content.0.content.1.source: ${no("image")}`],
    [inContent(whole), `messages.0.content.0.source.content.1.source: ${no("image")}`],
    [inContent(result(whole)), `messages.0.content.0.content.0.source.content.1.source: ${no("image")}`],
    [{ messages, mcp_servers: [{ type: "url" }] }, "mcp_servers: not supported by this proxy"],
    [
      { messages, billing_policy: { type: "billing_policy", bill_to: "user_profile" } },
      "billing_policy.bill_to: 'user_profile' is not supported by this proxy; leave it out, or use 'self'",
    ],
    [{ messages, billing_policy: { type: "billing_policy", bill_to: "self" } }, "none"],
    [{ messages, billing_policy: null }, "none"],
    [{ messages, billing_policy: 5 }, "none"],
  ])("%j", (body, expected) => {
    expect(problemOf(body)).toBe(expected)
    // Others may serve it: its tokens can be estimated all the same.
    expect(CountRequest.safeParse(body).success).toBe(true)
  })
})

test("tokens of tools alone can be estimated", () => {
  expect(CountRequest.safeParse({ tools: [tool] }).success).toBe(true)
  expect(CountRequest.safeParse({ messages: [{ role: "user" }] }).success).toBe(false)
})

test("the fields that are read are known by name", () => {
  expect(knownFields.has("messages")).toBe(true)
  expect(knownFields.has("context_management")).toBe(false)
  expect(knownFields.has("billing_policy")).toBe(false)
})
