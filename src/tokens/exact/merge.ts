// Byte-pair encoding of one piece of text: its bytes are joined, two neighbours at a time, as long as what they make
// is a word of the vocabulary; the pair whose word has the lowest rank goes first. How many words remain is the count.
import type { Vocabulary } from "./vocabulary.ts"

/** The work grows with the square of a piece's bytes, so a piece of more is not counted this way. */
export const longestPiece = 512

/** Above every rank. */
const never = 0x7fffffff

/** Counts pieces with arrays that are made once; not to be called from within itself. */
export function createMerge(vocabulary: Vocabulary): (bytes: Uint8Array, length: number) => number {
  /** Where the parts begin, and the rank of each part joined with the one behind it. */
  const starts = new Int32Array(longestPiece + 2)
  const ranks = new Int32Array(longestPiece + 2)

  const joined = (bytes: Uint8Array, part: number, parts: number): number => {
    if (part + 1 >= parts) return never
    const rank = vocabulary.rankOf(bytes, starts[part] ?? 0, starts[part + 2] ?? 0)
    return rank < 0 ? never : rank
  }

  return (bytes, length) => {
    if (length < 2 || vocabulary.rankOf(bytes, 0, length) >= 0) return Math.min(1, length)
    let parts = length
    for (let part = 0; part <= length; part++) starts[part] = part
    for (let part = 0; part < length; part++) ranks[part] = joined(bytes, part, parts)
    for (;;) {
      const best = lowestOf(ranks, parts)
      if (best < 0) return parts
      starts.copyWithin(best + 1, best + 2, parts + 1)
      ranks.copyWithin(best + 1, best + 2, parts)
      parts--
      ranks[best] = joined(bytes, best, parts)
      if (best > 0) ranks[best - 1] = joined(bytes, best - 1, parts)
    }
  }
}

/** The first part of the lowest rank; -1 when none can be joined. */
function lowestOf(ranks: Int32Array, parts: number): number {
  let best = -1
  let lowest = never
  for (let part = 0; part < parts; part++) {
    const rank = ranks[part] ?? never
    if (rank < lowest) {
      lowest = rank
      best = part
    }
  }
  return best
}
