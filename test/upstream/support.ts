// A clock that stands still until it is told to go.
import type { Clock } from "../../src/upstream/deadline.ts"

export interface TestClock extends Clock {
  /** Lets time pass, firing what becomes due in its order. */
  readonly pass: (ms: number) => void
  /** The process stands still for so long: whatever is due meanwhile fires when that is over. */
  readonly stand: (ms: number) => void
  /** Somebody sets the clock. */
  readonly set: (ms: number) => void
  readonly live: () => number
}

interface Timer {
  readonly at: number
  readonly run: () => void
}

export function createTestClock(): TestClock {
  let now = 1_000_000
  let set = 0
  const timers = new Set<Timer>()

  function nextDue(until: number): Timer | undefined {
    return [...timers].filter((timer) => timer.at <= until).toSorted((a, b) => a.at - b.at)[0]
  }

  return {
    now: () => now + set,
    steady: () => now,
    setTimer: (run, ms) => {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    pass: (ms) => {
      const until = now + ms
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        timers.delete(timer)
        now = Math.max(now, timer.at)
        timer.run()
      }
      now = until
    },
    stand: (ms) => {
      now += ms
    },
    set: (ms) => {
      set += ms
    },
    live: () => timers.size,
  }
}
