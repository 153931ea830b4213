// Routes that were found before: where names alone decide, the same name leads to the same place as long as the
// configuration is the same.
import type { Config } from "./config.ts"
import { type Resolved, type RouteRequest, resolveRoute } from "./route.ts"
import { inUse } from "./slots.ts"

/** As `resolveRoute`, for one configuration. */
export type Routes = (requestedModel: string | undefined, request?: RouteRequest) => Resolved

// Clients make the names up.
const mostNames = 500
const longestName = 200

/** Nothing is known yet. Equal requests get the very same route. */
export function createRoutes(config: Config): Routes {
  const byContent = inUse(config.router)
  const known = new Map<string, Resolved>()
  return (requestedModel = "", request = {}) => {
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
}
