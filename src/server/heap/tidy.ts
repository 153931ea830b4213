// Gives memory back after a rush. The engine collects its garbage while it makes more of it, and an idle proxy makes
// none: after two thousand streams it was seen to keep a hundred megabytes that nobody needed, for as long as nobody
// asked anything. So once it has been idle for a while it collects by itself, where there is something to gain.

export interface Tidy {
  /** A request is over. Costs next to nothing. */
  readonly stir: () => void
  /** Nothing will be asked any more. What is left of it is the process's, and others may be busy in that. */
  readonly end: () => void
}

/** The memory of a process, and what gives some of it back. */
export interface Memory {
  readonly residentBytes: () => number
  /** Everything waits for it, some tens of milliseconds. */
  readonly collect: () => void
  /** One that keeps no process alive. */
  readonly setTimer: (run: () => void, ms: number) => void
}

interface TidyOptions extends Memory {
  readonly isBusy: () => boolean
}

// So long nothing may have ended, nor run; and then it takes the system as long to get the memory back.
const idleMs = 5_000
// Less is not worth it.
const leastGain = 16 * 1024 * 1024

/** Looks at nothing before a first request is over, and no more once it is tidy. */
export function createTidy({ isBusy, residentBytes, collect, setTimer }: TidyOptions): Tidy {
  let floor = residentBytes()
  let stirred = false
  let waiting = false
  let ended = false

  function look(): void {
    waiting = false
    if (ended) return
    if (stirred || isBusy()) {
      rest()
      return
    }
    const resident = residentBytes()
    floor = Math.min(floor, resident)
    if (resident - floor < leastGain) return
    collect()
    wait(settle)
  }

  /**
   * What was let go of lets go of more by now. What an idle proxy holds then is needed, or cannot be given back: it is no
   * reason to collect again.
   */
  function settle(): void {
    waiting = false
    if (ended) return
    if (stirred || isBusy()) rest()
    else {
      collect()
      floor = residentBytes()
    }
  }

  function rest(): void {
    stirred = false
    wait(look)
  }

  function wait(next: () => void): void {
    waiting = true
    setTimer(next, idleMs)
  }

  return {
    stir: () => {
      stirred = true
      if (!waiting && !ended) rest()
    },
    end: () => {
      ended = true
    },
  }
}

/** That of this process. */
export const ownMemory: Memory = {
  residentBytes: () => process.memoryUsage.rss(),
  collect: () => Bun.gc(true),
  setTimer: (run, ms) => void setTimeout(run, ms).unref(),
}

/** The tidy of this process. */
export const createProcessTidy = (isBusy: () => boolean): Tidy => createTidy({ ...ownMemory, isBusy })
