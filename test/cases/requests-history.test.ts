// Treacherous requests, one test for each number: sessions, ids, reasoning of earlier turns, and what is new.
import { expect, test } from "bun:test"
import { convertRequest } from "../../src/convert/request/request.ts"
import { sessionOf } from "../../src/convert/request/session.ts"
import { arrayOf, objectOf } from "../../src/protocol/json.ts"
import {
  ask,
  assistant,
  call,
  convert,
  deepseek,
  generic,
  gpt4o,
  gpt5,
  limits,
  messagesOf,
  noteLines,
  ollama,
  parse,
  png,
  readFixture,
  result,
  routeTo,
  type Target,
  text,
  user,
} from "../convert/request-support.ts"
import { everyTarget, failing, refusals, sent, sentMessages } from "./support.ts"

const reminder = (said: string) => `<system-reminder>\n${said}\n</system-reminder>`
const hi = user(text("hi"))
const tool = (name: string, schema: object = { type: "object", properties: {} }) => ({
  name,
  input_schema: schema,
})
const system = (content: unknown, more: object = {}) => ({ role: "system", content, ...more })

test("28: metadata goes nowhere, and its session becomes the cache key where there is one", () => {
  const user_id = JSON.stringify({ device_id: "d".repeat(64), account_uuid: "", session_id: "s-1" })
  const request = parse(ask([hi], { metadata: { user_id } }))
  const bodyFor = (target: Target) =>
    convertRequest(request, routeTo(target), limits, sessionOf(request)).body
  for (const target of [gpt4o, gpt5, ["moonshot", "kimi-k2.6"]] as const) {
    expect(bodyFor(target).prompt_cache_key).toBe("s-1")
  }
  for (const target of [deepseek, ollama, generic]) {
    expect(JSON.stringify(bodyFor(target))).not.toContain("s-1")
  }
  expect(failing((target) => !JSON.stringify(bodyFor(target)).includes("dddd"))).toEqual([])
  expect(refusals(ask([hi], { metadata: { user_id } }))).toEqual([])
})

test("29: call ids go to Mistral as nine letters and digits, one for each, the same at call and result", () => {
  const ids = ["functions.Bash:0", "functions.Bash:1", "toolu_01ABC", "call_00_xyz", "a b"]
  const turns = ids.flatMap((id) => [assistant(call(id)), user(result(id))])
  for (const target of [
    ["mistral", "mistral-large-latest"],
    ["generic", "mistralai/Devstral-Small"],
  ] as const) {
    const messages = sentMessages(ask([hi, ...turns], { tools: [tool("Bash")] }), target)
    const called = messages.flatMap((message) =>
      arrayOf(message["tool_calls"]).map((one) => String(objectOf(one)["id"])),
    )
    const answered = messages.flatMap((message) => message["tool_call_id"] ?? [])
    expect(called.filter((id) => !/^[a-zA-Z0-9]{9}$/.test(id))).toEqual([])
    expect(new Set(called).size).toBe(ids.length)
    expect(answered).toEqual(called)
  }
  expect(refusals(ask([hi, ...turns], { tools: [tool("Bash")] }))).toEqual([])
})

test("Kimi K2, on any host, reads its calls by ids of its own form, counted through the conversation", () => {
  const ids = ["functions.Bash:0", "toolu_01ABC", "call_00_xyz"]
  const turns = ids.flatMap((id) => [assistant(call(id)), user(result(id))])
  const request = ask([hi, ...turns], { tools: [tool("Bash")] })
  const counted = ids.map((_, at) => `functions.Bash:${at}`)
  for (const target of [
    ["vllm", "moonshotai/Kimi-K2-Thinking"],
    ["generic", "kimi-k2.7-code"],
  ] as const) {
    const messages = sentMessages(request, target)
    const called = messages.flatMap((message) =>
      arrayOf(message["tool_calls"]).map((one) => objectOf(one)["id"]),
    )
    expect(called).toEqual(counted)
    expect(messages.flatMap(({ tool_call_id: id }) => (id === undefined ? [] : [id]))).toEqual(counted)
  }
})

test("however long the name of a tool is, Kimi K2 reads it in the id of its call", () => {
  const name = `mcp__${"long_".repeat(12)}tool`
  const turns = [assistant({ ...call("toolu_1"), name }), user(result("toolu_1"))]
  const [sentCall] = sentMessages(ask([hi, ...turns], { tools: [tool(name)] }), ["vllm", "kimi-k2"]).flatMap(
    (message) => arrayOf(message["tool_calls"]).map(objectOf),
  )
  const sentName = String(objectOf(sentCall?.["function"])["name"])
  expect([sentName.length <= 48, sentCall?.["id"]]).toEqual([true, `functions.${sentName}:0`])
})

