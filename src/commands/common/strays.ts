// Errors that nobody caught. A server outlives them: they must not take every other stream with them.
import type { Logger } from "../../observe/log.ts"

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

/** Writes every stray error into the log, until released. */
export function logStrays(log: Pick<Logger, "error">): { readonly release: () => void } {
  return holdStrays((error) =>
    log.error("internal error", () => ({
      error: error instanceof Error ? (error.stack ?? error.message) : error,
    })),
  )
}
