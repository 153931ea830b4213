// The signature of our own thinking blocks: what goes in comes out again, for the very same text, and whatever
// else clients may send as a signature does no harm.
import { describe, expect, test } from "bun:test"
import {
  addCargo,
  type Cargo,
  type Carrier,
  continueCargo,
  decodeCarrier,
  encodeCarrier,
  isEmptyCargo,
  isOurs,
  joinCargo,
  noCargo,
} from "../../src/convert/common/carrier.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { property, type Random } from "../support/random.ts"
import { carried } from "../support/signatures.ts"

const head = { provider: "deepseek", model: "deepseek-v4-pro", field: "reasoning_content" }
const cargoOf = (more: Partial<Cargo>): Cargo => ({ ...noCargo, ...more })
const carrierOf = (more: Partial<Cargo> = {}): Carrier => ({ ...head, cargo: cargoOf(more) })

const wrap = (value: unknown): string => `ccp1.${Buffer.from(JSON.stringify(value)).toString("base64url")}`

describe("what goes in comes out", () => {
  const text = "Look: é漢🎯 \n"
  const detail = { type: "reasoning.text", text, signature: "abc", index: 0 }
  test.each<[string, Carrier, string]>([
    ["a mark alone", carrierOf(), text],
    ["a mark on nothing", { ...carrierOf(), field: "" }, ""],
    ["details", carrierOf({ details: [detail, { type: "reasoning.encrypted", data: "x", id: null }] }), text],
    ["details of another text", carrierOf({ details: [{ ...detail, text: "Something else" }] }), text],
    ["signatures of calls", carrierOf({ signatures: { toolu_1: "EjQ", __proto_: "EjR" } }), ""],
    ["the signature of a text", carrierOf({ textSignature: "EjQ" }), text],
    [
      "texts in fields of their own",
      carrierOf({ encrypted: { reasoning_opaque: "a", encrypted_content: "b" } }),
      "",
    ],
    ["half a surrogate pair", carrierOf({ textSignature: "\ud83c" }), "a\ud83c"],
    ["odd names", { provider: "a b", model: "Vendor/模型:free", field: "", cargo: noCargo }, "x"],
  ])("%s", (_name, carrier, thinking) => {
    const signature = encodeCarrier(carrier, thinking)
    expect(signature).toMatch(/^ccp1\.[A-Za-z0-9_-]+$/)
    expect(isOurs(signature)).toBe(true)
    expect(decodeCarrier(signature, thinking)).toEqual(carrier)
  })

  property("any cargo", 500, (random) => {
    const thinking = random.text(60)
    const carrier = { ...head, field: random.text(5), cargo: randomCargo(random, thinking) }
    expect(decodeCarrier(encodeCarrier(carrier, thinking), thinking)).toEqual(carrier)
  })
})

function randomCargo(random: Random, thinking: string): Cargo {
  const half = random.integer(0, thinking.length)
  const texts = [thinking.slice(0, half), thinking.slice(half), random.text(10)]
  const details = texts.slice(0, random.integer(0, 3)).map((text, index): JsonObject => {
    const field = random.pick(["text", "summary", "data"])
    return { type: `reasoning.${field}`, [field]: text, index, ...(random.chance(0.3) ? { id: null } : {}) }
  })
  const some = () => random.chance(0.5)
  return {
    details,
    signatures: some() ? { [`toolu_${random.text(4)}`]: random.text(20) } : {},
    textSignature: some() ? `s${random.text(20)}` : undefined,
    encrypted: some() ? { reasoning_opaque: random.text(20) } : {},
    items: some() ? [random.text(20), random.text(5)] : [],
    phase: some() ? random.pick(["commentary", "final_answer"]) : undefined,
  }
}

describe("a text that was changed", () => {
  const full = carrierOf({ textSignature: "EjQ", encrypted: { encrypted_content: "x" } })
  const signature = encodeCarrier(full, "Look.")

  test("keeps where it comes from, and loses what belongs to the text that it was", () => {
    expect(decodeCarrier(signature, "Look!")).toEqual(carrierOf())
    expect(decodeCarrier(signature, "")).toEqual(carrierOf())
    expect(decodeCarrier(signature, "Look.")).toEqual(full)
  })

  test("of a block without text nothing was ever tied to one", () => {
    const bare = encodeCarrier(full, "")
    expect(carried(bare)).not.toHaveProperty("h")
    expect(decodeCarrier(bare, "")).toEqual(full)
  })
})

