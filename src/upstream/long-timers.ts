// Timers of some seconds and more. Every request sets a handful of them, and nearly all are cancelled long before they
// are due: here that takes a few assignments, where the runtime's own timers take several times as much.

// A limit of seconds may be late by so much.
const tickMs = 100

/** All that are due in one tick, in the order they were set. */
interface Due {
  first: Waiting | undefined
  last: Waiting | undefined
}

/** One that waits among those; `due` is undefined once it does not any more. */
interface Waiting {
  readonly run: () => void
  due: Due | undefined
  before: Waiting | undefined
  after: Waiting | undefined
}

/**
 * A function that sets a timer and gives one that cancels it. Nothing ticks before one waits, nor after the last one.
 * `now`: milliseconds of any beginning, which never go back.
 */
export function createLongTimers(now: () => number): (run: () => void, ms: number) => () => void {
  const dues = new Map<number, Due>()
  let waiting = 0
  let done = 0
  let ticking: ReturnType<typeof setInterval> | undefined

  function leave(one: Waiting): void {
    if (!unlink(one)) return
    waiting -= 1
  }

  /** What throws ends this tick alone: the next one goes on where it was. */
  function tick(): void {
    for (const last = Math.floor(now() / tickMs); done < last; done += 1) {
      const due = dues.get(done + 1)
      for (let one = due?.first; one !== undefined; one = due?.first) {
        leave(one)
        one.run()
      }
      dues.delete(done + 1)
    }
    if (waiting > 0) return
    clearInterval(ticking)
    ticking = undefined
    dues.clear()
  }

  function begin(): void {
    done = Math.floor(now() / tickMs)
    // What a process waits for is never a limit alone.
    ticking = setInterval(tick, tickMs)
    ticking.unref()
  }

  function dueAt(tick: number): Due {
    const known = dues.get(tick)
    if (known !== undefined) return known
    const made = { first: undefined, last: undefined }
    dues.set(tick, made)
    return made
  }

  return (run, ms) => {
    if (ticking === undefined) begin()
    const one = link(run, dueAt(Math.max(Math.ceil((now() + ms) / tickMs), done + 1)))
    waiting += 1
    return () => leave(one)
  }
}

function link(run: () => void, due: Due): Waiting {
  const before = due.last
  const one = { run, due, before, after: undefined }
  if (before === undefined) due.first = one
  else before.after = one
  due.last = one
  return one
}

/** False: it did not wait any more. */
function unlink(one: Waiting): boolean {
  const { due, before, after } = one
  if (due === undefined) return false
  one.due = undefined
  if (before === undefined) due.first = after
  else before.after = after
  if (after === undefined) due.last = before
  else after.before = before
  return true
}
