// Treacherous requests, one test for each number: thinking, its switches, and what does not go with it.
import { expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import { arrayOf, objectOf } from "../../src/protocol/json.ts"
import {
  ask,
  assistant,
  convert,
  deepseek,
  gpt4o,
  gpt5,
  messagesOf,
  noteLines,
  readFixture,
  type Target,
  text,
  user,
} from "../convert/request-support.ts"
import { refusals, sent } from "./support.ts"

const hi = user(text("hi"))
const tool = (name: string, schema: object = { type: "object", properties: {} }) => ({
  name,
  input_schema: schema,
})
const toolsOf = (body: JsonObject) => arrayOf(body["tools"]).map((one) => objectOf(objectOf(one)["function"]))

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
