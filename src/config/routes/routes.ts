// Routes that were found before: where names alone decide, the same name leads to the same place as long as the
// configuration is the same.
import type { Config } from "../config.ts"
import { inUse } from "../settings/slots.ts"
import { type Resolved, type RouteRequest, resolveRoute } from "./route.ts"

export interface Routes {
  /** The route of a request that has no wishes beside its model; undefined: it has to be resolved. */
  readonly known: (requestedModel: string | undefined) => Resolved | undefined
  /** As `resolveRoute`, for one configuration. */
  readonly resolve: (requestedModel: string | undefined, request?: RouteRequest) => Resolved
}

// Clients make the names up.
const mostNames = 500
const longestName = 200

/** Nothing is known yet. Equal requests get the very same route. */
export function createRoutes(config: Config): Routes {
  const byContent = inUse(config.router)
  const known = new Map<string, Resolved>()

  function resolve(requestedModel = "", request: RouteRequest = {}): Resolved {
    const asIs = request.exact === true || request.dialect !== undefined
    if (byContent || asIs || requestedModel.length > longestName)
      return resolveRoute(config, requestedModel, request)
    const before = known.get(requestedModel)
    if (before !== undefined) return before
    const resolved = resolveRoute(config, requestedModel, request)
    if (known.size >= mostNames) known.clear()
    known.set(requestedModel, resolved)
    return resolved
  }

  return { known: (requestedModel = "") => known.get(requestedModel), resolve }
}
