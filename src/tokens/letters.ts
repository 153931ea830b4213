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

/** Set beside a letter's number when it is a capital. */
const capital = 32

/** 1 to 26 for the letters, 27 for accented ones, with `capital` where it is one; 0 for everything else. */
const letterOf: Uint8Array = new Uint8Array(kindOf.length)
for (let code = 0; code < kindOf.length; code++) {
  const kind = kindOf[code]
  if (kind === kinds.lower) letterOf[code] = code & 31
  else if (kind === kinds.upper) letterOf[code] = capital + (code & 31)
  else if (kind === kinds.accented) letterOf[code] = 27
}

/** Indexed by `before * 32 + after`, each a letter's number. */
const pairCost: Float64Array = new Float64Array(32 * 32)
for (const [before, row] of pairRows.entries()) {
  for (let after = 0; after < row.length; after++) {
    pairCost[(before + 1) * 32 + after + 1] = Number.parseInt(row.charAt(after), 36) / 20
  }
}
/** One letter over and over (padding, the zeros of base64) goes about eight to a token. */
const repeatCost = 0.2

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

function shapeOf(capitals: number, length: number, capitalFirst: boolean): Shape {
  if (capitals === 0) return lowerShape
  if (capitals === length) return length === 1 ? capitalShape : upperShape
  return capitals === 1 && capitalFirst ? capitalShape : mixedShape
}

function wordCost(shape: Shape, prefix: Prefix, pairs: number, length: number): number {
  const cost = shape.start[prefix] + shape.pairs * pairs + shape.letter * length
  // A common word is one token whatever its letters, so a score just above one is mostly still one.
  if (cost >= 2) return cost
  return cost > 1.06 ? cost - 0.06 : 1
}

export interface WordTally {
  words: number
  wordCost: number
}

/**
 * Adds the word that starts at `start`, a Latin letter, to the tally and returns where it ends: at the first
 * character that is no letter, or where a capital after a small letter begins the next word.
 */
export function countLetters(text: string, start: number, prefix: Prefix, tally: WordTally): number {
  let pairs = 0
  let capitals = 0
  let before = 0
  let twice = false
  let end = start
  for (; end < text.length; end++) {
    const mark = letterOf[text.charCodeAt(end)] ?? 0
    if (mark === 0) break
    const letter = mark & 31
    if (mark > capital) {
      if (capitals < end - start) break
      capitals++
    }
    pairs += twice && letter === before ? repeatCost : (pairCost[before * 32 + letter] ?? 0)
    twice = letter === before
    before = letter
  }
  const length = end - start
  const shape = shapeOf(capitals, length, (letterOf[text.charCodeAt(start)] ?? 0) > capital)
  tally.wordCost += wordCost(shape, prefix, pairs, length)
  tally.words += 1
  return end
}
