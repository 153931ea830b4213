// What of a request goes nowhere is told, once for each kind of field, with its place in the client's own request.
import { describe, expect, test } from "bun:test"
import { noteUnknownFields } from "../../src/convert/request/unknown-fields.ts"
import { fieldOf } from "../../src/observe/metrics.ts"
import type { ProfileDelta } from "../../src/providers/profile.ts"
import { property } from "../support/random.ts"
import { randomRequest } from "./request-random.ts"
import {
  ask,
  assistant,
  call,
  convert,
  deepseek,
  generic,
  gpt4o,
  noteLines,
  result,
  type Target,
  text,
  user,
} from "./request-support.ts"

const hi = user(text("hi"))
const schema = { type: "object", properties: {} }
const tool = (name: string, more: object = {}) => ({ name, input_schema: schema, ...more })
const mark = { cache_control: { type: "ephemeral" } }
const half = "a\ud800"
const plain = { cacheControl: false, webSearch: "none" } as const
const lines = (raw: object, facts: Parameters<typeof noteUnknownFields>[1] = plain) =>
  noteUnknownFields({ ...ask([hi]), ...raw }, facts).map(({ kind, path }) => `${kind} ${path}`)

describe("each thing that goes nowhere", () => {
  const inContent = (...content: readonly unknown[]) => ({ messages: [user(...content)] })
  const document = (source: object) => ({ type: "document", source })
  const addition = {
    type: "tool_addition",
    tool: { type: "tool_definition", definition: tool("a", { zest: 1 }) },
  }
  test.each<[object, readonly string[]]>([
    [{}, []],
    [{ context_management: {}, container: null }, ["dropped context_management"]],
    [{ billing_policy: { bill_to: "self" } }, ["dropped billing_policy"]],
    [{ output_config: { task_budget: {} } }, ["dropped output_config.task_budget"]],
    [{ output_config: { effort: "turbo" } }, ["dropped output_config.effort"]],
    [{ output_config: { effort: 3 } }, ["dropped output_config.effort"]],
    [{ output_config: { effort: "max", format: null } }, []],
    [
      { output_config: { format: { type: "json_schema", schema, name: "n" } } },
      ["dropped output_config.format.name"],
    ],
    [{ thinking: { type: "wat" } }, ["changed thinking.type"]],
    [{ thinking: { type: "adaptive", display: "omitted" } }, ["dropped thinking.display"]],
    [{ service_tier: "flex" }, ["dropped service_tier"]],
    [{ service_tier: "auto", speed: "standard" }, []],
    [{ speed: "warp" }, ["dropped speed"]],
    [{ metadata: { user_id: "u", team: "t" } }, ["dropped metadata.team"]],
    [{ tool_choice: { type: "auto", mood: 1 } }, ["dropped tool_choice.mood"]],
    [{ compaction: { type: "squeeze" } }, ["dropped compaction.type"]],
    [{ system: "x-anthropic-billing-header: a\nReal." }, ["dropped system"]],
    [{ system: [text("x-anthropic-billing-header: a"), text("b")] }, ["dropped system.0"]],
    [{ system: [text("a"), { type: "image" }] }, ["dropped system.1"]],
    [
      { messages: [hi, { role: "system", content: "x-anthropic-billing-header: a" }] },
      ["dropped messages.1.content"],
    ],
    [
      { messages: [hi, { role: "system", content: [text("x-anthropic-billing-header: a")] }] },
      ["dropped messages.1.content.0"],
    ],
    [{ messages: [user(text("x-anthropic-billing-header: a"))] }, []],
    [{ system: half }, ["changed system"]],
    [{ messages: [{ role: "user", content: half }] }, ["changed messages.0.content"]],
    [inContent(text("a"), text(half)), ["changed messages.0.content.1.text"]],
    [{ messages: [assistant(call("a", { x: [{ y: half }] }))] }, ["changed messages.0.content.0.input"]],
    [inContent(result("a", [text(half)])), ["changed messages.0.content.0.content.0.text"]],
    [inContent(document({ type: "text", data: half })), ["changed messages.0.content.0.source.data"]],
    [{ tools: [tool("a", { description: half })] }, ["changed tools.0.description"]],
    [inContent({ ...text("a"), citations: [] }), ["dropped messages.0.content.0.citations"]],
    [inContent({ ...text("a"), citations: null }), []],
    [inContent({ type: "of_tomorrow", whim: 1 }), []],
    [inContent(document({ type: "url", url: "u", etag: 1 })), ["dropped messages.0.content.0.source.etag"]],
    [
      inContent(document({ type: "content", content: [{ ...text("a"), zest: 1 }] })),
      ["dropped messages.0.content.0.source.content.0.zest"],
    ],
    [{ messages: [{ ...hi, id: "m" }] }, ["dropped messages.0.id"]],
    [
      { messages: [{ role: "system", content: [], output_config: { effort: "turbo" } }] },
      ["dropped messages.0.output_config.effort"],
    ],
    [
      { messages: [hi, { role: "system", content: [addition] }] },
      ["dropped messages.1.content.0.tool.definition.zest"],
    ],
    [{ tools: [tool("a", { input_examples: [{}] })] }, ["dropped tools.0.input_examples"]],
    [{ tools: [tool("a", { allowed_callers: [] })] }, ["dropped tools.0.allowed_callers"]],
    [{ tools: [tool("a", { eager_input_streaming: true })] }, ["dropped tools.0.eager_input_streaming"]],
    [{ tools: [tool("a", { defer_loading: true })] }, ["dropped tools.0.defer_loading"]],
    [{ tools: [tool("a", { defer_loading: false })] }, []],
    [{ tools: [{ type: "function", function: { name: "a", zest: 1 } }] }, ["dropped tools.0.function.zest"]],
    [{ tools: [{ type: "text_editor_20250728", max_characters: 9 }] }, ["dropped tools.0.max_characters"]],
    [
      { tools: [{ type: "computer_20250124", display_width_px: 9, display_number: 1 }] },
      ["dropped tools.0.display_number"],
    ],
    // Left out whole, and spoken of as a whole.
    [{ tools: [{ type: "code_execution_20250825", zest: 1 }] }, []],
  ])("%j", (raw, expected) => {
    expect(lines(raw)).toEqual([...expected])
  })
})

