// Texts that an upstream cut in the middle of a character: nobody is given half of one.
import { describe, expect, test } from "bun:test"
import type { Delta, Piece } from "../../src/convert/common/delta.ts"
import { foldEvents } from "../../src/convert/reply/fold.ts"
import { writeAll } from "../../src/convert/reply/reply.ts"
import { initialWriter } from "../../src/convert/writer/writer-state.ts"
import { encodeEvent } from "../../src/protocol/messages/encode.ts"
import { quoteAll } from "../../src/protocol/texts.ts"
import { writerOptions } from "../support/fixtures.ts"
import { property } from "../support/random.ts"

const end: readonly Delta[] = [
  { kind: "finish", reason: "end_turn", stopSequence: null },
  { kind: "end", clean: true },
]
const text = (text: string): Piece => ({ kind: "text", text })
const thought = (text: string): Piece => ({ kind: "reasoning", text, field: "reasoning" })
const call = (args: string, complete = false): Piece => ({
  ...{ kind: "tool", key: 0, id: "toolu_0", name: "Read", args, complete },
})
const run = (like: Piece, ...texts: readonly string[]): Delta => ({ kind: "run", like, ...quoteAll(texts) })

const written = (deltas: readonly Delta[]) => writeAll(initialWriter(writerOptions), [...deltas, ...end])
describe("halves of a character", () => {
  const cases: readonly (readonly [string, readonly Delta[], readonly string[]])[] = [
    ["in two pieces", [text("hi \ud83d"), text("\ude00 there")], ["hi ", "😀 there"]],
    ["alone", [text("a"), text("\ud83d"), text("\ude00")], ["a", "😀"]],
    ["in a run", [text("a"), run(text(""), "b\ud83d", "\ude00c")], ["a", "b", "😀c"]],
    ["between runs", [run(text(""), "a", "\ud83d"), run(text(""), "\ude00", "c")], ["a", "😀", "c"]],
    ["first of all", [text("\ud83d"), text("\ude00")], ["😀"]],
    ["at the end", [text("a\ud83d")], ["a", "\ufffd"]],
    ["before another block", [thought("a\ud83d"), text("b")], ["a", "\ufffd", "b"]],
    ["in arguments", [call('{"a":"\ud83d'), call('\ude00"}', true)], ["", '{"a":"', '😀"}']],
    ["what only looks like one", [text("a"), run(text(""), "\\ud83d", "b")], ["a", "\\ud83d", "b"]],
  ]
  test.each(cases)("%s", (_name, deltas, expected) => {
    expect(textsWritten(deltas)).toEqual([...expected])
  })
})

/** The texts of all deltas as a client reads them, signatures left out. */
function textsWritten(deltas: readonly Delta[]): readonly string[] {
  const wire = written(deltas)
    .map((event) => encodeEvent(event, "req_1"))
    .join("")
  return [...wire.matchAll(/_delta","(?:text|thinking|partial_json)":("(?:[^"\\]|\\.)*")\}\}/g)].map(
    ([, quoted]) => String(JSON.parse(quoted ?? "")),
  )
}

property("a text cut anywhere", 400, (random) => {
  const whole = `${random.text(12)}😀${random.text(6)}👩‍👩‍👧 𝒳`.toWellFormed()
  const cuts: string[] = []
  for (let at = 0; at < whole.length; ) {
    const next = at + random.integer(1, 4)
    cuts.push(whole.slice(at, next))
    at = next
  }
  const like = random.pick([text(""), thought("")])
  const singles = cuts.map((piece) => ({ ...like, text: piece }))
  const from = random.integer(0, cuts.length - 1)
  const deltas = [...singles.slice(0, from), run(like, ...cuts.slice(from))]
  const given = textsWritten(deltas)
  expect(given.join("")).toBe(whole)
  for (const piece of given) expect(piece.isWellFormed()).toBe(true)
  expect(foldEvents(written(deltas))).toEqual(foldEvents(written(singles)))
})
