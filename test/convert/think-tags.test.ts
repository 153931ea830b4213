// Reasoning between tags at the beginning of a text, however the text is cut.
import { describe, expect, test } from "bun:test"
import {
  beginsWithWord,
  flushTags,
  initialFlagged,
  initialTags,
  type Piece,
  splitTags,
} from "../../src/convert/reader/think-tags.ts"
import { property } from "../support/random.ts"

type Style = Parameters<typeof initialTags>[0]

/** Reasoning and text of all pieces, joined. */
function split(pieces: readonly string[], style: Style = "start") {
  let state = initialTags(style)
  const out: Piece[] = []
  for (const piece of pieces) {
    const [next, more] = splitTags(state, piece)
    state = next
    out.push(...more)
  }
  out.push(...flushTags(state)[1])
  const join = (kind: Piece["kind"]) =>
    out
      .filter((piece) => piece.kind === kind)
      .map(({ text }) => text)
      .join("")
  return { reasoning: join("reasoning"), text: join("text") }
}

const cases: readonly (readonly [string, string, string, Style?])[] = [
  ["<think>a</think>b", "a", "b"],
  ["<thinking>a</thinking>b", "a", "b"],
  ["<thought>a</thought>b", "a", "b"],
  ["<mm:think>a</mm:think>b", "a", "b"],
  [
    "<seed:think>a<seed:cot_budget_reflect>b</seed:cot_budget_reflect></seed:think>c",
    "a<seed:cot_budget_reflect>b</seed:cot_budget_reflect>",
    "c",
  ],
  ["◁think▷a◁/think▷b", "a", "b"],
  ["<reasoning>a</reasoning>b", "a", "b"],
  ["[THINK]a[/THINK]b", "a", "b"],
  ["<|START_THINKING|>a<|END_THINKING|>b", "a", "b"],
  ["<|channel>thought\na<channel|>b", "a", "b"],
  ["[a](b)", "", "[a](b)"],
  [
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b<|return|>",
    "a",
    "b",
  ],
  ["<|start|>assistant<|channel|>analysis<|message|>a<|end|>\n<|channel|>final<|message|>b", "a", "b"],
  [
    "<|channel|>analysis<|message|>a<b<|start|>assistant<|channel|>final <|constrain|>json<|message|>{}",
    "a<b",
    "{}",
  ],
  [
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary to=functions.Bash <|constrain|>json<|message|>{}<|call|>",
    "a",
    "<|channel|>commentary to=functions.Bash<|message|>{}<|call|>",
  ],
  [
    "<|start|>assistant to=functions.Bash<|channel|>commentary json<|message|>{}",
    "",
    "<|channel|>commentary to=functions.Bash<|message|>{}",
  ],
  [
    "<|channel|>commentary<|message|>I look.<|end|>\n<|start|>assistant<|channel|>final<|message|>b",
    "",
    "I look.b",
  ],
  ["<|channel|>final<|message|>See <|end|> there.<|end|>", "", "See <|end|> there."],
  ["<|channel|>analysis<|message|>See <|start|>.<|end|>b", "See <|start|>.", "b"],
  [
    '<|channel|>commentary to=x<|message|>{"a":"<|call|>"}<|call|> ',
    "",
    '<|channel|>commentary to=x<|message|>{"a":"<|call|>"}<|call|>',
  ],
  ["<|channel|>analysis<|message|>a<|end|><|start|>assist", "a", ""],
  ["<|channel|>analysis<|message|>a<|en", "a<|en", ""],
  ["<|channel|>final<|message|>See `<|channel|>` and <|start|>.", "", "See `<|channel|>` and <|start|>."],
  ["<|channel|>final<|message|>See <|start|> a<|return|>", "", "See <|start|> a"],
  ["<|channel|> is a token.<|message|>", "", "<|channel|> is a token.<|message|>"],
  ["<|channel|>", "", "<|channel|>"],
  ["\n <think>\n a\n</think>\n\n  b", "a\n", "  b"],
  ["<think>a</think> b", "a", " b"],
  ["<think></think>b", "", "b"],
  ["<think>\n\n</think>\n\nb", "", "b"],
  ["<think>a</thinking></think>b", "a</thinking>", "b"],
  ["<think>a</think>b<think>c</think>", "a", "b<think>c</think>"],
  ["a<think>b</think>", "", "a<think>b</think>"],
  ["<b>a</b>", "", "<b>a</b>"],
  ["<thi", "", "<thi"],
  ["<think>a</thi", "a</thi", ""],
  ["<think>a < b</think>c", "a < b", "c"],
  ["</think>a", "", "</think>a"],
  ["  a", "", "  a"],
  ["<think>a</think>b", "", "<think>a</think>b", "never"],
  ["a</think>b", "a", "b", "implicit"],
  ["<think>a</think>b", "a", "b", "implicit"],
  ["</think>b", "", "b", "implicit"],
  ["analysisWe look.assistantfinalFound.", "We look.", "Found.", "channels"],
  ["analysis of it", "", "analysis of it", "channels"],
  ["analysis", "", "analysis", "channels"],
  ["an", "", "an", "channels"],
  ["So", "", "So", "channels"],
  ["<think>a</think>b", "a", "b", "channels"],
  [
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b",
    "a",
    "b",
    "channels",
  ],
  ["analysisWe look.assistantfinalFound.", "", "analysisWe look.assistantfinalFound."],
]

