// The store of one process: bounded, and gone with it.
import { spend } from "./bucket.ts"
import type { Store } from "./store.ts"

interface MemoryStore extends Store {
  /** From now on values may take so many bytes; those that were not used for the longest time go first. */
  readonly resize: (maxBytes: number) => void
}

interface MemoryStoreOptions {
  /** Milliseconds, of any beginning. */
  readonly now: () => number
  /** Of all keys and values together. */
  readonly maxBytes: number
  readonly maxBuckets?: number
}

interface Kept {
  readonly value: string
  readonly until: number
  readonly bytes: number
}

/** An empty store. Buckets are few: one or two for each client key. */
export function createMemoryStore({ now, maxBytes, maxBuckets = 10_000 }: MemoryStoreOptions): MemoryStore {
  // Both in the order of their last use.
  const values = new Map<string, Kept>()
  const buckets = new Map<string, number>()
  let limit = maxBytes
  let used = 0

  function drop(key: string): void {
    used -= values.get(key)?.bytes ?? 0
    values.delete(key)
  }

  function shrink(): void {
    for (const key of values.keys()) {
      if (used <= limit) break
      drop(key)
    }
  }

  function read(key: string): string | undefined {
    const kept = values.get(key)
    if (kept === undefined) return undefined
    if (kept.until <= now()) {
      drop(key)
      return undefined
    }
    values.delete(key)
    values.set(key, kept)
    return kept.value
  }

  function keep(key: string, value: string, ttlMs: number): void {
    drop(key)
    const bytes = sizeOf(key) + sizeOf(value)
    if (bytes > limit || ttlMs <= 0) return
    values.set(key, { value, until: now() + ttlMs, bytes })
    used += bytes
    shrink()
  }

  /** A bucket that is full again is as good as one that was never heard of. */
  function forgetBuckets(time: number): void {
    for (const [key, fullAt] of buckets) {
      if (fullAt > time && buckets.size <= maxBuckets) break
      buckets.delete(key)
    }
  }

  return {
    get: (key) => Promise.resolve(read(key)),
    set: (key, value, ttlMs) => {
      keep(key, value, ttlMs)
      return Promise.resolve()
    },
    take: (key, bucket) => {
      const time = now()
      const { taken, fullAt } = spend(buckets.get(key), time, bucket)
      buckets.delete(key)
      buckets.set(key, fullAt)
      forgetBuckets(time)
      return Promise.resolve({ ...taken, shared: false })
    },
    mark: () => Promise.resolve(false),
    unmark: () => Promise.resolve(),
    marks: () => Promise.resolve(undefined),
    shared: () => false,
    resize: (next) => {
      limit = next
      shrink()
    },
    close: () => {},
  }
}

// What a map needs for each of its entries, roughly: many small values must not take much more than they may.
const entryBytes = 128

/** The memory a text takes: two bytes a character, but one where all of it is ASCII. */
function sizeOf(text: string): number {
  const encoded = Buffer.byteLength(text)
  return entryBytes / 2 + (encoded === text.length ? encoded : Math.max(encoded, 2 * text.length))
}
