// Treacherous requests, one test for each number: the system prompt, results, calls and turns.
import { expect, test } from "bun:test"
import {
  ask,
  assistant,
  call,
  chatCall,
  convert,
  deepseek,
  gpt4o,
  messagesOf,
  noteLines,
  png,
  pngPart,
  result,
  type Target,
  text,
  user,
} from "../convert/request-support.ts"
import { everyTarget, failing, plainText, refusals, rolesOf, sent, sentMessages } from "./support.ts"

const reminder = (said: string) => `<system-reminder>\n${said}\n</system-reminder>`
const billing = (word: string) => `x-anthropic-billing-header: cc_version=2.1.329.a1b; cch=${word};`
const hi = user(text("hi"))
const tools = [{ name: "Bash", input_schema: { type: "object", properties: {} } }]
const stub = "[no result: the tool call was interrupted]"

test("1: the billing line stays here, and two requests that differ in it alone give the same bytes", () => {
  const request = (word: string) =>
    ask([hi], { system: [text(billing(word)), text("You are helpful.")], stream: true })
  expect(messagesOf([hi], gpt4o, { system: [text(billing("a")), text("You are helpful.")] })[0]).toEqual({
    role: "system",
    content: "You are helpful.",
  })
  expect(messagesOf([hi], gpt4o, { system: [text(billing("a"))] })).toEqual([{ role: "user", content: "hi" }])
  const bytes = (word: string, target: Target) => JSON.stringify(convert(request(word), target).body)
  expect(failing((target) => bytes("ab12c", target) === bytes("99999", target))).toEqual([])
  expect(failing((target) => !bytes("ab12c", target).includes("billing-header"))).toEqual([])
})

test("2: of a system prompt that begins with the billing line only that line goes", () => {
  const system = `${billing("a")}\n\nYou are helpful.\nx-anthropic-billing-header: is a header.`
  expect(messagesOf([hi], gpt4o, { system })[0]).toEqual({
    role: "system",
    content: "\nYou are helpful.\nx-anthropic-billing-header: is a header.",
  })
})

test("3: a system message after the first user message ends that user's turn", () => {
  const first = user(text(reminder("mind")), text("do it"))
  const array = { role: "system", content: [{ ...text("agents: a, b"), cache_control: {} }] }
  for (const system of [array, { role: "system", content: "agents: a, b" }]) {
    for (const target of everyTarget) {
      const messages = sentMessages(ask([first, system], { system: "Be brief." }), target)
      expect(rolesOf(messages)).toEqual([expect.stringMatching(/^(system|developer)$/), "user"])
      expect(plainText(messages[1])).toBe(`${reminder("mind")}\n\ndo it\n\n${reminder("agents: a, b")}`)
    }
  }
})

test("4: a system message at the end, after results: results first, then one user message", () => {
  const history = [hi, assistant(call("a")), user(result("a")), { role: "system", content: "tasks" }]
  expect(messagesOf(history).slice(1)).toEqual([
    { role: "assistant", content: null, tool_calls: [chatCall("a")] },
    { role: "tool", tool_call_id: "a", content: "done" },
    { role: "user", content: reminder("tasks") },
  ])
  const orders = everyTarget.map((target) => rolesOf(sentMessages(ask(history, { tools }), target)).join(" "))
  expect(new Set(orders)).toEqual(new Set(["user assistant tool user"]))
  expect(refusals(ask(history, { tools }))).toEqual([])
})

