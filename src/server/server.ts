// The HTTP server: how it starts, how it answers whatever comes, and how it is stopped.
import type { Config } from "../config/config.ts"
import type { Exchange } from "../observe/exchange.ts"
import type { Logger } from "../observe/log.ts"
import { createMetrics } from "../observe/metrics.ts"
import type { Counter } from "../tokens/count.ts"
import { type Clock, createSystemClock } from "../upstream/deadline.ts"
import { once } from "./common/once.ts"
import { createProcessTurns } from "./common/turns.ts"
import { type BaseContext, defaultTimes, type Parts, type Times } from "./context.ts"
import { createStays } from "./course/stays.ts"
import { createDrain } from "./drain.ts"
import { createPlaces } from "./entrance/admission.ts"
import { countRunning, createMeter, type Meter } from "./figures/meter.ts"
import { type Share, type Siblings, shareOf } from "./figures/siblings.ts"
import { createStatistics, type History, type Statistics } from "./figures/statistics.ts"
import { createProcessRush } from "./heap/rush.ts"
import { createProcessTidy } from "./heap/tidy.ts"
import { clientHost } from "./http/client-host.ts"
import { createKeys } from "./keys/keys.ts"
import type { RefusalHistory } from "./learned/history.ts"
import type { PartsOptions } from "./parts.ts"
import { createReception, type Shared } from "./reception.ts"
import { createSharing } from "./sharing.ts"

export interface ServerOptions {
  readonly config: Config
  readonly log: Logger
  readonly version: string
  readonly instance?: BaseContext["instance"]
  /** Other processes that answer on the same port. */
  readonly siblings?: Siblings | undefined
  /** Called once per request to a model, when it is over. What it throws is logged. */
  readonly onExchange: (exchange: Exchange) => void
  /** What was kept of earlier runs and of this one; undefined: nothing is kept. */
  readonly history?: History | undefined
  /** What was kept of upstreams' refusals, also by other proxies; undefined: each start learns them anew. */
  readonly refusals?: RefusalHistory | undefined
  /** Both are for tests. */
  readonly times?: Partial<Times>
  readonly clock?: Clock
}

export interface RunningServer {
  /** `http://HOST:PORT`, or https, for a client on this machine. */
  readonly url: string
  readonly hostname: string
  readonly port: number
  /**
   * From now on requests are answered by this configuration. Those under way, streams included, end by the one
   * they came under. Host, port and certificate stay what they are.
   */
  readonly reload: (config: Config) => void
  /** What it has counted; `write`: once what is kept on disk is there. */
  readonly share: (write: boolean) => Promise<Share>
  /**
   * Begins no more requests, lets those that run finish for `graceMs` (else: SHUTDOWN_TIMEOUT), then ends what is
   * left with an error. /health says so meanwhile.
   */
  readonly stop: (graceMs?: number) => Promise<void>
  /** Takes no new connections: other processes are there for them. */
  readonly acceptNoMore: () => void
  /** What SHUTDOWN_TIMEOUT says by now, in milliseconds. */
  readonly graceMs: () => number
}

/** Starts listening. Throws what Bun.serve throws when the address is taken (code EADDRINUSE). */
export function startServer(options: ServerOptions): RunningServer {
  const { config } = options
  const address = () => ({ hostname: config.host, port: server.port ?? config.port })
  let current = config
  const shared: Shared = { ...sharedParts(options, () => current.secrets), address }
  let answer = createReception(shared, config)
  const server = Bun.serve({
    hostname: config.host,
    port: config.port,
    ...(config.tls === undefined ? {} : { tls: { cert: config.tls.certificate, key: config.tls.key } }),
    // A thinking model is silent for minutes, and Bun would close the connection after ten seconds.
    idleTimeout: 0,
    development: false,
    // Bun lets two servers share a port unless told otherwise; the second one must hear that it is taken.
    reusePort: options.siblings !== undefined,
    // Our own limit answers in Anthropic's shape; what nobody reads is not kept either.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request) => answer(request),
  })
  shared.sharing.use(config)
  const port = server.port ?? config.port
  return {
    url: `${config.tls === undefined ? "http" : "https"}://${clientHost(config.host)}:${port}`,
    hostname: config.host,
    port,
    reload: (next) => {
      shared.sharing.use(next)
      answer = createReception(shared, next)
      current = next
      options.history?.use(next)
    },
    share: (write) => shareOf(shared, write),
    stop: (graceMs = current.shutdownTimeoutMs) =>
      shared.drain.stop(server, graceMs).finally(() => {
        shared.tidy.end()
        shared.rush.end()
        shared.sharing.close()
      }),
    acceptNoMore: () => void server.stop(),
    graceMs: () => current.shutdownTimeoutMs,
  }
}

