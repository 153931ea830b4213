import { describe, expect, test } from "bun:test"
import { blockSchemas, parseContent } from "../../src/protocol/messages/blocks.ts"
import { MessagesRequest, renderIssues } from "../../src/protocol/messages/messages.ts"
import { readUsual } from "../../src/protocol/messages/usual-blocks.ts"
import { property, type Random } from "../support/random.ts"

const odd = (random: Random): unknown =>
  random.pick([
    undefined,
    null,
    "",
    "a",
    0,
    true,
    false,
    [],
    {},
    ["a"],
    [{ type: "text", text: "a" }],
    "half \ud83d",
  ])

const fields = ["text", "id", "name", "input", "thinking", "signature", "tool_use_id", "content", "is_error"]

const usual = (random: Random): Readonly<Record<string, unknown>> =>
  random.pick([
    { type: "text", text: "a" },
    { type: "tool_use", id: "a", name: "b", input: random.json(2) },
    { type: "thinking", thinking: "a", signature: "b" },
    { type: "tool_result", tool_use_id: "a", content: [{ type: "text", text: "c" }], is_error: true },
    {
      type: "tool_result",
      tool_use_id: "a",
      content: [{ type: "image", source: { type: "url", url: "u" } }],
    },
    { type: "tool_result", tool_use_id: "a", content: [{ type: "tool_result", tool_use_id: "b" }] },
  ])

property(
  "a block that is read by hand is what its schema makes of it, in its order of fields",
  3000,
  (random) => {
    const changes = fields.filter(() => random.chance(0.2)).map((field) => [field, odd(random)] as const)
    const block = { ...usual(random), ...Object.fromEntries(changes) }
    const read = readUsual(block)
    if (read === undefined) return
    const checked = blockSchemas[read.type]?.safeParse(block)
    expect(checked?.success).toBe(true)
    expect(JSON.stringify(read)).toBe(JSON.stringify(checked?.data))
  },
)

describe("what is right is read by hand", () => {
  test.each<[string, unknown]>([
    ["a text", { type: "text", text: "", cache_control: { type: "ephemeral" } }],
    ["a call", { type: "tool_use", id: "a", name: "b", input: {} }],
    ["thinking", { type: "thinking", thinking: "", signature: null }],
    ["a result of a string", { type: "tool_result", tool_use_id: "a", content: "x" }],
    ["a result of texts", { type: "tool_result", tool_use_id: "a", content: [{ type: "text", text: "x" }] }],
  ])("%s", (_, block) => {
    expect(readUsual(block)).toEqual(parseContent([block]).blocks[0])
  })
})

test("results within results are read in a time that grows with their number alone", () => {
  const nested = (depth: number, inner: unknown): unknown =>
    depth === 0 ? inner : { type: "tool_result", tool_use_id: "a", content: [nested(depth - 1, inner)] }
  expect(parseContent([nested(60, { type: "text" })]).issues).toHaveLength(1)
  expect(parseContent([nested(60, { type: "text", text: "a" })]).issues).toEqual([])
})

test("one message in a hundred that is wrong is found, with the others' problems", () => {
  const said: readonly unknown[] = Array.from({ length: 100 }, (_, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content: [{ type: "text", text: "a" }],
  }))
  const wrong = { role: "user", content: [{ type: "text", text: "a" }, { type: "text" }] }
  const parsed = MessagesRequest.safeParse({
    messages: said.with(70, wrong).with(80, { role: "nobody", content: 5 }),
  })
  expect(parsed.success ? "" : renderIssues(parsed.error)).toBe(
    "messages.70.content.1.text: Field required; messages.80.role: Input should be 'user', 'assistant' or 'system'",
  )
})