test("31: a turn without thinking goes back to DeepSeek V4 with an empty one", () => {
  const thought = { type: "thinking", thinking: "hm", signature: "" }
  const history = [
    ...[hi, assistant(text("yes")), hi, assistant(call("a")), user(result("a"))],
    ...[assistant(thought, call("b")), user(result("b"))],
  ]
  const hosts = [
    deepseek,
    ["generic", "deepseek-ai/DeepSeek-V3.2-Exp"],
    ["ark", "deepseek-v3-2-251201"],
  ] as const
  for (const target of hosts) {
    const messages = sentMessages(ask(history, { thinking: { type: "adaptive" } }), target)
    expect(messages[1]).toEqual({ role: "assistant", content: "yes", reasoning_content: "" })
    expect(messages[3]).toMatchObject({ content: null, reasoning_content: "" })
    expect(messages[5]).toMatchObject({ content: null, reasoning_content: "hm" })
  }
  const raw = ask(history, { tools: [tool("Bash")], thinking: { type: "adaptive" } })
  expect(refusals(raw)).toEqual([])
})

test("32: Gemini 3 history without signatures: the first call of each turn gets the word for none", () => {
  const skip = { google: { thought_signature: "skip_thought_signature_validator" } }
  const history = [
    ...[hi, assistant(call("a"), call("b")), user(result("a"), result("b"))],
    ...[assistant(text("so"), call("c")), user(result("c"))],
  ]
  const tools = [tool("Bash")]
  for (const target of [
    ["gemini", "gemini-3-pro-preview"],
    ["generic", "google/gemini-3-flash"],
  ] as const) {
    const calls = sentMessages(ask(history, { tools }), target).flatMap((message) =>
      arrayOf(message["tool_calls"]).map((one) => objectOf(one)["extra_content"]),
    )
    expect(calls).toEqual([skip, undefined, skip])
  }
  expect(refusals(ask(history, { tools }))).toEqual([])
})

test("34: half a surrogate pair is replaced wherever it stands, and whole pairs stay", () => {
  const half = "a\ud83db"
  const document = { type: "document", title: half, source: { type: "text", data: half } }
  const thought = { type: "thinking", thinking: half, signature: "" }
  const messages = [
    ...[user(text(half), png), assistant(thought, text(half), call("a", { [half]: half }))],
    ...[user(result("a", half), document), system(half)],
  ]
  const raw = ask(messages, {
    system: half,
    stop_sequences: [half],
    tools: [{ ...tool("t", { properties: { [half]: { enum: [half] } } }), description: half }],
  })
  for (const target of everyTarget) {
    const json = JSON.stringify(convert(raw, target).body)
    expect(json).not.toMatch(/\\ud[89a-f]/)
    expect(json).not.toContain("\\\\ud83d")
    expect(json).toContain("a\ufffdb")
  }
  const input = { emoji: "🎯", words: "\\ud83d", more: "\\\\ud83d" }
  const history = [hi, assistant(call("a", { ...input, half: "\ud83d" })), user(result("a"))]
  const [answer] = arrayOf(sentMessages(ask(history))[1]?.["tool_calls"]).map(objectOf)
  const args = String(objectOf(answer?.["function"])["arguments"])
  expect(JSON.parse(args)).toEqual({ ...input, half: "\ufffd" })
})

test("35: max_tokens absent or not above zero becomes the default, and is never sent as such", () => {
  const cases: readonly (readonly [unknown, number])[] = [
    ...([
      [0, 8192],
      [-1, 8192],
      [null, 8192],
      [undefined, 8192],
      [1, 1],
    ] as const),
    ...([
      [4096, 4096],
      [100.9, 100],
      [1e308, 16384],
    ] as const),
  ]
  for (const [max_tokens, expected] of cases) {
    expect([max_tokens, convert(ask([hi], { max_tokens })).body.max_tokens]).toEqual([max_tokens, expected])
  }
  expect(refusals(ask([hi], { max_tokens: 0 }))).toEqual([])
})

test("90: the effort of a system message counts from there on, and without words it leaves no message", () => {
  const low = { role: "system", output_config: { effort: "low" } }
  const more = { thinking: { type: "adaptive" }, output_config: { effort: "high" } }
  for (const message of [low, { ...low, content: [] }, { ...low, content: null }]) {
    const { body } = convert(ask([hi, message], more), gpt5)
    expect([body.reasoning_effort, body.messages]).toEqual(["low", [{ role: "user", content: "hi" }]])
    expect(refusals(ask([hi, message], more))).toEqual([])
  }
  const later = system("x", { output_config: { effort: "medium" } })
  expect(convert(ask([hi, low, later], more), gpt5).body.reasoning_effort).toBe("medium")
})

const add = (name: string) => ({
  type: "tool_addition",
  tool: { type: "tool_definition", definition: tool(name) },
})
const refer = (type: string, name: string) => ({ type, tool: { type: "tool_reference", name } })