function sharedParts(options: ServerOptions, secrets: () => readonly string[]): Omit<Shared, "address"> {
  const { log, version, instance, siblings } = options
  const running: BaseContext["running"] = new Set()
  const metrics = createMetrics({
    ...{ version, secrets, startedAt: performance.timeOrigin },
    inFlight: () => countRunning(running),
    residentBytes: () => process.memoryUsage.rss(),
  })
  const meter = createMeter(metrics)
  const clock = options.clock ?? createSystemClock()
  const statistics = createStatistics(clock.now, options.history)
  const sharing = createSharing({ log, clock, metrics, siblings })
  const parts = lateParts({ log, clock, metrics, secrets, history: options.refusals })
  const tidy = createProcessTidy(() => running.size > 0)
  const drain = createDrain({ running, log, clock, onBegin: parts.stop })
  return {
    ...{
      sharing,
      store: sharing.store,
      drain,
      parts: parts.load,
      ends: drain.begun,
      places: createPlaces(),
      tidy,
      rush: createProcessRush(() => running.size),
    },
    ...{ log, version, instance, siblings, metrics, meter, clock, statistics, running },
    times: { ...defaultTimes, ...options.times },
    onExchange: guarded(options, meter, statistics, tidy.stir),
    turns: createProcessTurns(),
    counter: lateCounter(),
    keys: createKeys({ log, now: clock.steady, onRest: metrics.keyRested, shared: sharing.rests }),
    stays: createStays(clock.steady),
  }
}

interface LateParts {
  readonly load: () => Promise<Parts>
  /** Nothing waits for its client any more, now or later. */
  readonly stop: () => void
}

/** Loaded with the first request to a model. */
function lateParts(options: PartsOptions): LateParts {
  let loading: Promise<Parts> | undefined
  let stopped = false
  const load = async (): Promise<Parts> => {
    const parts = (await import("./parts.ts")).createParts(options)
    if (stopped) parts.flights.stop()
    return parts
  }
  return {
    load: () => {
      loading ??= load()
      return loading
    },
    stop: () => {
      stopped = true
      // A part that cannot be loaded was told of to the request that wanted it.
      loading?.then(({ flights }) => flights.stop()).catch(() => {})
    },
  }
}

/** Loaded with the first text that is counted. */
function lateCounter(): Counter {
  const counter = once(async () => {
    const { createCounter } = await import("../tokens/count.ts")
    return createCounter({ pause: () => new Promise((resolve) => setImmediate(resolve)) })
  })
  return {
    count: async (text, encoding) => (await counter()).count(text, encoding),
    sum: async (pieces, encoding) => (await counter()).sum(pieces, encoding),
  }
}

/** A listener that fails must not take the request with it that it was only to be told of. */
function guarded(
  { onExchange, log }: ServerOptions,
  meter: Meter,
  statistics: Statistics,
  stir: () => void,
): (exchange: Exchange) => void {
  return (exchange) => {
    stir()
    try {
      statistics.record(exchange)
      meter.record(exchange)
      onExchange(exchange)
    } catch (error) {
      log.error("internal error", () => ({ requestId: exchange.requestId, error }))
    }
  }
}
