// `run`: a command with a proxy of its own, which lives as long as the command does and leaves nothing behind.
import { homedir } from "node:os"
import { basename } from "node:path"
import type { Config } from "../config/config.ts"
import { loadHere } from "../config/load.ts"
import { resolveRoute } from "../config/route.ts"
import type { Exchange } from "../observe/exchange.ts"
import { createLogger, type Logger } from "../observe/log.ts"
import { redact } from "../protocol/redact.ts"
import { startDemoUpstream } from "../server/demo.ts"
import { type RunningServer, startServer } from "../server/server.ts"
import { findCommand, runChild } from "./child.ts"
import { childEnvironment, type Environment, proxyVariable, serviceSwitches } from "./child-environment.ts"
import { claudeSettingsFiles, findConflicts } from "./claude-settings.ts"
import type { CommandIo } from "./io.ts"
import { addExchange, emptyTotals, renderTotals, type Totals } from "./totals.ts"
import { version } from "./version.ts"

export interface RunOptions {
  /** The child's command line; empty: claude. */
  readonly command: readonly string[]
  /** Stands for all three tiers. */
  readonly model?: string | undefined
  readonly envFile?: string | undefined
  readonly logLevel?: string | undefined
  readonly demo: boolean
}

/**
 * Runs the command and gives its exit code; 126 or 127 when it cannot be started, 2 for a broken
 * configuration, 1 when there is no proxy to be had.
 */
export async function run(options: RunOptions, io: CommandIo, env: Environment): Promise<number> {
  const [name = "claude", ...args] = options.command
  const found = findCommand(name, env)
  if (!found.ok) {
    const how = name === "claude" ? "\nTo install it: npm install -g @anthropic-ai/claude-code" : ""
    say(io, `${found.why}${how}`)
    return found.exitCode
  }
  const demo = options.demo ? startDemoUpstream() : undefined
  try {
    const loaded = loadHere(needs(options, demo?.baseUrl))
    if (loaded.ok) return await runWith({ name, path: found.path, args }, loaded, options, io, env)
    for (const problem of loaded.problems) say(io, problem)
    return 2
  } finally {
    await demo?.stop()
  }
}

function needs(options: RunOptions, demoBaseUrl: string | undefined): Parameters<typeof loadHere>[0] {
  const { model, logLevel, envFile } = options
  const flags = { LOG_LEVEL: logLevel, BIG_MODEL: model, MIDDLE_MODEL: model, SMALL_MODEL: model }
  return { flags, envFile, localFile: false, needsUpstream: true, demoBaseUrl }
}

interface Command {
  readonly name: string
  readonly path: string
  readonly args: readonly string[]
}

interface Loaded {
  readonly config: Config
  readonly warnings: readonly string[]
}

async function runWith(
  command: Command,
  { config: base, warnings }: Loaded,
  options: RunOptions,
  io: CommandIo,
  env: Environment,
): Promise<number> {
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex")
  const config: Config = {
    ...base,
    host: "127.0.0.1",
    port: 0,
    clientKeys: [token],
    secrets: [token, ...base.secrets],
  }
  const kept = createKeeper(config)
  const server = tryServer(config, createLog(config, options, io), kept.onExchange, io)
  if (server === undefined) return 1
  // An error of ours that nobody caught must not take the child with it.
  const strays = holdStrays(kept.onStray)
  try {
    const isClaude = /^claude(\.\w+)?$/.test(basename(command.path))
    if (isClaude) await warnOfConflicts(env, io)
    const facts = { url: server.url, token, ...modelLimits(config) }
    const child = await runChild(command.path, command.args, childEnvironment(env, facts))
    if (child.why !== undefined) say(io, child.why)
    for (const line of [...warnings, ...kept.lines(isClaude, env)]) say(io, line)
    if (child.why === undefined) say(io, renderTotals(kept.totals()))
    return child.exitCode
  } finally {
    // The child is gone: whatever still runs, runs for nobody.
    await server.stop(0)
    strays.release()
  }
}

