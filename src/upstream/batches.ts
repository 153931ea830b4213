// A reply under way, pulled batch by batch: one read of the upstream makes one batch, however much it holds.

/**
 * What may be there already; where it is not, a promise, after which it is asked for again. So a read makes one promise,
 * through however many hands it goes.
 */
export type Soon<T> = T | Promise<void>

/** Asks until there is an answer. */
export async function settled<T>(next: () => Soon<T>): Promise<T> {
  for (;;) {
    const soon = next()
    if (!(soon instanceof Promise)) return soon
    await soon
  }
}

export interface Batches<T> {
  /**
   * The next batch, empty where what came makes none yet; undefined after the last one. While it is waited for it is not
   * asked again. Never throws, and its promises never reject.
   */
  readonly next: () => Soon<readonly T[] | undefined>
  /** Lets go of the upstream, also while `next` waits for it; no effect after the end. */
  readonly close: () => void
  /** All of it, where it is there already and was not taken yet. */
  readonly whole?: readonly T[]
}

/** A reply that is there already. */
export function oneBatch<T>(batch: readonly T[]): Batches<T> {
  let rest: readonly T[] | undefined = batch
  return {
    whole: batch,
    next: () => {
      const given = rest
      rest = undefined
      return given
    },
    close: () => {
      rest = undefined
    },
  }
}
