// What a command says of a configuration that cannot be used.
import type { LoadResult } from "../../config/sources/loaded.ts"
import { type CommandIo, say } from "../terminal/io.ts"

/**
 * Prints what is wrong, and before it what was noticed besides: a misspelt name explains a missing key. The exit code
 * is that of a broken configuration.
 */
export function tellProblems(
  { warnings, problems }: Pick<Extract<LoadResult, { ok: false }>, "warnings" | "problems">,
  io: Pick<CommandIo, "error">,
): number {
  for (const text of [...warnings, ...problems]) say(io, text)
  return 2
}
