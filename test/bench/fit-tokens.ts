// Finds the tables of src/tokens/latin-grams.ts and other-grams.ts:
//
//   bun test/bench/fit-tokens.ts FOLDER
//
// FOLDER holds one folder for each class of text, `english` or `russian@2`; behind the @ stands the class's weight.
// The texts are cut into pieces as o200k_base cuts them, each piece is counted, and the costs are found by which the
// estimator comes nearest to the counts. The tables that are checked in were fitted to 6,200 texts of about
// 3,000 characters in 99 classes: prose and the messages of programs in seventy languages, source code in
// twenty, data, diffs, logs and listings. test/tokens/ judges them by texts that were not among those.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import ranks from "js-tiktoken/ranks/o200k_base"
import { isLatin, isLetter, kindOf, kinds } from "../../src/tokens/characters.ts"
import { createCounter } from "../../src/tokens/count.ts"
import {
  highest,
  lowest,
  noPrefix,
  pairSlot,
  someHan,
  tripleSlot,
  writeCost,
} from "../../src/tokens/grams.ts"
import { hanCost } from "../../src/tokens/han.ts"
import { hanScale, hanStart } from "../../src/tokens/letters.ts"

interface Piece {
  readonly tokens: number
  weight: number
}

/** A piece as the estimator sees it: `known` is what is counted in another way, `slots` are to be priced. */
interface Row {
  readonly tokens: number
  readonly weight: number
  readonly known: number
  readonly based: boolean
  readonly slots: readonly number[]
}

interface Group {
  readonly name: string
  readonly bits: number
  /** What a pair or triple that was never seen costs, and how strongly the others are pulled towards that. */
  readonly prior: number
  readonly pull: number
  /** Flattens how often a piece occurs: at 1 the commonest words alone decide. */
  readonly power: number
  readonly read: (piece: string, shift: number) => Omit<Row, "tokens" | "weight"> | undefined
}

const code = (text: string, at: number): number => text.charCodeAt(at)
const kindAt = (text: string, at: number): number => kindOf[code(text, at)] ?? 0

/** Walks over codes and notes where the costs of each in its company are. */
function createWalk(shift: number, before: number) {
  const slots: number[] = []
  let [first, second] = [0, before]
  return {
    slots,
    see: (next: number): void => {
      slots.push(pairSlot(second, next, shift), tripleSlot(first, second, next, shift))
      first = second
      second = next
    },
    skip: (standIn: number): void => {
      first = 0
      second = standIn
    },
  }
}

/** Where the letters of a piece begin, and the code of what stands before them; undefined if there are none. */
function lettersOf(piece: string): { readonly start: number; readonly prefix: number } | undefined {
  if (isLetter(kindAt(piece, 0))) return { start: 0, prefix: noPrefix }
  return piece.length > 1 && isLetter(kindAt(piece, 1)) ? { start: 1, prefix: code(piece, 0) } : undefined
}

const latin: Group["read"] = (piece, shift) => {
  const letters = lettersOf(piece)
  if (letters === undefined || !isLatin(kindAt(piece, letters.start))) return undefined
  const walk = createWalk(shift, letters.prefix)
  for (let at = letters.start; at < piece.length; at++) {
    if (!isLatin(kindAt(piece, at)) && code(piece, at) !== 0x27) return undefined
    walk.see(code(piece, at))
  }
  return { known: 0, based: true, slots: walk.slots }
}

const script: Group["read"] = (piece, shift) => {
  const letters = lettersOf(piece)
  if (letters === undefined) return undefined
  const startsHan = kindAt(piece, letters.start) === kinds.han
  const walk = createWalk(shift, letters.prefix)
  let known = startsHan ? hanStart(letters.prefix) : 0
  for (let at = letters.start; at < piece.length; ) {
    const kind = kindAt(piece, at)
    if (kind === kinds.kana || kind === kinds.script) walk.see(code(piece, at++))
    else if (kind !== kinds.han) return undefined
    else {
      let end = at
      while (end < piece.length && kindAt(piece, end) === kinds.han) end++
      known += hanScale * hanCost(piece, at, end)
      walk.skip(someHan)
      at = end
    }
  }
  return walk.slots.length === 0 ? undefined : { known, based: !startsHan, slots: walk.slots }
}

