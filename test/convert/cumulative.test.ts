// Streams whose pieces may repeat all that came before: nothing of a text may be lost, and nothing said twice.
import { describe, expect, test } from "bun:test"
import { decodeCarrier } from "../../src/convert/common/carrier.ts"
import { addPiece, firstPiece, settle } from "../../src/convert/reader/growth.ts"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import type { MessagesEvent } from "../../src/protocol/messages/messages.ts"
import { chatReply, deltaChunk, finishChunk, textChunk, toolChunks } from "../support/chunks.ts"
import { inputs, optionsFor, play, replyEvents } from "../support/fixtures.ts"
import { checkGrammar } from "../support/grammar.ts"
import { property } from "../support/random.ts"

/** What comes out of a stream of pieces, piece by piece, and at its end. */
function grow(pieces: readonly string[], expected: boolean): readonly string[] {
  const [first = "", ...more] = pieces
  let growth = firstPiece(first)
  const given = more.map((piece) => {
    const [next, text] = addPiece(growth, piece, expected)
    growth = next
    return text
  })
  return [first, ...given, settle(growth, expected)[1]]
}

/** Each piece with all before it. */
const repeated = (pieces: readonly string[]) => pieces.map((_, at) => pieces.slice(0, at + 1).join(""))

describe("what is certain is given", () => {
  test.each<[readonly string[], readonly string[]]>([
    [
      ["Let", "Let me", "Let me think", "Let me think hard"],
      ["Let", "", " me think", " hard", ""],
    ],
    [
      ["好的", "好的，我", "好的，我看", "好的，我看"],
      ["好的", "", "，我看", "", ""],
    ],
    [
      ["好的", "好的，我"],
      ["好的", "", "，我"],
    ],
    [
      ["Hello", "Hello wor", "Hello world"],
      ["Hello", "", " world", ""],
    ],
    [
      ["Both files", "Both files matter"],
      ["Both files", " matter", ""],
    ],
    // Once a piece does not repeat, none does.
    [
      ["a", "ab", "c", "cd", "cde"],
      ["a", "", "abc", "cd", "cde", ""],
    ],
    [
      ["Hello", " Hello", " Hello world"],
      ["Hello", " Hello", " Hello world", ""],
    ],
    // One word over and over tells nothing.
    [
      ["ha", "haha", "!"],
      ["ha", "", "haha!", ""],
    ],
    [
      ["ha", "haha", "hahaha"],
      ["ha", "", "", "hahahahaha"],
    ],
    [
      ["\n", "\n", "\n\nSo", " it"],
      ["\n", "", "", "\n\n\nSo it", ""],
    ],
    [
      ["one line\n", "one line\n", "one line\n"],
      ["one line\n", "", "", "one line\none line\n"],
    ],
    // Behind a text that repeats another one may begin, and less of it is nothing new.
    [
      [
        "One two",
        "One two three",
        "One two three four",
        "One two three",
        "Five",
        "Five six",
        "Five six seven",
      ],
      ["One two", "", " three four", "", "Five", "", " six seven", ""],
    ],
  ])("%j", (pieces, given) => {
    expect(grow(pieces, true)).toEqual(given)
  })

  test.each<[readonly string[], string]>([
    [["ha", "haha"], "hahaha"],
    [["a", "ab", "abc"], "aababc"],
    [["好的", "好的，我"], "好的好的，我"],
    [["One more line.\n", "One more line.\n"], "One more line.\nOne more line.\n"],
    [["One more line.", "One more line. And"], "One more line.One more line. And"],
    // Nobody says this by chance.
    [["One more", "One more line.", "One more line. And"], "One more line. And"],
  ])("of a server that is not known to repeat: %j", (pieces, text) => {
    expect(grow(pieces, false).join("")).toBe(text)
  })

  property("the same text, whether the pieces repeat or not", 2_000, (random) => {
    const pieces = Array.from(
      { length: random.integer(1, 8) },
      (_, at) => `${at}${random.text(random.pick([0, 1, 3, 12]))}`,
    )
    const text = pieces.join("")
    const expected = random.chance(0.5)
    expect(grow(pieces, expected).join("")).toBe(text)
    expect(grow(repeated(pieces), true).join("")).toBe(text)
  })
})

const minimax = optionsFor({ provider: "minimax", model: "MiniMax-M2" })

const detail = (text: string, more: JsonObject = { index: 0, id: "reasoning-text-1" }): JsonObject => ({
  type: "reasoning.text",
  text,
  ...more,
})
const detailChunk = (...pieces: readonly JsonObject[]) =>
  deltaChunk({ content: "", reasoning_details: pieces })

/** Thinking, text and calls of a stream, and what goes back upstream with the thinking. */
function read(chunks: readonly unknown[], options = minimax) {
  const events = play(inputs(chunks), options)
  expect(checkGrammar(events)).toEqual([])
  return { said: said(events), details: details(events) }
}

