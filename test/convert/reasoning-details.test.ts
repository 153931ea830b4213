// `reasoning_details`: pieces become the items they were, and items without their texts become whole again.
import { describe, expect, test } from "bun:test"
import {
  continueDetails,
  detailText,
  mergeDetails,
  packDetails,
  unpackDetails,
} from "../../src/convert/common/reasoning-details.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { property, type Random } from "../support/random.ts"

type Items = readonly JsonObject[]

const text = (index: number | undefined, words: string, more: JsonObject = {}): JsonObject => ({
  type: "reasoning.text",
  ...(index === undefined ? {} : { index }),
  text: words,
  ...more,
})
const data = (index: number, words: string, id?: string): JsonObject => ({
  ...{ type: "reasoning.encrypted", data: words, index },
  ...(id === undefined ? {} : { id }),
})

/** Chunk after chunk, as a reader takes them: the items, and the text in each chunk. */
function collect(chunks: readonly Items[]): readonly [Items, readonly string[]] {
  const items = chunks.reduce<Items>((before, pieces) => mergeDetails(before, pieces), [])
  return [items, chunks.map((pieces) => pieces.map(detailText).join(""))]
}

describe("chunks become items", () => {
  test.each<[string, readonly Items[], Items, readonly string[]]>([
    ["none", [], [], []],
    ["one index is one item", [[text(0, "Lo")], [text(0, "ok.")]], [text(0, "Look.")], ["Lo", "ok."]],
    [
      "a signature comes in a piece of its own, and null takes nothing away",
      [
        [text(0, "Look.", { signature: null, format: "f" })],
        [{ type: "reasoning.text", index: 0, signature: "s" }],
        [text(0, "", { signature: null, format: null })],
      ],
      [text(0, "Look.", { signature: "s", format: "f" })],
      ["Look.", "", ""],
    ],
    [
      "several indexes, mixed",
      [[text(0, "a")], [text(1, "x")], [text(0, "b")], [text(1, "y"), text(2, "z")]],
      [text(0, "ab"), text(1, "xy"), text(2, "z")],
      ["a", "x", "b", "yz"],
    ],
    [
      "one index, two types: two items, in order of their beginnings",
      [[data(0, "d1")], [text(0, "a")], [data(0, "d2")]],
      [data(0, "d1d2"), text(0, "a")],
      ["", "a", ""],
    ],
    [
      "what is encrypted under another id is another item, whatever its index",
      [[data(0, "d1", "rs_1")], [data(0, "d2", "rs_2")], [data(0, "d3")]],
      [data(0, "d1", "rs_1"), data(0, "d2d3", "rs_2")],
      ["", "", ""],
    ],
    [
      "summaries grow too, and text wins over them",
      [[{ type: "s", index: 0, summary: "a" }], [{ type: "s", index: 0, summary: "b" }]],
      [{ type: "s", index: 0, summary: "ab" }],
      ["a", "b"],
    ],
    [
      "without an index the last item goes on, if it is of that type and id",
      [[text(undefined, "a")], [text(undefined, "b")], [{ type: "o", data: "1" }], [text(undefined, "c")]],
      [text(undefined, "ab"), { type: "o", data: "1" }, text(undefined, "c")],
      ["a", "b", "", "c"],
    ],
    [
      "without an index another id is another item",
      [[text(undefined, "a", { id: "1" })], [text(undefined, "b", { id: "2" })], [text(undefined, "c")]],
      [text(undefined, "a", { id: "1" }), text(undefined, "bc", { id: "2" })],
      ["a", "b", "c"],
    ],
    [
      "a whole reply lists whole items",
      [[text(undefined, "a"), text(undefined, "b")]],
      [text(undefined, "a"), text(undefined, "b")],
      ["ab"],
    ],
    [
      "the last value counts of what does not grow",
      [[text(0, "a", { id: 1, more: { x: 1 } })], [text(0, "b", { id: 2, more: { y: 2 } })]],
      [text(0, "ab", { id: 2, more: { y: 2 } })],
      ["a", "b"],
    ],
    [
      "members of another type than text are replaced, not grown",
      [[{ type: "t", index: 0, text: 1 }], [{ type: "t", index: 0, text: "a" }]],
      [{ type: "t", index: 0, text: "a" }],
      ["", "a"],
    ],
  ])("%s", (_name, chunks, items, added) => {
    expect(collect(chunks)).toEqual([items, added])
  })
})

