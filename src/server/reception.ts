// What becomes of a request as it comes in: is it let in, by whom is it sent, is there room for it, and which
// endpoint is it for.
import type { Config } from "../config/config.ts"
import { createRoutes } from "../config/routes/routes.ts"
import type { Logger } from "../observe/log.ts"
import { type Fault, invalidRequest } from "../protocol/fault.ts"
import { createReplyCache } from "./cache/cache.ts"
import { newRequestId } from "./common/ids.ts"
import type { BaseContext, Parts } from "./context.ts"
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
import type { Places } from "./entrance/admission.ts"
import { createCallers } from "./entrance/callers.ts"
import { createDoors } from "./entrance/doors.ts"
import { createGate } from "./entrance/gate.ts"
import type { Admission } from "./entrance/limits.ts"
import type { Meter } from "./figures/meter.ts"
import type { Tidy } from "./heap/tidy.ts"
import { faultReply, internalFault } from "./http/respond.ts"
import type { Sharing } from "./sharing.ts"

/** What outlives a change of the configuration: above all what was learnt, and what is under way. */
export interface Shared extends Omit<BaseContext, "config" | "routes" | "callers" | "cache"> {
  readonly meter: Meter
  readonly sharing: Sharing
  readonly places: Places
  readonly drain: Drain
  readonly parts: () => Promise<Parts>
  readonly tidy: Tidy
}

/** Answers requests. Everything that depends on the configuration is made here, so that it changes all at once. */
export function createReception(shared: Shared, config: Config): (request: Request) => Promise<Response> {
  const cache = createReplyCache(config.cache, shared.store, shared.clock)
  const [routes, callers] = [createRoutes(config), createCallers(config)]
  const context: BaseContext = { ...shared, config, routes, cache, callers }
  const doors = createDoors(config, context.log)
  const gate = createGate(config.clientKeys)
  const toldOfKeys = new Set<string>()
  const find = createPlaceFinder(createEndpoints(context, shared.parts))
  const limits = shared.sharing.limitsOf(config)
  const { maxConcurrentRequests: most } = config

  /** A request that was let in, and for which there is room. */
  function serve(
    place: Place,
    handle: Handler,
    request: Request,
    requestId: string,
  ): Promise<Response> | Response {
    const counted = place.endpoint?.counted
    if (limits === undefined || counted === undefined) return handle(request, requestId, place.url)
    return serveCounted(limits(counted, request.headers, requestId), place, handle, request, requestId)
  }

  /** As far as the limit of its client goes. */
  async function serveCounted(
    taking: Promise<Admission>,
    { refuse, url }: Place,
    handle: Handler,
    request: Request,
    requestId: string,
  ): Promise<Response> {
    const { fault, seal } = await taking
    if (fault !== undefined) return seal(refuse(fault, requestId))
    try {
      return seal(await handle(request, requestId, url))
    } catch (error) {
      return seal(refuse(faultOf(error, context.log, requestId), requestId))
    }
  }

  /** As far as there is room. */
  function serveWithin(
    mostAtOnce: number,
    place: Place,
    handle: Handler,
    request: Request,
    requestId: string,
  ): Promise<Response> | Response {
    const run = async () => serve(place, handle, request, requestId)
    const placed = shared.places.within(mostAtOnce, request, run)
    return placed instanceof Promise ? placed : place.refuse(placed, requestId)
  }

  /** A client may ask on and on with a wrong key: each manner of it is told of once. */
  function tellOfKey({ status, message: why }: Fault, requestId: string): void {
    const { log } = context
    const facts = () => ({ requestId, status, why })
    if (toldOfKeys.has(why)) log.debug("request refused", facts)
    else log.warn("request refused", facts)
    toldOfKeys.add(why)
  }

  function refusal({ open, asks }: Endpoint, headers: Headers, requestId: string): Fault | undefined {
    const unknown = open ? undefined : gate(headers)
    if (unknown === undefined) return asks && shared.ends.aborted ? ending : undefined
    tellOfKey(unknown, requestId)
    return unknown
  }

  function admit(place: Place, request: Request, requestId: string): Promise<Response> | Response {
    const { endpoint, refuse, path } = place
    const { method, headers } = request
    const shut = doors(headers, requestId)
    if (shut !== undefined) return refuse(shut, requestId)
    if (endpoint === undefined) return refuse(unknownPath(method, path), requestId)
    const handle = findHandler(endpoint, method)
    if (handle === undefined) return otherMethod(method, path, endpoint, requestId)
    const refused = refusal(endpoint, headers, requestId)
    if (refused !== undefined) return refuse(refused, requestId)
    return most === undefined || endpoint.counted?.bucket !== "requests"
      ? serve(place, handle, request, requestId)
      : serveWithin(most, place, handle, request, requestId)
  }

  return async (request) => {
    const requestId = newRequestId()
    shared.meter.began(requestId)
    let refuse = faultReply
    let response: Response
    try {
      const place = find(request.url)
      refuse = place.refuse
      response = await admit(place, request, requestId)
    } catch (error) {
      response = refuse(faultOf(error, context.log, requestId), requestId)
    }
    shared.meter.answered(request, requestId, response)
    return response
  }
}

/** Where a request goes, as far as its URL says. */
interface Place {
  readonly url: URL
  readonly path: string
  readonly endpoint: Endpoint | undefined
  /** How its client is told of a fault. */
  readonly refuse: typeof faultReply
}

// Clients send to a handful of addresses again and again; who makes them up is not remembered for long.
const mostPlaces = 100
const longestUrl = 500

/** Finds places by the URLs of requests, and remembers them. Throws where a URL is none at all. */
function createPlaceFinder(endpoints: Parameters<typeof findEndpoint>[0]): (text: string) => Place {
  const known = new Map<string, Place>()

  function placeOf(text: string): Place {
    const url = urlOf(text)
    const path = normalisePath(url.pathname)
    const endpoint = findEndpoint(endpoints, path)
    return { url, path, endpoint, refuse: refusalAt(path, endpoint) }
  }

  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const place = placeOf(text)
    if (text.length > longestUrl) return place
    if (known.size >= mostPlaces) known.clear()
    known.set(text, place)
    return place
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
  if (error instanceof RangeError && error.message.includes("call stack"))
    return invalidRequest("the request is nested too deeply")
  log.error("internal error", () => ({ requestId, error }))
  return internalFault(error)
}
