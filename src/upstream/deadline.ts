// A limit on silence: every byte pushes it back, so a reply may take hours as long as something comes.
import { createLongTimers } from "./long-timers.ts"
import type { Signal } from "./signal.ts"

/** The time, passed in so that tests can bend it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds of any beginning, which never jump: what spans of time are measured by. */
  readonly steady: () => number
  readonly setTimer: (run: () => void, ms: number) => () => void
}

/** A request's silence, under watch. It changes in place, by the functions below. */
export interface Deadline {
  /** Fires when the silence was too long, when the outer signal does, or by `abort`. */
  readonly signal: AbortSignal
  /** Gives the request up without a word. */
  readonly abort: () => void
  readonly ms: number
  readonly outer: Signal
  readonly clock: Clock
  since: number
  waiting: boolean
  /** Silence was too long when the timer came far too late: it is looked at once more. */
  graced: boolean
  expired: boolean
  touches: number
  cancel: (() => void) | undefined
}

/** No word yet; the head of its reply; some of the reply itself. */
export type Heard = "nothing" | "head" | "bytes"

const once = { once: true } as const

// A timer is never so late but where the process stood still (stopped, or the machine asleep). What came meanwhile is
// still to be read, and what is on its way may need a network that wakes up, too: that long it is looked out for.
const lateMs = 250
const graceMs = 5_000

/** A deadline that fires after `ms` of silence, counted from now; 0 means never. */
export function createDeadline(ms: number, outer: Signal, clock: Clock): Deadline {
  const controller = new AbortController()
  const deadline: Deadline = {
    signal: controller.signal,
    abort: () => {
      clearDeadline(deadline)
      controller.abort()
    },
    ms,
    outer,
    clock,
    since: clock.steady(),
    waiting: true,
    graced: false,
    expired: false,
    touches: 0,
    cancel: undefined,
  }
  if (outer.aborted) deadline.abort()
  else {
    outer.addEventListener("abort", deadline.abort, once)
    if (ms > 0) watch(deadline, ms)
  }
  return deadline
}

function watch(deadline: Deadline, ms: number): void {
  deadline.cancel = deadline.clock.setTimer(() => check(deadline), ms)
}

function check(deadline: Deadline): void {
  const { waiting, since, ms, clock } = deadline
  const left = waiting ? since + ms - clock.steady() : ms
  // Bytes since the timer was set only move it: no timer is made per chunk.
  if (left > 0) watch(deadline, left)
  else if (left < -lateMs && !deadline.graced) {
    deadline.graced = true
    watch(deadline, Math.min(ms, graceMs))
  } else {
    deadline.expired = true
    deadline.abort()
  }
}

/** From now on somebody waits for the upstream: silence counts. It does when the deadline is made. */
export function countSilence(deadline: Deadline): void {
  deadline.waiting = true
  deadline.since = deadline.clock.steady()
  deadline.graced = false
}

/** Something came, and until silence counts again it is ours: a slow client is no fault of the upstream. */
export function endSilence(deadline: Deadline): void {
  deadline.waiting = false
  deadline.touches += 1
}

/** Over: no timer and no listener is left. */
export function clearDeadline({ cancel, outer, abort }: Deadline): void {
  cancel?.()
  outer.removeEventListener("abort", abort)
}

/** How far the upstream has come. */
export function heardOf({ touches }: Deadline): Heard {
  return touches === 0 ? "nothing" : touches === 1 ? "head" : "bytes"
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  setTimer: (run, ms) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

// Nobody notices a tenth of a second of these.
const longMs = 5_000

/** The real clock of a server, whose requests set many long timers: those it sets at less cost. */
export function createSystemClock(): Clock {
  const { now, steady, setTimer } = systemClock
  const setLong = createLongTimers(steady)
  return { now, steady, setTimer: (run, ms) => (ms < longMs ? setTimer(run, ms) : setLong(run, ms)) }
}