describe("pieces that begin like what came before", () => {
  test("are pieces like any other: what repeats was taken off by the reader", () => {
    expect(collect([[text(0, "ha")], [text(0, "haha")]])[0]).toEqual([text(0, "hahaha")])
    const line = "one line of many\n"
    expect(collect([[text(0, line)], [text(0, line)]])[0]).toEqual([text(0, line + line)])
  })

  test("encrypted data that comes once more is the same data", () => {
    expect(collect([[data(0, "01234567")], [data(0, "0123456789")]])[0]).toEqual([data(0, "0123456789")])
    expect(collect([[data(0, "0123")], [data(0, "0123")]])[0]).toEqual([data(0, "01230123")])
  })
})

describe("where something else stood in between", () => {
  test("an index tells what goes on; nothing else does", () => {
    const items = [text(0, "a"), text(undefined, "b")]
    const more = [text(undefined, "c"), { type: "reasoning.text", index: 0, signature: "s" }]
    expect(continueDetails(items, more)).toEqual([
      text(0, "a", { signature: "s" }),
      text(undefined, "b"),
      text(undefined, "c"),
    ])
    expect(continueDetails(items, [])).toBe(items)
    expect(continueDetails([], more)).toEqual(more)
  })
})

property("any cutting of any items gives them back, and their text in order of arrival", 500, (random) => {
  const items = Array.from({ length: random.integer(1, 5) }, (_, index) =>
    random.chance(0.7)
      ? text(index, `${index}${random.text(12)}`, { signature: `s${index}` })
      : data(index, `d${index}`),
  )
  const pieces = random.interleave(items.map((item) => cut(random, item)))
  const [merged, added] = collect(pieces.map((piece) => [piece]))
  const order = [...new Set(pieces.map(({ index }) => Number(index)))]
  expect(merged).toEqual(order.map((index) => items[index] ?? {}))
  expect(added.join("")).toBe(pieces.map(detailText).join(""))
})

/** An item's text in pieces; what does not grow comes last. */
function cut(random: Random, item: JsonObject): Items {
  const { text: words, signature, ...rest } = item
  if (typeof words !== "string") return [item]
  const pieces: JsonObject[] = []
  for (let at = 0; at < words.length; ) {
    const size = random.integer(1, 7)
    pieces.push({ ...rest, text: words.slice(at, at + size) })
    at += size
  }
  return [...pieces, { ...rest, signature }]
}

describe("packed and unpacked", () => {
  test("texts of the thinking become lengths, all else stays", () => {
    const items = [
      text(0, "Look", { signature: "s" }),
      data(0, "secret"),
      { type: "reasoning.summary", index: 1, summary: "ing." },
      text(2, "not in it"),
      text(3, ""),
    ]
    const packed = packDetails(items, "Looking.")
    expect(packed).toEqual([
      { type: "reasoning.text", index: 0, text: null, signature: "s", "#text": 4 },
      data(0, "secret"),
      { type: "reasoning.summary", index: 1, summary: null, "#summary": 4 },
      text(2, "not in it"),
      text(3, ""),
    ])
    expect(unpackDetails(packed, "Looking.")).toEqual(items)
  })

  test("an item that has both text and summary keeps both", () => {
    const items = [text(0, "Look", { summary: "Look" }), text(1, "", { summary: "ing" })]
    expect(unpackDetails(packDetails(items, "Looking"), "Looking")).toEqual(items)
  })

  property("exactly, whatever the items and the thinking are", 1000, (random) => {
    const thinking = random.text(40)
    const items = Array.from({ length: random.integer(0, 4) }, (_, index): JsonObject => {
      const from = random.integer(0, thinking.length)
      const part = random.chance(0.7)
        ? thinking.slice(from, random.integer(from, thinking.length))
        : random.text(5)
      const field = random.pick(["text", "summary", "data"])
      return { type: `reasoning.${field}`, index, [field]: part, extra: random.json(2) }
    })
    expect(unpackDetails(packDetails(items, thinking), thinking)).toEqual(items)
  })
})

describe("long streams cost no more than their length", () => {
  const most = 5_000
  const timed = (run: () => void): number => {
    const from = performance.now()
    run()
    return performance.now() - from
  }

  test("80,000 pieces of one item", () => {
    let items: Items = []
    const took = timed(() => {
      for (let count = 0; count < 80_000; count++) {
        items = mergeDetails(items, [text(0, "a")])
      }
    })
    expect(detailText(items[0] ?? {}).length).toBe(80_000)
    expect(took).toBeLessThan(most)
  })

  test("items without end: a thousand are kept", () => {
    let items: Items = []
    const took = timed(() => {
      for (let index = 0; index < 20_000; index++) {
        items = mergeDetails(items, [text(index, "a")])
      }
    })
    expect(items.length).toBe(1_000)
    expect(took).toBeLessThan(3_000)
    const list = Array.from({ length: 50_000 }, () => text(undefined, "a"))
    expect(mergeDetails([], list).length).toBe(1_000)
  })
})
