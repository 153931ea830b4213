// Treacherous requests, one test for each number: tools, forced choices, thinking and its switches.
import { expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import { arrayOf, objectOf } from "../../src/protocol/json.ts"
import {
  ask,
  assistant,
  call,
  chatCall,
  convert,
  deepseek,
  gpt4o,
  gpt5,
  messagesOf,
  noteLines,
  readFixture,
  result,
  type Target,
  text,
  user,
} from "../convert/request-support.ts"
import { finishChunk, toolChunks } from "../support/chunks.ts"
import { foldOf } from "../support/fixtures.ts"
import { everyTarget, failing, refusals, sent } from "./support.ts"

const hi = user(text("hi"))
const tool = (name: string, schema: object = { type: "object", properties: {} }) => ({
  name,
  input_schema: schema,
})
const toolsOf = (body: JsonObject) => arrayOf(body["tools"]).map((one) => objectOf(objectOf(one)["function"]))

test("15: an empty list of tools is no list, and no choice", () => {
  const raw = ask([hi], { tools: [] })
  expect(failing((target) => !("tools" in sent(raw, target)))).toEqual([])
  expect(failing((target) => !("tool_choice" in sent(raw, target)))).toEqual([])
  expect(refusals(raw)).toEqual([])
})

const title = objectOf(await readFixture("claude-code-title"))
const titleSchema = {
  type: "object",
  properties: { title: { type: "string" } },
  required: ["title"],
  additionalProperties: false,
}

test.each<[Target, JsonObject]>([
  [gpt5, { reasoning_effort: "minimal" }],
  [["openai", "gpt-5.1"], { reasoning_effort: "none" }],
  [deepseek, { thinking: { type: "disabled" } }],
  [["moonshot", "kimi-k2.6"], { thinking: { type: "disabled" } }],
  [["zai", "glm-4.6"], { thinking: { type: "disabled" } }],
  [["zhipu", "glm-5.2"], { thinking: { type: "disabled" } }],
  [["minimax", "MiniMax-M3"], { thinking: { type: "disabled" } }],
  [["gemini", "gemini-2.5-flash"], { reasoning_effort: "none" }],
  [["ark", "doubao-seed-1-8-251228"], { thinking: { type: "disabled" } }],
  [["dashscope", "qwen3-max"], { enable_thinking: false }],
  [["siliconflow", "zai-org/GLM-4.6"], { enable_thinking: false }],
  [["openrouter", "z-ai/glm-4.6"], { reasoning: { enabled: false } }],
  [["groq", "qwen/qwen3-32b"], { reasoning_effort: "none" }],
  [["groq", "openai/gpt-oss-120b"], { reasoning_effort: "low" }],
  [["mistral", "mistral-small-latest"], { reasoning_effort: "none" }],
  [["fireworks", "accounts/fireworks/models/glm-4p6"], { reasoning_effort: "none" }],
  [["vllm", "Qwen/Qwen3-8B"], { chat_template_kwargs: { enable_thinking: false, thinking: false } }],
  [["ollama", "qwen3"], { reasoning_effort: "none" }],
])(
  "16: thinking disabled beats effort high, and the title's format goes the provider's way: %p",
  (target, off) => {
    const body = sent(title, target)
    const fields = ["thinking", "reasoning_effort", "enable_thinking", "reasoning", "chat_template_kwargs"]
    const switches = Object.fromEntries(Object.entries(body).filter(([field]) => fields.includes(field)))
    expect(switches).toEqual(off)
    const format = objectOf(body["response_format"])
    const [first] = arrayOf(body["messages"]).map(objectOf)
    if (format["type"] === "json_schema") {
      expect(objectOf(objectOf(format["json_schema"])["schema"])["properties"]).toEqual(
        titleSchema.properties,
      )
    } else {
      expect(String(first?.["content"])).toEndWith(`JSON schema:\n${JSON.stringify(titleSchema)}`)
      expect(format).toEqual(target[0] === "minimax" ? {} : { type: "json_object" })
    }
    expect(refusals(title, [target])).toEqual([])
  },
)

const forcing = [
  { type: "any" },
  { type: "tool", name: "Bash" },
  { type: "tool", name: "Bash", disable_parallel_tool_use: true },
]

test("17: a forced choice switches thinking off, or is only asked for, and no provider refuses it", () => {
  const tools = [tool("Bash"), tool("Read")]
  const history = [hi, assistant({ type: "thinking", thinking: "hm", signature: "" }, text("yes")), hi]
  for (const thinking of [{ thinking: { type: "adaptive" } }, {}]) {
    for (const tool_choice of forcing) {
      expect(refusals(ask(history, { tools, tool_choice, ...thinking }))).toEqual([])
    }
  }
  const more = { tools, thinking: { type: "adaptive" } }
  const named = { type: "function", function: { name: "Bash" } }
  const forced = { ...more, tool_choice: { type: "tool", name: "Bash" } }
  for (const target of [deepseek, ["moonshot", "kimi-k2.6"]] as const) {
    const body = sent(ask(history, forced), target)
    expect([body["tool_choice"], body["thinking"]]).toEqual([named, { type: "disabled" }])
    expect("reasoning_effort" in body).toBe(false)
    expect(arrayOf(body["messages"])[1]).toEqual({ role: "assistant", content: "yes" })
    const auto = sent(ask([hi], { ...more, tool_choice: { type: "auto" } }), target)
    expect(objectOf(auto["thinking"])["type"]).toBe("enabled")
  }
  const qwen = sent(ask([hi], forced), ["dashscope", "qwen3-max"])
  expect([qwen["tool_choice"], qwen["enable_thinking"]]).toEqual([named, false])
  const k3 = sent(ask([hi], forced), ["moonshot", "kimi-k3"])
  expect([k3["tool_choice"], toolsOf(k3).map(({ name }) => name)]).toEqual(["required", ["Bash"]])
})

test("18: haiku's budget of 31999 is a high level, and max_tokens stays below the model's limit", () => {
  const raw = ask([hi], { max_tokens: 32000, thinking: { type: "enabled", budget_tokens: 31999 } })
  const cases: readonly (readonly [Target, JsonObject])[] = [
    [gpt4o, { max_tokens: 16384 }],
    [gpt5, { max_completion_tokens: 32000, reasoning_effort: "high" }],
    [["openai", "gpt-5.2"], { max_completion_tokens: 32000, reasoning_effort: "xhigh" }],
    [deepseek, { max_tokens: 32000, thinking: { type: "enabled" }, reasoning_effort: "xhigh" }],
    [["deepseek", "deepseek-chat"], { max_tokens: 8192 }],
    [["moonshot", "kimi-k3"], { max_completion_tokens: 32000, reasoning_effort: "max" }],
    [["dashscope", "qwen3-max"], { enable_thinking: true, thinking_budget: 24576 }],
    [["openrouter", "z-ai/glm-4.6"], { max_tokens: 32000, reasoning: { effort: "xhigh" } }],
    [["xai", "grok-4.6"], { max_completion_tokens: 32000, reasoning_effort: "xhigh" }],
    [["gemini", "gemini-3-pro-preview"], { max_tokens: 32000, reasoning_effort: "high" }],
  ]
  for (const [target, expected] of cases) expect(sent(raw, target)).toMatchObject(expected)
  expect(refusals(raw)).toEqual([])
})

test("19: a name of 86 characters is shortened everywhere alike, and the reply calls it by its own", () => {
  const name = `mcp__${"a_server_with_a_very_long_name".repeat(2)}__and_a_long_tool_name`
    .padEnd(86, "x")
    .slice(0, 86)
  const raw = ask([hi, assistant(call("a", {}, name)), user(result("a"))], {
    tools: [tool(name), tool("Bash")],
    tool_choice: { type: "tool", name },
  })
  expect(name.length).toBe(86)
  const { body } = convert(raw)
  const short = body.tools?.[0]?.function?.name ?? ""
  expect(short).toMatch(/^mcp__[a-zA-Z0-9_-]{59}$/)
  expect(body.messages[1]).toMatchObject({ tool_calls: [chatCall("a", "{}", short)] })
  expect(body.tool_choice).toEqual({ type: "function", function: { name: short } })
  for (const target of everyTarget) {
    const { toolNames, offered } = convert(raw, target)
    const [given = ""] = toolsOf(sent(raw, target)).map((one) => String(one["name"]))
    expect(given.length).toBeLessThanOrEqual(64)
    expect(JSON.stringify(sent(raw, target))).not.toContain(name)
    const reply = foldOf([...toolChunks(0, "call_12345", given, { a: 1 }), finishChunk("tool_calls")], {
      tools: { toolNames, offered },
    }).reply
    expect(reply?.content).toMatchObject([{ type: "tool_use", name, input: { a: 1 } }])
  }
  expect(refusals(raw)).toEqual([])
})

test("20: a schema full of keywords is clean for Gemini, and keeps them elsewhere", () => {
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      limit: { type: "integer", exclusiveMinimum: 0, maximum: 9007199254740991 },
      metadata: { type: "object", propertyNames: { type: "string" }, additionalProperties: {} },
      status: { type: "string", const: "deleted" },
      url: { type: "string", format: "uri" },
      kind: { $ref: "#/$defs/kind" },
      owner: { type: ["string", "null"] },
    },
    required: ["limit"],
    additionalProperties: false,
    $defs: { kind: { type: "string", enum: ["a", "b"] } },
  }
  const raw = ask([hi], { tools: [tool("t", schema)] })
  const before = JSON.stringify(raw)
  const [gemini] = toolsOf(sent(raw, ["gemini", "gemini-3-pro-preview"]))
  expect(gemini?.["parameters"]).toMatchObject({
    type: "object",
    properties: {
      limit: { type: "integer", minimum: 1, maximum: 9007199254740991 },
      metadata: { type: "object" },
      status: { type: "string", enum: ["deleted"] },
      url: { type: "string" },
      kind: { type: "string", enum: ["a", "b"] },
      owner: { type: "string", nullable: true },
    },
    required: ["limit"],
  })
  expect(JSON.stringify(gemini)).not.toMatch(
    /"(\$schema|\$ref|\$defs|exclusiveMinimum|propertyNames|const|format|additionalProperties)":/,
  )
  const { $schema, ...kept } = schema
  const metadata = { ...schema.properties.metadata, properties: {} }
  const rest = { ...kept, properties: { ...schema.properties, metadata } }
  for (const target of [gpt4o, gpt5, deepseek, ["groq", "llama-3.3-70b"]] as const) {
    expect(toolsOf(sent(raw, target))[0]?.["parameters"]).toEqual(rest)
  }
  expect($schema).toBeString()
  expect(refusals(raw)).toEqual([])
  expect(JSON.stringify(raw)).toBe(before)
})

