// The HTTP server: which path and method leads where, and how it is stopped.
import type { Config } from "../config/config.ts"
import type { Exchange } from "../observe/exchange.ts"
import type { Logger } from "../observe/log.ts"
import { fault } from "../protocol/fault.ts"
import { systemClock } from "../upstream/deadline.ts"
import { bodyLimit } from "./body.ts"
import type { Context } from "./context.ts"
import { createGate } from "./gate.ts"
import { randomId } from "./ids.ts"
import { countTokens, describe, health, model, models } from "./info.ts"
import { handleMessages } from "./messages.ts"
import { faultReply, internalFault, jsonReply } from "./respond.ts"

export interface ServerOptions {
  readonly config: Config
  readonly log: Logger
  readonly version: string
  /** Called once per request to /v1/messages, when it is over. */
  readonly onExchange: (exchange: Exchange) => void
}

export interface RunningServer {
  /** `http://HOST:PORT` for a client on this machine. */
  readonly url: string
  readonly hostname: string
  readonly port: number
  /** Stops accepting, lets running requests finish for `graceMs`, then cuts what is left. */
  readonly stop: (graceMs: number) => Promise<void>
}

type Handler = (request: Request, url: URL, requestId: string) => Response | Promise<Response>

interface Endpoint {
  readonly methods: Readonly<Record<string, Handler>>
  /** Answered without a client key. */
  readonly open?: true
}

/** Starts listening. Throws what Bun.serve throws when the address is taken (code EADDRINUSE). */
export function startServer(options: ServerOptions): RunningServer {
  const { config, log } = options
  const context: Context = {
    ...options,
    clock: systemClock,
    address: () => ({ hostname: config.host, port: server.port ?? config.port }),
  }
  const gate = createGate(config.clientKeys)
  const endpoints = createEndpoints(context)

  async function answer(request: Request): Promise<Response> {
    const requestId = `req_${randomId()}`
    try {
      const url = new URL(request.url)
      const path = normalisePath(url.pathname)
      const endpoint =
        endpoints[path] ?? (path.startsWith("/v1/models/") ? endpoints["/v1/models/*"] : undefined)
      if (endpoint === undefined) return unknownPath(request.method, path, requestId)
      const handler = endpoint.methods[request.method]
      if (handler === undefined) return wrongMethod(request.method, path, endpoint, requestId)
      const refused = endpoint.open ? undefined : gate(request.headers)
      if (refused !== undefined) return faultReply(refused, requestId)
      return await handler(request, url, requestId)
    } catch (error) {
      log.error("internal error", () => ({
        requestId,
        error: error instanceof Error ? (error.stack ?? error.message) : error,
      }))
      return faultReply(internalFault(error), requestId)
    }
  }

  const server = Bun.serve({
    hostname: config.host,
    port: config.port,
    // A thinking model is silent for minutes, and Bun would close the connection after ten seconds.
    idleTimeout: 0,
    development: false,
    maxRequestBodySize: bodyLimit * 2,
    fetch: answer,
  })
  const port = server.port ?? config.port
  return {
    url: `http://${clientHost(config.host)}:${port}`,
    hostname: config.host,
    port,
    stop: async (graceMs) => {
      const timer = setTimeout(() => void server.stop(true), graceMs)
      await server.stop()
      clearTimeout(timer)
    },
  }
}

function createEndpoints(context: Context): Readonly<Record<string, Endpoint>> {
  const accepted: Handler = (_request, _url, requestId) => jsonReply({}, requestId)
  return {
    "/": {
      open: true,
      methods: {
        GET: (_request, _url, requestId) => describe(context, requestId),
        HEAD: (_request, _url, requestId) => new Response(null, { headers: { "request-id": requestId } }),
      },
    },
    "/health": { open: true, methods: { GET: (_request, _url, requestId) => health(context, requestId) } },
    "/api/hello": {
      open: true,
      methods: { GET: (_request, _url, requestId) => jsonReply({ message: "hello" }, requestId) },
    },
    "/v1/messages": {
      methods: { POST: (request, _url, requestId) => handleMessages(request, context, requestId) },
    },
    "/v1/messages/count_tokens": {
      methods: { POST: (request, _url, requestId) => countTokens(request, requestId) },
    },
    "/v1/models": { methods: { GET: (_request, url, requestId) => models(url, context, requestId) } },
    "/v1/models/*": {
      methods: {
        GET: (_request, url, requestId) =>
          model(
            decodeURIComponent(normalisePath(url.pathname).slice("/v1/models/".length)),
            context,
            requestId,
          ),
      },
    },
    // Claude Code's telemetry ends here and goes nowhere.
    "/api/event_logging/batch": { open: true, methods: { POST: accepted } },
    "/api/claude_code/metrics": { open: true, methods: { POST: accepted } },
  }
}

/** People set base URLs with one suffix too many, or a slash at the end: all of them mean the same. */
function normalisePath(pathname: string): string {
  const path = pathname.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1")
  return path.replace(/^\/anthropic(?=\/|$)/, "").replace(/^\/v1\/v1(?=\/)/, "/v1") || "/"
}

function unknownPath(method: string, path: string, requestId: string): Response {
  const message = `${method} ${path} is not supported by this proxy; see GET / for what is`
  return faultReply(fault({ kind: "not_found_error", source: "client", message }), requestId)
}

function wrongMethod(method: string, path: string, endpoint: Endpoint, requestId: string): Response {
  const allow = Object.keys(endpoint.methods).join(", ")
  const message = `${method} is not allowed for ${path}; use ${allow}`
  return faultReply(
    fault({ kind: "invalid_request_error", source: "client", status: 405, message, headers: { allow } }),
    requestId,
  )
}

/** A client cannot connect to "all interfaces": it is told the loopback address instead. */
function clientHost(host: string): string {
  if (host === "0.0.0.0" || host === "") return "127.0.0.1"
  if (host === "::") return "[::1]"
  return host.includes(":") ? `[${host}]` : host
}
