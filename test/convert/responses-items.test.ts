// The conversation as items of the Responses API: everything in the order it was said, reasoning directly before
// what it led to.
import { describe, expect, test } from "bun:test"
import { askResponses, carrying, gpt56, itemsOf } from "../support/responses/ask.ts"
import { ask, assistant, call, png, result, text, user } from "./request-support.ts"

const said = (...words: readonly string[]) => ({
  ...{ type: "message", role: "user" },
  content: words.map((one) => ({ type: "input_text", text: one })),
})
const answered = (words: string) => {
  return {
    type: "message",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text: words, annotations: [] }],
  }
}
const thought = (encrypted_content: string) => ({ type: "reasoning", summary: [], encrypted_content })
const called = (call_id: string, args = "{}", name = "Bash") => {
  return { type: "function_call", call_id, name, arguments: args }
}
const gave = (call_id: string, output: unknown = "done") => ({
  type: "function_call_output",
  call_id,
  output,
})

const image = { type: "input_image", image_url: "data:image/png;base64,iVBOR" }
const pdf = {
  type: "document",
  title: "a.pdf",
  source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
}
const hi = user(text("hi"))
const interrupted = "[no result: the tool call was interrupted]"
const goOn =
  "Continue your last message exactly where it ends. Do not repeat any of it, and do not comment on it."

test("media of results follow in the user's message where outputs are text alone (llama.cpp, LM Studio)", () => {
  const messages = [
    hi,
    assistant(call("call_1"), call("call_2")),
    user(result("call_1", [text("res"), png]), result("call_2", [png]), text("Well?")),
  ]
  const input = askResponses(ask(messages), ["llamacpp", "qwen3-vl"]).body.input
  expect<unknown>(input.slice(1)).toEqual([
    called("call_1"),
    called("call_2"),
    gave("call_1", "res"),
    gave("call_2", "(see attached image)"),
    {
      ...{ type: "message", role: "user" },
      content: [
        ...[{ type: "input_text", text: "Attached from the result of Bash:" }, image],
        ...[{ type: "input_text", text: "Attached from the result of Bash:" }, image],
        { type: "input_text", text: "Well?" },
      ],
    },
  ])
})