test("a long gap in a header costs no time", () => {
  const text = `<|channel|>final${" ".repeat(1_500)}!<|message|>`
  const start = performance.now()
  expect(split([text])).toEqual({ reasoning: "", text })
  expect(performance.now() - start).toBeLessThan(500)
})

describe("think tags", () => {
  test.each(cases.map(([text, reasoning, rest, style = "start"]) => [text, reasoning, rest, style] as const))(
    "%j",
    (text, reasoning, rest, style) => {
      expect(split([text], style)).toEqual({ reasoning, text: rest })
      expect(split([...text], style)).toEqual({ reasoning, text: rest })
    },
  )

  test("no more is held back than a tag's length", () => {
    expect(splitTags(initialTags("start"), "<think>abc</think")[1]).toEqual([
      { kind: "reasoning", text: "abc" },
    ])
    expect(splitTags(initialTags("start"), "x")[1]).toEqual([{ kind: "text", text: "x" }])
  })

  property("any cut gives the same", 300, (random) => {
    const parts = ["<think>", "</think>", "<thi", "\n", " ", "a", "</", "think>", "<thinking>", "é"].concat([
      "<|channel|>",
      "analysis",
      "<|message|>",
      "<|end|>",
      "<|start|>assistant",
      "final",
      " to=x",
      "<|call|>",
      "analysisW",
      "assistantfinal",
    ])
    const text = Array.from({ length: random.integer(0, 10) }, () => random.pick(parts)).join("")
    const style = random.pick(["start", "implicit", "channels", "never"] as const)
    const pieces: string[] = []
    for (let at = 0; at < text.length; ) {
      const to = at + random.integer(1, 6)
      pieces.push(text.slice(at, to))
      at = to
    }
    expect(split(pieces, style)).toEqual(split([text], style))
  })
})

property("a text that begins with a word has no tag before it", 300, (random) => {
  const text = `${random.pick(["", " ", "\n", "<", "<think>", "a", "—", "\u00a0", "\u007f"])}${random.text(8)}`
  const state = random.pick([
    initialTags("start"),
    initialTags("implicit"),
    initialTags("never"),
    initialFlagged,
  ])
  if (!beginsWithWord(state, text)) return
  expect(splitTags(state, text)).toEqual([initialTags("never"), [{ kind: "text", text }]])
})

test.each([
  ["Hello", true],
  ["~", true],
  ["<think>", false],
  [" Hello", false],
  ["", false],
  ["\u00a0Hello", false],
])("%j begins with a word: %p", (text, begins) => {
  expect(beginsWithWord(initialTags("start"), text)).toBe(begins)
  expect(beginsWithWord(initialTags("implicit"), text)).toBe(false)
})
