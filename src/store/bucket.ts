// The arithmetic of a bucket of tokens. All there is to remember of one is when it will be full again: a token
// taken puts that off by the time in which one token comes back.
import type { Bucket, Taken } from "./store.ts"

interface Spent {
  readonly taken: Omit<Taken, "shared">
  /** When the bucket is full; to be remembered if a token was taken. */
  readonly fullAt: number
}

/** Takes a token at `now` out of a bucket that would be full at `before`; undefined: it is full. */
export function spend(before: number | undefined, now: number, bucket: Bucket): Spent {
  const intervalMs = bucket.refillMs / bucket.capacity
  // A clock that was set back, or a smaller bucket than before, must not shut anybody out for longer than it fills.
  const fullAt = Math.min(Math.max(before ?? now, now), now + bucket.refillMs)
  const allowed = fullAt + intervalMs <= now + bucket.refillMs + roundingMs
  const after = allowed ? fullAt + intervalMs : fullAt
  return { taken: describe(allowed, after - now, bucket), fullAt: after }
}

/** Sums of fractions do not come out even. */
export const roundingMs = 0.01

/** What is to be said of a bucket that will be full in so many milliseconds. */
export function describe(allowed: boolean, fullMs: number, bucket: Bucket): Omit<Taken, "shared"> {
  const intervalMs = bucket.refillMs / bucket.capacity
  const remaining = Math.max(0, Math.floor((bucket.refillMs - fullMs + roundingMs) / intervalMs))
  const waitMs = remaining > 0 ? 0 : fullMs + intervalMs - bucket.refillMs
  return { allowed, remaining, waitMs: Math.max(0, waitMs), fullMs: Math.max(0, fullMs) }
}