test("the fields of a search are told where a search is sent", () => {
  const raw = { tools: [{ type: "web_search_20260318", max_uses: 3, response_inclusion: "x" }] }
  expect(lines(raw)).toEqual([])
  expect(lines(raw, { ...plain, webSearch: "plugin" })).toEqual(["dropped tools.0.response_inclusion"])
})

describe("marks for a prefix cache", () => {
  const marked = {
    system: [{ ...text("a"), ...mark }],
    tools: [tool("t", mark)],
    messages: [user({ ...text("a"), ...mark })],
  }
  const long = user({ ...text("a"), cache_control: { type: "ephemeral", ttl: "1h" } })
  test.each<[boolean, object, readonly string[]]>([
    [false, marked, ["dropped system.0.cache_control"]],
    [true, marked, []],
    [true, { ...marked, messages: [hi] }, []],
    [true, { messages: [hi], tools: marked.tools }, []],
    [true, { messages: [hi], ...mark }, []],
    [
      true,
      { messages: [hi], cache_control: { type: "ephemeral", ttl: "1h" } },
      ["dropped cache_control.ttl"],
    ],
    [false, { messages: [hi], ...mark }, ["dropped cache_control"]],
    [true, { messages: [long] }, ["dropped messages.0.content.0.cache_control.ttl"]],
    [false, { messages: [long] }, ["dropped messages.0.content.0.cache_control"]],
  ])("taken %p: %j", (cacheControl, raw, expected) => {
    expect(lines(raw, { ...plain, cacheControl })).toEqual([...expected])
  })
})

