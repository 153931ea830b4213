// What tells a request on its way to its upstream that it is to be given up. There is one for every request, and few
// ever fire: an AbortSignal could do it too, and takes several times as much.

/** What of an AbortSignal is needed here. */
export interface Signal {
  readonly aborted: boolean
  readonly addEventListener: (type: "abort", hear: () => void, options?: { readonly once: true }) => void
  readonly removeEventListener: (type: "abort", hear: () => void) => void
}

/** A signal of ours, and who hears of it. It changes in place. */
export interface Trigger extends Signal {
  aborted: boolean
  listeners: (() => void)[]
}

/** A signal that fires at most once: its listeners are called once at most. */
export function createTrigger(): Trigger {
  const trigger: Trigger = {
    aborted: false,
    listeners: [],
    addEventListener: (_type, hear) => listen(trigger, hear),
    removeEventListener: (_type, hear) => forget(trigger, hear),
  }
  return trigger
}

/** Every listener hears of it, at once, in turn; the first time counts. */
export function fire(trigger: Trigger): void {
  if (trigger.aborted) return
  trigger.aborted = true
  const hearing = trigger.listeners
  trigger.listeners = []
  for (const hear of hearing) hear()
}

function listen({ listeners }: Trigger, hear: () => void): void {
  if (!listeners.includes(hear)) listeners.push(hear)
}

function forget({ listeners }: Trigger, hear: () => void): void {
  const at = listeners.lastIndexOf(hear)
  // Mostly it is the last one.
  if (at >= 0 && at === listeners.length - 1) listeners.pop()
  else if (at >= 0) listeners.splice(at, 1)
}
