// Long work in short turns: between two of them everything else that waits is done. However much work there is at
// once, one turn of it is had between two looks at the connections.

export interface Turns {
  /** Does the steps, as many at a time as a few milliseconds hold, and gives what they end in. Rejects as they throw. */
  readonly run: <T>(steps: Iterator<undefined, T, undefined>) => Promise<T>
}

interface TurnsOptions {
  /** In milliseconds. */
  readonly now: () => number
  /** Does something once everything else that is due has been done. */
  readonly later: (run: () => void) => void
}

// A client's event waits no longer than that, and one step; what is compiled does more than fifty kilobytes in it.
const longestTurnMs = 2

export function createTurns({ now, later }: TurnsOptions): Turns {
  const waiting: (() => void)[] = []

  function next(): void {
    waiting.shift()?.()
    if (waiting.length > 0) later(next)
  }

  function turn(): Promise<void> {
    return new Promise((resolve) => {
      waiting.push(resolve)
      if (waiting.length === 1) later(next)
    })
  }

  return {
    run: async (steps) => {
      // What is short is done at once.
      const first = steps.next()
      if (first.done === true) return first.value
      for (;;) {
        await turn()
        const end = now() + longestTurnMs
        do {
          const step = steps.next()
          if (step.done === true) return step.value
        } while (now() < end)
      }
    },
  }
}

/** The turns of this process. */
export const createProcessTurns = (): Turns =>
  createTurns({ now: () => performance.now(), later: (run) => void setImmediate(run) })
