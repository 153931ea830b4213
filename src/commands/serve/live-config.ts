// Settings that change while the proxy runs: the files are read again, checked, and used for what comes next.
// What is said of it names settings and places, and never a value.
import type { Config } from "../../config/config.ts"
import { type WatchTimes, watchFiles } from "../../config/load/watch.ts"
import type { Loaded, LoadResult } from "../../config/sources/loaded.ts"
import { madeUnreadable } from "../../config/sources/prints.ts"
import { errorMessage } from "../../protocol/fault.ts"
import type { RunningServer } from "../../server/server.ts"
import type { Log, LogWishes } from "../common/logging.ts"
import { type Line, renderChanges } from "./live-config-lines.ts"

type Writers = Pick<Log, "log" | "onExchange">

/** A log whose level, form and places change with the settings, also for those who have held it from the start. */
interface LiveLog extends Writers {
  readonly use: (next: Writers) => void
}

/** Passes everything on to `first`, or to what was given to `use` last. */
export function createLiveLog(first: Writers): LiveLog {
  let current = first
  return {
    log: {
      debug: (message, fields) => current.log.debug(message, fields),
      info: (message, fields) => current.log.info(message, fields),
      warn: (message, fields) => current.log.warn(message, fields),
      error: (message, fields) => current.log.error(message, fields),
    },
    onExchange: (exchange) => current.onExchange(exchange),
    use: (next) => {
      current = next
    },
  }
}

export interface Settings {
  /** What the server was started with. */
  readonly loaded: Loaded
  /** Loads again from the same flags, environment and files. */
  readonly load: () => LoadResult | Promise<LoadResult>
}

export interface LiveConfigOptions extends Settings {
  readonly server: Pick<RunningServer, "reload">
  readonly live: LiveLog
  /** How a changed configuration is logged. */
  readonly makeLog: (config: Config, wishes: LogWishes) => Writers
  readonly times?: Partial<WatchTimes>
}

// Requests may run for hours under a key that was changed since, but not through this many changes.
const mostRetired = 200

/**
 * Follows the files that settings come from. Valid changes count from the next request on; of others every
 * problem is logged, and what was in force stays. Never throws and never ends the process.
 */
export function followSettings(options: LiveConfigOptions): { readonly close: () => void } {
  const { live, server, makeLog } = options
  const { log } = live
  const { host, port, tls } = options.loaded.config
  let current = options.loaded
  let retired: readonly string[] = []
  let refused = false

  function apply(result: LoadResult): void {
    // What cannot be read any more is not what somebody took out: a client key least of all.
    const lost = madeUnreadable(current.seen, result.seen)
    if (!result.ok) refuse(result.problems)
    else if (lost.length > 0) refuse(lost)
    else use(result)
  }

  function refuse(problems: readonly string[]): void {
    refused = true
    log.error(`the changed settings are not used, those in force stay: ${problems.join(" ")}`)
  }

  function use(next: Loaded): void {
    const config: Config = Object.freeze({ ...next.config, host, port, tls })
    const known = new Set(config.secrets)
    const old = [...retired, ...current.config.secrets].filter((secret) => !known.has(secret))
    const alsoSecret = [...new Set(old)].slice(-mostRetired)
    // What can fail comes first: it is all or nothing.
    const writers = makeLog(config, { alsoSecret, origin: next.described.origins["LOG_FILE_PATH"] })
    server.reload(config)
    live.use(writers)
    const lines = renderChanges(current, next, { host, port, tls, refused })
    current = next
    retired = alsoSecret
    refused = false
    for (const line of lines) say(line)
  }

  function say({ level, text }: Line): void {
    log[level](text)
  }

  const watch = watchFiles(options.loaded.seen, {
    read: options.load,
    apply,
    onPipe: (path) => {
      log.info(
        `${path} is a pipe, which can be read only once: changed settings count from the next start on`,
      )
    },
    onError: (error) => {
      log.error(`the settings cannot be read again, those in force stay: ${errorMessage(error)}`)
    },
    ...(options.times === undefined ? {} : { times: options.times }),
  })
  return { close: watch.close }
}
