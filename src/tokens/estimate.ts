// The fast counter: how many tokens o200k_base would make of a text, guessed in one pass without a vocabulary.
// The text is cut where that encoding's own splitting rule cuts it (a word takes one character before it along,
// numbers go by three, signs take the line break after them along), and each piece is priced by its looks.
import { isLatin, isLetter, kindOf, kinds } from "./characters.ts"
import { noPrefix, runCost } from "./grams.ts"
import { countLatin, countScript, type Tally } from "./letters.ts"
import { signGrams } from "./other-grams.ts"
import {
  type Countable,
  messagePieces,
  type Piece,
  partsOf,
  piecesOf,
  systemPieces,
  type TokenParts,
  toolPieces,
} from "./pieces.ts"

/** The kind of the code unit at `at`, or -1 behind the end. */
function kindAt(text: string, at: number): number {
  return at < text.length ? (kindOf[text.charCodeAt(at)] ?? 0) : -1
}

function runEnd(text: string, at: number, kind: number): number {
  let end = at + 1
  while (end < text.length && kindOf[text.charCodeAt(end)] === kind) end++
  return end
}

/** Letters, with the character before them that is counted with them. */
function countLetters(text: string, at: number, prefix: number, tally: Tally): number {
  const kind = kindAt(text, at)
  if (isLatin(kind)) return countLatin(text, at, prefix, tally)
  if (kind !== kinds.otherLetter) return countScript(text, at, prefix, tally)
  const end = runEnd(text, at, kind)
  tally.cost += 0.5 + 1.5 * (end - at)
  return end
}

/** Long runs of blanks go up to about 80 to a token. */
const blankCost = (length: number): number => (length <= 0 ? 0 : 1 + Math.floor(length / 80))

/** Line breaks and the blank lines between them are one piece; the blanks before the next word are not in it. */
function countBreaks(text: string, at: number, tally: Tally): number {
  let end = at + 1
  let scan = end
  while (scan < text.length) {
    const kind = kindAt(text, scan)
    if (kind === kinds.newline) end = scan + 1
    else if (kind !== kinds.space) break
    scan++
  }
  tally.cost += 1 + Math.floor((end - at) / 16)
  return end
}

/** Blanks: the last one belongs to the word or sign after it. */
function countBlanks(text: string, at: number, tally: Tally): number {
  const end = runEnd(text, at, kinds.space)
  const next = kindAt(text, end)
  if (next === kinds.newline) return countBreaks(text, end - 1, tally)
  const length = end - at
  if (next === -1) {
    tally.cost += blankCost(length)
    return end
  }
  tally.cost += blankCost(length - 1)
  const last = text.charCodeAt(end - 1)
  if (isLetter(next)) return countLetters(text, end, last, tally)
  if (last === 0x20 && next === kinds.symbol) return countSigns(text, end - 1, tally)
  if (last !== 0x20 || next === kinds.digit) tally.cost += 1
  return end
}

/** Where ASCII signs end, with the line breaks directly after them and the slashes after those. */
function signsEnd(text: string, start: number): number {
  let broken = false
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const kind = kindOf[code]
    if (kind === kinds.newline) broken = true
    else if (kind !== kinds.symbol || (broken && code !== slash)) return at
  }
  return text.length
}

const slash = 0x2f

/** ASCII signs, perhaps with a space before them. */
function countSigns(text: string, start: number, tally: Tally): number {
  const end = signsEnd(text, start + 1)
  tally.cost += Math.max(1, signGrams.base + runCost(signGrams, text, start, end, 0))
  return end
}

/** Emoji by the first half of their pair; the newest, at the end of the last row, are known by none. */
function pairCost(high: number, low: number): number {
  if (high === 0xd83d) return 1.9
  if (high === 0xd83c) return 2.1
  if (high === 0xd83e) return low < 0xde70 ? 2.4 : 3
  return 3.6
}

/** Characters outside the first plane, mostly emoji; half of a pair on its own becomes U+FFFD, one token. */
function countSurrogate(text: string, at: number, kind: number, tally: Tally): number {
  if (kind === kinds.highSurrogate && kindAt(text, at + 1) === kinds.lowSurrogate) {
    tally.cost += pairCost(text.charCodeAt(at), text.charCodeAt(at + 1))
    return at + 2
  }
  tally.cost += 1
  return at + 1
}

