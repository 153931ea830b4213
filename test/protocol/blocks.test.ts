import { describe, expect, test } from "bun:test"
import { parseContent } from "../../src/protocol/messages/blocks.ts"
import { property } from "../support/random.ts"

const original = { type: "hologram", data: { a: 1 } }

describe("content", () => {
  test.each<[string, unknown, readonly unknown[]]>([
    ["a string", "hi", [{ type: "text", text: "hi" }]],
    ["nothing in a list", [], []],
    [
      "text",
      [{ type: "text", text: "a", citations: null, cache_control: {} }],
      [{ type: "text", text: "a" }],
    ],
    [
      "a call without input",
      [{ type: "tool_use", id: "a", name: "b", caller: { type: "direct" } }],
      [{ type: "tool_use", id: "a", name: "b", input: {} }],
    ],
    [
      "a result of a string",
      [{ type: "tool_result", tool_use_id: "a", content: "x" }],
      [{ type: "tool_result", tool_use_id: "a", content: [{ type: "text", text: "x" }], is_error: false }],
    ],
    [
      "a result of nothing",
      [{ type: "tool_result", tool_use_id: "a", is_error: true }],
      [{ type: "tool_result", tool_use_id: "a", content: [], is_error: true }],
    ],
    [
      "thinking without a signature",
      [{ type: "thinking", thinking: "x" }],
      [{ type: "thinking", thinking: "x", signature: "" }],
    ],
    ["a block of tomorrow", [original], [{ type: "other", original }]],
    [
      "a source of tomorrow",
      [{ type: "document", source: { type: "telepathy" } }],
      [{ type: "other", original: { type: "document", source: { type: "telepathy" } } }],
    ],
    [
      "a type that every object has",
      [{ type: "constructor" }],
      [{ type: "other", original: { type: "constructor" } }],
    ],
  ])("%s", (_, value, expected) => {
    const parsed = parseContent(value)
    expect<readonly unknown[]>(parsed.blocks).toEqual([...expected])
    expect(parsed.issues).toEqual([])
  })

  test("good blocks are kept beside bad ones, and every problem has its place", () => {
    const parsed = parseContent([{ type: "text" }, "a", { type: "image", source: { type: "file" } }])
    expect(parsed.blocks).toEqual([{ type: "text", text: "a" }])
    expect(parsed.issues).toEqual([
      { path: [0, "text"], message: "Field required" },
      { path: [2, "source", "file_id"], message: "Field required" },
    ])
  })

  property("never throws", 500, (random) => {
    const parsed = parseContent(random.json(4))
    expect(parsed.blocks.length + parsed.issues.length).toBeGreaterThanOrEqual(0)
  })
})
