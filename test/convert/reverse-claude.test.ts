// What Claude's models refuse of the requests of OpenAI's clients.
import { expect, test } from "bun:test"
import { fitClaude } from "../../src/convert/reverse/claude.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { hello, reverse } from "./reverse-support.ts"

const thinking = { thinking: { type: "adaptive" }, output_config: { effort: "high" } }
const format = { type: "json_schema", json_schema: { name: "out", schema: { type: "object" } } }
const formatted = { output_config: { format: { type: "json_schema", schema: { type: "object" } } } }
const parameters = { type: "object", properties: {} }
const clock = { type: "function", function: { name: "clock", parameters } }
const tool = { name: "clock", input_schema: parameters }
const sampled = { temperature: 0.2, top_p: 1, top_k: 5 }
const taken = ["dropped temperature", "dropped top_p", "dropped top_k"]

type Case = readonly [models: string, sent: JsonObject, expected: JsonObject, notes: readonly string[]]

const cases: readonly Case[] = [
  [
    "claude-3-haiku-20240307 claude-opus-4-20250514 claude-sonnet-4@20250514 claude-opus-4-1-20250805 claude-haiku-4-5",
    { reasoning_effort: "high", response_format: format },
    formatted,
    ["dropped reasoning_effort"],
  ],
  [
    "claude-opus-4-5-20251101 us.anthropic.claude-sonnet-4-5-20250929-v1:0 anthropic/claude-sonnet-4.5",
    { reasoning_effort: "high", temperature: 0.2 },
    { temperature: 0.2 },
    ["dropped reasoning_effort"],
  ],
  [
    "claude-opus-5-5 claude-sonnet-5.5 claude-fable-5 claude-mythos-5-1 anthropic/claude-fable-5-2",
    { reasoning_effort: "none", response_format: format },
    { thinking: thinking.thinking, output_config: { ...formatted.output_config, effort: "low" } },
    ["changed reasoning_effort"],
  ],
  [
    "claude-opus-5 claude-sonnet-5 claude-haiku-5-5",
    { reasoning_effort: "none", temperature: 0 },
    { thinking: { type: "disabled" } },
    ["dropped temperature"],
  ],
  [
    "claude-opus-5-5 claude-sonnet-5-5-20260901 claude-fable-5-1",
    { tool_choice: "required", parallel_tool_calls: false, tools: [clock] },
    { tool_choice: { type: "auto", disable_parallel_tool_use: true }, tools: [tool] },
    ["changed tool_choice"],
  ],
  [
    "claude-opus-5-5",
    { tool_choice: { type: "function", function: { name: "clock" } }, tools: [clock] },
    { tool_choice: { type: "auto" }, tools: [tool] },
    ["changed tool_choice"],
  ],
  [
    "claude-opus-5 claude-fable-5 claude-fable-5-20260401 claude-haiku-4-5",
    { tool_choice: "required", tools: [clock] },
    { tool_choice: { type: "any" }, tools: [tool] },
    [],
  ],
  ["claude-haiku-4-5", { reasoning_effort: "none" }, { thinking: { type: "disabled" } }, []],
  [
    "claude-opus-4-6 claude-sonnet-4.6 claude-sonnet-latest",
    { reasoning_effort: "high", ...sampled },
    thinking,
    taken,
  ],
  ["claude-haiku-4-5 claude-sonnet-4-6", sampled, { temperature: 0.2, top_k: 5 }, ["dropped top_p"]],
  ["claude-haiku-4-5 claude-sonnet-4-6", { top_p: 0.9 }, { top_p: 0.9 }, []],
  [
    "claude-opus-4-7 claude-opus-4.8 claude-sonnet-5 claude-haiku-5-5 claude-fable-5-2 anthropic/claude-opus-5",
    { reasoning_effort: "high", ...sampled },
    thinking,
    taken,
  ],
  ["kimi-k3 deepseek-v4-pro", { reasoning_effort: "high", ...sampled }, { ...thinking, ...sampled }, []],
]

test.each(cases)("%s: %j", (models, sent, expected, notes) => {
  for (const model of models.split(" ")) {
    const { request } = reverse({ model: "m", messages: [hello], ...sent })
    const fitted = fitClaude(request, model)
    const { messages, model: _, ...rest } = fitted.body
    const lines = fitted.notes.map(({ kind, path }) => `${kind} ${path}`)
    expect([model, rest, lines]).toEqual([model, expected, [...notes]])
    expect(messages).toEqual(request["messages"])
  }
})

test("thinking without Claude's signature is not sent back to it", () => {
  const call = { id: "toolu_1", type: "function", function: { name: "clock", arguments: "{}" } }
  const messages = [
    hello,
    { role: "assistant", content: "Let me.", reasoning_content: "A clock.", tool_calls: [call] },
    { role: "tool", tool_call_id: "toolu_1", content: "12:00" },
    { role: "assistant", content: null, reasoning_content: "So." },
    hello,
  ]
  const { request } = reverse({ model: "m", messages, reasoning_effort: "high" })
  const { body, notes } = fitClaude(request, "claude-opus-5-5")
  expect(body["messages"]).toMatchObject([
    { role: "user" },
    { role: "assistant", content: [{ type: "text" }, { type: "tool_use" }] },
    { role: "user", content: [{ type: "tool_result" }] },
    { role: "user" },
  ])
  expect(notes.map(({ path }) => path)).toEqual(["messages"])
  expect(fitClaude(request, "kimi-k3").body["messages"]).toEqual(request["messages"])
})
