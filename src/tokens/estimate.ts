// The fast counter: how many tokens o200k_base would make of a text, guessed in one pass without a vocabulary.
// The text is cut where that encoding's own splitting rule cuts it (a word takes one character before it along,
// numbers go by three, signs take the line break after them along), and each piece is priced by its looks.
import { kindOf, kinds } from "./characters.ts"
import { hanCost } from "./han.ts"
import { countLetters, type Prefix, type WordTally } from "./letters.ts"
import { type Countable, type Piece, partsOf, piecesOf, type TokenParts } from "./pieces.ts"

/** Words are tallied apart: their mean tells English and source code from everything else. */
interface Tally extends WordTally {
  cost: number
}

/** What a run of a script's letters costs: once, and for each letter; fitted to o200k_base. */
const scripts: readonly (readonly [number, number])[] = [
  [0.3, 0.6], // kana
  [0.79, 0.452], // hangul
  [0.7, 0.205], // cyrillic
  [0.42, 0.293], // arabic
  [0.41, 0.404], // hebrew
  [0.3, 0.351], // greek
  [0.22, 0.36], // indic
  [0.19, 0.408], // thai
  [1.0, 0.247], // tamil
  [0.57, 0.423], // telugu
  [0.8, 0.265], // caucasian
  [0.5, 1.5], // any other letter
]

/** The kind of the code unit at `at`, or -1 behind the end. */
function kindAt(text: string, at: number): number {
  return at < text.length ? (kindOf[text.charCodeAt(at)] ?? 0) : -1
}

function runEnd(text: string, at: number, kind: number): number {
  let end = at + 1
  while (end < text.length && kindOf[text.charCodeAt(end)] === kind) end++
  return end
}

const isLatin = (kind: number): boolean => kind >= kinds.lower && kind <= kinds.accented
const isScript = (kind: number): boolean => kind >= kinds.kana && kind <= kinds.otherLetter

/** Latin letters, with an English contraction behind them ('s, 't, 'll), which rarely costs anything. */
function countWord(text: string, at: number, prefix: Prefix, tally: Tally): number {
  const end = countLetters(text, at, prefix, tally)
  if (text.charCodeAt(end) !== 0x27 || kindAt(text, end + 1) !== kinds.lower) return end
  const tail = runEnd(text, end + 1, kinds.lower)
  if (tail - end > 3) return end
  tally.cost += 0.4
  return tail
}

function countScript(text: string, at: number, kind: number, tally: Tally): number {
  const end = runEnd(text, at, kind)
  const [once, each] = scripts[kind - kinds.kana] ?? [0, 2]
  tally.cost += Math.max(1, once + each * (end - at))
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
  if (next === -1) tally.cost += blankCost(length)
  else tally.cost += blankCost(length - 1)
  if (isLatin(next)) return countWord(text, end, text.charCodeAt(end - 1) === 0x20 ? 1 : 2, tally)
  if (next === kinds.symbol && text.charCodeAt(end - 1) === 0x20) return countSigns(text, end, tally)
  if (next === kinds.digit || next === kinds.symbol) tally.cost += 1
  if (next === kinds.han || next === kinds.kana) tally.cost += 0.7
  return end
}

/** What stands between the values of compact JSON, such as "},{", has tokens of its own. */
const jsonSigns: Uint8Array = new Uint8Array(128)
for (const sign of '{}[]",:') jsonSigns[sign.charCodeAt(0)] = 1

/** Two signs are nearly always one token, and so is a rule of one sign; a mixture costs by length and changes. */
function signsCost(length: number, changes: number, onlyJson: boolean): number {
  if (onlyJson && length > 3) return 1 + 0.22 * (length - 3)
  if (changes === 0) return 1 + Math.floor(length / 40)
  if (length < 4) return length === 2 ? 1.03 : 1.25
  return 0.3 + 0.25 * changes + 0.22 * Math.min(length, 3 + 2 * changes) + Math.floor(length / 40)
}

