// The treacherous requests, one test each, under their numbers: system prompts, results and calls.
import { describe, expect, test } from "bun:test"
import {
  ask,
  assistant,
  call,
  chatCall,
  convert,
  deepseek,
  generic,
  gpt4o,
  gpt5,
  messagesOf,
  noteLines,
  ollama,
  png,
  pngPart,
  result,
  type Target,
  text,
  user,
} from "./request-support.ts"

const bytes = (raw: unknown, target?: Target) => JSON.stringify(convert(raw, target).body)
const reminder = (said: string) => `<system-reminder>\n${said}\n</system-reminder>`
const billing = (word: string) => `x-anthropic-billing-header: cc_version=2.1.329.a1b; cch=${word};`
const hi = user(text("hi"))

describe("system", () => {
  test("1: the billing line stays here, and two requests that differ in it alone give the same bytes", () => {
    const request = (word: string) =>
      ask([hi], { system: [text(billing(word)), text("You are helpful.")], stream: true })
    expect(messagesOf([hi], gpt4o, { system: [text(billing("a")), text("You are helpful.")] })[0]).toEqual({
      role: "system",
      content: "You are helpful.",
    })
    for (const target of [gpt4o, gpt5, deepseek, ollama, generic]) {
      expect(bytes(request("ab12c"), target)).toBe(bytes(request("99999"), target))
    }
  })

  test("1: a system prompt that is the billing line alone leaves no system message", () => {
    expect(messagesOf([hi], gpt4o, { system: [text(billing("a"))] })).toEqual([
      { role: "user", content: "hi" },
    ])
  })

  test("2: of a string that begins with the billing line only that line goes", () => {
    const system = `${billing("a")}\n\nYou are helpful.\nx-anthropic-billing-header: is a header.`
    expect(messagesOf([hi], gpt4o, { system })[0]).toEqual({
      role: "system",
      content: "\nYou are helpful.\nx-anthropic-billing-header: is a header.",
    })
  })

  test("3: a system message after the first user message ends that user's turn", () => {
    const first = user(text("<system-reminder>\nmind\n</system-reminder>"), text("do it"))
    const expected = {
      role: "user",
      content: `<system-reminder>\nmind\n</system-reminder>\n\ndo it\n\n${reminder("agents: a, b")}`,
    }
    const array = { role: "system", content: [{ ...text("agents: a, b"), cache_control: {} }] }
    for (const system of [array, { role: "system", content: "agents: a, b" }]) {
      expect(messagesOf([first, system])).toEqual([expected])
    }
  })

  test("4: a system message at the end, after results: results first, then one user message", () => {
    const history = [hi, assistant(call("a")), user(result("a")), { role: "system", content: "tasks" }]
    expect(messagesOf(history).slice(1)).toEqual([
      { role: "assistant", content: null, tool_calls: [chatCall("a")] },
      { role: "tool", tool_call_id: "a", content: "done" },
      { role: "user", content: reminder("tasks") },
    ])
  })
})

