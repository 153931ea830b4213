// A reply under way, pulled batch by batch: one read of the upstream makes one batch, however much it holds.

/** What may be there already, and mostly is not: who waits for nothing makes no promise. */
export type Soon<T> = T | Promise<T>

export interface Batches<T> {
  /**
   * The next batch, empty where what came makes none yet; undefined after the last one. Asked again only when it has
   * answered; never throws, never rejects.
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
