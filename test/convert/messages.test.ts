import { describe, expect, test } from "bun:test"
import { convertMessages } from "../../src/convert/dialogue/messages.ts"
import {
  ask,
  assistant,
  call,
  chatCall,
  deepseek,
  generic,
  gpt4o,
  messagesOf,
  ollama,
  parse,
  png,
  pngPart,
  result,
  routeTo,
  text,
  user,
} from "./request-support.ts"

const messageOptions = {
  profile: routeTo(gpt4o).profile,
  target: { provider: "openai", model: "gpt-4o" },
  sendReasoning: true,
  recall: () => undefined,
}
const hi = user(text("hi"))
const said = (content: string) => ({ role: "user", content })

describe("roles", () => {
  test.each<[string, readonly unknown[], readonly unknown[]]>([
    ["an empty string", [user(text(""))], [said("...")]],
    ["no content", [{ role: "user", content: [] }], [said("...")]],
    [
      "a system message alone",
      [{ role: "system", content: "x" }],
      [said("<system-reminder>\nx\n</system-reminder>")],
    ],
    ["an effort alone", [{ role: "system", output_config: { effort: "low" } }], [said("...")]],
    ["reasoning alone", [assistant({ type: "thinking", thinking: "x", signature: "" })], [said("...")]],
    [
      "an empty last turn of the user",
      [hi, assistant(text("yes")), user(text(""))],
      [said("hi"), { role: "assistant", content: "yes" }, said("...")],
    ],
    [
      "an empty turn of the user between two of the assistant",
      [hi, assistant(text("one")), user(text("")), assistant(text("two")), hi],
      [said("hi"), { role: "assistant", content: "one\n\ntwo" }, said("hi")],
    ],
    [
      "a system message without words between two turns of the assistant",
      [hi, assistant(text("one")), { role: "system", content: "" }, assistant(text("two")), hi],
      [said("hi"), { role: "assistant", content: "one\n\ntwo" }, said("hi")],
    ],
    [
      "a prefill",
      [hi, assistant(text("The answer is"))],
      [
        said("hi"),
        { role: "assistant", content: "The answer is" },
        said(
          "Continue your last message exactly where it ends. Do not repeat any of it, and do not comment on it.",
        ),
      ],
    ],
    [
      "an assistant that begins",
      [assistant(text("hello")), hi],
      [{ role: "assistant", content: "hello" }, said("hi")],
    ],
    [
      "a developer's message",
      [hi, { role: "developer", content: "x" }],
      [said("hi\n\n<system-reminder>\nx\n</system-reminder>")],
    ],
  ])("%s", (_, messages, expected) => {
    expect(messagesOf(messages)).toEqual([...expected])
  })
})

