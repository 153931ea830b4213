// The HTTP server: how it starts, how it answers whatever comes, and how it is stopped.
import type { Config } from "../config/config.ts"
import type { Exchange } from "../observe/exchange.ts"
import type { Logger } from "../observe/log.ts"
import { createMetrics, type Metrics } from "../observe/metrics.ts"
import { invalidRequest } from "../protocol/fault.ts"
import { createCounter } from "../tokens/count.ts"
import { type Clock, systemClock } from "../upstream/deadline.ts"
import { createCallers } from "./callers.ts"
import { type Context, defaultTimes, type Times } from "./context.ts"
import { createDialects } from "./dialects.ts"
import {
  createEndpoints,
  findEndpoint,
  findHandler,
  normalisePath,
  otherMethod,
  unknownPath,
} from "./endpoints.ts"
import { createGate } from "./gate.ts"
import { randomId } from "./ids.ts"
import { createKeys } from "./keys.ts"
import { createReasoningMemory } from "./memory.ts"
import { createRatios } from "./ratios.ts"
import { createRefusals } from "./refusals.ts"
import { faultReply, internalFault } from "./respond.ts"
import { createStatistics, type History, type Statistics } from "./statistics.ts"
import { within } from "./within.ts"

export interface ServerOptions {
  readonly config: Config
  readonly log: Logger
  readonly version: string
  readonly instance?: Context["instance"]
  /** Called once per request to /v1/messages, when it is over. What it throws is logged. */
  readonly onExchange: (exchange: Exchange) => void
  /** What was kept of earlier runs and of this one; undefined: nothing is kept. */
  readonly history?: History | undefined
  /** Both are for tests. */
  readonly times?: Partial<Times>
  readonly clock?: Clock
}

export interface RunningServer {
  /** `http://HOST:PORT` for a client on this machine. */
  readonly url: string
  readonly hostname: string
  readonly port: number
  /**
   * From now on requests are answered by this configuration. Those under way, streams included, end by the one
   * they came under. Host and port stay what they are.
   */
  readonly reload: (config: Config) => void
  /** Stops accepting, lets running requests finish for `graceMs`, then ends what is left with an error. */
  readonly stop: (graceMs: number) => Promise<void>
}

/** Starts listening. Throws what Bun.serve throws when the address is taken (code EADDRINUSE). */
export function startServer(options: ServerOptions): RunningServer {
  const { config } = options
  const address = () => ({ hostname: config.host, port: server.port ?? config.port })
  const shared: Shared = { ...sharedParts(options), address }
  let answer = createAnswer(shared, config)
  const server = Bun.serve({
    hostname: config.host,
    port: config.port,
    // A thinking model is silent for minutes, and Bun would close the connection after ten seconds.
    idleTimeout: 0,
    development: false,
    // Bun lets two servers share a port unless told otherwise; the second one must hear that it is taken.
    reusePort: false,
    // Our own limit answers in Anthropic's shape; what nobody reads is not kept either.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request) => answer(request),
  })
  const port = server.port ?? config.port
  return {
    url: `http://${clientHost(config.host)}:${port}`,
    hostname: config.host,
    port,
    reload: (next) => {
      answer = createAnswer(shared, next)
      options.history?.use(next)
    },
    stop: (graceMs) => stop(server, shared, graceMs),
  }
}

/** What outlives a change of the configuration: above all what was learnt, and what is under way. */
type Shared = Omit<Context, "config" | "callers">

function sharedParts(options: ServerOptions): Omit<Shared, "address"> {
  const { log, version, instance } = options
  const metrics = createMetrics()
  const clock = options.clock ?? systemClock
  const statistics = createStatistics(clock.now, options.history)
  return {
    ...{ log, version, instance, metrics, clock, statistics },
    times: { ...defaultTimes, ...options.times },
    onExchange: guarded(options, metrics, statistics),
    memory: createReasoningMemory(),
    dialects: createDialects({ log, now: clock.now }),
    refusals: createRefusals({ log, metrics }),
    ratios: createRatios({ log }),
    counter: createCounter({ pause: () => new Promise((resolve) => setImmediate(resolve)) }),
    keys: createKeys({ log, now: clock.now }),
    running: new Set(),
  }
}

/** Everything that depends on the configuration is made here, so that it changes all at once. */
function createAnswer(shared: Shared, config: Config): (request: Request) => Promise<Response> {
  const context: Context = { ...shared, config, callers: createCallers(config) }
  const gate = createGate(context.config.clientKeys)
  const endpoints = createEndpoints(context)
  return async (request) => {
    const requestId = `req_${randomId()}`
    let refuse = faultReply
    try {
      const { method } = request
      // Without a (valid) Host header, as HTTP/1.0 allows it, the URL is a path alone.
      const url = new URL(request.url, "http://localhost")
      const path = normalisePath(url.pathname)
      const endpoint = findEndpoint(endpoints, path)
      if (endpoint === undefined) return unknownPath(method, path, requestId)
      refuse = endpoint.refuse ?? faultReply
      const handler = findHandler(endpoint, method)
      if (handler === undefined) return otherMethod(method, path, endpoint, requestId)
      const refused = endpoint.open ? undefined : gate(request.headers)
      if (refused !== undefined) return refuse(refused, requestId)
      return await handler(request, requestId, url)
    } catch (error) {
      // The only request that breaks the stack is one that is nested thousands of levels deep.
      if (error instanceof RangeError && error.message.includes("call stack")) {
        return refuse(invalidRequest("the request is nested too deeply"), requestId)
      }
      context.log.error("internal error", () => ({ requestId, error }))
      return refuse(internalFault(error), requestId)
    }
  }
}

/** A listener that fails must not take the request with it that it was only to be told of. */
function guarded(
  { onExchange, log }: ServerOptions,
  metrics: Metrics,
  statistics: Statistics,
): (exchange: Exchange) => void {
  return (exchange) => {
    try {
      statistics.record(exchange)
      metrics.recordNotes(exchange.provider, exchange.notes)
      onExchange(exchange)
    } catch (error) {
      log.error("internal error", () => ({ requestId: exchange.requestId, error }))
    }
  }
}

// Time for the last events to leave before the connections are cut.
const flushMs = 250

async function stop(server: Bun.Server<undefined>, shared: Shared, graceMs: number): Promise<void> {
  const { clock, running } = shared
  const done = server.stop().then(() => true)
  if (await within(done, graceMs, clock)) return
  for (const request of running) request.stop()
  await within(done, flushMs, clock)
  await server.stop(true)
}

/** A client cannot connect to "all interfaces": it is told the loopback address instead. */
function clientHost(host: string): string {
  if (host === "0.0.0.0" || host === "") return "127.0.0.1"
  if (host === "::") return "[::1]"
  return host.includes(":") ? `[${host}]` : host
}
