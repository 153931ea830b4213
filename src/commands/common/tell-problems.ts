// What a command says of a configuration that cannot be used.
import type { LoadResult } from "../../config/sources/loaded.ts"
import type { CommandIo } from "../terminal/io.ts"

/** Prints what is wrong, and before it what was noticed besides: a misspelt name explains a missing key. */
export function tellProblems(
  { warnings, problems }: Pick<Extract<LoadResult, { ok: false }>, "warnings" | "problems">,
  io: Pick<CommandIo, "error">,
): void {
  for (const text of [...warnings, ...problems]) io.error(`claude-proxy: ${text}\n`)
}
