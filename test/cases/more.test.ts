// What the numbered cases do not ask for, and real clients and upstreams do all the same: chunks and requests.
import { describe, expect, test } from "bun:test"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import {
  ask,
  assistant,
  call,
  convert,
  messagesOf,
  noteLines,
  result,
  text,
  user,
} from "../convert/request-support.ts"
import { chatReply, deltaChunk, finishChunk, roleChunk, textChunk, toolChunks } from "../support/chunks.ts"
import { eventsOf, foldOf, replyEvents } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { blocksOf, refusals } from "./support.ts"

const stop = finishChunk("stop")
const last = (choice: JsonObject) => ({ choices: [{ index: 0, finish_reason: "stop", ...choice }] })
const words = (content: string) => ({ message: { role: "assistant", content } })

describe("what chunks hold", () => {
  const functionCall = [
    deltaChunk({ function_call: { name: "Read", arguments: "" } }),
    deltaChunk({ function_call: { arguments: '{"a"' } }),
    deltaChunk({ function_call: { name: "Read", arguments: ":1}" } }),
  ]
  test.each<[string, readonly JsonObject[], readonly string[]]>([
    [
      "parts that are strings",
      [deltaChunk({ content: ["a", { type: "text", text: "b" }, "c"] }), stop],
      ["text: abc"],
    ],
    ["one part without a list", [deltaChunk({ content: { type: "text", text: "a" } }), stop], ["text: a"]],
    ["a whole message in the last chunk", [roleChunk(), last(words("all"))], ["text: all"]],
    [
      "the same beside an empty delta",
      [roleChunk(), last({ delta: { content: "" }, ...words("all") })],
      ["text: all"],
    ],
    [
      "the same beside a null delta",
      [last({ delta: { role: "assistant", content: null }, ...words("all") })],
      ["text: all"],
    ],
    [
      "a message that repeats the stream",
      [textChunk("al"), textChunk("l"), last({ delta: {}, ...words("all") })],
      ["text: all"],
    ],
    [
      "a refusal",
      [deltaChunk({ refusal: "I " }), deltaChunk({ refusal: "will not." }), stop],
      ["text: I will not."],
    ],
    [
      "pictures",
      [deltaChunk({ images: [{ type: "image_url", image_url: { url: "data:" } }] }), stop],
      ["text: [image omitted]"],
    ],
    ["the old function_call in pieces", [...functionCall, finishChunk("function_call")], ['Read {"a":1}']],
    [
      "tool_calls null and empty",
      [deltaChunk({ content: "a", tool_calls: null }), deltaChunk({ content: "b", tool_calls: [] }), stop],
      ["text: ab"],
    ],
    [
      "errors that say nothing",
      [{ ...textChunk("a"), error: null }, { ...textChunk("b"), error: {} }, stop],
      ["text: ab"],
    ],
    ["content that is a number", [deltaChunk({ content: 5 }), textChunk("a"), stop], ["text: a"]],
    [
      "padding",
      [{ ...textChunk("a"), obfuscation: "xyz" }, deltaChunk({ content: "b", obfuscation: "x" }), stop],
      ["text: ab"],
    ],
  ])("%s", (_name, chunks, expected) => {
    expect(blocksOf(eventsOf(chunks))).toEqual([...expected])
  })

  test.each<[string, readonly JsonObject[], string]>([
    [
      "a call, stop, then tool_calls",
      [...toolChunks(0, "call_12345", "Read", {}), stop, finishChunk("tool_calls")],
      "tool_use",
    ],
    ["stop, then length", [textChunk("a"), stop, finishChunk("length")], "max_tokens"],
    ["length, then stop", [textChunk("a"), finishChunk("length"), stop], "max_tokens"],
    ["an empty reason first", [textChunk("a"), finishChunk(""), finishChunk("length")], "max_tokens"],
    ["a word that nobody knows", [textChunk("a"), finishChunk("whatever")], "end_turn"],
  ])("two finish reasons: %s", (_name, chunks, expected) => {
    expect(foldOf(chunks).reply?.stop_reason ?? "none").toBe(expected)
  })

  test("parts and refusals of a whole reply", () => {
    const parts = [{ type: "text", text: "a" }, "b", { type: "refusal", refusal: "c" }]
    const blocks = (message: JsonObject) => blocksOf(replyEvents(chatReply(message)))
    expect(blocks({ content: parts })).toEqual(["text: abc"])
    expect(blocks({ content: null, refusal: "no" })).toEqual(["text: no"])
    expect(
      blocks({ content: "\n\n", tool_calls: [{ function: { name: "Read", arguments: "{}" } }] }),
    ).toEqual(["Read {}"])
  })

  test("a call, once complete, is followed by what failed", () => {
    const events = eventsOf([
      ...toolChunks(0, "call_12345", "Read", { a: 1 }),
      textChunk("b"),
      { error: "gone" },
    ])
    expect(checkGrammar(events)).toEqual([])
    expect(events.slice(-4).map((event): string => event.type)).toEqual([
      ...["content_block_stop", "content_block_start", "content_block_delta", "error"],
    ])
    expect(foldEvents(events).fault?.message).toContain("gone")
  })
})

