// Which API a model's endpoint turned out to speak, for as long as this process lives. It only saves time: what
// is forgotten is found out again.
import type { Logger } from "../observe/log.ts"
import type { Route } from "../providers/route.ts"

export interface Dialects {
  /** The route to take, which is the one by Chat Completions where the other is known not to be there. */
  readonly choose: (route: Route) => Route
  /** The endpoint of this route does not know the Responses API. */
  readonly withoutResponses: (route: Route) => void
}

// Addresses come from the configuration; what a model is called comes from clients.
const mostNames = 1_000

export function createDialects(log: Pick<Logger, "info" | "warn">): Dialects {
  const lacking = new Set<string>()
  const told = new Set<string>()

  function tell({ provider, model, url }: Route): void {
    const name = `${url} ${model}`
    if (told.has(name) || told.size >= mostNames) return
    told.add(name)
    log.info("the Responses API is used for this model", () => ({ provider, model }))
  }

  return {
    choose: (route) => {
      if (route.chat === undefined) return route
      if (lacking.has(route.url)) return route.chat
      tell(route)
      return route
    },
    withoutResponses: ({ url, provider, model }) => {
      if (lacking.has(url)) return
      lacking.add(url)
      log.warn("the upstream does not know the Responses API: Chat Completions is used from now on", () => ({
        ...{ provider, model },
        hint: "a model that reasons beside tools only there works without reasoning; dialect: chat in models.yaml says so from the start",
      }))
    },
  }
}
