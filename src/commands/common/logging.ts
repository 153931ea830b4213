// The logs of a running proxy: standard error, and the files of LOG_FILE_PATH.
import { join } from "node:path"
import type { Config } from "../../config/config.ts"
import type { Exchange } from "../../observe/exchange.ts"
import { createLogger, type Logger } from "../../observe/log.ts"
import { logExchange } from "../../observe/log-exchange.ts"
import { createLogFile, type LogFile } from "../../observe/log-files.ts"
import { logTopics, type Topics } from "../../observe/log-topics.ts"
import type { CommandIo } from "../terminal/io.ts"
import { createShown } from "../terminal/shown-lines.ts"
import { logFolder } from "./log-folder.ts"

type LogConfig = Pick<Config, "logLevel" | "logFormat" | "logFolder" | "logRetentionDays" | "secrets">

/** How one configuration is logged. */
export interface Log {
  readonly log: Logger
  /** Says of a request that is over what each log has to say of it. */
  readonly onExchange: (exchange: Exchange) => void
  /** Where the files are; undefined: there are none. */
  readonly folder: string | undefined
}

export interface LogWishes {
  /** Secrets that are not the configuration's own (any more): requests may still be using them. */
  readonly alsoSecret?: readonly string[]
  /** Where LOG_FILE_PATH was set, as FILE:LINE. */
  readonly origin?: string | undefined
}

export interface Logging extends Log {
  /**
   * The same for a changed configuration. Log files of one path are shared between all of them. Those that only
   * older ones name can still be written to, and are let go of whenever nothing was for a while.
   */
  readonly renew: (config: LogConfig, wishes?: LogWishes) => Log
  /** What went wrong with the files while standard error was silent. */
  readonly problems: () => readonly string[]
  /** Writes what waits. Afterwards nothing more is written to files. */
  readonly close: () => Promise<void>
}

export interface LoggingOptions extends LogWishes {
  /** Which one this is of several processes on one port: every line says so. */
  readonly worker?: number | undefined
  /** Is standard error logged to? Not while another program has the terminal. */
  readonly stderr: boolean
}

// A broken disk breaks four files at once, and may stay broken for days.
const pauseMs = 60_000
const mostKept = 20

/** Opens no file before there is something to write. */
export function createLogging(config: LogConfig, io: CommandIo, options: LoggingOptions): Logging {
  const kept: string[] = []
  const files = createFiles(tell)
  const shown = createShown(io, (lines) =>
    latest?.log.warn(`${lines} lines of the log were not shown: nobody read standard error`),
  )
  let latest: Log | undefined

  function tell(message: string): void {
    latest?.log.warn(message)
    if (!options.stderr && kept.length < mostKept) kept.push(message)
  }

  function renew(given: LogConfig, wishes: LogWishes = {}): Log {
    const found = given.logFolder === undefined ? undefined : logFolder(given.logFolder, wishes.origin)
    const folder = found?.path
    const secrets = [...given.secrets, ...(wishes.alsoSecret ?? [])]
    const { logLevel: level, logFormat: format, logRetentionDays: days } = given
    const loggerTo = (write: Write) =>
      marked(createLogger({ level, format, write, now, secrets }), options.worker)
    files.use(folder, days)
    const toFile = folder === undefined ? undefined : files.writeTo(folder, "server")
    const log = loggerTo((line) => {
      // The file first: a terminal that is gone must not keep the line from it.
      toFile?.(line)
      if (options.stderr) shown(line)
    })
    const fileLogger = (at: string, name: string) => loggerTo(files.writeTo(at, name))
    const topics = folder === undefined ? undefined : createTopics((name) => fileLogger(folder, name))
    // What is said of the folder is the same in all of several processes: the first one says it.
    const isNew = folder !== latest?.folder && (options.worker ?? 1) === 1
    const details = level === "DEBUG"
    latest = { log, folder, onExchange: (exchange) => logTo(exchange, log, topics, details) }
    if (isNew && found?.warning !== undefined) tell(found.warning)
    // Said at once, so that a folder that cannot be written is noticed at the start.
    if (isNew && folder !== undefined) log.info(`log files are written to ${folder}`)
    return latest
  }

  return { ...renew(config, options), renew, problems: () => [...kept], close: files.close }
}

