import { describe, expect, test } from "bun:test"
import { MessagesRequest } from "../../src/protocol/messages/messages.ts"
import { parseRequest } from "../../src/protocol/messages/usual-request.ts"
import { readTools } from "../../src/protocol/messages/usual-tools.ts"
import { property, type Random } from "../support/random.ts"

const text = { type: "text", text: "a" }
const image = (source: object) => ({ type: "image", source })
const file = image({ type: "file", file_id: "f" })
const own = { name: "Read", description: "Reads.", input_schema: { type: "object", properties: {} } }

/** Values for every field: what clients send, what they might, and what no schema takes. */
const values: Readonly<Record<string, readonly unknown[]>> = {
  model: ["m", ""],
  max_tokens: [1, 0.5, -1, Number.POSITIVE_INFINITY],
  temperature: [0, 1.5],
  top_p: [1],
  top_k: [40],
  stop_sequences: [[], ["a"], ["a", 1]],
  stream: [true, false],
  cache_control: [{ type: "ephemeral" }, "x"],
  cache_marks: ["all", 5],
  system: [
    "",
    "a",
    [],
    [text],
    [{ ...text, cache_control: {} }],
    [text, "b"],
    [image({ type: "url", url: "u" })],
    [{ type: "text" }],
    1,
  ],
  tools: [
    [],
    [own],
    [own, { ...own, type: "custom", description: null, strict: true, cache_control: {} }],
    [{}],
  ],
  tool_choice: [{ type: "auto" }, { type: "tool", name: "a" }, { type: "tool" }, "auto"],
  thinking: [
    ...[{ type: "enabled", budget_tokens: 5 }, { type: "adaptive" }, {}, { type: 1 }],
    ...[
      { type: "enabled", budget_tokens: "5" },
      { type: "x", budget_tokens: null, display: "y" },
    ],
    ...[
      { type: "x", budget_tokens: Number.POSITIVE_INFINITY },
      JSON.parse('{"type":"x","__proto__":{"a":1}}'),
    ],
  ],
  output_config: [
    ...[
      { effort: "high" },
      { effort: "no word" },
      { effort: null, task_budget: { total: 1 } },
      { format: null },
    ],
    ...[{ format: { type: "json_schema", schema: {} } }, JSON.parse('{"effort":"low","__proto__":{"a":1}}')],
  ],
  output_format: [{ type: "json_schema", schema: {} }, { type: 1 }],
  metadata: [
    ...[{ user_id: "u" }, { user_id: 1 }, "m", {}, { user_id: null, other: [1] }],
    JSON.parse('{"user_id":"u","__proto__":{"a":1}}'),
  ],
  service_tier: ["auto", 1],
  speed: ["fast", {}],
  compaction: [{ type: "summarize" }, { type: "summarize", instructions: 1 }, 1],
  mcp_servers: [[], [{}]],
  billing_policy: [{ bill_to: "self" }, { bill_to: "user_profile" }],
  unheard_of: [1],
}

const conversations: readonly unknown[] = [
  [{ role: "user", content: "a" }],
  [
    { role: "user", content: [text, image({ type: "url", url: "u" })] },
    { role: "assistant", content: [{ type: "tool_use", id: "t", name: "Read", input: {} }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: [text] }] },
  ],
  [{ role: "system", content: [text], output_config: { effort: "low" } }],
  [{ role: "user", content: [file] }],
  [{ role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: [text, file] }] }],
  [{ role: "user", content: [{ type: "document", source: { type: "content", content: [text, file] } }] }],
  [{ role: "nobody", content: "a" }],
  [],
  undefined,
  "a",
]

const odd = [null, undefined, "", "a", 0, true, [], {}, ["a"], [null], [[]]]

function bodyOf(random: Random): Readonly<Record<string, unknown>> {
  const body: Record<string, unknown> = {
    messages: random.pick(random.chance(0.8) ? conversations.slice(0, 2) : conversations),
  }
  for (const [field, given] of Object.entries(values)) {
    if (random.chance(0.15)) body[field] = random.pick(random.chance(0.9) ? given : odd)
  }
  return body
}

property("a request that is read by hand is what its schema makes of it", 5000, (random) => {
  const body = bodyOf(random)
  const read = parseRequest(body)
  const checked = MessagesRequest.safeParse(body)
  expect(read.success).toBe(checked.success)
  expect(read.data).toEqual(checked.data)
  expect(read.error?.issues).toEqual(checked.error?.issues)
})

const toolFields: Readonly<Record<string, readonly unknown[]>> = {
  type: [undefined, null, "custom", "function", "bash_20250124", 1],
  name: ["a", "", undefined, 1],
  description: ["d", "", null, undefined, 1],
  input_schema: [{}, { type: "object" }, null, undefined, [], JSON.parse('{"__proto__":{},"a":1}')],
  strict: [true, false, null, "true"],
  defer_loading: [true, 1],
  function: [undefined, null, { name: "f" }],
  max_uses: [undefined, null, 3],
  user_location: [null, { city: "c" }],
  allowed_domains: [["a"], "a"],
  display_width_px: [null, 100, "100"],
  enable_zoom: [true, null],
  eager_input_streaming: [true],
}

property("a tool that is read by hand is what its schema makes of it", 5000, (random) => {
  const tool: Record<string, unknown> = { ...own }
  for (const [field, given] of Object.entries(toolFields)) {
    if (random.chance(0.15)) tool[field] = random.pick(given)
  }
  const read = readTools([own, tool])
  if (read === "unusual") return
  const messages = [{ role: "user", content: "a" }]
  expect(read).toEqual(MessagesRequest.safeParse({ messages, tools: [own, tool] }).data?.tools ?? undefined)
})

describe("what is right is read by hand", () => {
  test.each<[string, unknown]>([
    ["no tools", undefined],
    ["an empty list", []],
    ["a client's own tools", [own, { ...own, type: "custom", eager_input_streaming: true }]],
  ])("%s", (_, tools) => {
    expect(readTools(tools)).not.toBe("unusual")
  })
})