const said = (events: readonly MessagesEvent[]) =>
  foldEvents(events).reply?.content.map((block) => {
    if (block.type === "thinking") return `thinking: ${block.thinking}`
    return block.type === "text" ? `text: ${block.text}` : block.type
  })

const details = (events: readonly MessagesEvent[]) =>
  foldEvents(events).reply?.content.flatMap((block) =>
    block.type === "thinking" ? (decodeCarrier(block.signature, block.thinking)?.cargo.details ?? []) : [],
  )

describe("MiniMax", () => {
  const thoughts = ["Let", "Let me", "Let me think", "Let me think hard"]
  const stop = finishChunk("stop")

  test("details that repeat are said once, and go back once", () => {
    expect(read([...thoughts.map((text) => detailChunk(detail(text))), textChunk("Hi"), stop])).toEqual({
      said: ["thinking: Let me think hard", "text: Hi"],
      details: [detail("Let me think hard")],
    })
  })

  test.each([2, 1])("as soon as something else comes, after %d pieces", (count) => {
    const pieces = thoughts.slice(0, count).map((text) => detailChunk(detail(text)))
    const text = thoughts[count - 1] ?? ""
    const call = toolChunks(0, "call_12345", "Read", { a: 1 })
    for (const [next, block] of [
      [[textChunk("Hi"), stop], ["text: Hi"]],
      [[...call, finishChunk("tool_calls")], ["tool_use"]],
      [[stop], []],
      [[], []],
    ] as const) {
      expect(read([...pieces, ...next])).toEqual({
        said: [`thinking: ${text}`, ...block],
        details: [detail(text)],
      })
    }
  })

  test("details in a chunk that ends them, and items without an index", () => {
    const bare = (text: string) => detail(text, {})
    const last = deltaChunk({ content: "Hi", reasoning_details: [bare("Let me")] })
    expect(read([detailChunk(bare("Let")), last, stop])).toEqual({
      said: ["thinking: Let me", "text: Hi"],
      details: [bare("Let me")],
    })
  })

  test("two items, each by itself", () => {
    const second = (text: string) => detail(text, { index: 1 })
    const chunks = [
      detailChunk(detail("One")),
      detailChunk(detail("One two"), second("A")),
      detailChunk(detail("One two three"), second("A b")),
      textChunk("Hi"),
      stop,
    ]
    expect(read(chunks).details).toEqual([detail("One two three"), second("A b")])
    expect(read(chunks).said?.[1]).toBe("text: Hi")
  })

  test("the same in a field and as details: shown once, and each whole", () => {
    const chunks = thoughts.map((text, at) =>
      deltaChunk({
        reasoning_content: at === 0 ? text : text.slice((thoughts[at - 1] ?? "").length),
        reasoning_details: [detail(text)],
      }),
    )
    const both = thoughts.map((text) =>
      deltaChunk({ reasoning_content: text, reasoning_details: [detail(text)] }),
    )
    for (const given of [chunks, both, both.slice(0, 2)]) {
      const text = given.length === 2 ? "Let me" : "Let me think hard"
      expect(read([...given, textChunk("Hi"), stop])).toEqual({
        said: [`thinking: ${text}`, "text: Hi"],
        details: [detail(text)],
      })
    }
  })

  test("content that repeats is said once", () => {
    const text = (...pieces: readonly string[]) => read([...pieces.map(textChunk), stop]).said
    expect(text("Hello", "Hello wor", "Hello world")).toEqual(["text: Hello world"])
    expect(text("Hello", "Hello wor")).toEqual(["text: Hello wor"])
    expect(text("<think>Hm", "<think>Hm.</think>", "<think>Hm.</think>\n\nHi")).toEqual([
      "thinking: Hm.",
      "text: Hi",
    ])
    expect(text("Hello", ",", " wor", "ld")).toEqual(["text: Hello, world"])
  })

  test("content that waits is given before a thought, a call, and a failure", () => {
    const waiting = [textChunk("Hello"), textChunk("Hello wor")]
    const call = toolChunks(0, "call_12345", "Read", { a: 1 })
    expect(read([...waiting, detailChunk(detail("Hm.")), stop]).said).toEqual([
      "text: Hello wor",
      "thinking: Hm.",
    ])
    expect(read([...waiting, ...call, finishChunk("tool_calls")]).said).toEqual([
      "text: Hello wor",
      "tool_use",
    ])
    const failed = [...waiting, { error: { message: "no", code: 500 } }]
    const texts = play(inputs(failed), minimax).flatMap((event) =>
      event.type === "content_block_delta" && event.delta.type === "text_delta" ? [event.delta.text] : [],
    )
    expect(texts).toEqual(["Hello", " wor"])
  })

  property("however the pieces come, the message is the same", 500, (random) => {
    const cut = () =>
      Array.from({ length: random.integer(1, 6) }, (_, at) => `${at}${random.text(4)}.`.replaceAll("<", "-"))
    const [thinking, text] = [cut(), cut()]
    const way = (pieces: readonly string[]) => (random.chance(0.5) ? repeated(pieces) : pieces)
    const chunks = [
      ...way(thinking).map((piece) => detailChunk(detail(piece))),
      ...way(text).map(textChunk),
      finishChunk("stop"),
    ]
    expect(read(chunks)).toEqual({
      said: [`thinking: ${thinking.join("")}`, `text: ${text.join("")}`],
      details: [detail(thinking.join(""))],
    })
  })
})

