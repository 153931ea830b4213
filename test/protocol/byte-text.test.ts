// Text whose characters are bytes says what its bytes say.
import { expect, test } from "bun:test"
import { decodeText, encodeText, isBlankSoFar, trimBytes } from "../../src/protocol/byte-text.ts"
import { property } from "../support/random.ts"

property("what a decoder makes of any bytes", 2_000, (random) => {
  const some = [
    0x41, 0x22, 0x80, 0xa0, 0xbf, 0xc2, 0xc3, 0xe2, 0x82, 0xac, 0xed, 0xf0, 0x9f, 0x98, 0xf4, 0xff, 0xef,
    0xbb,
  ]
  const bytes = Uint8Array.from({ length: random.integer(0, 9) }, () => random.pick(some))
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
  expect(decodeText(Buffer.from(bytes).toString("latin1"))).toBe(text)
  expect(decodeText(encodeText(text))).toBe(text)
})

const blanks = ["\t", "\n", "\v", "\f", "\r", " ", "\u00a0", "\u1680", "\u2000", "\u200a", "\u2028", "\u2029"]

property("white space at the beginning, whole or cut", 1_000, (random) => {
  const more = ["\u202f", "\u205f", "\u3000", "\ufeff"]
  const space = Array.from({ length: random.integer(0, 4) }, () => random.pick([...blanks, ...more])).join("")
  const rest = random.pick(["", "{", "data: é", "é", "\u200b", "\u2010"])
  const bytes = encodeText(space + rest)
  expect(decodeText(trimBytes(bytes))).toBe(rest)
  const beginning = encodeText(space).slice(0, random.integer(0, 8))
  expect(isBlankSoFar(trimBytes(beginning))).toBe(true)
})

test.each(["{", "d", "\u00c3\u00a9", "\u00c2\u00a9", "\u00e2\u0082"])("not blank: %j", (bytes) => {
  expect(isBlankSoFar(trimBytes(bytes))).toBe(false)
})
