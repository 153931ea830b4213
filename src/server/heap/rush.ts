// Gives memory back while hundreds of long replies are under way. What is in flight when the engine collects counts as
// old for it, and of slow replies something always is: what they have let go of stays until old things are collected
// too, which the engine does when there are twice as many. It is done sooner here, as often as it costs next to nothing.
import { type Memory, ownMemory } from "./tidy.ts"

export interface Rush {
  /** One more request is under way. Costs next to nothing. */
  readonly begin: () => void
  /** The process has others to care for. */
  readonly end: () => void
}

interface RushOptions extends Memory {
  /** How many requests are under way. */
  readonly running: () => number
  /** Milliseconds, from any beginning. */
  readonly now: () => number
}

// Fewer hold nothing that would be worth a pause.
const leastRunning = 256
const lookEveryMs = 250
// Where more than so many of those under way are new since the last look, a collection would meet them in their
// beginning; and where they are always new, none of them is a long one.
const mostNew = 0.05
// Less is not worth it.
const leastGain = 8 * 1024 * 1024
// Of so many milliseconds one may be a pause: what came meanwhile waits behind it, and what comes behind that.
const runsPerPause = 150

/** Looks only as long as so many are under way. */
export function createRush({ running, residentBytes, collect, now, setTimer }: RushOptions): Rush {
  let begun = 0
  let seen = 0
  // Of the first rush nothing is known but that it is one.
  let kept = 0
  let due = 0
  let waiting = false
  let ended = false

  function look(): void {
    waiting = false
    const count = running()
    if (ended || count < leastRunning) return
    const resident = residentBytes()
    // Given back later, or by others: what has grown since then is garbage again.
    kept = Math.min(kept, resident)
    const isCalm = begun - seen <= count * mostNew
    if (isCalm && now() >= due && resident - kept >= leastGain) tidy()
    wait()
  }

  function tidy(): void {
    const before = now()
    collect()
    const after = now()
    due = after + (after - before) * runsPerPause
    kept = residentBytes()
  }

  function wait(): void {
    waiting = true
    seen = begun
    setTimer(look, lookEveryMs)
  }

  return {
    begin: () => {
      begun += 1
      if (!waiting && !ended && running() >= leastRunning) wait()
    },
    end: () => {
      ended = true
    },
  }
}

/** The rush of this process. */
export function createProcessRush(running: () => number): Rush {
  return createRush({ ...ownMemory, running, now: () => performance.now() })
}
