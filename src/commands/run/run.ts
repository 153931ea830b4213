// `run`: a command with a proxy of its own, which lives as long as the command does and leaves nothing behind.
import { homedir } from "node:os"
import { basename } from "node:path"
import type { Config } from "../../config/config.ts"
import type { Needs } from "../../config/load/load.ts"
import { noRouter } from "../../config/settings/slots.ts"
import type { Loaded } from "../../config/sources/loaded.ts"
import type { Exchange } from "../../observe/exchange.ts"
import { errorMessage } from "../../protocol/fault.ts"
import { startDemoUpstream } from "../../server/demo.ts"
import { type RunningServer, type ServerOptions, startServer } from "../../server/server.ts"
import { loadSettings } from "../common/load-settings.ts"
import { createLogging } from "../common/logging.ts"
import { holdStrays } from "../common/strays.ts"
import { tellProblems } from "../common/tell-problems.ts"
import { version } from "../common/version.ts"
import { stateFolder } from "../instances/folder.ts"
import { createRefusalKeeper } from "../models/refusal-keeper.ts"
import { type CommandIo, type Environment, say } from "../terminal/io.ts"
import { type ChildEnd, findCommand, runChild } from "./child.ts"
import { childEnvironment, serviceSwitches } from "./child-environment.ts"
import { claudeSettingsFiles, findConflicts } from "./claude-settings.ts"
import { modelLimits } from "./model-limits.ts"
import { createRecord } from "./record.ts"
import { renderTotals } from "./totals.ts"

interface RunOptions {
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
    const loaded = await loadSettings(needs(options, demo?.baseUrl))
    if (loaded.ok) return await runWith({ name, path: found.path, args }, loaded, options, io, env)
    return tellProblems(loaded, io)
  } finally {
    await demo?.stop()
  }
}

function needs(options: RunOptions, demoBaseUrl: string | undefined): Needs {
  const { model, logLevel, envFile } = options
  const flags = { LOG_LEVEL: logLevel, BIG_MODEL: model, MIDDLE_MODEL: model, SMALL_MODEL: model }
  return { flags, envFile, localFile: false, needsUpstream: true, demoBaseUrl }
}

interface Command {
  readonly name: string
  readonly path: string
  readonly args: readonly string[]
}

async function runWith(
  command: Command,
  { config: base, warnings, described }: Loaded,
  options: RunOptions,
  io: CommandIo,
  env: Environment,
): Promise<number> {
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex")
  const config: Config = {
    ...base,
    host: "127.0.0.1",
    port: 0,
    // One model for everything: it was said last and at this very place.
    router: options.model === undefined ? base.router : noRouter,
    clientKeys: [token],
    // It shares the quota out among clients of others; here there is one, who would be told to wait for himself.
    rateLimitPerMinute: undefined,
    secrets: [token, ...base.secrets],
  }
  const record = createRecord(config)
  // The child owns the terminal: it is written to only when that was asked for.
  const stderr = options.logLevel !== undefined
  const logging = createLogging(config, io, { stderr, origin: described.origins["LOG_FILE_PATH"] })
  const onExchange = (exchange: Exchange) => {
    record.onExchange(exchange)
    logging.onExchange(exchange)
  }
  // What earlier proxies have learned is of use here too; what this one learns goes with it.
  const refusals = createRefusalKeeper({ folder: stateFolder(env), log: logging.log, readonly: true })
  await refusals.load()
  const server = tryServer({ config, log: logging.log, onExchange, refusals }, io)
  if (server === undefined) {
    await logging.close()
    return 1
  }
  // An error of ours that nobody caught must not take the child with it.
  const strays = holdStrays(record.onStray)
  const isClaude = /^claude(\.\w+)?$/.test(basename(command.path))
  let child: ChildEnd
  try {
    if (isClaude) await warnOfConflicts(env, io)
    const facts = { url: server.url, token, ...modelLimits(config) }
    // Not every client says that it starts, as Claude Code does when somebody sits before it.
    void fetch(`${server.url}/`, { method: "HEAD", proxy: false }).catch(() => {})
    child = await runChild(command.path, command.args, childEnvironment(env, facts))
  } finally {
    // The child is gone: whatever still runs, runs for nobody.
    await server.stop(0)
    await refusals.close()
    await logging.close()
    strays.release()
  }
  const told = child.why === undefined ? renderTotals(record.totals()) : child.why
  for (const line of [...warnings, ...logging.problems(), ...record.lines(isClaude, env), told]) say(io, line)
  return child.exitCode
}

function tryServer(
  options: Pick<ServerOptions, "config" | "log" | "onExchange" | "refusals">,
  io: CommandIo,
): RunningServer | undefined {
  try {
    return startServer({ ...options, version })
  } catch (error) {
    say(io, `cannot listen on 127.0.0.1: ${errorMessage(error)}`)
    return undefined
  }
}

async function warnOfConflicts(env: Environment, io: CommandIo): Promise<void> {
  for (const name of serviceSwitches(env)) {
    say(io, `${name} is set: Claude Code follows it and does not come to this proxy.`)
  }
  const files = claudeSettingsFiles(env, homedir(), process.cwd())
  for (const conflict of await findConflicts(files, io.readFile)) say(io, conflict)
}
