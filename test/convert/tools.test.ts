import { describe, expect, test } from "bun:test"
import { prepareTools } from "../../src/convert/request/tools.ts"
import { isStrict } from "../../src/convert/schema/schema.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"
import { ask, convert, gpt4o, noteLines, ollama, parse, routeTo, text, user } from "./request-support.ts"

const hi = user(text("hi"))
const closed = { type: "object", properties: {}, additionalProperties: false }
const tool = (name: string, more: object = {}) => ({ name, input_schema: closed, ...more })

function prepare(more: Readonly<Record<string, unknown>>, delta: ProfileDelta = {}) {
  return prepareTools(parse(ask([hi], more)), routeTo(gpt4o, delta).profile)
}

const namesOf = ({ tools }: ReturnType<typeof prepare>) => tools.map((sent) => sent.function.name)

describe("tool_choice", () => {
  const named = { type: "function", function: { name: "b" } }
  const auto: ProfileDelta = { toolChoice: { any: "auto", named: "auto" } }
  const only: ProfileDelta = { toolChoice: { named: "only-tool", none: "drop-tools" } }
  test.each<[object | null | undefined, ProfileDelta, unknown, readonly string[], boolean]>([
    [undefined, {}, undefined, ["a", "b"], false],
    [null, {}, undefined, ["a", "b"], false],
    [{ type: "auto" }, {}, undefined, ["a", "b"], false],
    [{ type: "any" }, {}, "required", ["a", "b"], true],
    [{ type: "tool", name: "b" }, {}, named, ["a", "b"], true],
    [{ type: "none" }, {}, "none", ["a", "b"], false],
    [{ type: "any" }, auto, "auto", ["a", "b"], false],
    [{ type: "tool", name: "b" }, auto, "auto", ["a", "b"], false],
    [{ type: "tool", name: "b" }, only, "required", ["b"], true],
    [{ type: "none" }, only, undefined, [], false],
    [{ type: "tool", name: "unknown" }, {}, undefined, ["a", "b"], false],
  ])("%j with %j", (tool_choice, delta, choice, names, forced) => {
    const prepared = prepare({ tools: [tool("a"), tool("b")], tool_choice }, delta)
    expect<unknown>(prepared.choice).toEqual(choice)
    expect(namesOf(prepared)).toEqual([...names])
    expect(prepared.forced).toBe(forced)
    expect([...prepared.offered]).toEqual([...names])
  })

  test.each([
    [{ type: "auto", disable_parallel_tool_use: true }, false],
    [{ type: "any", disable_parallel_tool_use: true }, false],
    [{ type: "tool", name: "a", disable_parallel_tool_use: true }, false],
    [{ type: "auto", disable_parallel_tool_use: false }, undefined],
    [{ type: "auto", disable_parallel_tool_use: null }, undefined],
    [{ type: "none", disable_parallel_tool_use: true }, undefined],
  ])("%j says of parallel calls: %p", (tool_choice, parallel) => {
    expect<unknown>(prepare({ tools: [tool("a")], tool_choice }).parallel).toBe(parallel)
  })

  test.each([{ type: "any" }, { type: "tool", name: "web_search" }])(
    "without a tool to send there is no choice: %j",
    (tool_choice) => {
      const tools = [{ type: "web_search_20250305", name: "web_search", max_uses: 8 }]
      const conversion = convert(ask([hi], { tools, tool_choice }))
      expect([conversion.body.tools, conversion.body.tool_choice]).toEqual([undefined, undefined])
      expect(noteLines(conversion)).toEqual(["changed tools.0", "dropped tool_choice"])
    },
  )

  test("Ollama ignores the choice, so the choice is made here", () => {
    const tools = [tool("a"), tool("b")]
    const chosen = convert(ask([hi], { tools, tool_choice: { type: "tool", name: "b" } }), ollama).body
    expect([chosen.tools?.length, chosen.tool_choice]).toEqual([1, undefined])
    const none = convert(ask([hi], { tools, tool_choice: { type: "none" } }), ollama).body
    expect([none.tools, none.tool_choice]).toEqual([undefined, undefined])
  })
})

