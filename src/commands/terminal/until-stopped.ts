// Waiting for what ends a server, or breaks off what a command does.
import { ignoresHangup } from "./hangup.ts"

/** The signals that are heard. */
function heeded(): readonly NodeJS.Signals[] {
  return ignoresHangup() ? ["SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM", "SIGHUP"]
}

/**
 * Resolves with the name of the first SIGINT, SIGTERM or SIGHUP (not under nohup), or with the reason one of `others`
 * gives; a second signal ends the process as it would have.
 */
export function untilStopped(others: readonly Promise<string>[] = []): Promise<string> {
  const signals = heeded()
  return new Promise((resolve) => {
    const stop = (reason: string) => {
      for (const name of signals) process.off(name, stop)
      resolve(reason)
    }
    for (const name of signals) process.on(name, stop)
    for (const other of others) void other.then(stop)
  })
}

export interface Interrupt {
  /** Has a signal come? */
  readonly seen: () => boolean
  readonly release: () => void
}

/** Holds the first signal back, so that what is begun can be put in order; a second one ends the process. */
export function holdInterrupt(onSeen: () => void = () => {}): Interrupt {
  const signals = heeded()
  let seen = false
  const note = () => {
    release()
    seen = true
    onSeen()
  }
  const release = () => {
    for (const name of signals) process.off(name, note)
  }
  for (const name of signals) process.on(name, note)
  return { seen: () => seen, release }
}
