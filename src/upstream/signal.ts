// What tells a request on its way to its upstream that it is to be given up. There is one for every request, and few
// ever fire: an AbortSignal could do it too, and takes several times as much.

/** What of an AbortSignal is needed here. */
export interface Signal {
  readonly aborted: boolean
  readonly addEventListener: (type: "abort", hear: () => void, options?: { readonly once: true }) => void
  readonly removeEventListener: (type: "abort", hear: () => void) => void
}

export interface Trigger {
  readonly signal: Signal
  /** Every listener hears of it, at once, in turn; the first time counts. */
  readonly fire: () => void
}

/** A signal that fires at most once: its listeners are called once at most. */
export function createTrigger(): Trigger {
  let listeners: (() => void)[] = []
  const signal = {
    aborted: false,
    addEventListener: (_type: "abort", hear: () => void) => {
      if (!listeners.includes(hear)) listeners.push(hear)
    },
    removeEventListener: (_type: "abort", hear: () => void) => {
      const at = listeners.lastIndexOf(hear)
      // Mostly it is the last one.
      if (at >= 0 && at === listeners.length - 1) listeners.pop()
      else if (at >= 0) listeners.splice(at, 1)
    },
  }
  return {
    signal,
    fire: () => {
      if (signal.aborted) return
      signal.aborted = true
      const hearing = listeners
      listeners = []
      for (const hear of hearing) hear()
    },
  }
}
