// From the command line to a command and its exit code.
import type { ArgsDef } from "citty"
import {
  checkArguments,
  flagsIn,
  nearest,
  type SplitArguments,
  splitArguments,
} from "./command-line/arguments.ts"
import { version } from "./common/version.ts"
import type { Invocation } from "./entries/entry.ts"
import { type CommandEntry, commandEntry, commandNames, commandTable } from "./table.ts"
import type { CommandIo, Environment } from "./terminal/io.ts"

const wrongUsage = 2

/** Runs what the words of the command line ask for; gives the exit code. */
export async function main(argv: readonly string[], env: Environment, io: CommandIo): Promise<number> {
  const { own, rest } = splitArguments(argv)
  const invocation: Invocation = { io, env, rest: rest ?? [] }
  const [name, about] = own
  if (name === undefined || name === "help" || isHelp(name)) {
    const known = about === undefined || isHelp(about) || commandEntry(about, invocation) !== undefined
    return known ? showHelp(about, invocation) : refuse(unknownCommand(about), "claude-proxy --help", io)
  }
  if (isVersion(name)) return showVersion(io)
  const entry = commandEntry(name, invocation)
  if (entry === undefined) return refuse(unknownCommand(name), "claude-proxy --help", io)
  if (own.some(isHelp)) return showHelp(name, invocation)
  if (own.some(isVersion)) return showVersion(io)
  return runEntry(entry, { own: own.slice(1), rest }, io)
}

async function runEntry(entry: CommandEntry, { own, rest }: SplitArguments, io: CommandIo): Promise<number> {
  const toChild = entry.restBelongsToChild ? undefined : rest
  const checked = checkArguments(own, entry.args, toChild ?? [])
  if (checked.problem !== undefined) {
    const stray = entry.restBelongsToChild && checked.positionals.length > 0
    const hint = stray
      ? ` Put the command behind --: claude-proxy ${entry.name} -- ${checked.positionals[0]}`
      : ""
    return refuse(`${checked.problem}${hint}`, `claude-proxy ${entry.name} --help`, io)
  }
  if (entry.atOnce) return entry.run(flagsIn(own, entry.args))
  const { runCommand } = await import("citty")
  const rawArgs = toChild === undefined ? [...own] : [...own, "--", ...toChild]
  const command = { ...entry.command, args: argsIn(own, entry.args) }
  const { result } = await runCommand(command, { rawArgs })
  return typeof result === "number" ? result : 0
}

/** What was given, and every argument without a name: what citty makes of each flag it is told of takes a while. */
function argsIn(own: readonly string[], args: ArgsDef): ArgsDef {
  const given = new Set(own.map((token) => token.replace(/^--|=.*$/gs, "")))
  return Object.fromEntries(
    Object.entries(args).filter(([name, { type }]) => type === "positional" || given.has(name)),
  )
}

async function showHelp(name: string | undefined, invocation: Invocation): Promise<number> {
  const { io } = invocation
  const { renderCommandHelp, renderRootHelp } = await import("./help.ts")
  const entries = commandTable(invocation)
  const entry = entries.find((candidate) => candidate.name === name)
  const rendering =
    entry === undefined ? renderRootHelp(entries, io.color) : renderCommandHelp(entry, entries, io.color)
  io.out(await rendering)
  return 0
}

function showVersion(io: CommandIo): number {
  io.out(`${version}\n`)
  return 0
}

function refuse(problem: string, help: string, io: CommandIo): number {
  io.error(`claude-proxy: ${problem}\nSee ${help}\n`)
  return wrongUsage
}

function unknownCommand(name: string): string {
  if (name.startsWith("-"))
    return `unknown option ${name}. Options stand behind the command: claude-proxy serve …`
  // Its letters are nearer to "restart", which starts nothing.
  const meant = name.toLowerCase() === "start" ? "serve" : nearest(name, commandNames)
  return `unknown command ${JSON.stringify(name)}.${meant === undefined ? "" : ` Did you mean ${meant}?`}`
}

function isHelp(token: string): boolean {
  return token === "--help" || token === "-h"
}

function isVersion(token: string): boolean {
  return token === "--version" || token === "-v"
}
