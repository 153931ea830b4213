// What becomes of a request as it comes in: is it let in, by whom is it sent, is there room for it, and which
// endpoint is it for.
import type { Config } from "../config/config.ts"
import { createRoutes } from "../config/routes.ts"
import type { Logger } from "../observe/log.ts"
import { type Fault, invalidRequest } from "../protocol/fault.ts"
import type { Places } from "./admission.ts"
import { createReplyCache } from "./cache.ts"
import { createCallers } from "./callers.ts"
import type { Context } from "./context.ts"
import { createDoors } from "./doors.ts"
import { type Drain, ending } from "./drain.ts"
import {
  createEndpoints,
  type Endpoint,
  findEndpoint,
  findHandler,
  type Handler,
  normalisePath,
  otherMethod,
  refusalAt,
  unknownPath,
} from "./endpoints.ts"
import { createGate } from "./gate.ts"
import { randomId } from "./ids.ts"
import type { Meter } from "./meter.ts"
import { faultReply, internalFault } from "./respond.ts"
import type { Sharing } from "./sharing.ts"

/** What outlives a change of the configuration: above all what was learnt, and what is under way. */
export interface Shared extends Omit<Context, "config" | "routes" | "callers" | "cache"> {
  readonly meter: Meter
  readonly sharing: Sharing
  readonly places: Places
  readonly drain: Drain
}

/** Answers requests. Everything that depends on the configuration is made here, so that it changes all at once. */
export function createReception(shared: Shared, config: Config): (request: Request) => Promise<Response> {
  const cache = createReplyCache(config.cache, shared.store, shared.clock)
  const [routes, callers] = [createRoutes(config), createCallers(config)]
  const context: Context = { ...shared, config, routes, cache, callers }
  const doors = createDoors(config, context.log)
  const gate = createGate(config.clientKeys)
  const endpoints = createEndpoints(context)
  const limits = shared.sharing.limitsOf(config)
  const { maxConcurrentRequests: most } = config

  /** A request that was let in, and for which there is room. */
  async function serve(endpoint: Endpoint, handle: Handler, given: Parameters<Handler>): Promise<Response> {
    const [{ headers }, requestId] = given
    const refuse = endpoint.refuse ?? faultReply
    let seal = (reply: Response): Response => reply
    try {
      if (limits !== undefined && endpoint.counted !== undefined) {
        const admission = await limits(endpoint.counted, headers, requestId)
        seal = admission.seal
        if (admission.fault !== undefined) return seal(refuse(admission.fault, requestId))
      }
      return seal(await handle(...given))
    } catch (error) {
      return seal(refuse(faultOf(error, context.log, requestId), requestId))
    }
  }

  function admit(
    endpoint: Endpoint,
    handle: Handler,
    given: Parameters<Handler>,
  ): Promise<Response> | Response {
    const [request, requestId] = given
    const refuse = endpoint.refuse ?? faultReply
    const refused =
      (endpoint.open ? undefined : gate(request.headers)) ??
      (endpoint.asks && shared.drain.draining() ? ending : undefined)
    if (refused !== undefined) return refuse(refused, requestId)
    const run = () => serve(endpoint, handle, given)
    if (most === undefined || endpoint.counted?.bucket !== "requests") return run()
    const placed = shared.places.within(most, request, run)
    return placed instanceof Promise ? placed : refuse(placed, requestId)
  }

  async function answer(request: Request, requestId: string): Promise<Response> {
    try {
      const { method } = request
      const url = urlOf(request.url)
      const path = normalisePath(url.pathname)
      const endpoint = findEndpoint(endpoints, path)
      const shut = doors(request.headers, requestId)
      if (shut !== undefined) return refusalAt(path, endpoint)(shut, requestId)
      if (endpoint === undefined) return refusalAt(path, endpoint)(unknownPath(method, path), requestId)
      const handler = findHandler(endpoint, method)
      if (handler === undefined) return otherMethod(method, path, endpoint, requestId)
      return await admit(endpoint, handler, [request, requestId, url])
    } catch (error) {
      return faultReply(faultOf(error, context.log, requestId), requestId)
    }
  }

  return async (request) => {
    const requestId = `req_${randomId()}`
    shared.meter.began(requestId)
    const response = await answer(request, requestId)
    shared.meter.answered(request, requestId, response)
    return response
  }
}

/** Without a (valid) Host header, as HTTP/1.0 allows it, the URL is a path alone; or its host is none. */
function urlOf(text: string): URL {
  const base = "http://localhost"
  // What follows two slashes would be read as a host.
  if (text.startsWith("/")) return new URL(base + text)
  return URL.parse(text, base) ?? new URL(text.replace(/^[a-z]+:\/\/[^/?#]*/i, base))
}

/** What a client is told of an exception; if it is our mistake, the log says which one. */
function faultOf(error: unknown, log: Logger, requestId: string): Fault {
  // The only request that breaks the stack is one that is nested thousands of levels deep.
  if (error instanceof RangeError && error.message.includes("call stack")) {
    return invalidRequest("the request is nested too deeply")
  }
  log.error("internal error", () => ({ requestId, error }))
  return internalFault(error)
}
