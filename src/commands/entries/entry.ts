// What an entry of the command table is made of: its description, its flags, and how it is run.
import type { ArgsDef } from "citty"
import type { z } from "zod"
import type { CommandIo } from "../io.ts"

export interface Invocation {
  readonly io: CommandIo
  readonly env: Readonly<Record<string, string | undefined>>
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
  /** Gives the exit code. */
  readonly run: (given: Readonly<Record<string, unknown>>) => Promise<number>
}

export const envFile = {
  type: "string",
  valueHint: "file",
  description: "Settings file, stronger than the environment",
} as const

export const logLevel = {
  type: "string",
  valueHint: "level",
  description: "DEBUG, INFO, WARNING or ERROR",
} as const

export const demo = { type: "boolean", description: "Use the built-in upstream: no key, no network" } as const

/** Reads the flags with their schema and goes on, or says what is wrong with one: exit code 2. */
export async function withFlags<Schema extends z.ZodType>(
  schema: Schema,
  given: Readonly<Record<string, unknown>>,
  io: CommandIo,
  go: (flags: z.output<Schema>) => Promise<number>,
): Promise<number> {
  const parsed = schema.safeParse(given)
  if (parsed.success) return go(parsed.data)
  const { flagProblem } = await import("../flags.ts")
  io.error(`claude-proxy: ${flagProblem(parsed.error, given)}\n`)
  return 2
}