describe("repeats", () => {
  test("a hundred blocks with the same fields are one note for each field", () => {
    const block = { ...text("a"), ...mark, citations: [] }
    const raw = ask(Array.from({ length: 100 }, () => user(block)))
    expect(noteUnknownFields(raw, plain).map(({ path, why }) => [path, why])).toEqual([
      [
        "messages.0.content.0.cache_control",
        "no marks for a prefix cache are passed on (100 times, first here)",
      ],
      ["messages.0.content.0.citations", "there are no citations here (100 times, first here)"],
    ])
  })

  test("invented names without end are a bounded number of notes with bounded paths", () => {
    const invented = Object.fromEntries(
      Array.from({ length: 5000 }, (_, at) => [`${"x".repeat(500)}${at}`, 1]),
    )
    const notes = noteUnknownFields(ask([user({ ...text("a"), ...invented })]), plain)
    expect(notes.length).toBe(41)
    expect(notes.at(-1)?.why).toContain("(4960 times")
    for (const { path } of notes) expect(path.length).toBeLessThan(100)
    expect(new Set(notes.map(({ path }) => fieldOf(path))).size).toBe(1)
  })
})

property("any request has its notes, few of them, whatever it holds", 500, (random) => {
  const raw = randomRequest(random)
  const before = JSON.stringify(raw)
  const notes = noteUnknownFields(raw, plain)
  expect(notes.length).toBeLessThan(100)
  expect(new Set(notes.map(({ path, why }) => `${path} ${why}`)).size).toBe(notes.length)
  expect(JSON.stringify(raw)).toBe(before)
})

describe("notes name the place in the client's own list of tools", () => {
  const server = (type: string) => ({ type, name: type })
  const own = (at: number) => tool(`t${at}`)
  const tools = [
    ...[0, 1, 2, 3, 4, 5, 6].map(own),
    ...["web_search_20250305", "web_fetch_20250910", "code_execution_20250825"].map(server),
    ...[own(10), server("web_search_20260318"), own(12), own(3)],
    tool("late", { defer_loading: true, strict: true, input_schema: { type: "object" } }),
  ]
  const expected = [
    "tools.7",
    "tools.8",
    "tools.9",
    "tools.11",
    "tools.13",
    "tools.14.strict",
    "tools.14.defer_loading",
  ]
  const addition = {
    type: "tool_addition",
    tool: { type: "tool_definition", definition: tool("a", { strict: true }) },
  }
  const removal = { type: "tool_removal", tool: { type: "tool_reference", name: "t1" } }
  test.each<[string, readonly unknown[], readonly string[]]>([
    ["as they are", [hi], expected],
    [
      "with changes on the way",
      [hi, { role: "system", content: [removal, addition] }],
      [...expected, "messages.1.content.1.tool.definition.strict"],
    ],
  ])("%s", (_, messages, paths) => {
    const { notes } = convert(ask(messages, { tools }), generic)
    expect(
      notes
        .map(({ path }) => path)
        .filter((path) => path !== "max_tokens")
        .toSorted(),
    ).toEqual([...paths].toSorted())
  })
})

describe("thinking that Anthropic signed", () => {
  const thought = { type: "thinking", thinking: "hm", signature: "EqQBCgIYAhIM" }
  const turns = [hi, assistant(thought, text("a")), hi, assistant(thought, thought, text("b")), hi]
  const told = ["dropped messages.1.content"]
  const inTags: ProfileDelta = { reasoning: { sendBack: "all-turns", sendBackAs: "think-tags" } }
  test.each<[string, Target, ProfileDelta, readonly string[]]>([
    ["goes nowhere at OpenAI", gpt4o, {}, told],
    ["is words to DeepSeek", deepseek, {}, []],
    ["stands in tags", generic, inTags, []],
  ])("%s", (_, target, delta, expected) => {
    const raw = ask(turns, { thinking: { type: "adaptive" } })
    const found = noteLines(convert(raw, target, delta)).filter((line) => line.includes("messages"))
    expect(found).toEqual([...expected])
  })

  test("is counted", () => {
    const note = convert(ask(turns)).notes.find(({ path }) => path.startsWith("messages"))
    expect(note?.why).toContain("blocks: 3")
  })
})
