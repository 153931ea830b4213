// Waiting, but not for ever.
import type { Clock } from "../upstream/deadline.ts"

/** What the promise gives, or undefined when that takes longer than `ms`. */
export async function within<T>(promise: Promise<T>, ms: number, clock: Clock): Promise<T | undefined> {
  let cancel: () => void = () => {}
  const late = new Promise<undefined>((resolve) => {
    cancel = clock.setTimer(() => resolve(undefined), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    cancel()
  }
}