test.each<[string, readonly unknown[], readonly string[]]>([
  ["nothing changes", [], ["Read", "Bash"]],
  ["a definition is added at the end", [add("New")], ["Read", "Bash", "New"]],
  ["a definition of a known name keeps its place", [add("Read")], ["Read", "Bash"]],
  ["a removal takes its tool away", [refer("tool_removal", "Read")], ["Bash"]],
  ["what was added can be removed", [add("New"), refer("tool_removal", "New")], ["Read", "Bash"]],
  [
    "what was removed can come back",
    [refer("tool_removal", "Read"), refer("tool_addition", "Read")],
    ["Bash", "Read"],
  ],
  [
    "so can what a message defined",
    [add("New"), refer("tool_removal", "New"), refer("tool_addition", "New")],
    ["Read", "Bash", "New"],
  ],
  [
    "a tool of a server is not the client's tool of the same name",
    [{ type: "tool_removal", tool: { type: "mcp_tool_reference", server_name: "fs", name: "Read" } }],
    ["Read", "Bash"],
  ],
  ["a reference to nothing changes nothing", [refer("tool_addition", "Gone")], ["Read", "Bash"]],
])("91: tools that are added and removed in messages: %s", (_name, blocks, expected) => {
  const raw = ask([user("hi"), system(blocks)], { tools: [tool("Read"), tool("Bash")] })
  const conversion = convert(raw)
  expect((conversion.body.tools ?? []).map((one) => one.function?.name)).toEqual([...expected])
  expect([...conversion.offered]).toEqual([...expected])
  expect(conversion.body.messages).toEqual([{ role: "user", content: "hi" }])
  const unknown = blocks.some((block) => JSON.stringify(block).includes("Gone"))
  expect(noteLines(conversion)).toEqual(unknown ? ["dropped messages.1.content.0"] : [])
  expect(refusals(raw)).toEqual([])
})

test("a block that changes no tools leaves them alone, those of one name with them", () => {
  const served = { type: "code_execution_20250825", name: "code_execution" }
  const used = { type: "server_tool_use", id: "srvtoolu_1", name: "code_execution", input: {} }
  const history = [hi, assistant(used, text("ok")), hi]
  const conversion = convert(ask(history, { tools: [served, tool("code_execution")] }))
  expect((conversion.body.tools ?? []).map((one) => one.function?.name)).toEqual(["code_execution"])
  expect(noteLines(conversion)).toContain("dropped tools.0")
  expect(noteLines(conversion)).not.toContain("dropped tools.1")
})

test("92: text cleared at the next user message is gone once there is one", () => {
  const cleared = system("for now", { clear_at: "next_user_message" })
  const shown = { role: "user", content: `hi\n\n${reminder("for now")}` }
  expect(messagesOf([hi, cleared])).toEqual([shown])
  expect(messagesOf([hi, cleared, assistant(call("a")), user(result("a"))])[0]).toEqual({
    role: "user",
    content: "hi",
  })
  for (const clear_at of ["never", null]) {
    const kept = [hi, { ...cleared, clear_at }, assistant(text("yes")), hi]
    expect(messagesOf(kept)[0]).toEqual(shown)
  }
})

test("94: thinking between tools only is off", () => {
  const raw = ask([hi], { thinking: { type: "between_tools" }, output_config: { effort: "high" } })
  expect(convert(raw, deepseek).body.thinking).toEqual({ type: "disabled" })
  expect(convert(raw, ["openai", "gpt-5.1"]).body.reasoning_effort).toBe("none")
  expect(convert(raw, ollama).body.reasoning_effort).toBe("none")
  const disabled = ask([hi], { thinking: { type: "disabled" }, output_config: { effort: "high" } })
  const same = (target: Target) =>
    JSON.stringify(sent(raw, target)) === JSON.stringify(sent(disabled, target))
  expect(failing(same)).toEqual([])
})

test("95: the placeholder for tools not loaded is never offered", async () => {
  const raw = await readFixture("claude-code-first")
  const { body, offered } = convert(raw)
  expect(JSON.stringify(raw)).toContain("DeferredToolPlaceholder")
  expect(offered.has("DeferredToolPlaceholder")).toBe(false)
  expect(body.tools?.length).toBe(5)
  const clean = (target: Target) => !JSON.stringify(sent(raw, target)).includes("DeferredToolPlaceholder")
  expect(failing(clean)).toEqual([])
})

test("what a later summary stands for is left out, as Anthropic does", () => {
  const summary = { type: "compaction", content: "All so far." }
  const before = [hi, assistant(text("a"), call("a")), user(result("a")), system("mind")]
  const after = [
    assistant({ type: "thinking", thinking: "x" }, text("gone"), summary, text("Done.")),
    user("go on"),
  ]
  const raw = ask([...before, ...after])
  expect(messagesOf(raw.messages)).toEqual([
    ...[{ role: "user", content: "<summary>\nAll so far.\n</summary>" }],
    ...[
      { role: "assistant", content: "Done." },
      { role: "user", content: "go on" },
    ],
  ])
  expect(noteLines(convert(raw))).toEqual(["dropped messages.0"])
  expect(refusals(raw)).toEqual([])
  const failed = [...before, assistant({ type: "compaction", content: null }, text("Done.")), user("go on")]
  expect(messagesOf(failed).length).toBe(6)
})
