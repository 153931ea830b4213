// The logs of a running proxy: standard error, and the files of LOG_FILE_PATH.
import type { Config } from "../config/config.ts"
import type { Exchange } from "../observe/exchange.ts"
import { createLogger, type Logger } from "../observe/log.ts"
import { logExchange } from "../observe/log-exchange.ts"
import { createLogFile, type LogFile } from "../observe/log-files.ts"
import { logTopics, type Topics } from "../observe/log-topics.ts"
import type { CommandIo } from "./io.ts"
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
   * The same for a changed configuration. Log files of one path are shared between all of them, so requests
   * that began under the old one go on with what they have, and nothing has to be handed over.
   */
  readonly renew: (config: LogConfig, wishes?: LogWishes) => Log
  /** What went wrong with the files while standard error was silent. */
  readonly problems: () => readonly string[]
  /** Writes what waits. Afterwards nothing more is written to files. */
  readonly close: () => Promise<void>
}

export interface LoggingOptions extends LogWishes {
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
    const loggerTo = (write: Write) => createLogger({ level, format, write, now, secrets })
    const toFile = folder === undefined ? undefined : files.writeTo(folder, "server", days)
    const log = loggerTo((line) => {
      // The file first: a terminal that is gone must not keep the line from it.
      toFile?.(line)
      if (options.stderr) io.error(`${line}\n`)
    })
    const fileLogger = (at: string, name: string) => loggerTo(files.writeTo(at, name, days))
    const topics = folder === undefined ? undefined : createTopics((name) => fileLogger(folder, name))
    const isNew = folder !== latest?.folder
    latest = { log, folder, onExchange: (exchange) => logTo(exchange, log, topics) }
    if (isNew && found?.warning !== undefined) tell(found.warning)
    // Said at once, so that a folder that cannot be written is noticed at the start.
    if (isNew && folder !== undefined) log.info(`log files are written to ${folder}`)
    return latest
  }

  return { ...renew(config, options), renew, problems: () => [...kept], close: files.close }
}

type Write = LogFile["write"]

const now = () => new Date()

function createTopics(loggerOf: (name: string) => Logger): Topics {
  return { streaming: loggerOf("streaming"), thinking: loggerOf("thinking"), tools: loggerOf("tools") }
}

function logTo(exchange: Exchange, log: Logger, topics: Topics | undefined): void {
  logExchange(exchange, log)
  if (topics !== undefined) logTopics(exchange, topics, now)
}

interface Files {
  readonly writeTo: (folder: string, name: string, retentionDays: number) => Write
  readonly close: () => Promise<void>
}

/** One LogFile for each path; what waits in them is written when the process ends, however it does. */
function createFiles(tell: (message: string) => void): Files {
  const files = new Map<string, LogFile>()
  let quietUntil = 0

  function onProblem(message: string, kind: "failing" | "lost"): void {
    const time = Date.now()
    if (kind === "failing" && time < quietUntil) return
    if (kind === "failing") quietUntil = time + pauseMs
    tell(message)
  }

  const flushAll = () => {
    for (const file of files.values()) file.flushNow()
  }
  process.on("exit", flushAll)

  return {
    writeTo: (folder, name, retentionDays) => {
      const key = `${retentionDays} ${name} ${folder}`
      const file = files.get(key) ?? createLogFile({ folder, name, retentionDays, now, onProblem })
      files.set(key, file)
      return file.write
    },
    close: async () => {
      await Promise.all([...files.values()].map((file) => file.close()))
      process.off("exit", flushAll)
    },
  }
}
