// A limit on silence: every byte pushes it back, so a reply may take hours as long as something comes.

/** The time, passed in so that tests can bend it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly setTimer: (run: () => void, ms: number) => () => void
}

export interface Deadline {
  /** Fires when the silence was too long, or when the outer signal does. */
  readonly signal: AbortSignal
  /** Something came. */
  readonly touch: () => void
  readonly clear: () => void
  readonly expired: () => boolean
}

/** A deadline that fires after `ms` of silence, counted from now; 0 means never. */
export function createDeadline(ms: number, outer: AbortSignal, clock: Clock): Deadline {
  const controller = new AbortController()
  let last = clock.now()
  let expired = false
  let cancel: () => void = () => {}

  function check(): void {
    const left = last + ms - clock.now()
    // Bytes since the timer was set only move it: no timer is made per chunk.
    if (left > 0) {
      cancel = clock.setTimer(check, left)
      return
    }
    expired = true
    controller.abort()
  }

  const leave = () => controller.abort()
  if (ms > 0) cancel = clock.setTimer(check, ms)
  if (outer.aborted) leave()
  else outer.addEventListener("abort", leave, { once: true })

  return {
    signal: controller.signal,
    touch: () => {
      last = clock.now()
    },
    clear: () => {
      cancel()
      outer.removeEventListener("abort", leave)
    },
    expired: () => expired,
  }
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (run, ms) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
