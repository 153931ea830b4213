// Every command there is. The code of a command is loaded when it runs, so that --help and --version stay
// instant.
import { type ArgsDef, type CommandDef, defineCommand } from "citty"
import { convertEntry } from "./entries/convert.ts"
import { countTokensEntry } from "./entries/count-tokens.ts"
import { demoEntry } from "./entries/demo.ts"
import type { Described, Invocation } from "./entries/entry.ts"
import { initEntry } from "./entries/init.ts"
import { logsEntry, restartEntry, statusEntry, stopEntry } from "./entries/instances.ts"
import { modelsEntry } from "./entries/models.ts"
import { runEntry } from "./entries/run.ts"
import { serveEntry } from "./entries/serve.ts"
import { statsEntry } from "./entries/stats.ts"
import { testConnectionEntry } from "./entries/test-connection.ts"

export interface CommandEntry extends Pick<Described, "name" | "args" | "examples"> {
  /** Its run gives the exit code. */
  readonly command: CommandDef
  readonly restBelongsToChild: boolean
}

/** The commands, ready to run with what this process was given. */
export function commandTable(invocation: Invocation): readonly CommandEntry[] {
  const all = [
    serveEntry,
    statusEntry,
    stopEntry,
    restartEntry,
    logsEntry,
    runEntry,
    convertEntry,
    countTokensEntry,
    modelsEntry,
    statsEntry,
    testConnectionEntry,
    initEntry,
    demoEntry,
  ]
  return all.map((describe) => {
    const { name, description, args, examples, restBelongsToChild = false, run } = describe(invocation)
    const command = defineCommand<ArgsDef>({
      meta: { name, description },
      args,
      run: (context) => run(context.args),
    })
    return { name, args, command, examples, restBelongsToChild }
  })
}
