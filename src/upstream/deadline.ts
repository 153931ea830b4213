// A limit on silence: every byte pushes it back, so a reply may take hours as long as something comes.

/** The time, passed in so that tests can bend it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly setTimer: (run: () => void, ms: number) => () => void
}

export interface Deadline {
  /** Fires when the silence was too long, when the outer signal does, or by `abort`. */
  readonly signal: AbortSignal
  /** From now on somebody waits for the upstream: silence counts. It does when the deadline is made. */
  readonly wait: () => void
  /** Something came, and until the next `wait` silence is ours: a slow client is no fault of the upstream. */
  readonly touch: () => void
  /** Gives the request up without a word. */
  readonly abort: () => void
  /** Over: no timer and no listener is left. */
  readonly clear: () => void
  readonly expired: () => boolean
  /** How far the upstream has come. */
  readonly heard: () => Heard
}

/** No word yet; the head of its reply; some of the reply itself. */
export type Heard = "nothing" | "head" | "bytes"

/** A deadline that fires after `ms` of silence, counted from now; 0 means never. */
export function createDeadline(ms: number, outer: AbortSignal, clock: Clock): Deadline {
  const controller = new AbortController()
  let since = clock.now()
  let waiting = true
  let expired = false
  let touches = 0
  let cancel: (() => void) | undefined

  function check(): void {
    const left = waiting ? since + ms - clock.now() : ms
    // Bytes since the timer was set only move it: no timer is made per chunk.
    if (left > 0) {
      cancel = clock.setTimer(check, left)
      return
    }
    expired = true
    abort()
  }

  function clear(): void {
    cancel?.()
    outer.removeEventListener("abort", abort)
  }

  function abort(): void {
    clear()
    controller.abort()
  }

  if (outer.aborted) abort()
  else {
    outer.addEventListener("abort", abort, { once: true })
    if (ms > 0) cancel = clock.setTimer(check, ms)
  }

  return {
    signal: controller.signal,
    wait: () => {
      waiting = true
      since = clock.now()
    },
    touch: () => {
      waiting = false
      touches += 1
    },
    abort,
    clear,
    expired: () => expired,
    heard: () => (touches === 0 ? "nothing" : touches === 1 ? "head" : "bytes"),
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
