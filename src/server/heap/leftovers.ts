// What a large request leaves behind: several times its length, in texts and bytes that the engine sees as a few
// thousand small objects. By itself it collects them so late that ten requests of 5 MB were seen to hold 150 MB of
// nothing. Soon after its reply has begun next to all of it is garbage, and young: that is collected in a millisecond.
import { edenGC, fullGC } from "bun:jsc"

interface LeftoversOptions {
  /** Collects what is young; gives the bytes that are in use then. */
  readonly collectYoung: () => number
  /** Collects everything, which takes several times as long; gives the same. */
  readonly collectAll: () => number
  /** Once what is under way is done. */
  readonly later: (run: () => void) => void
}

interface Leftovers {
  /** A request of so many bytes is being answered, or was. */
  readonly answered: (bytes: number) => void
}

const large = 512 * 1024

/** Shorter requests leave no more behind than the engine copes with. */
export const isLarge = (bytes: number): boolean => bytes >= large

// What has come through a collection is left to the one of everything, which is worth it once so much is in use.
const growth = 2
const leastGrowth = 48 * 1024 * 1024

export function createLeftovers({ collectYoung, collectAll, later }: LeftoversOptions): Leftovers {
  let waiting = false
  /** In use when as little was as ever since everything was collected; undefined: it never was. */
  let least: number | undefined

  function collect(): void {
    waiting = false
    const used = collectYoung()
    least = Math.min(least ?? used, used)
    if (used > least * growth + leastGrowth) least = collectAll()
  }

  return {
    answered: (bytes) => {
      if (!isLarge(bytes) || waiting) return
      waiting = true
      later(collect)
    },
  }
}

/** The leftovers of this process: its heap is one for all servers in it. */
export const leftovers = createLeftovers({
  collectYoung: edenGC,
  collectAll: fullGC,
  later: (run) => void setImmediate(run),
})