describe("messages become items", () => {
  test.each<[string, readonly unknown[], readonly unknown[]]>([
    ["a string", [{ role: "user", content: "hi" }], [said("hi")]],
    ["blocks of text", [user(text("one"), text("two"))], [said("one", "two")]],
    ["messages of the user in a row", [hi, user(text("there"))], [said("hi", "there")]],
    [
      "an image by data and one by address",
      [user(text("look"), png, { type: "image", source: { type: "url", url: "https://a.test/b.png" } })],
      [
        {
          ...{ type: "message", role: "user" },
          content: [
            { type: "input_text", text: "look" },
            image,
            { type: "input_image", image_url: "https://a.test/b.png" },
          ],
        },
      ],
    ],
    [
      "a PDF",
      [user(pdf)],
      [
        {
          ...{ type: "message", role: "user" },
          content: [
            { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
          ],
        },
      ],
    ],
    [
      "a PDF by address",
      [user({ type: "document", source: { type: "url", url: "https://a.test/b.pdf" }, title: "B" })],
      [
        {
          ...{ type: "message", role: "user" },
          content: [{ type: "input_file", file_url: "https://a.test/b.pdf" }],
        },
      ],
    ],
    [
      "text, a call and its result",
      [
        hi,
        assistant(text("I look."), call("call_1", { command: "ls" })),
        user(result("call_1", "a b"), text("and?")),
      ],
      [
        said("hi"),
        answered("I look."),
        called("call_1", '{"command":"ls"}'),
        gave("call_1", "a b"),
        said("and?"),
      ],
    ],
    [
      "parallel calls, their results in another order",
      [
        hi,
        assistant(call("a"), call("b"), call("c")),
        user(result("c", "3"), result("a", "1"), result("b", "2")),
      ],
      [said("hi"), called("a"), called("b"), called("c"), gave("a", "1"), gave("b", "2"), gave("c", "3")],
    ],
    [
      "a result that never came, in the middle and at the end",
      [hi, assistant(call("a"), call("b")), user(result("b")), assistant(call("c"))],
      [
        said("hi"),
        called("a"),
        called("b"),
        gave("a", interrupted),
        gave("b"),
        called("c"),
        gave("c", interrupted),
      ],
    ],
    [
      "a failure, and a result without words",
      [
        hi,
        assistant(call("a"), call("b")),
        user(result("a", "no such file", { is_error: true }), result("b", [])),
      ],
      [said("hi"), called("a"), called("b"), gave("a", "Error: no such file"), gave("b", "(no output)")],
    ],
    [
      "an image and a PDF within a result",
      [hi, assistant(call("a")), user(result("a", [text("seen"), png, pdf]))],
      [
        said("hi"),
        called("a"),
        gave("a", [
          { type: "input_text", text: "seen" },
          image,
          { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
        ]),
      ],
    ],
    [
      "a result that nobody waits for",
      [hi, assistant(text("Yes?")), user(result("x", "late"))],
      [said("hi"), answered("Yes?"), said("[tool result x]\nlate")],
    ],
    [
      "reasoning before its call, and before its text",
      [
        hi,
        assistant(carrying(["e1"], "So."), call("a")),
        user(result("a")),
        assistant(carrying(["e2"]), text("Done.")),
        hi,
      ],
      [said("hi"), thought("e1"), called("a"), gave("a"), thought("e2"), answered("Done."), said("hi")],
    ],
    [
      "reasoning in the middle of a turn",
      [
        hi,
        assistant(
          carrying(["e1"], "So."),
          text("I look."),
          carrying(["e2"]),
          call("a"),
          carrying(["e3", "e4"], "And."),
          call("b"),
        ),
        user(result("a"), result("b")),
      ],
      [
        ...[said("hi"), thought("e1"), answered("I look."), thought("e2"), called("a")],
        ...[thought("e3"), thought("e4"), called("b"), gave("a"), gave("b")],
      ],
    ],
    [
      "reasoning of another provider, of another model, of Claude and of nobody",
      [
        hi,
        assistant(
          carrying(["e1"], "", ["azure", "gpt-5.6"]),
          carrying(["e2"], "", ["openai", "gpt-5.5"]),
          { type: "thinking", thinking: "Claude's", signature: `EqQBCkYIBxgCKkC${"A1b2".repeat(20)}` },
          { type: "redacted_thinking", data: `EmwKAhgBEgy3${"qrst".repeat(20)}` },
          { type: "thinking", thinking: "Nobody's", signature: "" },
          call("a"),
        ),
        user(result("a")),
      ],
      [said("hi"), called("a"), gave("a")],
    ],
    [
      "reasoning whose text was changed",
      [hi, assistant({ ...carrying(["e1"], "So."), thinking: "Otherwise." }, call("a")), user(result("a"))],
      [said("hi"), called("a"), gave("a")],
    ],
    [
      "reasoning that led to nothing",
      [hi, assistant(carrying(["e1"]), text("Done."), carrying(["e2"])), hi, assistant(carrying(["e3"])), hi],
      [said("hi"), thought("e1"), answered("Done."), said("hi", "hi")],
    ],
    [
      "white space is not said",
      [hi, assistant(text("\n\n"), carrying(["e1"]), text(" "), call("a")), user(result("a"))],
      [said("hi"), thought("e1"), called("a"), gave("a")],
    ],
    [
      "the beginning of an answer",
      [hi, assistant(text("So far "))],
      [said("hi"), answered("So far "), said(goOn)],
    ],
    [
      "an answer, and an empty turn of the user",
      [hi, assistant(text("Yes.")), user()],
      [said("hi"), answered("Yes."), said("...")],
    ],
    [
      "ids that are too long, odd, or used twice",
      [
        hi,
        assistant(call("call 1: é"), call("x".repeat(80))),
        user(result("call 1: é", "1"), result("x".repeat(80), "2")),
      ],
      [
        ...[
          said("hi"),
          called(expect.stringMatching(/^[\w-]{1,64}$/)),
          called(expect.stringMatching(/^[\w-]{1,64}$/)),
        ],
        ...[
          gave(expect.stringMatching(/^[\w-]{1,64}$/), "1"),
          gave(expect.stringMatching(/^[\w-]{1,64}$/), "2"),
        ],
      ],
    ],
  ])("%s", (_name, messages, expected) => {
    expect<readonly unknown[]>(itemsOf(messages)).toEqual([...expected])
  })
})

test("a system message in the middle stays there", () => {
  const messages = [hi, { role: "system", content: "Be brief." }, assistant(text("Yes.")), hi]
  const { input } = askResponses(ask(messages), gpt56).body
  const system = { ...said("Be brief."), role: "developer" }
  expect<readonly unknown[]>(input.slice(-3)).toEqual([system, answered("Yes."), said("hi")])
})

test("an id that comes twice is told apart, and its results belong to their calls", () => {
  const items = itemsOf([
    hi,
    assistant(call("a")),
    user(result("a", "1")),
    assistant(call("a")),
    user(result("a", "2")),
  ])
  const ids = items.flatMap((item) => ("call_id" in item ? [item.call_id] : []))
  expect(new Set(ids).size).toBe(2)
  expect([ids[0], ids[2]]).toEqual([ids[1], ids[3]])
})