test("5: results in the order of the calls, then the document, then the words", () => {
  const pdf = { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBE" } }
  const turn = user(result("b", "boom", { is_error: true }), result("a", "fine"), pdf, text("and?"))
  const history = [hi, assistant(call("a"), call("b")), turn]
  const data = "data:application/pdf;base64,JVBE"
  const file = { type: "file", file: { filename: "document.pdf", file_data: data } }
  const words = { type: "text", text: "and?" }
  for (const provider of ["openai", "azure", "openrouter"]) {
    expect(messagesOf(history, [provider, "gpt-4o"]).slice(2)).toEqual([
      { role: "tool", tool_call_id: "a", content: "fine" },
      { role: "tool", tool_call_id: "b", content: "Error: boom" },
      { role: "user", content: [file, words] },
    ])
  }
  const mistral = sentMessages(ask(history), ["mistral", "mistral-large-latest"])
  expect(mistral[4]?.["content"]).toEqual([{ type: "document_url", document_url: data }, words])
  expect(messagesOf(history, deepseek)[4]).toEqual({
    role: "user",
    content: expect.stringMatching(/^\[PDF document \(3 bytes\) omitted: .+\]\n\nand\?$/),
  })
  expect(refusals(ask(history, { tools }))).toEqual([])
})

test("6: an image in a result follows after all results, in a user message", () => {
  const turn = user(result("a", [png]), result("b", "text"))
  const history = [hi, assistant(call("a", {}, "Read"), call("b")), turn]
  expect(messagesOf(history).slice(2)).toEqual([
    { role: "tool", tool_call_id: "a", content: "(see attached image)" },
    { role: "tool", tool_call_id: "b", content: "text" },
    { role: "user", content: [{ type: "text", text: "Attached from the result of Read:" }, pngPart] },
  ])
  expect(messagesOf(history, deepseek).slice(2)).toEqual([
    { role: "tool", tool_call_id: "a", content: "[image omitted: this model cannot see images]" },
    { role: "tool", tool_call_id: "b", content: "text" },
  ])
  expect(refusals(ask(history, { tools }))).toEqual([])
})

test("7: of two parallel calls the one without a result gets one", () => {
  const history = [hi, assistant(call("a"), call("b")), user(result("a"), text("go on"))]
  expect(messagesOf(history).slice(2)).toEqual([
    { role: "tool", tool_call_id: "a", content: "done" },
    { role: "tool", tool_call_id: "b", content: stub },
    { role: "user", content: "go on" },
  ])
  expect(refusals(ask(history, { tools }))).toEqual([])
})

test("8: a result that no call waits for becomes the user's words", () => {
  const history = [user(result("lost", "42")), assistant(text("ok")), hi]
  expect(messagesOf(history)).toEqual([
    { role: "user", content: "[tool result lost]\n42" },
    { role: "assistant", content: "ok" },
    { role: "user", content: "hi" },
  ])
  expect(failing((target) => !rolesOf(sentMessages(ask(history), target)).includes("tool"))).toEqual([])
  expect(refusals(ask(history))).toEqual([])
})

test("9: calls at the end of the conversation are answered", () => {
  const history = [hi, assistant(call("a"), call("b"))]
  expect(messagesOf(history).slice(2)).toEqual([
    { role: "tool", tool_call_id: "a", content: stub },
    { role: "tool", tool_call_id: "b", content: stub },
  ])
  expect(refusals(ask(history, { tools }))).toEqual([])
})

test("10: an empty text beside a call is no text", () => {
  const history = [hi, assistant(text(""), call("a")), user(result("a"))]
  expect(messagesOf(history)[1]).toEqual({ role: "assistant", content: null, tool_calls: [chatCall("a")] })
  const content = (target: Target) => sentMessages(ask(history, { tools }), target).at(-2)?.["content"]
  expect(failing((target) => content(target) === null || content(target) === "")).toEqual([])
  expect(refusals(ask(history, { tools }))).toEqual([])
})

const thought = { type: "thinking", thinking: "hm", signature: "" }

test("11: a turn of reasoning alone is left out, and its neighbours meet", () => {
  const raw = ask([user(text("one")), assistant(thought), user(text("two"))])
  for (const target of everyTarget) {
    const conversion = convert(raw, target)
    expect(conversion.body.messages).toEqual([{ role: "user", content: "one\n\ntwo" }])
    if (target === deepseek) expect(noteLines(conversion)).toContain("dropped messages.1")
  }
  expect(refusals(raw)).toEqual([])
})

test("12: turns of one role in a row become one, with all that belongs to them", () => {
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
  expect(messagesOf([hi, assistant(thought), assistant(call("a"))], deepseek)[1]).toEqual({
    ...{ role: "assistant", content: null, reasoning_content: "hm" },
    tool_calls: [chatCall("a")],
  })
  expect(refusals(ask(history, { tools }))).toEqual([])
})

test("13: string content and text with citations are plain text", () => {
  const cited = [{ type: "char_location", cited_text: "said" }]
  for (const citations of [[], cited]) {
    const history = [
      hi,
      { role: "assistant", content: "(no content)" },
      user({ ...text("as I said"), citations }),
    ]
    expect(messagesOf(history)).toEqual([
      { role: "user", content: "hi" },
      { role: "assistant", content: "(no content)" },
      { role: "user", content: "as I said" },
    ])
    expect(refusals(ask(history))).toEqual([])
  }
})

test("14: input that Claude Code could not parse is sent as the JSON it was wrapped in", () => {
  const input = { __unparsedToolInput: { raw: '{"command": "ls', len: 15 } }
  const history = [hi, assistant(call("a", input)), user(result("a"))]
  expect(messagesOf(history)[1]).toEqual({
    ...{ role: "assistant", content: null },
    tool_calls: [chatCall("a", '{"__unparsedToolInput":{"raw":"{\\"command\\": \\"ls","len":15}}')],
  })
  const [message] = sentMessages(ask(history)).slice(1)
  expect(JSON.stringify(message)).toContain("__unparsedToolInput")
  expect(refusals(ask(history, { tools }))).toEqual([])
  expect(sent(ask(history))["tool_choice"]).toBe(undefined)
})
