// Stop sequences watched for by the proxy: the text is cut where the first one begins, however it arrives.
import { expect, test } from "bun:test"
import { begunAtEnd } from "../../src/convert/common/begun-at-end.ts"
import type { Delta } from "../../src/convert/common/delta.ts"
import { applyStops, initialStops } from "../../src/convert/filters/stops.ts"
import { property } from "../support/random.ts"

const text = (value: string): Delta => ({ kind: "text", text: value })
const end: readonly Delta[] = [
  { kind: "finish", reason: "end_turn", stopSequence: null },
  { kind: "end", clean: true },
]

function play(sequences: readonly string[], pieces: readonly string[]) {
  const [, out] = applyStops(initialStops(sequences), [...pieces.map(text), ...end])
  const finish = out.find((delta) => delta.kind === "finish")
  return [
    out.map((delta) => (delta.kind === "text" ? delta.text : "")).join(""),
    finish?.kind === "finish" ? finish.stopSequence : undefined,
    out.at(-1)?.kind,
  ]
}

test.each([
  [["lo w"], ["hello world"], "hel", "lo w"],
  [["lo w"], ["hel", "lo", " ", "world"], "hel", "lo w"],
  [["1", "2", "3", "4", "5", "wor"], ["hello ", "wo", "rld"], "hello ", "wor"],
  [["b", "ab"], ["xxab"], "xx", "ab"],
  [["abc", "ab"], ["xabc"], "x", "ab"],
  [["abab", "ba"], ["abab"], "a", "ba"],
  [["aab"], ["aaab"], "a", "aab"],
  [["never"], ["hello nev"], "hello nev", null],
  [["h"], ["hello"], "", "h"],
  [[], ["hello"], "hello", null],
] as const)("%j in %j", (sequences, pieces, expected, sequence) => {
  expect(play(sequences, pieces)).toEqual([expected, sequence, "end"])
})

test("thinking and arguments are not text, and nothing follows a hit", () => {
  const reasoning: Delta = { kind: "reasoning", text: "stop", field: "reasoning_content" }
  const [state, out] = applyStops(initialStops(["stop"]), [
    reasoning,
    text("do not stop here"),
    text("more"),
    ...end,
  ])
  expect(state.hit).toBe(true)
  expect(out.map((delta) => delta.kind)).toEqual(["reasoning", "text", "finish", "end"])
})

test("what was held back is released before whatever follows the text", () => {
  const call: Delta = { kind: "tool", key: 0, id: "a", name: "b", args: "", complete: false }
  const [, out] = applyStops(initialStops(["stop"]), [text("see s"), text("t"), call])
  expect(out).toEqual([text("see "), text("st"), call])
})

property("any cutting of the text gives the same reply", 300, (random) => {
  const whole = Array.from({ length: 30 }, () => random.pick(["a", "b", "ab", "é"])).join("")
  const sequences = [random.pick(["aab", "bb", "abab", "éé"]), random.pick(["ba", "é", "zz"])]
  const pieces: string[] = []
  for (let at = 0; at < whole.length; ) {
    const size = random.integer(1, 4)
    pieces.push(whole.slice(at, at + size))
    at += size
  }
  expect(play(sequences, pieces)).toEqual(play(sequences, [whole]))
})

property("what may be the beginning of a sequence is the longest end that is one", 300, (random) => {
  const word = (most: number) =>
    Array.from({ length: random.integer(0, most) }, () => random.pick(["a", "b"])).join("")
  const [said, sought] = [word(9), word(6)]
  const ends = Array.from(said, (_, at) => said.slice(at))
  const longest = ends.find((end) => end.length < sought.length && sought.startsWith(end)) ?? ""
  expect(begunAtEnd(said, sought)).toBe(longest.length)
})

test("a sequence that is very long costs next to nothing in a text that does not hold it", () => {
  const sequence = `END${"x".repeat(100_000)}`
  const began = performance.now()
  for (let count = 0; count < 200; count++) begunAtEnd("lorem ipsum ".repeat(10_000), sequence)
  expect(performance.now() - began).toBeLessThan(200)
})
