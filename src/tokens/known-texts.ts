// Estimates that were made already. A conversation comes whole with every request, so all but its last turn was
// estimated before. What is kept is a text's digest and its number, never the text itself.
import { estimateText } from "./estimate.ts"

export interface KnownTexts {
  /** Our estimate of a text. */
  readonly countText: (text: string) => number
  /** The tokens of a text, by `count` where they are not known. */
  readonly tokensOf: (text: string, count: (text: string) => number) => number
  /** The same where the counting is done in steps. */
  readonly tokensInSteps: (text: string, count: (text: string) => Steps) => Steps
}

/** A number that is found a step at a time. */
export type Steps = Generator<undefined, number, undefined>

/** Shorter texts are estimated about as fast as they are looked up. */
const worthKeeping = 256

/**
 * Nothing is known yet. `digest` tells texts apart: two that it gives the same number count the same. Of what was not
 * asked for lately all but `most` texts are forgotten; each takes some hundred bytes.
 */
export function createKnownTexts(digest: (text: string) => bigint, most = 10_000): KnownTexts {
  let lately = new Map<bigint, number>()
  let before = new Map<bigint, number>()

  /** What was found before is kept for longer now that it is asked for again. */
  function find(key: bigint): number | undefined {
    const tokens = lately.get(key)
    if (tokens !== undefined) return tokens
    const old = before.get(key)
    return old === undefined ? undefined : keep(key, old)
  }

  function keep(key: bigint, tokens: number): number {
    if (lately.size >= most) {
      before = lately
      lately = new Map()
    }
    lately.set(key, tokens)
    return tokens
  }

  function tokensOf(text: string, count: (text: string) => number): number {
    if (text.length < worthKeeping) return count(text)
    const key = digest(text)
    return find(key) ?? keep(key, count(text))
  }

  return {
    countText: (text) => tokensOf(text, estimateText),
    tokensOf,
    tokensInSteps: function* (text, count) {
      if (text.length < worthKeeping) return yield* count(text)
      const key = digest(text)
      return find(key) ?? keep(key, yield* count(text))
    },
  }
}