test("21: an object schema without properties gets empty ones", () => {
  const raw = ask([hi], { tools: [tool("t", { type: "object" })] })
  const parameters = (target: Target) => objectOf(toolsOf(sent(raw, target))[0]?.["parameters"])
  expect(parameters(gpt4o)).toEqual({ type: "object", properties: {} })
  expect(failing((target) => JSON.stringify(parameters(target)["properties"]) === "{}")).toEqual([])
  expect(refusals(raw)).toEqual([])
})

test("22: a tool that was loaded late is sent like any other, and the reference to it is text", async () => {
  const raw = objectOf(await readFixture("claude-code-tool-search"))
  const { body } = convert(raw)
  expect(body.tools?.map((one) => one.function?.name)).toEqual([
    ...["Bash", "Edit", "Read", "ToolSearch", "Write"],
    ...["WebFetch", "NotebookEdit"],
  ])
  expect(body.messages).toContainEqual({
    ...{ role: "tool", tool_call_id: "toolu_search1" },
    content: "Tool WebFetch is now available.",
  })
  expect(JSON.stringify(body)).not.toContain("defer_loading")
  expect(refusals(raw)).toEqual([])
})

test.each<[string, string, string, readonly string[]]>([
  ["bash_20250124", "bash", "command", []],
  ["text_editor_20250728", "str_replace_based_edit_tool", "old_str", ["command", "path"]],
  ["text_editor_20250124", "str_replace_editor", "insert_line", ["command", "path"]],
  ["memory_20250818", "memory", "old_path", ["command"]],
  ["computer_20251124", "computer", "coordinate", ["action"]],
])("24: %s gets the schema that Anthropic keeps for it", (type, name, property, required) => {
  const raw = ask([hi], { tools: [{ type, name }] })
  const [given] = toolsOf(sent(raw))
  expect(given?.["name"]).toBe(name)
  expect(given?.["parameters"]).toMatchObject({ type: "object", required: [...required] })
  expect(objectOf(given?.["parameters"])["properties"]).toHaveProperty(property)
  expect(refusals(raw)).toEqual([])
})

