// Texts between quotes say the same whether they are read one by one, together, or as bytes.
import { expect, test } from "bun:test"
import { decodeText, encodeText } from "../../src/protocol/byte-text.ts"
import {
  areQuoted,
  quote,
  quoteAll,
  quotedTexts,
  someOf,
  textAt,
  textsOf,
  unquote,
  unquoted,
  wholeOf,
} from "../../src/protocol/texts.ts"
import { property, type Random } from "../support/random.ts"

const odd = ["\u007f", '"', "\\", "\n", "\u0000", "\u2028", "→", "🎯", "\ud800", "\udc00", "é", "\u0080"]

const textsFrom = (random: Random): readonly string[] =>
  Array.from({ length: random.integer(1, 9) }, () => {
    const text = random.text(random.pick([2, 12]))
    return random.chance(0.4) ? `${text}${random.pick(odd)}` : text || "x"
  })

property("one text", 500, (random) => {
  const text = textsFrom(random).join("")
  expect(JSON.parse(`"${quote(text)}"`)).toBe(text)
  expect(unquote(quote(text))).toBe(text)
  expect(decodeText(encodeText(text))).toBe(text.toWellFormed())
})

property("several", 800, (random) => {
  const texts = textsFrom(random)
  const plain = quoteAll(texts)
  const bytes = plain.quoted.map(encodeText)
  const joined = bytes.join("")
  const wide = { quoted: bytes, joined, wide: decodeText(joined) !== joined, whole: undefined }
  for (const all of [plain, wide]) {
    expect(wholeOf(all)).toBe(texts.join(""))
    expect(textsOf(all)).toEqual([...texts])
    expect(quotedTexts(all)).toEqual(plain.quoted)
    expect(texts.map((_, at) => textAt(all, at))).toEqual([...texts])
    const from = random.integer(0, texts.length - 1)
    const to = random.integer(from, texts.length)
    const some = someOf(all, from, to)
    expect<unknown>([textsOf(some), wholeOf(some)]).toEqual([
      texts.slice(from, to),
      texts.slice(from, to).join(""),
    ])
  }
  expect(areQuoted(plain.quoted)).toBe(true)
})

test.each(['a"', "\\", "\\u12", "\n", '","b":"c'])("no inside of a string: %j", (raw) => {
  expect(unquoted(raw)).toBeUndefined()
  expect(areQuoted(["a", raw, "nb"])).toBe(false)
})