describe("which tools are sent", () => {
  test.each([
    ["web_search_20260209", undefined],
    ["web_fetch_20250910", undefined],
    ["code_execution_20250825", undefined],
    ["tool_search_tool_bm25", undefined],
    ["mcp_toolset", undefined],
    ["something_20300101", undefined],
    ["something_20300101", closed],
    ["custom", closed],
    [null, closed],
  ])("type %p with schema %j", (type, input_schema) => {
    const prepared = prepare({ tools: [{ type, name: "t", input_schema }] })
    expect(namesOf(prepared)).toEqual(input_schema === undefined ? [] : ["t"])
    expect(prepared.notes.length).toBe(input_schema === undefined ? 1 : 0)
  })

  test("nothing of Anthropic's own goes along", () => {
    const more = {
      ...{ type: "custom", cache_control: { type: "ephemeral" }, eager_input_streaming: true },
      ...{ input_examples: [{}], allowed_callers: ["direct"], defer_loading: true, description: "d" },
    }
    expect(prepare({ tools: [tool("t", more)] }).tools).toEqual([
      { type: "function", function: { name: "t", description: "d", parameters: closed } },
    ])
  })

  test("OpenAI's own shape is understood", () => {
    const parameters = { type: "object", properties: { a: { type: "string" } } }
    const tools = [{ type: "function", function: { name: "t", description: "d", parameters } }]
    expect(prepare({ tools }).tools).toEqual([
      { type: "function", function: { name: "t", description: "d", parameters } },
    ])
  })

  test("of two tools with one name the first is sent", () => {
    const prepared = prepare({ tools: [tool("t", { description: "1" }), tool("t", { description: "2" })] })
    expect(prepared.tools.map((sent) => sent.function.description)).toEqual(["1"])
    expect(prepared.notes.map(({ path }) => path)).toEqual(["tools.1"])
  })

  test("tools keep their order; those loaded later follow in the order they were referred to", () => {
    const late = { defer_loading: true }
    const tools = [tool("d", late), tool("b"), tool("c", late), tool("a"), tool("e", late)]
    const reference = (tool_name: string) => ({ type: "tool_reference", tool_name })
    const content = [reference("e"), reference("c")]
    const history = [hi, user({ type: "tool_result", tool_use_id: "x", content })]
    const { tools: sent } = prepareTools(parse(ask(history, { tools })), routeTo(gpt4o).profile)
    expect(sent.map((one) => one.function.name)).toEqual(["b", "a", "e", "c", "d"])
  })

  const open = { type: "object", properties: { a: { type: "string" } } }
  test.each([
    [true, true, closed, true],
    [true, true, open, undefined],
    [true, false, closed, undefined],
    [false, true, closed, undefined],
  ])("strict: asked %p, taken %p", (strict, strictTools, input_schema, expected) => {
    const prepared = prepare({ tools: [tool("t", { strict, input_schema })] }, { strictTools })
    expect(prepared.tools[0]?.function.strict).toBe(expected)
    expect(prepared.notes.map(({ path }) => path)).toEqual(strict && !expected ? ["tools.0.strict"] : [])
  })
})

describe("strict schemas", () => {
  const string = { type: "string" }
  const of = (properties: object, more: object = {}) => ({
    ...{ type: "object", properties, required: Object.keys(properties), additionalProperties: false },
    ...more,
  })
  test.each<[boolean, unknown]>([
    [true, of({})],
    [true, of({ a: string, b: { type: ["string", "null"] }, c: { type: "array", items: of({}) } })],
    [true, of({ a: { anyOf: [string, { $ref: "#/$defs/x" }] } }, { $defs: { x: of({}) } })],
    [true, of({ a: { type: "string", format: "date-time", pattern: "x", description: "d" } })],
    [false, { type: "object", properties: {} }],
    [false, of({ a: string }, { required: [] })],
    [false, of({ a: { type: "object", properties: {} } })],
    [false, of({ a: { type: "array", items: { type: "object", properties: {} } } })],
    [false, of({ a: { type: "array", items: {} } })],
    [false, of({ a: {} })],
    [false, of({ a: { type: "string", format: "uri" } })],
    [false, of({ a: { type: "string", default: "x" } })],
    [false, of({ a: string }, { propertyNames: string })],
    [false, of({ a: { oneOf: [string] } })],
    [false, true],
    [false, undefined],
  ])("%p: %j", (expected, schema) => {
    expect(isStrict(schema)).toBe(expected)
  })
})