function tryServer(
  config: Config,
  log: Logger,
  onExchange: (exchange: Exchange) => void,
  io: CommandIo,
): RunningServer | undefined {
  try {
    return startServer({ config, log, version, onExchange })
  } catch (error) {
    say(io, `cannot listen on 127.0.0.1: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

/** The child owns the terminal: a log is written only when it was asked for. */
function createLog(config: Config, options: RunOptions, io: CommandIo): Logger {
  const write = options.logLevel === undefined ? () => {} : (line: string) => io.error(`${line}\n`)
  const { logLevel: level, logFormat: format, secrets } = config
  return createLogger({ level, format, write, now: () => new Date(), secrets })
}

interface Keeper {
  readonly onExchange: (exchange: Exchange) => void
  readonly onStray: (error: unknown) => void
  readonly totals: () => Totals
  /** What is to be told once the child has ended. */
  readonly lines: (isClaude: boolean, env: Environment) => readonly string[]
}

/** Remembers while the child runs what must not be printed yet. */
function createKeeper(config: Config): Keeper {
  let totals = emptyTotals
  let lastFailure: string | undefined
  let stray: string | undefined
  return {
    onExchange: (exchange) => {
      totals = addExchange(totals, exchange)
      if (exchange.outcome.kind === "failed") lastFailure = exchange.outcome.fault.message
    },
    onStray: (error) => {
      stray = error instanceof Error ? error.message : String(error)
    },
    totals: () => totals,
    lines: (isClaude, env) => {
      const proxy = isClaude && totals.requests === 0 ? proxyVariable(env) : undefined
      const told = [
        ...(stray === undefined ? [] : [`internal error: ${stray}`]),
        ...(lastFailure === undefined ? [] : [`the last error: ${lastFailure}`]),
        ...(proxy === undefined
          ? []
          : [`no request arrived. ${proxy} is set: is this address exempt from it?`]),
      ]
      return told.map((line) => redact(line, config.secrets).replace(/\s+/g, " "))
    },
  }
}

function holdStrays(keep: (error: unknown) => void): { readonly release: () => void } {
  const kinds = ["uncaughtException", "unhandledRejection"] as const
  for (const kind of kinds) process.on(kind, keep)
  return {
    release: () => {
      for (const kind of kinds) process.off(kind, keep)
    },
  }
}

async function warnOfConflicts(env: Environment, io: CommandIo): Promise<void> {
  for (const name of serviceSwitches(env)) {
    say(io, `${name} is set: Claude Code follows it and does not come to this proxy.`)
  }
  const files = claudeSettingsFiles(env, homedir(), process.cwd())
  for (const conflict of await findConflicts(files, io.readFile)) say(io, conflict)
}

/**
 * One number has to do for the whole session: the smallest window. Requests on the small tier are short, so
 * that one counts only where it is known, and never for the length of replies.
 */
function modelLimits(config: Config): { contextWindow: number | null; maxOutputTokens: number | null } {
  const profiles = ["opus", "sonnet", "haiku"].map((family) => {
    const resolved = resolveRoute(config, `claude-${family}`)
    return resolved.ok ? resolved.route.profile : undefined
  })
  const main = profiles.slice(0, 2)
  const small = profiles[2]?.contextWindow ?? null
  const windows = [
    ...main.map((profile) => profile?.contextWindow ?? null),
    ...(small === null ? [] : [small]),
  ]
  return {
    contextWindow: smallest(windows),
    maxOutputTokens: smallest(main.map((profile) => profile?.maxOutputTokens ?? null)),
  }
}

/** Null as soon as one is not known. */
function smallest(values: readonly (number | null)[]): number | null {
  return values.reduce((least, value) => (least === null || value === null ? null : Math.min(least, value)))
}

function say(io: CommandIo, text: string): void {
  io.error(`claude-proxy: ${text}\n`)
}
