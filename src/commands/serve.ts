// `serve`: starts the proxy, says where and with what, and serves until it is told to stop.
import { createColors } from "picocolors"
import type { Config } from "../config/config.ts"
import { type Described, loadHere } from "../config/load.ts"
import { createLogger } from "../observe/log.ts"
import { logExchange } from "../observe/log-exchange.ts"
import { startDemoUpstream } from "../server/demo.ts"
import { type RunningServer, startServer } from "../server/server.ts"
import type { CommandIo } from "./io.ts"
import { startFailure } from "./start-failure.ts"
import { holdStrays } from "./strays.ts"
import { untilStopped } from "./until-stopped.ts"
import { version } from "./version.ts"

export interface ServeOptions {
  readonly host?: string | undefined
  readonly port?: string | undefined
  readonly envFile?: string | undefined
  readonly logLevel?: string | undefined
  readonly demo: boolean
  /** Bun's limit of 256 requests at once could not be lifted. */
  readonly capped: boolean
}

// How long running replies may go on after the first signal.
const graceMs = 10_000

/** Runs until a signal; 0 after a clean stop, 1 when the address cannot be had, 2 for a broken configuration. */
export async function serve(options: ServeOptions, io: CommandIo): Promise<number> {
  const upstream = options.demo ? startDemoUpstream() : undefined
  const loaded = loadHere({
    flags: { HOST: options.host, PORT: options.port, LOG_LEVEL: options.logLevel },
    envFile: options.envFile,
    localFile: true,
    needsUpstream: true,
    demoBaseUrl: upstream?.baseUrl,
  })
  if (!loaded.ok) {
    for (const problem of loaded.problems) io.error(`claude-proxy: ${problem}\n`)
    await upstream?.stop()
    return 2
  }
  const { config, warnings, described } = loaded
  const log = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    write: (line) => io.error(`${line}\n`),
    now: () => new Date(),
    secrets: config.secrets,
  })
  for (const warning of warnings) log.warn(warning)
  if (options.capped)
    log.warn("at most 256 requests can run at once: this system does not let us lift Bun's limit")
  let server: RunningServer
  try {
    server = startServer({ config, log, version, onExchange: (exchange) => logExchange(exchange, log) })
  } catch (error) {
    await upstream?.stop()
    return startFailure(error, config, io)
  }
  io.out(renderStart(server, config, described, io.color))
  if (!isLoopback(config.host) && config.clientKeys.length === 0) io.error(renderOpenWarning(server))
  const strays = holdStrays((error) =>
    log.error("internal error", () => ({
      error: error instanceof Error ? (error.stack ?? error.message) : error,
    })),
  )
  const signal = await untilStopped()
  log.info(`${signal}: finishing running requests, at most ${graceMs / 1000} s; once more ends at once`)
  await server.stop(graceMs)
  await upstream?.stop()
  strays.release()
  return 0
}

/** The one block at the start: where it listens, which upstream, which models, what clients need. */
function renderStart(server: RunningServer, config: Config, described: Described, color: boolean): string {
  const { bold, dim } = createColors(color)
  const { upstream, tiers } = config
  const key = upstream.apiKeys.length === 0 ? "no key" : `key from ${upstream.keyName}`
  const clients = config.clientKeys.length === 0 ? "no key needed" : "must send a client key"
  const token = config.clientKeys.length === 0 ? "unused" : "YOUR-CLIENT-KEY"
  const lines = [
    `claude-proxy ${version} listening on ${bold(server.url)}`,
    `  ${dim("upstream")}  ${upstream.row.name}, ${upstream.baseUrl} (${key})`,
    `  ${dim("models  ")}  opus → ${tiers.big}, sonnet → ${tiers.middle}, haiku → ${tiers.small}`,
    `  ${dim("clients ")}  ${clients}`,
    ...described.files.map((file) => `  ${dim("settings")}  ${file}`),
    ...described.infos.map((info) => `  ${dim("note    ")}  ${info}`),
    "",
    `  ${bold(`ANTHROPIC_BASE_URL=${server.url} ANTHROPIC_AUTH_TOKEN=${token} claude`)}`,
    "",
  ]
  return `${lines.join("\n")}\n`
}

function renderOpenWarning(server: RunningServer): string {
  const bar = "!".repeat(78)
  return `${bar}\n!! ${server.hostname}:${server.port} can be reached from other machines and asks for no key:\n!! anybody there can spend your money. Set ALLOWED_API_KEYS, or HOST=127.0.0.1.\n${bar}\n`
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host)
}
