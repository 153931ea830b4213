// Every command there is: what it takes, what it is for, and how to reach it. The code of a command is
// loaded when it runs, so that --help and --version stay instant.
import { type ArgsDef, type CommandDef, defineCommand } from "citty"
import type { z } from "zod"
import type { CommandIo } from "./io.ts"

export interface Invocation {
  readonly io: CommandIo
  readonly env: Readonly<Record<string, string | undefined>>
  /** What stands behind `--`; for `run` the child's command line. */
  readonly rest: readonly string[]
}

export interface CommandEntry {
  readonly name: string
  readonly args: ArgsDef
  /** Its run gives the exit code. */
  readonly command: CommandDef
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [string, string])[]
  /** `run` gives everything behind `--` to its child; elsewhere that is more arguments of ours. */
  readonly restBelongsToChild: boolean
}

interface Described {
  readonly name: string
  readonly description: string
  readonly args: ArgsDef
  readonly examples: CommandEntry["examples"]
  readonly restBelongsToChild?: true
  readonly run: (given: Readonly<Record<string, unknown>>) => Promise<number>
}

/** The commands, ready to run with what this process was given. */
export function commandTable(invocation: Invocation): readonly CommandEntry[] {
  const all = [serveEntry, runEntry, convertEntry, countTokensEntry, demoEntry]
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

const envFile = {
  type: "string",
  valueHint: "file",
  description: "Settings file, stronger than the environment",
} as const

const logLevel = { type: "string", valueHint: "level", description: "DEBUG, INFO, WARNING or ERROR" } as const

const demo = { type: "boolean", description: "Use the built-in upstream: no key, no network" } as const

function serveEntry({ io, env }: Invocation): Described {
  return {
    name: "serve",
    description: "Start the proxy",
    args: {
      host: { type: "string", valueHint: "address", description: "Address to listen on (else 127.0.0.1)" },
      port: {
        type: "string",
        valueHint: "port",
        description: "Port to listen on (else 8082); 0: a free one",
      },
      env: envFile,
      "log-level": logLevel,
      demo,
    },
    examples: [
      ["claude-proxy serve", "with the settings of .env and the environment"],
      ["claude-proxy serve --port 0 --log-level debug", "on a free port, logging everything"],
      ["claude-proxy serve --env ./project.env", "with another file of settings"],
      ["claude-proxy serve --demo", "without any key, to see that it works"],
    ],
    run: async (given) => {
      // This may begin the process anew: nothing that takes time is loaded before.
      const { ensureUncapped } = await import("./uncapped.ts")
      const uncapped = await ensureUncapped(env)
      if (typeof uncapped === "number") return uncapped
      const { ServeFlags } = await import("./flags.ts")
      return withFlags(ServeFlags, given, io, async ({ host, port, demo, ...flags }) => {
        const { serve } = await import("./serve.ts")
        const capped = uncapped === "capped"
        return serve({ host, port, demo, capped, envFile: flags.env, logLevel: flags["log-level"] }, io)
      })
    },
  }
}

function runEntry({ io, env, rest }: Invocation): Described {
  return {
    name: "run",
    description: "Run a command (claude, if none is given) with a private proxy",
    args: {
      model: { type: "string", valueHint: "name", description: "One model for opus, sonnet and haiku alike" },
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
      ["claude-proxy run --model deepseek-chat -- claude", "one model for everything"],
      ["claude-proxy run --demo -- claude", "without any key, to see that it works"],
    ],
    restBelongsToChild: true,
    run: async (given) => {
      const { RunFlags } = await import("./flags.ts")
      return withFlags(RunFlags, given, io, async ({ model, demo, ...flags }) => {
        const { run } = await import("./run.ts")
        const options = { command: rest, model, demo, envFile: flags.env, logLevel: flags["log-level"] }
        return run(options, io, env)
      })
    },
  }
}

function convertEntry({ io }: Invocation): Described {
  return {
    name: "convert",
    description: "Show what the proxy makes of a request, a reply or a stream",
    args: {
      file: { type: "positional", required: false, description: "JSON or a stream (else standard input)" },
      to: {
        type: "string",
        valueHint: "dialect",
        description: "openai, responses (OpenAI's other API) or anthropic (else the other one)",
      },
      from: {
        type: "string",
        valueHint: "dialect",
        description: "openai or anthropic (else it is recognised)",
      },
      model: { type: "string", valueHint: "name", description: "Convert for this model" },
      request: {
        type: "string",
        valueHint: "file",
        description: "For an OpenAI reply: the Anthropic request it answers, with its tools and stops",
      },
      env: envFile,
      explain: { type: "boolean", description: "Say on standard error what was dropped or changed, and why" },
    },
    examples: [
      [`echo '{"messages":[{"role":"user","content":"hi"}]}' | claude-proxy convert`, "a request"],
      ["claude-proxy convert reply.json", "an OpenAI reply as an Anthropic message, or the reverse"],
      ["claude-proxy convert --request request.json stream.txt", "a stream, as who sent the request gets it"],
      ["claude-proxy convert --to anthropic request.json", "an OpenAI request as an Anthropic one"],
      ["claude-proxy convert --to responses request.json", "a request for OpenAI's Responses API"],
      ["claude-proxy convert --explain --model gpt-5 request.json", "and why it looks as it does"],
    ],
    run: async (given) => {
      const { ConvertFlags } = await import("./flags.ts")
      return withFlags(ConvertFlags, given, io, async ({ env, ...flags }) => {
        const { convert } = await import("./convert.ts")
        return convert({ ...flags, envFile: env }, io)
      })
    },
  }
}

function countTokensEntry({ io }: Invocation): Described {
  return {
    name: "count-tokens",
    description: "Count the tokens of a request or a text",
    args: {
      file: { type: "positional", required: false, description: "A request or a text (else standard input)" },
      estimate: { type: "boolean", description: "Estimate, as the proxy does while it works" },
      "by-part": { type: "boolean", description: "Split into system, each tool, and messages" },
      json: { type: "boolean", description: "Write JSON" },
    },
    examples: [
      ["claude-proxy count-tokens request.json", "how large a request is"],
      ["claude-proxy count-tokens --by-part --json request.json", "and what in it is large"],
      ["claude-proxy count-tokens --estimate < notes.txt", "a plain text, roughly"],
    ],
    run: async (given) => {
      const { CountTokensFlags } = await import("./flags.ts")
      return withFlags(CountTokensFlags, given, io, async ({ file, estimate, json, ...flags }) => {
        const { countTokens } = await import("./count-tokens.ts")
        return countTokens({ file, estimate, json, byPart: flags["by-part"] }, io)
      })
    },
  }
}

function demoEntry({ io }: Invocation): Described {
  return {
    name: "demo",
    description: "Play one streamed request through the proxy, without any key",
    args: {
      once: { type: "boolean", description: "Exit after the request instead of serving on" },
      port: { type: "string", valueHint: "port", description: "Port to listen on; 0: a free one" },
    },
    examples: [
      ["claude-proxy demo", "see it, then try claude against it"],
      ["claude-proxy demo --once", "see it and be done"],
    ],
    run: async (given) => {
      const { DemoFlags } = await import("./flags.ts")
      return withFlags(DemoFlags, given, io, async (flags) => {
        const { demo: play } = await import("./demo.ts")
        return play(flags, io)
      })
    },
  }
}

/** Reads the flags with their schema and goes on, or says what is wrong with one: exit code 2. */
async function withFlags<Schema extends z.ZodType>(
  schema: Schema,
  given: Readonly<Record<string, unknown>>,
  io: CommandIo,
  go: (flags: z.output<Schema>) => Promise<number>,
): Promise<number> {
  const parsed = schema.safeParse(given)
  if (parsed.success) return go(parsed.data)
  const { flagProblem } = await import("./flags.ts")
  io.error(`claude-proxy: ${flagProblem(parsed.error, given)}\n`)
  return 2
}
