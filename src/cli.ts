#!/usr/bin/env -S bun --no-env-file
// The entry: reads the command line, runs the command, turns what comes back into an exit code. The only
// place that ends the process.
import { isatty } from "node:tty"
import { runCommand } from "citty"
import { checkArguments, nearest, type SplitArguments, splitArguments } from "./commands/arguments.ts"
import { renderCommandHelp, renderRootHelp } from "./commands/help.ts"
import type { CommandIo } from "./commands/io.ts"
import { type CommandEntry, commandTable } from "./commands/table.ts"
import { version } from "./commands/version.ts"

type Env = Readonly<Record<string, string | undefined>>

const wrongUsage = 2

async function main(argv: readonly string[], env: Env): Promise<number> {
  const io = createIo(env)
  const { own, rest } = splitArguments(argv)
  const entries = commandTable({ io, env, rest: rest ?? [] })
  const [name] = own
  if (name === undefined || name === "help" || isHelp(name)) return showHelp(entries, own[1], io)
  if (isVersion(name)) return showVersion(io)
  const entry = entries.find((candidate) => candidate.name === name)
  if (entry === undefined) return refuse(unknownCommand(name, entries), "claude-proxy --help", io)
  if (own.some(isHelp)) return showHelp(entries, name, io)
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
  const rawArgs = toChild === undefined ? [...own] : [...own, "--", ...toChild]
  const { result } = await runCommand(entry.command, { rawArgs })
  return typeof result === "number" ? result : 0
}

async function showHelp(
  entries: readonly CommandEntry[],
  name: string | undefined,
  io: CommandIo,
): Promise<number> {
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

function unknownCommand(name: string, entries: readonly CommandEntry[]): string {
  if (name.startsWith("-"))
    return `unknown option ${name}. Options stand behind the command: claude-proxy serve …`
  const meant = nearest(
    name,
    entries.map((entry) => entry.name),
  )
  return `unknown command ${JSON.stringify(name)}.${meant === undefined ? "" : ` Did you mean ${meant}?`}`
}

function isHelp(token: string): boolean {
  return token === "--help" || token === "-h"
}

function isVersion(token: string): boolean {
  return token === "--version" || token === "-v"
}

function createIo(env: Env): CommandIo {
  const plain = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb"
  return {
    out: (text) => process.stdout.write(text),
    error: (text) => process.stderr.write(text),
    readStdin: () => Bun.stdin.text(),
    readFile: (path) => Bun.file(path).text(),
    stdinIsTerminal: isatty(0),
    color: process.stdout.isTTY === true && !plain,
  }
}

function reportInternal(error: unknown): void {
  const debug = process.env["LOG_LEVEL"]?.toUpperCase() === "DEBUG"
  const message = error instanceof Error ? error.message : String(error)
  const detail = debug && error instanceof Error ? `\n${error.stack ?? ""}` : ""
  process.stderr.write(`claude-proxy: internal error: ${message.replaceAll("\n", " ")}${detail}\n`)
}

// A command that outlives its own mistakes (a running server) listens for them too; then they are its own.
function onStray(kind: "uncaughtException" | "unhandledRejection"): void {
  process.on(kind, (error: unknown) => {
    if (process.listenerCount(kind) > 1) return
    reportInternal(error)
    process.exit(1)
  })
}

function start(): void {
  onStray("uncaughtException")
  onStray("unhandledRejection")
  // The reader has gone (`| head`): nothing more to say, and nobody to tell.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? 0)
    process.stderr.write(`claude-proxy: cannot write: ${error.message}\n`)
    process.exit(1)
  })
  process.stderr.on("error", () => {})
  // No process.exit after the command: Bun would cut off what a pipe has not taken yet.
  main(process.argv.slice(2), process.env).then(
    (code) => {
      process.exitCode = code
    },
    (error: unknown) => {
      reportInternal(error)
      process.exitCode = 1
    },
  )
}

start()