/** Signs beyond ASCII: one token to three, except that rules and dot leaders are joined. A break behind is free. */
function countWide(text: string, at: number, kind: number, tally: Tally): number {
  const code = text.charCodeAt(at)
  let end = at + 1
  while (end < text.length && text.charCodeAt(end) === code) end++
  tally.cost += kind - kinds.newline + (end - at - 1) / 12
  while (kindAt(text, end) === kinds.newline) end++
  return end
}

/** Counts what starts at `at`; returns where the next piece starts. Words are most of any text. */
function countNext(text: string, at: number, tally: Tally): number {
  const code = text.charCodeAt(at)
  const kind = kindOf[code] ?? 0
  if (isLatin(kind)) return countLatin(text, at, noPrefix, tally)
  const takesPrefix = kind === kinds.space || kind === kinds.symbol
  if (takesPrefix && isLatin(kindAt(text, at + 1))) return countLatin(text, at + 1, code, tally)
  return countPiece(text, at, tally)
}

function countPiece(text: string, at: number, tally: Tally): number {
  const kind = kindAt(text, at)
  if (isLetter(kind)) return countLetters(text, at, noPrefix, tally)
  if (kind === kinds.space) return countBlanks(text, at, tally)
  if (kind === kinds.newline) return countBreaks(text, at, tally)
  if (kind === kinds.digit) {
    const end = runEnd(text, at, kind)
    tally.cost += Math.ceil((end - at) / 3)
    return end
  }
  if (kind >= kinds.highSurrogate) return countSurrogate(text, at, kind, tally)
  // One sign directly before letters is counted with them.
  if (isLetter(kindAt(text, at + 1))) return countLetters(text, at + 1, text.charCodeAt(at), tally)
  return kind === kinds.symbol ? countSigns(text, at, tally) : countWide(text, at, kind, tally)
}

/**
 * What neighbours cannot tell, the company can: where words are cheap on average (English, source code) many are
 * known whole and cheaper still, where they are dear (rarer languages) they are dearer.
 */
function correction({ words, wordCost }: Tally): number {
  return words === 0 ? 0 : 0.13 * (Math.min(4 * words, wordCost) - 1.27 * words)
}

/**
 * How many tokens a text has in o200k_base, near enough to decide by: within a few percent on prose and source.
 * Any string is fine, lone surrogates included. No vocabulary is loaded and nothing is allocated per character.
 */
export function estimateText(text: string): number {
  const tally = startTally()
  countUpTo(text, 0, text.length, tally)
  return tokensOf(text, tally)
}

/** Of a text of which nothing is counted yet. */
export const startTally = (): Tally => ({ cost: 0, words: 0, wordCost: 0 })

/** Counts the pieces that start between `from`, where one does, and `to`; returns where the next one starts. */
export function countUpTo(text: string, from: number, to: number, tally: Tally): number {
  let at = from
  while (at < to) at = countNext(text, at, tally)
  return at
}

/** The tokens of a text that is counted to its end. */
export function tokensOf(text: string, tally: Tally): number {
  return text === "" ? 0 : Math.max(1, Math.round(tally.cost + tally.wordCost + correction(tally)))
}

/** Gives what `estimateText` gives, from what is known. */
type Estimate = (text: string) => number

function estimatePieces(pieces: readonly Piece[], estimate: Estimate = estimateText): number {
  let sum = 0
  for (const piece of pieces) sum += typeof piece === "number" ? piece : estimate(piece)
  return sum
}

/** The estimate of a request, split into system prompt, each tool and the messages. Never throws. */
export function estimateParts(request: Countable): TokenParts {
  const pieces = piecesOf(request)
  return partsOf(
    estimatePieces(pieces.system),
    pieces.tools.map((tool) => ({ name: tool.name, tokens: estimatePieces(tool.pieces) })),
    pieces.messages.reduce((sum, message) => sum + estimatePieces(message), 0),
  )
}

/** How many input tokens a request is, nearly: the total of its parts, of which no list is made. Never throws. */
export function estimateRequest(
  { system, tools, messages }: Countable,
  estimate: Estimate = estimateText,
): number {
  let total = estimatePieces(systemPieces(system), estimate)
  for (const tool of tools ?? none) total += estimatePieces(toolPieces(tool), estimate)
  for (const message of messages ?? none) total += estimatePieces(messagePieces(message), estimate)
  return total
}

const none: readonly never[] = []
