// Waiting for the signal that ends a server.

/** Resolves with the name of the first SIGINT, SIGTERM or SIGHUP; a second one ends the process as it would have. */
export function untilStopped(): Promise<NodeJS.Signals> {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      for (const name of signals) process.off(name, stop)
      resolve(signal)
    }
    for (const name of signals) process.on(name, stop)
  })
}