describe("not ours, or no longer readable", () => {
  const genuine = `EqQBCkYIBxgCKkC${"A1b2C3d4".repeat(30)}==`
  test.each([
    ...["", "ccp1", "ccp1.", "CCP1.e30", " ccp1.e30", "ccp2.e30"],
    ...[
      genuine,
      `R${genuine}`,
      `Cr${genuine}`,
      "gAAAAABqT3BlbkFJLXRlc3Q",
      "ErUB",
      "skip_thought_signature_validator",
    ],
    ...["ccp1.%%%", "ccp1.e30=x", "ccp1.e3 0!", `ccp1.${"_".repeat(7)}`, "ccp1.\u0000"],
    ...[wrap([]), wrap(null), wrap("text"), wrap(1), `ccp1.${Buffer.from("{").toString("base64url")}`],
    ...[`ccp1.${Buffer.from([0xff, 0xfe, 0x7b]).toString("base64url")}`],
  ])("%j", (signature) => {
    expect(decodeCarrier(signature, "Look.")).toBeUndefined()
  })

  test("a genuine signature of Anthropic's is never taken for ours", () => {
    expect([genuine, `R${genuine}`, `Cr${genuine}`, ""].map(isOurs)).toEqual([false, false, false, false])
  })

  test("members of another type than ours count as absent", () => {
    const odd = { p: 1, m: null, f: [], rd: [1, null, "x"], gts: { a: 1, b: "B" }, ts: {}, enc: "text" }
    expect(decodeCarrier(wrap(odd), "")).toEqual({
      ...{ provider: "", model: "", field: "" },
      cargo: cargoOf({ signatures: { b: "B" } }),
    })
    expect(decodeCarrier(wrap({}), "x")).toEqual({ provider: "", model: "", field: "", cargo: noCargo })
  })

  property("no damage makes it throw, and what is cut off is not read", 500, (random) => {
    const thinking = random.text(30)
    const signature = encodeCarrier({ ...head, cargo: randomCargo(random, thinking) }, thinking)
    const at = random.integer(5, signature.length - 1)
    expect(decodeCarrier(signature.slice(0, at), thinking)).toBeUndefined()
    const other = random.pick(["A", "_", "=", "\n", "é", ""])
    const damaged = signature.slice(0, at) + other + signature.slice(at + 1)
    const read = decodeCarrier(damaged, thinking)
    expect(read === undefined || Array.isArray(read.cargo.details)).toBe(true)
  })
})

describe("size", () => {
  test("a mark takes no more than a line", () => {
    expect(encodeCarrier(carrierOf(), "Look. ".repeat(1000)).length).toBeLessThan(120)
  })

  test("a text that stands in the block is not carried twice", () => {
    const thinking = "A long thought. ".repeat(5000)
    const details = [0, 1, 2, 3].map((part) => ({
      ...{ type: "reasoning.text", index: part, signature: `s${part}` },
      text: thinking.slice(part * 20_000, (part + 1) * 20_000),
    }))
    const signature = encodeCarrier(carrierOf({ details }), thinking)
    expect(signature.length).toBeLessThan(600)
    expect(decodeCarrier(signature, thinking)?.cargo.details).toEqual(details)
  })
})

describe("collecting", () => {
  test("pieces of every kind", () => {
    const pieces = [
      { kind: "details", items: [{ type: "reasoning.text", index: 0, text: "a" }] },
      { kind: "details", items: [{ type: "reasoning.text", index: 0, text: "b" }] },
      { kind: "signature", toolId: "toolu_1", value: "one" },
      { kind: "signature", toolId: "toolu_2", value: "two" },
      { kind: "signature", toolId: undefined, value: "text" },
      { kind: "encrypted", field: "reasoning_opaque", value: "x" },
      { kind: "encrypted", field: "reasoning_opaque", value: "y" },
      { kind: "item", value: "first" },
      { kind: "item", value: "second" },
      { kind: "phase", value: "commentary" },
      { kind: "phase", value: "final_answer" },
    ] as const
    expect(isEmptyCargo(noCargo)).toBe(true)
    const cargo = pieces.reduce(addCargo, noCargo)
    expect(cargo).toEqual({
      details: [{ type: "reasoning.text", index: 0, text: "ab" }],
      signatures: { toolu_1: "one", toolu_2: "two" },
      textSignature: "text",
      encrypted: { reasoning_opaque: "xy" },
      items: ["first", "second"],
      phase: "final_answer",
    })
    for (const piece of pieces) expect(isEmptyCargo(addCargo(noCargo, piece))).toBe(false)
  })

  const first = cargoOf({
    details: [{ type: "reasoning.text", index: 0, text: "a" }],
    signatures: { a: "A" },
  })
  const second = cargoOf({
    ...{ details: [{ type: "reasoning.text", index: 0, signature: "s" }], signatures: { b: "B" } },
    ...{ textSignature: "t", encrypted: { encrypted_content: "e" } },
  })

  test("two blocks of one message: an item goes on in the second", () => {
    expect(continueCargo(first, second)).toEqual({
      ...second,
      details: [{ type: "reasoning.text", index: 0, text: "a", signature: "s" }],
      signatures: { a: "A", b: "B" },
    })
    expect(continueCargo(noCargo, first)).toEqual(first)
    expect(continueCargo(first, noCargo)).toEqual(first)
  })

  test("two messages: their items stay apart", () => {
    expect(joinCargo(first, second)).toEqual({
      ...second,
      details: [...first.details, ...second.details],
      signatures: { a: "A", b: "B" },
    })
    expect(joinCargo(second, noCargo)).toEqual(second)
  })
})
