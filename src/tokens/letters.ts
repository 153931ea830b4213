// Latin words. A tokenizer joins letters that often stand side by side, so what a word costs beyond one token is
// the sum of how seldom each pair of its letters is joined. Fitted to o200k_base over source code in a dozen
// languages, prose, logs, identifiers and random letters; see test/tokens/estimate.test.ts for the error.
import { kindOf, kinds } from "./characters.ts"

/** Row: a letter (a to z, then any accented one); column: the letter after it; base 36, in twentieths of a token. */
const pairRows: readonly string[] = [
  "c553h90d6da143f2g14088b007b",
  "8edh4hfaa1b0de6fi76b3fgh7gj",
  "7i9f0id35d019g4bg3g03hkf4ae",
  "agi71j9f87f8adabka8a9fgf43k",
  "8c75c99efjh9a68a6447fa929fk",
  "6ige570f2nc39a7fl6b56hdg0j4",
  "cieg4fa09uj5e9dip699bejgail",
  "8gke4mid7hgbe14fg7f0ahfdbed",
  "9723572ih5b472033651i6k7f0c",
  "akii3jdhbj0rl88aom3m5fbkehc",
  "cd9d3c67dqegi6igela7dgclgih",
  "97f736af7mf8cd79lg468ben0jj",
  "51fd1rih8ji65833ck5dcfjkdhf",
  "ag34581bbha8b99ajb31b6hefaf",
  "7756862jb9845155n0a447470fc",
  "7hh72fe7akf1ee6652a58eif6ik",
  "bghiisjngqo5ijhih0je0jumio6",
  "8f872c5g8mbe546bc977adcb0jf",
  "bh6739d38pafeca6aa438e2k4gf",
  "ahac4cc26n8dcfa6n379ce6e4dg",
  "6678182i6ig034j2l061g8k4bcc",
  "9jfk0j9g7ljcijadjejihl0hfji",
  "6nlb3ni67kfdk01gl53bee90cnc",
  "dc9hdfnmcokl8io8mmh8omm73jt",
  "ekeofwjqhpfafacaof69oefjk7m",
  "cpih8kjdhnmhi9ielqgccjogcbg",
  "di6abei8gke8a44i1adadjb45ja",
]

/** Indexed by `before * 32 + after`, each a letter's number from 1 to 27. */
const pairCost: Float64Array = new Float64Array(32 * 32)
for (const [before, row] of pairRows.entries()) {
  for (let after = 0; after < row.length; after++) {
    pairCost[(before + 1) * 32 + after + 1] = Number.parseInt(row.charAt(after), 36) / 20
  }
}

/** What stands before a word and is counted with it: nothing, one space, one other character. */
export type Prefix = 0 | 1 | 2

interface Shape {
  /** By prefix. */
  readonly start: readonly [number, number, number]
  readonly pairs: number
  readonly letter: number
}

const lowerShape: Shape = { start: [0.64, 0.42, 0.92], pairs: 0.85, letter: -0.068 }
const capitalShape: Shape = { start: [0.83, 0.73, 1.38], pairs: 1.06, letter: -0.139 }
const upperShape: Shape = { start: [0.55, 0.5, 0.85], pairs: 1.08, letter: -0.027 }
const mixedShape: Shape = { start: [1.27, 0.89, 1.7], pairs: 0.61, letter: 0.044 }

/** Where the word that starts at `at` ends: a capital after a small letter begins the next one. */
export function wordEnd(text: string, at: number): number {
  let end = at + 1
  let before = kindOf[text.charCodeAt(at)] ?? 0
  while (end < text.length) {
    const kind = kindOf[text.charCodeAt(end)] ?? 0
    if (kind < kinds.lower || kind > kinds.accented) break
    if (kind === kinds.upper && before !== kinds.upper) break
    before = kind
    end++
  }
  return end
}

function shapeOf(capitals: number, length: number, capitalFirst: boolean): Shape {
  if (capitals === 0) return lowerShape
  if (capitals === length) return length === 1 ? capitalShape : upperShape
  return capitals === 1 && capitalFirst ? capitalShape : mixedShape
}

/** Tokens of the word in [start, end), which holds Latin letters only. */
export function wordCost(text: string, start: number, end: number, prefix: Prefix): number {
  let pairs = 0
  let capitals = 0
  let before = 0
  let repeats = 0
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code >= 0x41 && code <= 0x5a) capitals++
    const letter = code < 0x80 ? code & 31 : 27
    repeats = letter === before && code < 0x80 ? repeats + 1 : 0
    // One letter over and over (padding, the zeros of base64) goes about eight to a token.
    pairs += repeats > 1 ? 0.2 : (pairCost[before * 32 + letter] ?? 0)
    before = letter
  }
  const length = end - start
  const shape = shapeOf(capitals, length, (kindOf[text.charCodeAt(start)] ?? 0) === kinds.upper)
  const cost = shape.start[prefix] + shape.pairs * pairs + shape.letter * length
  // A common word is one token whatever its letters, so a score just above one is mostly still one.
  if (cost >= 2) return cost
  return cost > 1.06 ? cost - 0.06 : 1
}
