// What deltas pass through between reader and writer.
import { describe, expect, test } from "bun:test"
import type { Delta } from "../../src/convert/common/delta.ts"
import { applyFilters, initialFilters, type Wishes } from "../../src/convert/filters/filters.ts"
import { property } from "../support/random.ts"

const nothing: Wishes = { json: false, repeats: "", watchedStops: [], summary: false }
const said = (text: string): Delta => ({ kind: "text", text })
const finish: Delta = { kind: "finish", reason: "end_turn", stopSequence: null }
const end: Delta = { kind: "end", clean: true }
const call: Delta = { kind: "tool", key: 0, id: "toolu_1", name: "Bash", args: "{}", complete: true }
const thought: Delta = { kind: "reasoning", text: "hm", field: "reasoning" }

/** The deltas that come out of these, one at a time, with neighbouring texts joined. */
function pass(wishes: Partial<Wishes>, deltas: readonly Delta[]): readonly Delta[] {
  let state = initialFilters({ ...nothing, ...wishes })
  const out: Delta[] = []
  for (const delta of deltas) {
    const [next, more] = applyFilters(state, [delta])
    state = next
    for (const given of more) {
      const last = out.at(-1)
      if (given.kind === "text" && last?.kind === "text") out[out.length - 1] = said(last.text + given.text)
      else out.push(given)
    }
  }
  return out
}

test("without wishes everything passes as it is, in the same list", () => {
  const deltas = [thought, said("a"), call, finish, end]
  const [, out] = applyFilters(initialFilters(nothing), deltas)
  expect(out).toBe(deltas)
})

describe("an answer that the client began", () => {
  test.each<[string, readonly string[], string]>([
    ["repeated whole", ["The answer", " is", " 42"], " 42"],
    ["repeated in one piece", ["The answer is 42"], " 42"],
    ["gone on from", [" 42"], " 42"],
    ["begun differently", ["The answers ", "are many"], "The answers are many"],
    ["repeated and nothing else", ["The answer is"], ""],
    ["begun and broken off", ["The ans"], "The ans"],
  ])("%s", (_, pieces, text) => {
    const expected = text === "" ? [finish, end] : [said(text), finish, end]
    expect(pass({ repeats: "The answer is" }, [...pieces.map(said), finish, end])).toEqual(expected)
  })

  test("thinking before it changes nothing", () => {
    expect(pass({ repeats: "Yes" }, [thought, said("Yes"), said("!"), end])).toEqual([
      thought,
      said("!"),
      end,
    ])
  })

  property("any other text comes out whole", 300, (random) => {
    const text = `x${random.text(40)}`
    const pieces = [...text].map(said)
    expect(pass({ repeats: random.text(10) || "a" }, [...pieces, end])).toEqual([said(text), end])
  })
})

describe("a summary that was asked for", () => {
  const compaction: Delta = { kind: "finish", reason: "compaction", stopSequence: null }

  test("is all there is of the reply", () => {
    const deltas = [thought, said(" What "), said("was done. "), call, finish, end]
    expect(pass({ summary: true }, deltas)).toEqual([
      finish,
      { kind: "compaction", text: "What was done.", toolChanges: [] },
      compaction,
      end,
    ])
  })

  test.each<[string, readonly Delta[]]>([
    ["an empty one stays empty", [said(" \n"), finish, end]],
    ["a cut one stays cut", [said("What"), { kind: "end", clean: false }]],
  ])("%s", (_, deltas) => {
    expect(pass({ summary: true }, deltas)).toEqual(deltas.filter(({ kind }) => kind !== "text"))
  })
})

describe("JSON that was asked for", () => {
  test.each([
    ['```json\n{"a":1}\n```', '{"a":1}'],
    ['{"a":1}', '{"a":1}'],
  ])("%j", (text, expected) => {
    expect(pass({ json: true }, [...[...text].map(said), finish, end])).toEqual([said(expected), finish, end])
  })
})

test("stop sequences are looked for in what is left", () => {
  const out = pass({ repeats: "A", watchedStops: ["END"] }, [said("A"), said("bEN"), said("Dc"), finish, end])
  expect(out).toEqual([said("b"), { kind: "finish", reason: "stop_sequence", stopSequence: "END" }, end])
})
