// The strict server with a memory: its own reasoning comes back unchanged, and no other one does.
import { describe, expect, test } from "bun:test"
import type { JsonObject } from "../../../src/protocol/json.ts"
import { createStrictConversation } from "./conversation.ts"
import { findLeaks } from "./leaks.ts"
import { bash } from "./sample.ts"

const user = { role: "user", content: "Which files are there?" }

function called(more: JsonObject = {}, callMore: JsonObject = {}): JsonObject {
  const call = {
    id: "call_00_a1b2c3",
    type: "function",
    function: { name: "Bash", arguments: "{}" },
    ...callMore,
  }
  return { role: "assistant", content: null, tool_calls: [call], ...more }
}

const result = { role: "tool", tool_call_id: "call_00_a1b2c3", content: "a.txt" }

function body(model: string, ...turns: readonly JsonObject[]): JsonObject {
  return { model, stream: true, messages: [user, ...turns], tools: [bash] }
}

const signed = (value: string): JsonObject => ({ extra_content: { google: { thought_signature: value } } })
const details = [
  { type: "reasoning.text", text: "Look.", signature: "abc", format: "anthropic-claude-v1", index: 0 },
  { type: "reasoning.encrypted", data: "xyz", format: "google-gemini-v1", id: null, index: 1 },
]
const foreignDetails = [{ type: "reasoning.text", text: "Other." }]

const deepseek = "deepseek-v4-pro"
const kimi = "kimi-k2.6"
const gemini = "gemini-3-pro-preview"
const claude = "anthropic/claude-sonnet-4.6"

/** Provider, model, what it gave, and what comes back in its place. */
type Case = readonly [
  id: string,
  model: string,
  what: string,
  gave: JsonObject,
  back: JsonObject,
  why: RegExp,
]

const refused: readonly Case[] = [
  [
    "deepseek",
    deepseek,
    "lost",
    called({ reasoning_content: "Look." }),
    called({ reasoning_content: "" }),
    /passed back/,
  ],
  ["deepseek", deepseek, "absent", called({ reasoning_content: "Look." }), called(), /must be passed back/],
  [
    "deepseek",
    deepseek,
    "changed",
    called({ reasoning_content: "a" }),
    called({ reasoning_content: "b" }),
    /not the one/,
  ],
  [
    "moonshot",
    kimi,
    "changed",
    called({ reasoning_content: "a" }),
    called({ reasoning_content: "b" }),
    /not the one/,
  ],
  [
    "moonshot",
    kimi,
    "lost",
    called({ reasoning_content: "a" }),
    called({ reasoning_content: "." }),
    /not the one/,
  ],
  [
    "gemini",
    gemini,
    "lost",
    called({}, signed("Ej1")),
    called({}, signed("skip_thought_signature_validator")),
    /not valid/,
  ],
  ["gemini", gemini, "absent", called({}, signed("Ej1")), called(), /missing a thought_signature/],
  ["gemini", gemini, "changed", called({}, signed("Ej1")), called({}, signed("Ej2")), /not valid/],
  ["openrouter", claude, "absent", called({ reasoning_details: details }), called(), /must be passed back/],
  [
    "openrouter",
    claude,
    "in another order",
    called({ reasoning_details: details }),
    called({ reasoning_details: details.toReversed() }),
    /same order/,
  ],
  [
    "openrouter",
    claude,
    "cut",
    called({ reasoning_details: details }),
    called({ reasoning_details: details.slice(1) }),
    /unmodified/,
  ],
  ["openrouter", claude, "added", called(), called({ reasoning_details: details }), /there were none/],
]

describe("refused is reasoning that is", () => {
  test.each(refused)("by %s for %s: %s", (id, model, _, gave, back, why) => {
    const conversation = createStrictConversation(id)
    conversation.expectReply(gave)
    expect(conversation.check(body(model, back, result)).join("\n")).toMatch(why)
  })
})

