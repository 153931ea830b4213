// `run` in the command table.
import { fail } from "../terminal/io.ts"
import { type Described, demo, envFile, type Invocation, logLevel, withFlags } from "./entry.ts"

/** The entry of `run`. */
export function runEntry({ io, env, rest }: Invocation): Described {
  return {
    name: "run",
    description: "Run a command (claude, if none is given) with a private proxy",
    args: {
      model: {
        type: "string",
        valueHint: "name",
        description: "One model for opus, sonnet and haiku alike, whatever ROUTER_ settings say",
      },
      env: envFile,
      "log-level": {
        ...logLevel,
        description: "Show the log (else nothing is logged while the command runs)",
      },
      demo,
    },
    examples: [
      ["claude-proxy run", "Claude Code, in this terminal"],
      ['claude-proxy run -- claude -p "explain this project"', "everything behind -- is the command's own"],
      ["claude-proxy run --model deepseek/deepseek-v4-pro -- claude", "one model for everything"],
      ["claude-proxy run --demo -- claude", "without any key, to see that it works"],
    ],
    restBelongsToChild: true,
    run: (given) =>
      withFlags("run", given, io, async ({ model, demo, ...flags }) => {
        if (demo && model !== undefined)
          return fail(io, "--demo answers for every model itself: leave out --model, or --demo.", 2)
        const { run } = await import("../run/run.ts")
        const options = { command: rest, model, demo, envFile: flags.env, logLevel: flags["log-level"] }
        return run(options, io, env)
      }),
  }
}