test.each<Target>([
  ...([gpt5, ["openai", "o3"], ["azure", "gpt-5"], ["moonshot", "kimi-k2.6"]] as const),
  ...([
    ["moonshot", "kimi-k3"],
    ["kimi", "kimi-for-coding"],
  ] as const),
  ...([
    ["generic", "kimi-k2.5"],
    ["generic", "moonshotai/Kimi-K3"],
    ["openrouter", "moonshotai/kimi-k2.5"],
  ] as const),
])("26: temperature 1 is left out for %s %s", (provider, model) => {
  const conversion = convert(ask([hi], { temperature: 1 }), [provider, model])
  expect("temperature" in conversion.body).toBe(false)
  expect(noteLines(conversion)).toContain("dropped temperature")
})

test("27: gpt-5.6 takes tools with effort none only", () => {
  const effort = { thinking: { type: "adaptive" }, output_config: { effort: "high" } }
  for (const target of [
    ["openai", "gpt-5.6"],
    ["azure", "gpt-5.6-mini"],
  ] as const) {
    for (const more of [effort, {}]) {
      expect(convert(ask([hi], { tools: [tool("t")], ...more }), target).body.reasoning_effort).toBe("none")
    }
    expect(convert(ask([hi], effort), target).body.reasoning_effort).toBe("high")
    expect(messagesOf([hi], target)).toEqual([{ role: "user", content: "hi" }])
  }
})
