// Waiting, but not for ever.
import type { Clock } from "../../upstream/deadline.ts"

/** What the promise gives, or undefined when that takes longer than `ms`. */
export function within<T>(promise: Promise<T>, ms: number, clock: Clock): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(() => resolve(undefined), ms)
    promise.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}
