// Thinking that a client kept in part: its words without what goes with them, or none of the blocks without words.
import { describe, expect, test } from "bun:test"
import { type Cargo, carriersOfCalls, encodeCarrier, noCargo } from "../../src/convert/common/carrier.ts"
import type { ThinkingBlock } from "../../src/convert/dialogue/history-reasoning.ts"
import { convertRequest } from "../../src/convert/request/request.ts"
import {
  ask,
  assistant,
  call,
  limits,
  parse,
  result,
  routeTo,
  type Target,
  text,
  user,
} from "./request-support.ts"

const gemini: Target = ["gemini", "gemini-3-pro-preview"]
const openrouter: Target = ["openrouter", "google/gemini-3-pro-preview"]
const deepseek: Target = ["deepseek", "deepseek-v4-pro"]

function thought([provider, model]: Target, thinking: string, cargo: Partial<Cargo>): ThinkingBlock {
  const carrier = { provider, model, field: "reasoning", cargo: { ...noCargo, ...cargo } }
  return { thinking, signature: encodeCarrier(carrier, thinking) }
}

const block = ({ thinking, signature }: ThinkingBlock) => ({ type: "thinking", thinking, signature })
const words = thought(gemini, "Hm.", {})
const opaque = thought(gemini, "", { signatures: { a: "SigA" } })

/** The assistant's message as it goes back to the model, and what was asked for. */
function sent(kept: readonly unknown[], remembered: readonly ThinkingBlock[], target = gemini) {
  const asked: string[] = []
  const recall = (id: string) => {
    asked.push(id)
    return remembered
  }
  const messages = [user(text("hi")), assistant(...kept, call("a")), user(result("a"))]
  const thinking = { type: "enabled", budget_tokens: 1024 }
  const request = parse(ask(messages, { thinking, max_tokens: 5000 }))
  const { body } = convertRequest(request, routeTo(target), limits, undefined, recall)
  return { message: body.messages[1], asked }
}

const signed = (signature: string) => ({
  tool_calls: [expect.objectContaining({ extra_content: { google: { thought_signature: signature } } })],
})
const standIn = "skip_thought_signature_validator"

describe("Gemini's signature of a call", () => {
  test.each<[string, readonly unknown[], string]>([
    ["all is there", [block(words), text("Look:"), block(opaque)], "SigA"],
    ["nothing is there", [text("Look:")], "SigA"],
    ["a block without words was dropped", [block(words), text("Look:")], "SigA"],
    ["the words alone were kept", [block({ ...words, signature: "" }), text("Look:")], "SigA"],
    ["other words are another reply's", [block({ thinking: "Oh.", signature: "" })], standIn],
  ])("%s", (_name, kept, signature) => {
    const { message } = sent(kept, [words, opaque])
    expect(message).toMatchObject(signed(signature))
    expect(JSON.stringify(message).split("Hm.").length).toBeLessThan(3)
  })

  test.each([
    ["", "a reply without words"],
    ["Hm.", "a reply with the same words"],
  ])("another reply's call of the same id keeps its own: %p, %s", (thinking) => {
    const other = thought(gemini, thinking, { signatures: { a: "SigB" } })
    const own = thought(gemini, thinking, { signatures: { a: "SigA" } })
    expect(sent([block(own)], [other]).message).toMatchObject(signed("SigA"))
  })

  test("the call alone was kept, with what OpenAI's clients have of it", () => {
    const remembered = thought(gemini, "", { signatures: { a: "SigA" }, textSignature: "SigT" })
    const { a: signature = "" } = carriersOfCalls(remembered.signature)
    const { message } = sent([{ type: "thinking", thinking: "", signature }], [remembered])
    expect(message).toMatchObject({
      ...signed("SigA"),
      extra_content: { google: { thought_signature: "SigT" } },
    })
  })

  test("what the client has is not taken from it by a memory that knows less", () => {
    expect(sent([block(words), block(opaque)], [words]).message).toMatchObject(signed("SigA"))
  })
})

test("details that go with words come back with them", () => {
  const details = [{ type: "reasoning.encrypted", data: "Ej", format: "google-gemini-v1", id: "a", index: 0 }]
  const remembered = thought(openrouter, "Hm.", { details })
  const { message } = sent([block({ ...remembered, signature: "" })], [remembered], openrouter)
  expect(message).toMatchObject({ reasoning_details: details })
})

test("where words are all that goes back, signed ones are enough: nothing is looked up", () => {
  const own = thought(deepseek, "Hm.", {})
  const { message, asked } = sent([block(own)], [own], deepseek)
  expect(message).toMatchObject({ reasoning_content: "Hm." })
  expect(asked).toEqual([])
})
