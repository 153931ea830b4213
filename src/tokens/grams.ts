// What letters and signs cost in company. A tokenizer joins characters that often stand together, so a piece of text
// costs the sum of how seldom each two and each three of its neighbours are joined. The costs are kept in tables
// that are looked up by a hash of those neighbours; test/bench/fit-tokens.ts finds them.

/** A table of costs; its length is a power of two. */
export interface Grams {
  /** What a piece costs before its first character. */
  readonly base: number
  /** In steps above the lowest cost, each with `firstCode` on top. */
  readonly costs: Uint8Array
  /** 32 less the bits of the table's length. */
  readonly shift: number
}

/** Where the cost of `code` after `before` is. */
export function pairSlot(before: number, code: number, shift: number): number {
  return Math.imul(Math.imul(before, 0x85ebca6b) ^ Math.imul(code, 0xc2b2ae35), 0x27d4eb2f) >>> shift
}

/** Where the cost of `code` after `earlier` and `before` is. */
export function tripleSlot(earlier: number, before: number, code: number, shift: number): number {
  const mixed = Math.imul(before, 0x85ebca6b) ^ Math.imul(code, 0xc2b2ae35) ^ Math.imul(earlier, 0x9e3779b1)
  return Math.imul(mixed ^ 0x5bd1e995, 0x27d4eb2f) >>> shift
}

/** Stands for the character before a piece when the piece takes none along. */
export const noPrefix = 1
/** Stands for a run of Han characters, which are counted by a list of their own. */
export const someHan = 2

const firstCode = 35
// A backslash would have to be written as two.
const [skipped, instead] = ["\\", "!"]
const steps = 90
const step = 0.03
/** The costs a table can hold. */
export const lowest = -1
export const highest = lowest + steps * step

/** A cost as one character: `#` to `}`, and `!` for the backslash among them, in steps of 0.03. */
export function writeCost(cost: number): string {
  const code = firstCode + Math.round((Math.max(lowest, Math.min(highest, cost)) - lowest) / step)
  return String.fromCharCode(code).replace(skipped, instead)
}

/** The table whose costs were written so. It is read at the start, for which a loop over it would have to be compiled. */
export function readGrams(base: number, written: string): Grams {
  const costs = Buffer.from(written.replaceAll(instead, skipped), "latin1")
  return { base, costs, shift: Math.clz32(written.length) + 1 }
}

/** What the characters from `start` to `end` cost in company; `prefix` is the code of what stands before them. */
export function runCost(grams: Grams, text: string, start: number, end: number, prefix: number): number {
  const { costs, shift } = grams
  let sum = 0
  let earlier = 0
  let before = prefix
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    sum +=
      (costs[pairSlot(before, code, shift)] ?? 0) + (costs[tripleSlot(earlier, before, code, shift)] ?? 0)
    earlier = before
    before = code
  }
  return 2 * lowest * (end - start) + step * (sum - 2 * firstCode * (end - start))
}
