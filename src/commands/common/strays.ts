// Errors that nobody caught. A server outlives them: they must not take every other stream with them.

/** Gives every stray error to `keep` instead of ending the process, until released. */
export function holdStrays(keep: (error: unknown) => void): { readonly release: () => void } {
  const kinds = ["uncaughtException", "unhandledRejection"] as const
  for (const kind of kinds) process.on(kind, keep)
  return {
    release: () => {
      for (const kind of kinds) process.off(kind, keep)
    },
  }
}