describe("what requests hold", () => {
  const hi = user(text("hi"))

  test("fields and blocks nobody knows yet are left out with a note, and never refused", () => {
    const raw = ask(
      [user(text("hi"), { type: "hologram", data: 1 }), { role: "system", content: [{ type: "new" }] }],
      {
        ...{ future: true, context_management: { edits: [] }, container: "c_1", cache_control: null },
        ...{ thinking: { type: "deep", depth: 3 }, output_config: { effort: "galactic", task_budget: {} } },
      },
    )
    expect(noteLines(convert(raw))).toEqual([
      ...["dropped future", "dropped context_management", "dropped container"],
      ...["dropped thinking.depth", "dropped output_config.task_budget"],
      ...["changed thinking.type", "dropped output_config.effort"],
      ...["dropped thinking", "dropped messages.0.content.1", "dropped messages.1.content.0"],
      "changed max_tokens",
    ])
    expect(refusals(raw)).toEqual([])
  })

  test("null in every field that may be left out is nothing", () => {
    const fields = ["system", "tools", "tool_choice", "thinking", "stop_sequences", "metadata", "temperature"]
    const more = Object.fromEntries(
      [...fields, "top_p", "top_k", "service_tier", "speed"].map((field) => [field, null]),
    )
    const raw = ask([hi], { ...more, output_config: { effort: null, format: null } })
    expect(convert(raw).body).toEqual(convert(ask([hi])).body)
    expect(noteLines(convert(raw))).toEqual([])
    expect(refusals(raw)).toEqual([])
  })

  test("the billing line is no reminder, and a developer's message is one", () => {
    const billing = { role: "system", content: "x-anthropic-billing-header: cc_version=2; cch=1;" }
    expect(messagesOf([hi, billing])).toEqual([{ role: "user", content: "hi" }])
    expect(messagesOf([hi, { role: "developer", content: "be nice" }])).toEqual([
      { role: "user", content: "hi\n\n<system-reminder>\nbe nice\n</system-reminder>" },
    ])
  })

  test("the same call id in two turns is two ids, each with its result", () => {
    const raw = ask(
      [hi, assistant(call("a")), user(result("a", "1")), assistant(call("a")), user(result("a", "2"))],
      {
        tools: [{ name: "Bash", input_schema: { type: "object" } }],
      },
    )
    const messages = convert(raw).body.messages
    const ids = messages.flatMap((message) =>
      message.role === "tool" ? [[message.tool_call_id, message.content]] : [],
    )
    expect(ids).toEqual([
      ["a", "1"],
      [expect.stringMatching(/^call_[0-9a-f]+$/), "2"],
    ])
    expect(refusals(raw)).toEqual([])
  })

  test("a second result for one call is the user's words", () => {
    const history = [hi, assistant(call("a")), user(result("a", "1"), result("a", "2"))]
    expect(messagesOf(history).slice(2)).toEqual([
      { role: "tool", tool_call_id: "a", content: "1" },
      { role: "user", content: "[tool result a]\n2" },
    ])
  })

  test("a PDF in a result goes to Mistral in its own form, after all results", () => {
    const pdf = { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBE" } }
    const history = [hi, assistant(call("abcdefghi", {}, "Read")), user(result("abcdefghi", [pdf]))]
    expect(messagesOf(history, ["mistral", "mistral-large-latest"]).slice(2)).toEqual([
      { role: "tool", tool_call_id: "abcdefghi", content: "(see attached file)", name: "Read" },
      {
        role: "user",
        content: [
          { type: "text", text: "Attached from the result of Read:" },
          { type: "document_url", document_url: "data:application/pdf;base64,JVBE" },
        ],
      },
    ])
  })
})