/** ASCII signs; line breaks directly after them are free. */
function countSigns(text: string, at: number, tally: Tally): number {
  let end = at + 1
  let changes = 0
  let onlyJson = jsonSigns[text.charCodeAt(at)] === 1
  while (end < text.length) {
    const code = text.charCodeAt(end)
    if (kindOf[code] !== kinds.symbol) break
    if (jsonSigns[code] !== 1) onlyJson = false
    if (code !== text.charCodeAt(end - 1)) changes++
    end++
  }
  tally.cost += signsCost(end - at, changes, onlyJson)
  while (kindAt(text, end) === kinds.newline) end++
  return end
}

/** One sign directly before a word is counted with the word. */
function countSymbol(text: string, at: number, tally: Tally): number {
  return isLatin(kindAt(text, at + 1)) ? countWord(text, at + 1, 2, tally) : countSigns(text, at, tally)
}

/** Characters outside the first plane, mostly emoji; half of a pair on its own becomes U+FFFD, one token. */
function countSurrogate(text: string, at: number, kind: number, tally: Tally): number {
  if (kind === kinds.highSurrogate && kindAt(text, at + 1) === kinds.lowSurrogate) {
    const code = text.charCodeAt(at)
    tally.cost += code >= 0xd83c && code <= 0xd83e ? 1.8 : 3
    return at + 2
  }
  tally.cost += 1
  return at + 1
}

/** Signs beyond ASCII: one token or two each, except that rules and dot leaders are joined. */
function countWide(text: string, at: number, kind: number, tally: Tally): number {
  const code = text.charCodeAt(at)
  let end = at + 1
  while (end < text.length && text.charCodeAt(end) === code) end++
  tally.cost += (kind === kinds.wideSymbol ? 1 : 2) + (end - at - 1) / 12
  return end
}

/** Counts what starts at `at`; returns where the next piece starts. */
function countPiece(text: string, at: number, tally: Tally): number {
  const kind = kindAt(text, at)
  if (isLatin(kind)) return countWord(text, at, 0, tally)
  if (kind === kinds.space) return countBlanks(text, at, tally)
  if (kind === kinds.symbol) return countSymbol(text, at, tally)
  if (kind === kinds.newline) return countBreaks(text, at, tally)
  if (kind === kinds.digit) {
    const end = runEnd(text, at, kind)
    tally.cost += Math.ceil((end - at) / 3)
    return end
  }
  if (kind === kinds.han) {
    const end = runEnd(text, at, kind)
    tally.cost += hanCost(text, at, end)
    return end
  }
  if (isScript(kind)) return countScript(text, at, kind, tally)
  if (kind >= kinds.highSurrogate) return countSurrogate(text, at, kind, tally)
  return countWide(text, at, kind, tally)
}

/**
 * Pairs of letters cannot tell a common word from a rare one made of common pairs, but the company can: where words
 * are cheap on average (English, source code) they are cheaper still, where they are dear (Finnish, random letters)
 * dearer. Fitted to the same samples.
 */
function correction(tally: Tally): number {
  const mean = tally.wordCost / Math.max(1, tally.words)
  return tally.words * (0.22 * (mean - 1.28) + 0.85 * Math.max(0, mean - 2.3))
}

/**
 * How many tokens a text has in o200k_base, near enough to decide by: within a few percent on prose and source.
 * Any string is fine, lone surrogates included. No vocabulary is loaded and nothing is allocated per character.
 */
export function estimateText(text: string): number {
  const tally: Tally = { cost: 0, words: 0, wordCost: 0 }
  let at = 0
  while (at < text.length) at = countPiece(text, at, tally)
  if (text === "") return 0
  return Math.max(1, Math.round(tally.cost + tally.wordCost + correction(tally)))
}

function estimatePieces(pieces: readonly Piece[]): number {
  return pieces.reduce<number>(
    (sum, piece) => sum + (typeof piece === "number" ? piece : estimateText(piece)),
    0,
  )
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

/** How many input tokens a request is, nearly; never throws. */
export function estimateRequest(request: Countable): number {
  return estimateParts(request).total
}
