// Text that is marked as a thought by a flag beside it, as Gemini does: with tags in it, without, on every piece
// or on the first alone.
import { describe, expect, test } from "bun:test"
import { decodeCarrier } from "../../src/convert/common/carrier.ts"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { chatReply, deltaChunk, finishChunk, textChunk, toolChunks } from "../support/chunks.ts"
import { eventsOf, optionsFor, readerOptions, replyEvents } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { property } from "../support/random.ts"

const flag = { extra_content: { google: { thought: true } } }
const thought = (content: string) => deltaChunk({ content, ...flag })

function said(events: readonly MessagesEvent[]): readonly string[] {
  expect(checkGrammar(events)).toEqual([])
  return (foldEvents(events).reply?.content ?? []).map((block) => {
    if (block.type === "thinking") return `thinking: ${block.thinking}`
    return block.type === "text" ? `text: ${block.text}` : block.type
  })
}

const read = (chunks: readonly unknown[], options = {}) =>
  said(eventsOf([...chunks, finishChunk("stop")], options))
const { profile } = optionsFor({ provider: "gemini", model: "gemini-2.5-flash" })
const never = { ...profile, reasoning: { ...profile.reasoning, thinkTags: "never" as const } }

describe("in streams", () => {
  const plan = ["thinking: **Plan** a b", "text: Answer"]
  test.each<[string, readonly unknown[], readonly string[]]>([
    ["without tags", [thought("**Plan** a"), thought(" b"), textChunk("Answer")], plan],
    ["tags around it", [thought("<thought>**Plan** a"), thought(" b</thought>"), textChunk("Answer")], plan],
    [
      "tags around each piece",
      ["**Plan** a", " b"].map((text) => thought(`<thought>${text}</thought>`)),
      ["thinking: **Plan** a b"],
    ],
    ["the closing tag in the text", [thought("<thought>**Plan** a b"), textChunk("</thought>Answer")], plan],
    [
      "the closing tag alone, and cut",
      [thought("**Plan** a"), thought(" b</th"), textChunk("oug"), textChunk("ht>\n\nAnswer")],
      plan,
    ],
    [
      "the opening tag cut",
      [thought("<tho"), thought("ught>**Plan** a b"), textChunk("</thought>"), textChunk("Answer")],
      plan,
    ],
    ["no closing tag", [thought("<thought>**Plan** a"), thought(" b"), textChunk("Answer")], plan],
    [
      "the flag on the first piece alone",
      [thought("<thought>**Plan**"), textChunk(" a b"), textChunk("</thought>"), textChunk("Answer")],
      plan,
    ],
    [
      "the flag on the first piece alone, and no closing tag: the rest may be the answer",
      [thought("<thought>**Plan** a b"), textChunk("Answer")],
      ["thinking: **Plan** a bAnswer", "text: Answer"],
    ],
    [
      "what could be a tag and is none",
      [thought("a <"), thought(" b <"), textChunk("c")],
      ["thinking: a < b <", "text: c"],
    ],
    [
      "text, then a thought",
      [textChunk("One."), thought("Hm."), textChunk("Two.")],
      ["text: One.", "thinking: Hm.", "text: Two."],
    ],
    [
      "tags in the answer are text",
      [thought("Hm."), textChunk("<think>a</think>")],
      ["thinking: Hm.", "text: <think>a</think>"],
    ],
    ["a thought alone", [thought("Hm. <")], ["thinking: Hm. <"]],
    [
      "an answer behind the tag in the same piece",
      [thought("<thought>Hm.</thought>Answer")],
      ["thinking: Hm.", "text: Answer"],
    ],
    [
      "before a call",
      [thought("Hm. <"), ...toolChunks(0, "call_12345", "Read", { a: 1 }), textChunk("So.")],
      ["thinking: Hm. <", "tool_use", "text: So."],
    ],
    [
      "white space in between",
      [thought("\n"), thought("Hm."), textChunk("\n"), textChunk("Answer")],
      ["thinking: Hm.\n", "text: Answer"],
    ],
  ])("%s", (_name, chunks, expected) => {
    for (const options of [{}, { profile }, { profile: never }])
      expect(read(chunks, options)).toEqual([...expected])
  })

  test("where thinking is switched off it is left out", () => {
    expect(read([thought("**Plan**"), thought(" b"), textChunk("Answer")], { showReasoning: false })).toEqual(
      ["text: Answer"],
    )
  })

  test("a flag that is false, or that is no flag, says nothing", () => {
    for (const given of [false, "true", 1, null]) {
      const chunk = deltaChunk({ content: "Hi", extra_content: { google: { thought: given } } })
      expect(read([chunk])).toEqual(["text: Hi"])
    }
  })

  test("a signature beside the thought is kept", () => {
    const signed = { extra_content: { google: { thought: true, thought_signature: "sig" } } }
    const chunks = [thought("Hm."), deltaChunk({ content: " So.", ...signed }), textChunk("Answer")]
    const content = foldEvents(eventsOf([...chunks, finishChunk("stop")])).reply?.content ?? []
    const [block] = content
    const carried = block?.type === "thinking" ? decodeCarrier(block.signature, block.thinking) : undefined
    expect([said(eventsOf([...chunks, finishChunk("stop")])), carried?.cargo.textSignature]).toEqual([
      ["thinking: Hm. So.", "text: Answer"],
      "sig",
    ])
  })

  property("cut anywhere, with tags or without", 1_000, (random) => {
    const inner = `Plan${random.text(12).replaceAll("<", "-")}.`
    const tags = random.pick([
      ["", ""],
      ["<thought>", ""],
      ["", "</thought>"],
      ["<thought>", "</thought>"],
    ] as const)
    const whole = `${tags[0]}${inner}${tags[1]}`
    const at = random.integer(0, whole.length)
    const again = random.integer(at, whole.length)
    const pieces = [whole.slice(0, at), whole.slice(at, again), whole.slice(again)].filter(
      (piece) => piece !== "",
    )
    // A single piece with an opening tag alone may be the first of several that have no flag.
    const isOpen = pieces.length === 1 && tags[1] === "" && tags[0] !== ""
    const answer = isOpen ? "</thought>Answer" : "Answer"
    expect(read([...pieces.map(thought), textChunk(answer)])).toEqual([`thinking: ${inner}`, "text: Answer"])
  })
})

describe("in whole replies", () => {
  const parts = [
    { type: "text", text: "**Plan**", ...flag },
    { type: "text", text: "Answer" },
  ]
  test.each<[object, readonly string[]]>([
    [{ content: "**Plan**", ...flag }, ["thinking: **Plan**"]],
    [{ content: "<thought>**Plan**</thought>Answer", ...flag }, ["thinking: **Plan**", "text: Answer"]],
    [{ content: parts }, ["thinking: **Plan**", "text: Answer"]],
  ])("%j", (message, expected) => {
    expect(said(replyEvents(chatReply({ ...message })))).toEqual([...expected])
  })

  test("in a choice of its own", () => {
    const choices = [{ message: { content: "**Plan**", ...flag } }, { message: { content: "Answer" } }]
    expect(said(replyEvents({ choices }, readerOptions()))).toEqual(["thinking: **Plan**", "text: Answer"])
  })
})