describe("accepted is what was given", () => {
  test.each<[string, string, JsonObject]>([
    ["deepseek", deepseek, called({ reasoning_content: "Look." })],
    ["moonshot", kimi, called({ reasoning_content: "Look." })],
    ["gemini", gemini, called({}, signed("Ej1"))],
    ["openrouter", claude, called({ reasoning: "Look.", reasoning_details: details })],
    ["openrouter", "z-ai/glm-5", called({ reasoning: "Look." })],
  ])("by %s for %s", (id, model, gave) => {
    const conversation = createStrictConversation(id)
    expect(conversation.check(body(model))).toEqual([])
    conversation.expectReply(gave)
    expect(conversation.check(body(model, gave, result))).toEqual([])
  })
})

describe("foreign reasoning is refused, its stand-in is not", () => {
  test.each<[string, string, JsonObject, JsonObject]>([
    ["deepseek", deepseek, called({ reasoning_content: "Other." }), called({ reasoning_content: "" })],
    ["moonshot", kimi, called({ reasoning_content: "Other." }), called({ reasoning_content: "." })],
    ["gemini", gemini, called({}, signed("EqOther")), called({}, signed("skip_thought_signature_validator"))],
    ["openrouter", claude, called({ reasoning_details: foreignDetails }), called()],
    ["openrouter", claude, called({ reasoning: "Other." }), called()],
  ])("by %s for %s", (id, model, foreign, standIn) => {
    const { check } = createStrictConversation(id)
    expect(check(body(model, foreign, result)).join("\n")).toMatch(/not given here|not valid/)
    expect(check(body(model, standIn, result))).toEqual([])
  })
})

test("a turn is known again under another id, and two that look alike in their order", () => {
  const { expectReply, check } = createStrictConversation("deepseek")
  expectReply(called({ reasoning_content: "First." }))
  expectReply(called({ reasoning_content: "Second." }))
  const renamed = (id: string, reasoning: string) => [
    called({ reasoning_content: reasoning }, { id }),
    { ...result, tool_call_id: id },
  ]
  expect(check(body(deepseek, ...renamed("toolu_1", "First."), ...renamed("toolu_2", "Second.")))).toEqual([])
  expect(
    check(body(deepseek, ...renamed("toolu_1", "Second."), ...renamed("toolu_2", "First."))),
  ).toHaveLength(4)
})

test("lost reasoning can be forgiven, changed reasoning cannot", () => {
  const { expectReply, check } = createStrictConversation("deepseek", { forgiveLost: true })
  expectReply(called({ reasoning_content: "Look." }))
  expect(check(body(deepseek, called({ reasoning_content: "" }), result))).toEqual([])
  expect(check(body(deepseek, called({ reasoning_content: "Other." }), result))).not.toEqual([])
})

test("a plain foreign text can be taken, what is opaque cannot", () => {
  const { check } = createStrictConversation("openrouter", { takeForeignText: true })
  expect(check(body(claude, called({ reasoning: "Other." }), result))).toEqual([])
  expect(check(body(claude, called({ reasoning_details: foreignDetails }), result))).toHaveLength(1)
})

test("the rules of the provider are checked as well", () => {
  const { check } = createStrictConversation("deepseek")
  expect(check({ ...body(deepseek), store: false })).toEqual(["store: Unknown parameter: 'store'."])
})

describe("a leak is found", () => {
  test.each<[JsonObject, string]>([
    [{ messages: [{ content: "ccp1.eyJwIjoi" }] }, "messages[0].content: a carrier of ours"],
    [{ a: "x-anthropic-billing-header: cc_version=2" }, "a: Claude Code's billing line"],
    [{ user: '{"device_id":"0"}' }, "user: the client's identity"],
    [{ a: { citations: [] } }, "a.citations: a word of Anthropic's"],
    [{ a: `Eq${"A1b2".repeat(20)}` }, "a: Anthropic's signature"],
    [{ a: `gAAAAAB${"A1b2".repeat(20)}` }, "a: OpenAI's encrypted reasoning"],
  ])("%j", (leaking, what) => {
    expect(findLeaks(leaking)).toEqual([what])
  })

  test("but not in schemas, arguments and a provider's own details", () => {
    const own = { reasoning_details: [{ signature: "a" }], parameters: { properties: { citations: {} } } }
    expect(findLeaks({ ...own, content: "The word signature, and Effort." })).toEqual([])
  })
})
