// Gemini's signatures as OpenRouter gives them, which belong to calls by their ids: each goes back under the id that
// its call goes under, or Gemini refuses the call as unsigned (cline/cline#8291, UKGovernmentBEIS/inspect_ai#3987).
import { expect, test } from "bun:test"
import { encodeCarrier, noCargo } from "../../src/convert/common/carrier.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { arrayOf, objectOf } from "../../src/protocol/json.ts"
import {
  ask,
  assistant,
  call,
  convert,
  messagesOf,
  result,
  type Target,
  text,
  user,
} from "./request-support.ts"

const gemini: Target = ["openrouter", "google/gemini-3-pro-preview"]

const signed = (data: string, id: string | null, format = "google-gemini-v1"): JsonObject => ({
  type: "reasoning.encrypted",
  data,
  format,
  id,
})

function thought(...items: readonly JsonObject[]) {
  const [provider, model] = gemini
  const details = items.map((item, index) => ({ ...item, index }))
  const signature = encodeCarrier({ provider, model, field: "", cargo: { ...noCargo, details } }, "")
  return { type: "thinking", thinking: "", signature }
}

/** The ids of the calls of each assistant's message, and those of its signatures by their data. */
function sent(turns: readonly (readonly JsonObject[])[], target = gemini) {
  const history = turns.flatMap((content) => [
    user(text("go on")),
    assistant(...content),
    user(...content.flatMap(({ type, id }) => (type === "tool_use" ? [result(String(id))] : []))),
  ])
  return messagesOf(history, target)
    .map(objectOf)
    .filter(({ role }) => role === "assistant")
    .map(({ tool_calls, reasoning_details }) => ({
      calls: arrayOf(tool_calls).map((one) => objectOf(one)["id"]),
      signatures: arrayOf(reasoning_details).map((item) => [objectOf(item)["data"], objectOf(item)["id"]]),
    }))
}

test("an id that is too long for the provider", () => {
  // As OpenRouter makes them: `tool_`, the tool's name, twenty characters.
  const id = "tool_mcp__planning_agent_c__create_task_plan_mL716LwhunURIXx4ZUZf"
  const [turn] = sent([[thought(signed("one", id)), call(id)]])
  expect(String(turn?.calls[0]).length).toBeLessThanOrEqual(64)
  expect(turn?.signatures).toEqual([["one", turn?.calls[0]]])
})

test("ids that the client never saw, in place of which it has ours", () => {
  const turns = sent([
    [thought(signed("one", "tool_0_Bash")), call("tool_0_Bash"), call("tool_1_Bash")],
    [thought(signed("two", "tool_0_Bash")), call("toolu_abc00"), call("toolu_abc01")],
    [thought(signed("three", "")), call("toolu_def00")],
    [thought(signed("four", "f:0"), signed("five", "f:1")), call("toolu_ghi00"), call("toolu_ghi01")],
  ])
  expect(turns.map(({ signatures }) => signatures)).toEqual([
    [["one", "tool_0_Bash"]],
    [["two", "toolu_abc00"]],
    [["three", "toolu_def00"]],
    [
      ["four", "toolu_ghi00"],
      ["five", "toolu_ghi01"],
    ],
  ])
})

test("what belongs to no call stays as it is", () => {
  const words = [signed("of words", null), signed("of words, too", "x")]
  const others = [signed("rs", "rs_1", "openai-responses-v1")]
  const turns = sent([
    [thought(...words, signed("own", "call_12345")), call("call_12345"), call("call_67890")],
    [thought(...others), call("toolu_abc00")],
    [thought(...words), text("done")],
  ])
  expect(turns.map(({ signatures }) => signatures)).toEqual([
    [
      ["of words", null],
      ["of words, too", "x"],
      ["own", "call_12345"],
    ],
    [
      ["rs", "rs_1"],
      ["skip_thought_signature_validator", "toolu_abc00"],
    ],
    [
      ["of words", null],
      ["of words, too", "x"],
    ],
  ])
})

test("calls of another model have the word for that on the first", () => {
  const others = { type: "thinking", thinking: "hm", signature: "" }
  const turns = [
    [others, text("so"), call("call_12345"), call("call_67890")],
    [others, text("done")],
  ]
  expect(sent(turns).map(({ signatures }) => signatures)).toEqual([
    [["skip_thought_signature_validator", "call_12345"]],
    [],
  ])
  for (const model of ["google/gemini-2.5-flash", "anthropic/claude-sonnet-4.6", "z-ai/glm-5"]) {
    expect(sent(turns, ["openrouter", model]).map(({ signatures }) => signatures)).toEqual([[], []])
  }
})

test("an empty text for want of reasoning, as models.yaml may have it, is no signature", () => {
  const messages = [user(text("hi")), assistant(call("call_12345")), user(result("call_12345"))]
  const delta = { reasoning: { backfill: "" } }
  const { body } = convert(ask(messages), ["openrouter", "deepseek/deepseek-v4-pro"], delta)
  expect(body.messages[1]).not.toHaveProperty("reasoning_details")
})
