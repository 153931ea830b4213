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
  let listeners: readonly (() => void)[] = none
  const signal = {
    aborted: false,
    addEventListener: (_type: "abort", hear: () => void) => {
      if (!listeners.includes(hear)) listeners = [...listeners, hear]
    },
    removeEventListener: (_type: "abort", hear: () => void) => {
      listeners = listeners.filter((other) => other !== hear)
    },
  }
  return {
    signal,
    fire: () => {
      if (signal.aborted) return
      signal.aborted = true
      const hearing = listeners
      listeners = none
      for (const hear of hearing) hear()
    },
  }
}

const none: readonly (() => void)[] = []
