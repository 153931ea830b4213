// Waiting for what ends a server.

/** How long running replies may go on after the first signal. */
export const drainMs = 10_000

/**
 * Resolves with the name of the first SIGINT, SIGTERM or SIGHUP, or with the reason one of `others` gives; a
 * second signal ends the process as it would have.
 */
export function untilStopped(others: readonly Promise<string>[] = []): Promise<string> {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
  return new Promise((resolve) => {
    const stop = (reason: string) => {
      for (const name of signals) process.off(name, stop)
      resolve(reason)
    }
    for (const name of signals) process.on(name, stop)
    for (const other of others) void other.then(stop)
  })
}