const sign: Group["read"] = (piece, shift) => {
  if (!/^ ?[!-/:-@[-`{-~]+[\r\n/]*$/.test(piece)) return undefined
  const walk = createWalk(shift, 0)
  for (let at = 0; at < piece.length; at++) walk.see(code(piece, at))
  return { known: 0, based: true, slots: walk.slots }
}

const groups: readonly Group[] = [
  { name: "latin", bits: 14, prior: 0.18, pull: 2e-6, power: 0.9, read: latin },
  { name: "script", bits: 14, prior: 0.2, pull: 2e-6, power: 0.85, read: script },
  { name: "sign", bits: 11, prior: 0.4, pull: 1e-6, power: 0.85, read: sign },
]

/** How much the vocabulary itself weighs against the texts. */
const vocabularyShare = 0.03

/** Every piece of every text, weighted so that each class counts as its name says. */
async function readPieces(folder: string): Promise<ReadonlyMap<string, Piece>> {
  const counter = createCounter()
  const pieces = new Map<string, Piece>()
  const add = async (text: string, weight: number): Promise<void> => {
    const piece = pieces.get(text) ?? { tokens: await counter.count(text), weight: 0 }
    piece.weight += weight
    pieces.set(text, piece)
  }
  for (const name of readdirSync(folder).toSorted()) {
    const files = readdirSync(join(folder, name)).toSorted()
    const text = files.map((file) => readFileSync(join(folder, name, file), "utf8")).join("\n\n")
    const weight = Number(name.split("@")[1] ?? 1) / (await counter.count(text))
    for (const [piece] of text.matchAll(new RegExp(ranks.pat_str, "gu"))) {
      if (piece.length <= 200) await add(piece, weight)
    }
  }
  // Padding and rules: one character over and over, which hardly any text has and any text may.
  for (let code = 0x21; code < 0x7f; code++) {
    for (const length of [8, 16, 32, 64, 96, 128]) await add(String.fromCharCode(code).repeat(length), 1e-5)
  }
  addVocabulary(pieces, vocabularyShare)
  return pieces
}

/**
 * Whole words of the vocabulary: what is common in all kinds of texts, also in those that no folder has. Their ranks
 * say roughly how common.
 */
function addVocabulary(pieces: Map<string, Piece>, share: number): void {
  const whole = new RegExp(`^(?:${ranks.pat_str})$`, "u")
  const decoder = new TextDecoder("utf-8", { fatal: true })
  const words = ranks.bpe_ranks
    .split(" ")
    .slice(2)
    .flatMap((word, rank): [string, number][] => {
      try {
        const text = decoder.decode(Buffer.from(word, "base64"))
        return text.length > 1 && whole.test(text) ? [[text, 1 / (rank + 1000)]] : []
      } catch {
        return [] // Part of a character.
      }
    })
  const weights = (list: readonly number[]): number => list.reduce((sum, weight) => sum + weight, 0)
  const unit =
    (share * weights([...pieces.values()].map(({ weight }) => weight))) /
    weights(words.map(([, weight]) => weight))
  for (const [text, weight] of words) {
    const piece = pieces.get(text) ?? { tokens: 1, weight: 0 }
    piece.weight += weight * unit
    pieces.set(text, piece)
  }
}

interface Model {
  readonly costs: Float64Array
  base: number
}

function priceOf(row: Row, { costs, base }: Model): number {
  return row.slots.reduce((sum, slot) => sum + (costs[slot] ?? 0), row.known + (row.based ? base : 0))
}

const rounds = 400

/** Least squares by Adam. A piece costs one token at least, so a price below one is right for a piece of one. */
function fit(group: Group, pieces: ReadonlyMap<string, Piece>): Model {
  const rows = [...pieces].flatMap(([piece, { tokens, weight }]): Row[] => {
    const read = group.read(piece, 32 - group.bits)
    return read === undefined ? [] : [{ ...read, tokens, weight: weight ** group.power }]
  })
  const total = rows.reduce((sum, row) => sum + row.weight, 0)
  const size = 2 ** group.bits
  const model = { costs: new Float64Array(size).fill(group.prior), base: 0.7 }
  // The last place is the base's.
  const [slope, mean, spread] = [0, 0, 0].map(() => new Float64Array(size + 1))
  if (slope === undefined || mean === undefined || spread === undefined) throw new Error("unreachable")
  for (let round = 1; round <= rounds; round++) {
    slope.fill(0)
    for (const row of rows) {
      const price = priceOf(row, model)
      if (price < 1 && row.tokens === 1) continue
      const push = (row.weight / total) * (Math.max(1, price) - row.tokens)
      for (const slot of row.slots) slope[slot] = (slope[slot] ?? 0) + push
      if (row.based) slope[size] = (slope[size] ?? 0) + push
    }
    const rate = 0.04 * 0.993 ** round
    for (let at = 0; at <= size; at++) {
      const pull = at === size ? 0 : group.pull * ((model.costs[at] ?? 0) - group.prior)
      const gradient = (slope[at] ?? 0) + pull
      mean[at] = 0.9 * (mean[at] ?? 0) + 0.1 * gradient
      spread[at] = 0.999 * (spread[at] ?? 0) + 0.001 * gradient ** 2
      const step =
        (rate * (mean[at] ?? 0)) /
        (1 - 0.9 ** round) /
        (Math.sqrt((spread[at] ?? 0) / (1 - 0.999 ** round)) + 1e-12)
      if (at === size) model.base -= step
      else model.costs[at] = Math.max(lowest, Math.min(highest, (model.costs[at] ?? 0) - step))
    }
  }
  const error = rows.reduce((sum, row) => sum + row.weight * (priceOf(row, model) - row.tokens) ** 2, 0)
  console.log(`${group.name}: ${rows.length} pieces, error ${Math.sqrt(error / total).toFixed(3)}`)
  return model
}

function render(name: string, { costs, base }: Model): string {
  const written = Array.from(costs, writeCost).join("")
  const lines = written.match(/.{1,100}/g) ?? []
  return `\nexport const ${name}: Grams = readGrams(\n  ${base.toFixed(3)},\n  ${lines.map((line) => `"${line}"`).join(" +\n    ")},\n)\n`
}

const head = `// What letters and signs cost in company, a character each: found by test/bench/fit-tokens.ts and not to be
// changed by hand; grams.ts says what it means.
import { type Grams, readGrams } from "./grams.ts"
`

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error("usage: bun test/bench/fit-tokens.ts FOLDER")
const pieces = await readPieces(folder)
const [letters, scripts, signs] = groups.map((group) => fit(group, pieces))
if (letters === undefined || scripts === undefined || signs === undefined) throw new Error("unreachable")
const room = join(import.meta.dir, "../../src/tokens")
writeFileSync(join(room, "latin-grams.ts"), head + render("latinGrams", letters))
writeFileSync(
  join(room, "other-grams.ts"),
  head + render("scriptGrams", scripts) + render("signGrams", signs),
)
