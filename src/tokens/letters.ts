// Letters: words of the Latin script, and of every other.
import { kindOf, kinds } from "./characters.ts"
import { noPrefix, runCost, someHan } from "./grams.ts"
import { hanCost } from "./han.ts"
import { latinGrams } from "./latin-grams.ts"
import { scriptGrams } from "./other-grams.ts"

export interface Tally {
  /** Tokens of everything but Latin words. */
  cost: number
  words: number
  wordCost: number
}

/** Tokens of a Han character list are right but for longer words that are one token; these save so much. */
export const hanScale = 0.982

/**
 * Adds the Latin word that starts at `start` and returns where it ends. `prefix` is the code of the character before
 * it that is counted with it, or `noPrefix`.
 */
export function countLatin(text: string, start: number, prefix: number, tally: Tally): number {
  const end = latinEnd(text, start)
  const cost = latinGrams.base + runCost(latinGrams, text, start, end, prefix)
  tally.wordCost += atLeast(cost, end - start)
  tally.words++
  return end
}

/** The first character that is no letter, or where a capital after a small letter begins the next word. */
function latinEnd(text: string, start: number): number {
  let small = false
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const kind = kindOf[code] ?? 0
    if (kind === kinds.lower || kind === kinds.accented) small = true
    else if (kind !== kinds.upper) return code === apostrophe && at > start ? tailEnd(text, at) : at
    else if (small) return at
  }
  return text.length
}

/** A piece is one token or more, and hardly any token has more than ten letters. */
function atLeast(cost: number, length: number): number {
  return Math.max(cost, 1, 0.1 * length)
}

const apostrophe = 0x27
/** s, t, m and d; by letter, whatever its case. */
const shortTails: ReadonlySet<number> = new Set([19, 20, 13, 4])

/** English contractions belong to the word before the apostrophe at `at`: 's 't 'm 'd 're 've 'll. */
function tailEnd(text: string, at: number): number {
  const first = at + 1 < text.length ? text.charCodeAt(at + 1) : 0
  if (first < 0x41 || first > 0x7a) return at
  if (shortTails.has(first & 31)) return at + 2
  const pair = (first & 31) * 32 + (text.charCodeAt(at + 2) & 31)
  return pair === longTails.re || pair === longTails.ve || pair === longTails.ll ? at + 3 : at
}

const longTails = { re: 18 * 32 + 5, ve: 22 * 32 + 5, ll: 12 * 32 + 12 } as const

/** What Han characters at the start of a piece cost more for the character before them. */
export function hanStart(prefix: number): number {
  if (prefix === noPrefix) return 0
  return prefix === 0x20 ? 0.58 : 0.9
}

function hanEnd(text: string, start: number): number {
  let end = start
  while (end < text.length && kindOf[text.charCodeAt(end)] === kinds.han) end++
  return end
}

function scriptEnd(text: string, start: number): number {
  let end = start
  while (end < text.length) {
    const kind = kindOf[text.charCodeAt(end)]
    if (kind !== kinds.kana && kind !== kinds.script) break
    end++
  }
  return end
}

/** As `countLatin`, for a run of letters of other scripts; Han characters and kana may be mixed. */
export function countScript(text: string, start: number, prefix: number, tally: Tally): number {
  const startsHan = kindOf[text.charCodeAt(start)] === kinds.han
  let cost = startsHan ? hanStart(prefix) : scriptGrams.base
  let before = prefix
  let at = start
  for (;;) {
    const end = scriptEnd(text, at)
    cost += runCost(scriptGrams, text, at, end, before)
    at = hanEnd(text, end)
    if (at === end) break
    cost += hanScale * hanCost(text, end, at)
    before = someHan
  }
  tally.cost += atLeast(cost, at - start)
  return at
}
