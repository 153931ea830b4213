// What an entry of the command table is made of: its description, its flags, and how it is run.
import type { ArgsDef } from "citty"
import type { CommandName, FlagsOf } from "../command-line/flags.ts"
import { type CommandIo, type Environment, fail } from "../terminal/io.ts"

export interface Invocation {
  readonly io: CommandIo
  readonly env: Environment
  /** What stands behind `--`; for `run` the child's command line. */
  readonly rest: readonly string[]
}

export interface Described {
  readonly name: string
  readonly description: string
  readonly args: ArgsDef
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [string, string])[]
  /** `run` gives everything behind `--` to its child; elsewhere that is more arguments of ours. */
  readonly restBelongsToChild?: true
  /**
   * It gets its flags as they were checked, without citty, which takes longer to load than a server may take to
   * listen. For a command that takes nothing but flags.
   */
  readonly atOnce?: true
  /** Gives the exit code. */
  readonly run: (given: Readonly<Record<string, unknown>>) => Promise<number>
}

export const envFile = {
  type: "string",
  valueHint: "file",
  description: "Settings file, stronger than the environment",
} as const

export const modelsFile = {
  type: "string",
  valueHint: "file",
  description: "The file of models (else models.yaml)",
} as const

export const json = { type: "boolean", description: "Write JSON" } as const

export const logLevel = {
  type: "string",
  valueHint: "level",
  description: "DEBUG, INFO, WARNING or ERROR",
} as const

export const demo = { type: "boolean", description: "Use the built-in upstream: no key, no network" } as const

/** Reads the flags and goes on, or says what is wrong with one: exit code 2. */
export async function withFlags<Name extends CommandName>(
  name: Name,
  given: Readonly<Record<string, unknown>>,
  io: CommandIo,
  go: (flags: FlagsOf<Name>) => Promise<number>,
): Promise<number> {
  const { readFlags } = await import("../command-line/flags.ts")
  const read = readFlags(name, given)
  return read.ok ? go(read.value) : fail(io, read.why, 2)
}