type Write = LogFile["write"]

function marked(log: Logger, worker: number | undefined): Logger {
  if (worker === undefined) return log
  const mark =
    (write: Logger["info"]): Logger["info"] =>
    (message, fields) =>
      write(message, () => ({ ...fields?.(), worker }))
  return { debug: mark(log.debug), info: mark(log.info), warn: mark(log.warn), error: mark(log.error) }
}

const now = () => new Date()

function createTopics(loggerOf: (name: string) => Logger): Topics {
  return { streaming: loggerOf("streaming"), thinking: loggerOf("thinking"), tools: loggerOf("tools") }
}

function logTo(exchange: Exchange, log: Logger, topics: Topics | undefined, details: boolean): void {
  logExchange(exchange, log, details)
  if (topics !== undefined) logTopics(exchange, topics, now)
}

interface Files {
  /** From now on this folder is the one whose files stay open, and past days are kept for so long. */
  readonly use: (folder: string | undefined, retentionDays: number) => void
  readonly writeTo: (folder: string, name: string) => Write
  readonly close: () => Promise<void>
}

interface Entry {
  readonly folder: string
  readonly name: string
  /** Undefined while nothing is written to it. */
  file: LogFile | undefined
  written: number
}

// A request under the old configuration may have some more to say.
const lingerMs = 1_000

/** One LogFile for each path; what waits in them is written when the process ends, however it does. */
function createFiles(tell: (message: string) => void): Files {
  const entries = new Map<string, Entry>()
  const closing = new Map<LogFile, Promise<void>>()
  let used: string | undefined
  let retentionDays = 0
  let quietUntil = 0
  let over = false

  function onProblem(message: string, kind: "failing" | "lost"): void {
    const time = Date.now()
    if (kind === "failing" && time < quietUntil) return
    if (kind === "failing") quietUntil = time + pauseMs
    tell(message)
  }

  function write(entry: Entry, line: string): void {
    const { folder, name } = entry
    if (over) return
    entry.written += 1
    if (entry.file === undefined && folder !== used) linger(entry)
    entry.file ??= createLogFile({ folder, name, retentionDays, now, onProblem })
    entry.file.write(line)
  }

  async function letGo(entry: Entry): Promise<void> {
    const { file } = entry
    if (file === undefined) return
    entry.file = undefined
    const closed = file.close()
    closing.set(file, closed)
    await closed
    closing.delete(file)
  }

  /** Lets go of a file of a former folder once nothing was written to it for a while. */
  function linger(entry: Entry): void {
    const { written } = entry
    const timer = setTimeout(() => {
      if (over || entry.folder === used) return
      if (entry.written === written) void letGo(entry)
      else linger(entry)
    }, lingerMs)
    timer.unref()
  }

  function use(folder: string | undefined, days: number): void {
    const sameDays = days === retentionDays
    used = folder
    retentionDays = days
    for (const entry of entries.values()) {
      if (entry.folder !== folder && entry.file !== undefined) linger(entry)
      // The next line opens it again, with the days that count now.
      if (entry.folder === folder && !sameDays) void letGo(entry)
    }
  }

  const flushAll = () => {
    for (const { file } of entries.values()) file?.flushNow()
    for (const file of closing.keys()) file.flushNow()
  }
  process.on("exit", flushAll)

  return {
    use,
    writeTo: (folder, name) => {
      const path = join(folder, name)
      const entry = entries.get(path) ?? { folder, name, file: undefined, written: 0 }
      entries.set(path, entry)
      return (line) => write(entry, line)
    },
    close: async () => {
      over = true
      for (const entry of entries.values()) void letGo(entry)
      await Promise.all(closing.values())
      process.off("exit", flushAll)
    },
  }
}
