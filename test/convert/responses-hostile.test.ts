// Responses streams that are legal but absurd must cost no more than their length.
import { expect, test } from "bun:test"
import type { JsonObject } from "../../src/protocol/json.ts"
import { deltasOf, streamed } from "../support/responses/play.ts"
import { added, at, call, done, output, words } from "../support/responses/single.ts"

const size = 20_000
const many = <T>(make: (at: number) => T): readonly T[] => Array.from({ length: size }, (_, at) => make(at))
const text = (index: number) => at(index, "output_text.delta", { content_index: 0, delta: "a" })

test.each<[string, () => readonly JsonObject[]]>([
  ["pieces of one text", () => [added(0, "message"), ...many(() => text(0))]],
  [
    "pieces that wait for another item",
    () => [added(0, "reasoning"), added(1, "message"), ...many(() => text(1))],
  ],
  ["items that are never done", () => many((index) => added(index, "message"))],
  [
    "items that are done before the first one",
    () => [added(0, "reasoning"), ...many((index) => done(index + 1, "message", words(output("a"))))],
  ],
  ["items, one after the other", () => many((index) => done(index, "message", words(output("a"))))],
  ["items, backwards", () => many((index) => added(size - index, "message"))],
  [
    "parts of one summary",
    () => [
      added(0, "reasoning"),
      ...many((part) => at(0, "reasoning_summary_text.delta", { summary_index: part, delta: "a" })),
    ],
  ],
  ["parts of one message, all at once", () => [done(0, "message", words(...many(() => output("a"))))]],
  [
    "calls that are never done",
    () => many((index) => added(index, "function_call", { ...call(), call_id: `call_${index}_abcdef` })),
  ],
  [
    "sources of one text",
    () => [
      added(0, "message"),
      ...many((n) => at(0, "output_text.annotation.added", { annotation: { url: `https://a.test/${n}` } })),
    ],
  ],
])("%s", (_name, make) => {
  const events = make()
  const started = performance.now()
  const deltas = deltasOf(streamed(events))
  expect(performance.now() - started).toBeLessThan(3_000)
  expect(deltas.at(-1)).toMatchObject({ kind: "end", clean: false })
})
