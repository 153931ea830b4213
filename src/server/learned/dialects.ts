// Which API a model turned out to be served by, for a while. It only saves time: what is forgotten is found out
// again.
import type { Logger } from "../../observe/log.ts"
import type { Route } from "../../providers/route.ts"
import { onceFor } from "../common/once.ts"

export interface Dialects {
  /** The route to take, which is the one by Chat Completions where the other is known not to be there. */
  readonly choose: (route: Route) => Route
  /** The Responses API is not to be had for this route, and Chat Completions is. */
  readonly withoutResponses: (route: Route) => void
}

// Addresses come from the configuration; what a model is called comes from clients.
const mostNames = 1_000
// A gateway that was being restarted may have said so.
const forgottenAfterMs = 30 * 60_000

interface DialectOptions {
  readonly log: Pick<Logger, "info" | "warn">
  /** Milliseconds, of any beginning. */
  readonly now: () => number
}

export function createDialects({ log, now }: DialectOptions): Dialects {
  /** When each model was last found to be without Responses; it is told of once. */
  const lacking = new Map<string, number>()
  const told = new Set<string>()
  const nameOf = onceFor(describe)

  function once(name: string, tell: () => void): void {
    if (told.has(name) || told.size >= mostNames) return
    told.add(name)
    tell()
  }

  function tellOfResponses(name: string, { provider, model }: Route): void {
    once(name, () => log.info("the Responses API is used for this model", () => ({ provider, model })))
  }

  function isLacking(name: string): boolean {
    const since = lacking.get(name)
    return since !== undefined && now() - since < forgottenAfterMs
  }

  return {
    choose: (route) => {
      if (route.chat === undefined) return route
      const name = nameOf(route)
      if (isLacking(name)) return route.chat
      if (!told.has(name)) tellOfResponses(name, route)
      return route
    },
    withoutResponses: (route) => {
      const { provider, model } = route
      const name = nameOf(route)
      if (lacking.has(name) || lacking.size < mostNames) lacking.set(name, now())
      once(`${name} chat`, () =>
        log.warn(
          "the upstream does not serve this model by the Responses API: Chat Completions is used",
          () => ({
            ...{ provider, model },
            hint: "a model that reasons beside tools only there works without reasoning; dialect: chat in models.yaml says so from the start",
          }),
        ),
      )
    },
  }
}

const describe = ({ url, model }: Route): string => JSON.stringify([url, model])
