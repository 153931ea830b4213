// The treacherous requests, one test each, under their numbers: history, limits, and what is new.
import { describe, expect, test } from "bun:test"
import { convertRequest } from "../../src/convert/request/request.ts"
import { sessionOf } from "../../src/convert/request/session.ts"
import { MessagesRequest } from "../../src/protocol/messages.ts"
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
} from "./request-support.ts"

const bytes = (raw: unknown, target?: Target) => JSON.stringify(convert(raw, target).body)
const reminder = (said: string) => `<system-reminder>\n${said}\n</system-reminder>`
const hi = user(text("hi"))

const tool = (name: string, schema: object = { type: "object", properties: {} }) => ({
  name,
  input_schema: schema,
})

describe("history, limits and what is new", () => {
  test("28: metadata goes nowhere; its session becomes the cache key", () => {
    const user_id = JSON.stringify({ device_id: "d".repeat(64), account_uuid: "", session_id: "s-1" })
    const request = parse(ask([hi], { metadata: { user_id } }))
    const { body } = convertRequest(request, routeTo(gpt4o), limits, sessionOf(request))
    expect(body.prompt_cache_key).toBe("s-1")
    expect(JSON.stringify(body)).not.toContain("dddd")
    for (const target of [deepseek, ollama, generic]) {
      const plain = convertRequest(request, routeTo(target), limits, sessionOf(request))
      expect("prompt_cache_key" in plain.body).toBe(false)
      expect(JSON.stringify(plain.body)).not.toContain("s-1")
    }
  })

  test.each([
    ["ours", "ccp1.eyJwIjoiZGVlcHNlZWsifQ"],
    ["Anthropic's", "EqQBCkYIBhgCKkDd"],
    ["empty", ""],
    ["absent", undefined],
  ])("30: reasoning goes back as text, whoever signed it: %s", (_, signature) => {
    const history = [hi, assistant({ type: "thinking", thinking: "hm", signature }, text("yes")), hi]
    expect(messagesOf(history, deepseek)[1]).toEqual({
      ...{ role: "assistant", content: "yes", reasoning_content: "hm" },
    })
    expect(messagesOf(history, gpt4o)[1]).toEqual({ role: "assistant", content: "yes" })
    expect(JSON.stringify(messagesOf(history, deepseek))).not.toContain("signature")
  })

  test("31: a turn without thinking goes back to DeepSeek with an empty one", () => {
    const history = [hi, assistant(text("yes")), hi, assistant(call("a")), user(result("a"))]
    for (const target of [deepseek, ["generic", "deepseek-ai/DeepSeek-V3.2-Exp"]] as const) {
      const sent = messagesOf(history, target)
      expect(sent[1]).toEqual({ role: "assistant", content: "yes", reasoning_content: "" })
      expect(sent[3]).toMatchObject({ content: null, reasoning_content: "" })
    }
  })

  test("34: half a surrogate pair is replaced, wherever it stands", () => {
    const half = "a\ud83db"
    const raw = ask(
      [
        user(text(half), png),
        assistant(
          { type: "thinking", thinking: half, signature: "" },
          text(half),
          call("a", { [half]: half }),
        ),
        user(result("a", half), { type: "document", title: half, source: { type: "text", data: half } }),
        { role: "system", content: half },
      ],
      {
        system: half,
        stop_sequences: [half],
        tools: [{ ...tool("t", { properties: { [half]: { enum: [half] } } }), description: half }],
      },
    )
    for (const target of [gpt4o, deepseek, ollama]) {
      const json = bytes(raw, target)
      expect(json).not.toMatch(/\\ud[89a-f]/)
      expect(json).not.toContain("\\\\ud83d")
      expect(json).toContain("a\ufffdb")
    }
  })

  test("34: whole pairs and words that look like an escape stay as they are", () => {
    const input = { emoji: "🎯", words: "\\ud83d", more: "\\\\ud83d" }
    const history = [hi, assistant(call("a", { ...input, half: "\ud83d" })), user(result("a"))]
    const sent = convert(ask(history)).body.messages[1]
    const args = sent?.role === "assistant" ? sent.tool_calls?.[0]?.function.arguments : undefined
    expect(JSON.parse(args ?? "")).toEqual({ ...input, half: "\ufffd" })
  })

  test.each([
    [0, 8192],
    [-1, 8192],
    [null, 8192],
    [undefined, 8192],
    [1, 1],
    [4096, 4096],
    [100.9, 100],
    [1e308, 16384],
  ])("35: max_tokens %p becomes %p", (max_tokens, expected) => {
    expect(convert(ask([hi], { max_tokens })).body.max_tokens).toBe(expected)
  })

  test("89: a temperature is taken from every client", () => {
    expect(convert(ask([hi], { temperature: 0.2 })).body.temperature).toBe(0.2)
  })

  test("90: the effort of a system message counts from there on; without words it leaves no message", () => {
    const system = { role: "system", output_config: { effort: "low" } }
    const more = { thinking: { type: "adaptive" }, output_config: { effort: "high" } }
    for (const message of [system, { ...system, content: [] }, { ...system, content: null }]) {
      const { body } = convert(ask([hi, message], more), gpt5)
      expect([body.reasoning_effort, body.messages]).toEqual(["low", [{ role: "user", content: "hi" }]])
    }
    const later = { role: "system", content: "x", output_config: { effort: "medium" } }
    expect(convert(ask([hi, system, later], more), gpt5).body.reasoning_effort).toBe("medium")
  })

  test("92: text cleared at the next user message is gone once there is one", () => {
    const cleared = { role: "system", content: "for now", clear_at: "next_user_message" }
    expect(messagesOf([hi, cleared])).toEqual([{ role: "user", content: `hi\n\n${reminder("for now")}` }])
    const later = [hi, cleared, assistant(call("a")), user(result("a"))]
    expect(messagesOf(later)[0]).toEqual({ role: "user", content: "hi" })
    const kept = [hi, { ...cleared, clear_at: "never" }, assistant(text("yes")), hi]
    expect(messagesOf(kept)[0]).toEqual({ role: "user", content: `hi\n\n${reminder("for now")}` })
  })

  test("94: thinking between tools only is off", () => {
    const raw = ask([hi], { thinking: { type: "between_tools" }, output_config: { effort: "high" } })
    expect(convert(raw, deepseek).body.thinking).toEqual({ type: "disabled" })
    expect(convert(raw, ["openai", "gpt-5.1"]).body.reasoning_effort).toBe("none")
    expect(convert(raw, ollama).body.reasoning_effort).toBe("none")
  })

  test("95: the placeholder for tools not loaded is never offered", async () => {
    const { body, offered } = convert(await readFixture("claude-code-first"))
    expect(JSON.stringify(body)).not.toContain("DeferredToolPlaceholder")
    expect(offered.has("DeferredToolPlaceholder")).toBe(false)
    expect(body.tools?.length).toBe(5)
  })
})

test("fields and blocks nobody knows yet are left out with a note, and never refused", () => {
  const raw = ask(
    [user(text("hi"), { type: "hologram", data: 1 }), { role: "system", content: [{ type: "new" }] }],
    {
      ...{ future: true, context_management: { edits: [] }, container: "c_1", cache_control: null },
      ...{ thinking: { type: "deep", depth: 3 }, output_config: { effort: "galactic", task_budget: {} } },
    },
  )
  expect(MessagesRequest.safeParse(raw).success).toBe(true)
  expect(noteLines(convert(raw))).toEqual([
    ...["dropped future", "dropped context_management", "dropped container"],
    ...["dropped thinking", "dropped messages.0.content.1", "dropped messages.1.content.0"],
  ])
})
