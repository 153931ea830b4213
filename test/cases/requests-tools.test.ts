// Treacherous requests, one test for each number: tools, their names and schemas.
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