describe("results", () => {
  const calls = [hi, assistant(call("a"), call("b"))]
  const after = (...messages: readonly unknown[]) => messagesOf([...calls, ...messages]).slice(2)
  const tool = (id: string, content: string) => ({ role: "tool", tool_call_id: id, content })

  test.each<[unknown, boolean | null, string]>([
    ["done", false, "done"],
    ["done", null, "done"],
    ["", false, "(no output)"],
    [null, false, "(no output)"],
    [[], false, "(no output)"],
    [[text("one"), text(" "), text("two")], false, "one\ntwo"],
    ["boom", true, "Error: boom"],
    ["", true, "Error: (no output)"],
    ["Error: boom", true, "Error: boom"],
    ["error TS2304", true, "error TS2304"],
    ["Exit code 3\nout\nerr", true, "Exit code 3\nout\nerr"],
    ["<tool_use_error>No such tool</tool_use_error>", true, "<tool_use_error>No such tool</tool_use_error>"],
    [[{ type: "tool_reference", tool_name: "T" }], false, "Tool T is now available."],
    [[{ type: "hologram" }], false, "(no output)"],
  ])("content %j with is_error %p", (content, is_error, expected) => {
    expect(after(user(result("a", content, { is_error }), result("b")))).toEqual([
      tool("a", expected),
      tool("b", "done"),
    ])
  })

  test("results spread over two user messages are all taken", () => {
    expect(after(user(result("b", "2"), text("and")), user(result("a", "1")))).toEqual([
      tool("a", "1"),
      tool("b", "2"),
      said("and"),
    ])
  })

  test("a second result for one call becomes words, with what it carries", () => {
    const again = result("a", [text("again"), png], { is_error: true })
    expect(after(user(result("a", "1"), result("b", "2"), again))).toEqual([
      tool("a", "1"),
      tool("b", "2"),
      {
        role: "user",
        content: [{ type: "text", text: "[tool result a]\nError: again" }, pngPart],
      },
    ])
  })

  test("a result that comes a turn too late becomes words", () => {
    const stub = "[no result: the tool call was interrupted]"
    const late = [user(result("a"), text("go")), assistant(text("yes")), user(result("b", "late"))]
    expect(after(...late)).toEqual([
      tool("a", "done"),
      tool("b", stub),
      ...[said("go"), { role: "assistant", content: "yes" }, said("[tool result b]\nlate")],
    ])
  })

  test("images of several results follow in the order of the calls", () => {
    const other = { type: "image", source: { type: "url", url: "https://x.test/2" } }
    const lead = { type: "text", text: "Attached from the result of Bash:" }
    expect(after(user(result("b", [text("see"), other]), result("a", [png]), text("well?")))).toEqual([
      tool("a", "(see attached image)"),
      tool("b", "see"),
      {
        role: "user",
        content: [
          ...[lead, pngPart, lead, { type: "image_url", image_url: { url: "https://x.test/2" } }],
          { type: "text", text: "well?" },
        ],
      },
    ])
  })

  test("a document in a result is a file there as well", () => {
    const pdf = { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBE" } }
    expect(after(user(result("a", [pdf]), result("b")))[0]).toEqual(tool("a", "(see attached file)"))
  })

  test("two calls with one id get ids of their own, and each its own result", () => {
    const history = [
      hi,
      assistant(call("a", { n: 1 }), call("a", { n: 2 })),
      user(result("a", "1"), result("a", "2")),
    ]
    const [, sent, ...results] = convertMessages(parse(ask(history)).messages, {
      ...messageOptions,
    }).value
    const ids = sent?.role === "assistant" ? (sent.tool_calls ?? []).map(({ id }) => id) : []
    expect(new Set(ids).size).toBe(2)
    expect(ids[0]).toBe("a")
    expect<readonly unknown[]>(results).toEqual([tool("a", "1"), tool(ids[1] ?? "", "2")])
  })

  test("ids no provider takes are replaced, in call and result alike", () => {
    const id = "functions.Bash:0"
    const [, sent, answer] = messagesOf([hi, assistant(call(id)), user(result(id))]).map((one) =>
      JSON.stringify(one),
    )
    const mapped = /"id":"(call_[0-9a-f]{32})"/.exec(sent ?? "")?.[1] ?? "none"
    expect(answer).toBe(JSON.stringify({ role: "tool", tool_call_id: mapped, content: "done" }))
  })
})

describe("the assistant's turns", () => {
  const thinking = (words: string) => ({ type: "thinking", thinking: words, signature: "" })

  test.each<[unknown, string]>([
    [{ b: 1, a: [2] }, '{"b":1,"a":[2]}'],
    [{}, "{}"],
    [null, "{}"],
    [undefined, "{}"],
    ["ls", "{}"],
    [["ls"], "{}"],
  ])("input %j is sent as %s", (input, expected) => {
    const history = [hi, assistant(call("a", input)), user(result("a"))]
    expect(messagesOf(history)[1]).toMatchObject({ tool_calls: [chatCall("a", expected)] })
  })

  test("text after calls goes before them; empty texts vanish; blocks are joined as they are", () => {
    const turn = assistant(text("one "), text(""), call("a"), text("two"))
    expect(messagesOf([hi, turn, user(result("a"))])[1]).toEqual({
      ...{ role: "assistant", content: "one two" },
      tool_calls: [chatCall("a")],
    })
  })

  test("what a server tool did is told in its place", () => {
    const search = { type: "server_tool_use", id: "s", name: "web_search", input: { query: "q" } }
    expect(messagesOf([hi, assistant(text("Searching."), search, text("Found.")), hi])[1]).toEqual({
      role: "assistant",
      content: 'Searching.\n[web_search: {"query":"q"}]\nFound.',
    })
  })

  test("why a server tool failed is told with its message, where it has one", () => {
    const type = "text_editor_code_execution_tool_result"
    const failed = (more: object) => ({
      type,
      tool_use_id: "s",
      content: { type: `${type}_error`, error_code: "file_not_found", ...more },
    })
    const blocks = [failed({ error_message: "No /a here." }), failed({ error_message: null })]
    expect(messagesOf([hi, assistant(...blocks, text("So.")), hi])[1]).toEqual({
      role: "assistant",
      content: `\n[${type} failed: file_not_found: No /a here.]\n\n[${type} failed: file_not_found]\nSo.`,
    })
  })

  test("several thoughts of one turn are one, in their order", () => {
    const turn = assistant(thinking("one, "), text("yes"), thinking("two"), call("a"))
    expect(messagesOf([hi, turn, user(result("a"))], deepseek)[1]).toMatchObject({
      content: "yes",
      reasoning_content: "one, two",
    })
  })

  test("each provider gets its reasoning in its own field, on the turns it wants", () => {
    const history = [hi, assistant(thinking("a"), text("yes")), hi, assistant(thinking("b"), call("a"))]
    const fields = (target: typeof deepseek) =>
      messagesOf([...history, user(result("a"))], target).map((one) =>
        JSON.stringify(one).match(/"reasoning\w*":"."/g),
      )
    expect<unknown>(fields(deepseek)).toEqual([
      ...[null, ['"reasoning_content":"a"'], null, ['"reasoning_content":"b"'], null],
    ])
    expect(fields(ollama)).toEqual([null, null, null, ['"reasoning":"b"'], null])
    expect(fields(generic)).toEqual([null, null, null, null, null])
    expect(fields(["generic", "kimi-k2.6"])).toEqual([null, null, null, ['"reasoning_content":"b"'], null])
  })

  test("Kimi's calls without reasoning carry an empty one, its other turns none", () => {
    const history = [hi, assistant(text("yes")), hi, assistant(call("a")), user(result("a"))]
    const sent = messagesOf(history, ["generic", "moonshotai/kimi-k2.5"])
    expect(sent[1]).toEqual({ role: "assistant", content: "yes" })
    expect(sent[3]).toMatchObject({ content: null, reasoning_content: "" })
  })

  test.each([
    [{ type: "redacted_thinking", data: "x" }, "dropped messages.1.content.1"],
    [{ type: "hologram" }, "dropped messages.1.content.1"],
    [png, "dropped messages.1.content.1"],
    [result("a"), "dropped messages.1.content.1"],
    [call("a", "ls"), "changed messages.1.content.1.input"],
    [call("a", '{"command":"ls"}'), "changed messages.1.content.1.input"],
  ])("what cannot be said leaves a note: %j", (block, line) => {
    const { messages } = parse(ask([hi, assistant(text("yes"), block), hi]))
    const { notes } = convertMessages(messages, messageOptions)
    expect(notes.map(({ kind, path }) => `${kind} ${path}`)).toEqual([line])
  })

  test.each([
    ['{"command":"ls"}', '{"command":"ls"}', "an object in a string, so it is sent as the object"],
    ["ls", "{}", "not an object, so it is sent as {}"],
    ['["ls"]', "{}", "not an object, so it is sent as {}"],
    ['"{}"', "{}", "not an object, so it is sent as {}"],
    [["ls"], "{}", "not an object, so it is sent as {}"],
  ])("a call's input that is %j goes as %s", (input, args, why) => {
    const { messages } = parse(ask([hi, assistant(call("a", input)), user(result("a"))]))
    const { value, notes } = convertMessages(messages, messageOptions)
    expect(value[1]).toMatchObject({ tool_calls: [chatCall("a", args)] })
    expect(notes).toEqual([{ kind: "changed", path: "messages.1.content.0.input", why }])
  })
})
