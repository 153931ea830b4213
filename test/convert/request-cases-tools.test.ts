// The treacherous requests, one test each, under their numbers: tools and thinking.
import { describe, expect, test } from "bun:test"
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
} from "./request-support.ts"

const hi = user(text("hi"))

const tool = (name: string, schema: object = { type: "object", properties: {} }) => ({
  name,
  input_schema: schema,
})

describe("tools and thinking", () => {
  test("15: an empty list of tools is no list, and no choice", () => {
    const { body } = convert(ask([hi], { tools: [] }))
    expect([body.tools, body.tool_choice, "tools" in body, "tool_choice" in body]).toEqual([
      undefined,
      undefined,
      false,
      false,
    ])
  })

  test("16: thinking disabled beats effort; the title's format goes the provider's way", async () => {
    const title = await readFixture("claude-code-title")
    const schema = {
      type: "object",
      properties: { title: { type: "string" } },
      required: ["title"],
      additionalProperties: false,
    }
    const json_schema = { name: "response", schema, strict: true }
    expect(convert(title, gpt5).body).toMatchObject({
      reasoning_effort: "minimal",
      response_format: { type: "json_schema", json_schema },
    })
    const { body } = convert(title, deepseek)
    expect(body).toMatchObject({ thinking: { type: "disabled" }, response_format: { type: "json_object" } })
    expect(body.reasoning_effort).toBe(undefined)
    expect(String(body.messages[0]?.content)).toEndWith(`JSON schema:\n${JSON.stringify(schema)}`)
  })

  test.each([
    ["tool", { type: "tool", name: "Bash" }, { type: "function", function: { name: "Bash" } }],
    ["any", { type: "any" }, "required"],
  ] as const)("17: a forced choice (%s) switches DeepSeek's thinking off", (_, choice, expected) => {
    const forced = { tools: [tool("Bash")], tool_choice: choice }
    for (const thinking of [{ thinking: { type: "adaptive" } }, {}]) {
      const { body } = convert(ask([hi], { ...forced, ...thinking }), deepseek)
      expect([body.tool_choice, body.thinking, body.reasoning_effort]).toEqual([
        expected,
        { type: "disabled" },
        undefined,
      ])
    }
  })

  test("17: without a forced choice DeepSeek thinks on", () => {
    const more = { tools: [tool("Bash")], tool_choice: { type: "auto" }, thinking: { type: "adaptive" } }
    const { body } = convert(ask([hi], more), deepseek)
    expect([body.thinking, body.reasoning_effort]).toEqual([{ type: "enabled" }, "high"])
  })

  test("17: history has no reasoning while thinking is off", () => {
    const history = [hi, assistant({ type: "thinking", thinking: "hm", signature: "" }, text("yes")), hi]
    const off = messagesOf(history, deepseek, { tools: [tool("Bash")], tool_choice: { type: "any" } })
    expect(off[1]).toEqual({ role: "assistant", content: "yes" })
  })

  test.each<[Target, object]>([
    [gpt4o, { max_tokens: 16384 }],
    [gpt5, { max_completion_tokens: 32000, reasoning_effort: "high" }],
    [["openai", "gpt-5.2"], { max_completion_tokens: 32000, reasoning_effort: "xhigh" }],
    [deepseek, { max_tokens: 32000, thinking: { type: "enabled" }, reasoning_effort: "xhigh" }],
    [["deepseek", "deepseek-chat"], { max_tokens: 8192 }],
  ])("18: haiku's budget of 31999 for %p", (target, expected) => {
    const raw = ask([hi], { max_tokens: 32000, thinking: { type: "enabled", budget_tokens: 31999 } })
    expect(convert(raw, target).body).toMatchObject(expected)
  })

  test("19: a name of 86 characters is shortened everywhere alike, and known by its own again", () => {
    const name = `mcp__${"a_server_with_a_very_long_name".repeat(2)}__and_a_long_tool_name`
      .padEnd(86, "x")
      .slice(0, 86)
    const raw = ask([hi, assistant(call("a", {}, name)), user(result("a"))], {
      tools: [tool(name), tool("Bash")],
      tool_choice: { type: "tool", name },
    })
    const { body, toolNames, offered } = convert(raw)
    const short = body.tools?.[0]?.function?.name ?? ""
    expect(name.length).toBe(86)
    expect(short).toMatch(/^mcp__[a-zA-Z0-9_-]{59}$/)
    expect(body.messages[1]).toMatchObject({ tool_calls: [chatCall("a", "{}", short)] })
    expect(body.tool_choice).toEqual({ type: "function", function: { name: short } })
    expect([...toolNames]).toEqual([[short, name]])
    expect([...offered]).toEqual([name, "Bash"])
  })

  test("21: an object schema without properties gets empty ones", () => {
    const { body } = convert(ask([hi], { tools: [tool("t", { type: "object" })] }))
    expect(body.tools?.[0]?.function?.parameters).toEqual({ type: "object", properties: {} })
  })

  test("22: a tool that was loaded late is sent like any other; the reference to it is text", async () => {
    const { body } = convert(await readFixture("claude-code-tool-search"))
    expect(body.tools?.map((sent) => sent.function?.name)).toEqual([
      ...["Bash", "Edit", "Read", "ToolSearch", "Write"],
      ...["WebFetch", "NotebookEdit"],
    ])
    expect(body.messages).toContainEqual({
      ...{ role: "tool", tool_call_id: "toolu_search1" },
      content: "Tool WebFetch is now available.",
    })
    expect(JSON.stringify(body)).not.toContain("defer_loading")
  })

  test.each([
    ["bash_20250124", "bash", "command", []],
    ["text_editor_20250728", "str_replace_based_edit_tool", "old_str", ["command", "path"]],
    ["text_editor_20250124", "str_replace_editor", "insert_line", ["command", "path"]],
    ["memory_20250818", "memory", "old_path", ["command"]],
    ["computer_20251124", "computer", "coordinate", ["action"]],
  ])("24: %s gets the schema that Anthropic keeps for it", (type, name, property, required) => {
    const { body } = convert(ask([hi], { tools: [{ type, name }] }))
    const sent = body.tools?.[0]?.function
    expect(sent?.name).toBe(name)
    expect(sent?.parameters).toMatchObject({ type: "object", required })
    expect(sent?.parameters["properties"]).toHaveProperty(property)
  })

  test.each<Target>([gpt5, ["openai", "o3"], ["generic", "kimi-k2.5"], ["generic", "moonshotai/Kimi-K3"]])(
    "26: temperature 1 is left out for %s %s",
    (provider, model) => {
      const conversion = convert(ask([hi], { temperature: 1 }), [provider, model])
      expect("temperature" in conversion.body).toBe(false)
      expect(noteLines(conversion)).toContain("dropped temperature")
    },
  )

  test("27: gpt-5.6 takes tools with effort none only", () => {
    const target: Target = ["openai", "gpt-5.6"]
    const effort = { thinking: { type: "adaptive" }, output_config: { effort: "high" } }
    for (const more of [effort, {}]) {
      expect(convert(ask([hi], { tools: [tool("t")], ...more }), target).body.reasoning_effort).toBe("none")
    }
    expect(convert(ask([hi], effort), target).body.reasoning_effort).toBe("high")
  })
})