describe("results and calls", () => {
  test("5: results in the order of the calls, then the document, then the words", () => {
    const pdf = { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBE" } }
    const turn = user(result("b", "boom", { is_error: true }), result("a", "fine"), pdf, text("and?"))
    expect(messagesOf([hi, assistant(call("a"), call("b")), turn]).slice(2)).toEqual([
      { role: "tool", tool_call_id: "a", content: "fine" },
      { role: "tool", tool_call_id: "b", content: "Error: boom" },
      {
        role: "user",
        content: [
          {
            type: "file",
            file: { filename: "document.pdf", file_data: "data:application/pdf;base64,JVBE" },
          },
          { type: "text", text: "and?" },
        ],
      },
    ])
  })

  test("6: an image in a result follows all results, in a user message", () => {
    const turn = user(result("a", [png]), result("b", "text"))
    const history = [hi, assistant(call("a", {}, "Read"), call("b")), turn]
    expect(messagesOf(history).slice(2)).toEqual([
      { role: "tool", tool_call_id: "a", content: "(see attached image)" },
      { role: "tool", tool_call_id: "b", content: "text" },
      { role: "user", content: [{ type: "text", text: "Attached from the result of Read:" }, pngPart] },
    ])
  })

  const stub = "[no result: the tool call was interrupted]"

  test("7: a call without a result gets one", () => {
    const history = [hi, assistant(call("a"), call("b")), user(result("a"), text("go on"))]
    expect(messagesOf(history).slice(2)).toEqual([
      { role: "tool", tool_call_id: "a", content: "done" },
      { role: "tool", tool_call_id: "b", content: stub },
      { role: "user", content: "go on" },
    ])
  })

  test("8: a result that no call waits for becomes the user's words", () => {
    expect(messagesOf([user(result("lost", "42")), assistant(text("ok")), hi])).toEqual([
      { role: "user", content: "[tool result lost]\n42" },
      { role: "assistant", content: "ok" },
      { role: "user", content: "hi" },
    ])
  })

  test("9: calls at the end of the conversation are answered", () => {
    expect(messagesOf([hi, assistant(call("a"), call("b"))]).slice(2)).toEqual([
      { role: "tool", tool_call_id: "a", content: stub },
      { role: "tool", tool_call_id: "b", content: stub },
    ])
  })

  test("10: an empty text beside a call is no text", () => {
    const history = [hi, assistant(text(""), call("a")), user(result("a"))]
    expect(messagesOf(history)[1]).toEqual({ role: "assistant", content: null, tool_calls: [chatCall("a")] })
  })

  const thought = { type: "thinking", thinking: "hm", signature: "" }

  test("11: a turn of reasoning alone is left out, and its neighbours meet", () => {
    const raw = ask([user(text("one")), assistant(thought), user(text("two"))])
    for (const target of [gpt4o, deepseek]) {
      const conversion = convert(raw, target)
      expect(conversion.body.messages).toEqual([{ role: "user", content: "one\n\ntwo" }])
      expect(noteLines(conversion)).toContain("dropped messages.1")
    }
  })

  test("12: turns of one role in a row become one", () => {
    const history = [
      ...[user(text("one")), { role: "user", content: "two" }],
      ...[assistant(text("three"), text(" more")), assistant(text("four"), call("a"))],
      ...[user(result("a")), user(text("five"))],
    ]
    expect(messagesOf(history)).toEqual([
      { role: "user", content: "one\n\ntwo" },
      { role: "assistant", content: "three more\n\nfour", tool_calls: [chatCall("a")] },
      { role: "tool", tool_call_id: "a", content: "done" },
      { role: "user", content: "five" },
    ])
  })

  test("12: reasoning in a message of its own stays with the turn it belongs to", () => {
    expect(messagesOf([hi, assistant(thought), assistant(call("a"))], deepseek)[1]).toEqual({
      ...{ role: "assistant", content: null, reasoning_content: "hm" },
      tool_calls: [chatCall("a")],
    })
  })

  test("13: string content and citations are plain text", () => {
    const cited = { ...text("as I said"), citations: [{ type: "char_location", cited_text: "said" }] }
    expect(messagesOf([hi, { role: "assistant", content: "(no content)" }, user(cited)])).toEqual([
      { role: "user", content: "hi" },
      { role: "assistant", content: "(no content)" },
      { role: "user", content: "as I said" },
    ])
  })

  test("14: input that Claude Code could not parse is sent as the JSON it was wrapped in", () => {
    const input = { __unparsedToolInput: { raw: '{"command": "ls', len: 15 } }
    const history = [hi, assistant(call("a", input)), user(result("a"))]
    expect(messagesOf(history)[1]).toEqual({
      ...{ role: "assistant", content: null },
      tool_calls: [chatCall("a", '{"__unparsedToolInput":{"raw":"{\\"command\\": \\"ls","len":15}}')],
    })
  })
})
