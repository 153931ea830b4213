// Every command there is. The code of a command is loaded when it runs, so that --help and --version stay
// instant.
import type { CommandDef } from "citty"
import { lookUp } from "../protocol/json.ts"
import { benchEntry } from "./entries/bench.ts"
import { convertEntry } from "./entries/convert.ts"
import { countTokensEntry } from "./entries/count-tokens.ts"
import { demoEntry } from "./entries/demo.ts"
import type { Described, Invocation } from "./entries/entry.ts"
import { healthEntry } from "./entries/health.ts"
import { initEntry } from "./entries/init.ts"
import { logsEntry, restartEntry, statusEntry, stopEntry } from "./entries/instances.ts"
import { modelsEntry } from "./entries/models.ts"
import { runEntry } from "./entries/run.ts"
import { serveEntry } from "./entries/serve.ts"
import { statsEntry } from "./entries/stats.ts"
import { testConnectionEntry } from "./entries/test-connection.ts"

export interface CommandEntry extends Pick<Described, "name" | "args" | "examples" | "run"> {
  /** Its run gives the exit code. */
  readonly command: CommandDef
  readonly atOnce: boolean
  readonly restBelongsToChild: boolean
}

const entries: Readonly<Record<string, (invocation: Invocation) => Described>> = {
  serve: serveEntry,
  status: statusEntry,
  health: healthEntry,
  stop: stopEntry,
  restart: restartEntry,
  logs: logsEntry,
  run: runEntry,
  convert: convertEntry,
  "count-tokens": countTokensEntry,
  models: modelsEntry,
  stats: statsEntry,
  "test-connection": testConnectionEntry,
  bench: benchEntry,
  init: initEntry,
  demo: demoEntry,
}

/** In the order in which help shows them. */
export const commandNames: readonly string[] = Object.keys(entries)

/** The commands, ready to run with what this process was given. */
export function commandTable(invocation: Invocation): readonly CommandEntry[] {
  return commandNames.flatMap((name) => commandEntry(name, invocation) ?? [])
}

/** One of them, or undefined: there is none of this name. */
export function commandEntry(wanted: string, invocation: Invocation): CommandEntry | undefined {
  const describe = lookUp(entries, wanted)
  if (describe === undefined) return undefined
  const described = describe(invocation)
  const { name, description, args, examples, restBelongsToChild = false, atOnce = false, run } = described
  const command: CommandDef = {
    meta: { name, description },
    args,
    // A copy: citty's own tries every spelling of the name of a flag that was not given.
    run: (context) => run({ ...context.args }),
  }
  return { name, args, command, examples, restBelongsToChild, atOnce, run }
}
