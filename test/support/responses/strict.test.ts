// The strict server itself: what it takes, and each thing that it refuses.
import { describe, expect, test } from "bun:test"
import type { JsonObject } from "../../../src/protocol/json.ts"
import { encrypted, itemsOf } from "./items.ts"
import { createReasoningMemory } from "./memory.ts"
import { checkResponsesBody } from "./strict.ts"

const parameters = { type: "object", properties: {} }
const tool = { type: "function", name: "Read", parameters, strict: false }
const user = { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }
const call = { type: "function_call", call_id: "a", name: "Read", arguments: "{}" }
const fine: JsonObject = {
  ...{ model: "gpt-5.6", input: [user], store: false, include: ["reasoning.encrypted_content"] },
  ...{
    tools: [tool, { type: "web_search" }],
    reasoning: { effort: "high", summary: "auto" },
    max_output_tokens: 16,
  },
}

test("a correct request is taken", () => {
  expect(checkResponsesBody(fine)).toEqual([])
})

test.each<[string, JsonObject, string]>([
  ["an unknown field", { stop: ["x"] }, "stop"],
  ["storage", { store: true }, "store"],
  ["storage by default", { store: undefined }, "store"],
  ["an id", { input: [user, { ...call, id: "fc_1" }] }, "input[1].id"],
  ["an item of another API", { input: [{ role: "user", content: "hi" }] }, "input[0].type"],
  [
    "a part of another API",
    { input: [{ ...user, content: [{ type: "text", text: "hi" }] }] },
    "content[0].type",
  ],
  ["an empty text", { input: [{ ...user, content: [{ type: "input_text", text: "" }] }] }, "empty text"],
  [
    "a file that is none",
    { input: [{ ...user, content: [{ type: "input_file", filename: "a", file_data: "x" }] }] },
    "file_data",
  ],
  [
    "output text of the user",
    { input: [{ ...user, content: [{ type: "output_text", text: "hi" }] }] },
    "content[0].type",
  ],
  ["a call_id that is too long", { input: [{ ...call, call_id: "x".repeat(65) }] }, "call_id"],
  ["an odd call_id", { input: [{ ...call, call_id: "a b" }] }, "odd characters"],
  ["arguments that are no JSON", { input: [{ ...call, arguments: "{" }] }, "arguments"],
  ["a nested tool", { tools: [{ type: "function", function: tool }] }, "tools[0].function"],
  ["a tool without strict", { tools: [{ ...tool, strict: undefined }] }, "tools[0].strict"],
  ["a strict tool that is not", { tools: [{ ...tool, strict: true }] }, "additionalProperties"],
  ["a nested choice", { tool_choice: { type: "function", function: { name: "Read" } } }, "tool_choice"],
  ["a choice of nothing", { tool_choice: { type: "function", name: "Write" } }, "tool_choice"],
  ["an unknown choice", { tool_choice: "any" }, "tool_choice"],
  ["a choice without tools", { tools: undefined, tool_choice: "auto" }, "tool_choice"],
  ["too few tokens", { max_output_tokens: 15 }, "max_output_tokens"],
  ["a temperature", { temperature: 1 }, "temperature"],
  ["a summary of nothing", { reasoning: { effort: "none", summary: "auto" } }, "reasoning.summary"],
  ["reasoning of a model that has none", { model: "gpt-4o" }, "reasoning"],
  ["reasoning that nobody can return", { include: [] }, "include"],
  ["a format in Chat's place", { response_format: { type: "json_object" } }, "response_format"],
  ["a format in Chat's form", { text: { format: { type: "json_schema", json_schema: {} } } }, "text.format"],
  ["a carrier of ours", { instructions: "ccp1.abcdef" }, "a carrier of ours"],
  ["encrypted reasoning in another place", { instructions: encrypted("x") }, "encrypted reasoning"],
])("refused: %s", (_name, more, reason) => {
  expect(checkResponsesBody({ ...fine, ...more }).join("; ")).toContain(reason)
})

const output = itemsOf(
  { think: "So.", opaque: true, text: "I look.", calls: [{ name: "Read", input: {} }] },
  0,
)
const back = output.map(({ id: _, status: __, ...item }) => item)
const [reasoning, message, made] = back
const result = { type: "function_call_output", call_id: made?.["call_id"], output: "x" }

describe("a conversation", () => {
  test.each<[string, readonly unknown[], string, "forgives" | "is strict"]>([
    ["as it was", [user, ...back, result], "", "is strict"],
    ["without the reasoning", [user, message, made, result], "required 'reasoning' item", "is strict"],
    ["without the reasoning, forgiven", [user, message, made, result], "", "forgives"],
    [
      "with the reasoning elsewhere",
      [user, message, reasoning, made, result],
      "required 'reasoning' item",
      "is strict",
    ],
    [
      "with the reasoning elsewhere, not forgiven",
      [user, message, reasoning, made, result],
      "required 'reasoning'",
      "forgives",
    ],
    [
      "with another's reasoning",
      [user, { ...reasoning, encrypted_content: "x" }, message, made, result],
      "not given by this model",
      "is strict",
    ],
    ["with reasoning at its end", [user, ...back, result, reasoning], "required following item", "is strict"],
    ["without the turn", [user], "a turn is missing", "is strict"],
    ["without the output", [user, ...back], "No tool output found", "is strict"],
    ["with an output too many", [user, ...back, result, result], "No tool call found", "is strict"],
  ])("%s", (_name, input, reason, manner) => {
    const memory = createReasoningMemory(manner === "forgives")
    memory.give(output)
    const reasons = memory.check({ input }).join("; ")
    if (reason === "") expect(reasons).toBe("")
    else expect(reasons).toContain(reason)
  })
})