describe("other providers", () => {
  const relay = optionsFor({ provider: "generic", model: "some-model" })

  test("never lose a repetition", () => {
    expect(
      read([textChunk("ha"), textChunk("haha"), textChunk("hahaha!"), finishChunk("stop")], relay),
    ).toEqual({
      said: ["text: hahahahahaha!"],
      details: [],
    })
    expect(read([detailChunk(detail("ha")), detailChunk(detail("haha")), textChunk("a")], relay)).toEqual({
      said: ["thinking: hahaha", "text: a"],
      details: [detail("hahaha")],
    })
  })

  test("may pass MiniMax's details on", () => {
    const chunks = ["Both files", "Both files matter", "Both files matter; read."].map((text) =>
      detailChunk(detail(text)),
    )
    expect(read([...chunks, textChunk("a")], relay)).toEqual({
      said: ["thinking: Both files matter; read.", "text: a"],
      details: [detail("Both files matter; read.")],
    })
  })
})

test("what a field said is not said again by the details beside it, however late they come", () => {
  const grown = (pieces: readonly string[]) =>
    pieces.map((piece, at) =>
      deltaChunk({ reasoning: at === 0 ? "I" : " need nothing.", reasoning_details: [detail(piece)] }),
    )
  const text = "I need nothing."
  for (const provider of ["openrouter", "generic"]) {
    const options = optionsFor({ provider, model: "x/y" })
    const whole = [{ reasoning: text, reasoning_details: [detail(text)], content: "Answer" }]
    const ofWhole = said(replyEvents(chatReply(whole[0] ?? {}), options))
    expect(ofWhole).toEqual([`thinking: ${text}`, "text: Answer"])
    for (const pieces of [
      ["I", " need nothing."],
      ["I", text],
    ]) {
      const stream = read([...grown(pieces), textChunk("Answer"), finishChunk("stop")], options)
      expect(stream.said).toEqual(ofWhole)
      expect(stream.details?.length).toBe(1)
    }
  }
})

test("details of many items cost a text that follows nothing", () => {
  const many = Array.from({ length: 100 }, (_, index) => detailChunk(detail("a", { index })))
  const texts = Array.from({ length: 50_000 }, (_, at) => textChunk("abc"[at % 3] ?? ""))
  const from = performance.now()
  const relay = optionsFor({ provider: "generic", model: "some-model" })
  const { said } = read([...many, ...texts, finishChunk("stop")], relay)
  expect(said?.map((block) => block.length)).toEqual([110, 50_006])
  expect(performance.now() - from).toBeLessThan(3_000)
})

describe("long streams", () => {
  const timed = (run: () => void): number => {
    const from = performance.now()
    run()
    return performance.now() - from
  }

  test.each<[string, (at: number) => unknown]>([
    ["one sign over and over", () => textChunk("a")],
    ["signs", (at) => textChunk("abc"[at % 3] ?? "")],
    ["details", (at) => detailChunk(detail("abc"[at % 3] ?? ""))],
    ["items without end", (at) => detailChunk(detail("a", { index: at }))],
  ])("%s: cost no more than their length", (_, chunk) => {
    const chunks = Array.from({ length: 20_000 }, (_value, at) => chunk(at))
    const took = timed(() => {
      const { said } = read([...chunks, finishChunk("stop")])
      expect(said?.[0]?.replace(/^\w+: /, "").length).toBe(20_000)
    })
    expect(took).toBeLessThan(5_000)
  })

  test("no more than some megabytes of a text are held back", () => {
    const piece = "a".repeat(1024 * 1024)
    const pieces = Array.from({ length: 12 }, () => piece)
    const given = grow(pieces, false)
    expect(given.findIndex((text, at) => at > 0 && text !== "")).toBeLessThan(11)
    expect(given.join("").length).toBe(12 * 1024 * 1024)
  })

  test("100,000 pieces, and a megabyte that repeats", () => {
    const single = Array.from({ length: 100_000 }, (_, at) => "abcd"[at % 4] ?? "")
    expect(timed(() => expect(grow(single, true).join("").length).toBe(100_000))).toBeLessThan(2_000)
    const text = Array.from({ length: 10_000 }, (_, at) => `word ${at}\n`)
      .join("")
      .repeat(10)
    const pieces = Array.from({ length: 1_000 }, (_, at) => text.slice(0, 1_000 * (at + 1)))
    expect(timed(() => expect(grow(pieces, true).join("")).toBe(pieces.at(-1) ?? ""))).toBeLessThan(5_000)
  })
})
