// What is known of the keys of one variable at one origin: which of them rest, for which model and how long, and
// which sessions had to move to another one.
import type { Logger } from "../../observe/log.ts"
import type { Route } from "../../providers/route.ts"
import { putLast } from "../common/put-last.ts"
import type { RestName, SharedRests } from "./shared-rests.ts"

export interface RingOptions {
  readonly log: Pick<Logger, "warn">
  /** Milliseconds, of any beginning. */
  readonly now: () => number
  /** Hears of every rest that begins, by the provider whose key it is. */
  readonly onRest?: (provider: string) => void
  /** What other proxies know; undefined: there are none. */
  readonly shared?: Pick<SharedRests, "restOf" | "tell" | "takeBack">
}

/** Who rests: a key for every model, or for one alone. */
export interface Resting {
  readonly key: string
  readonly model: string | undefined
  readonly ms: number
  readonly why: string
}

export interface Ring {
  /** How long a key still rests for a model, in milliseconds. */
  readonly restOf: (key: string, model: string) => number
  readonly rest: (resting: Resting, route: Route) => void
  readonly wake: (key: string, model: string) => void
  /** Whose turn it is: counts up. */
  readonly next: () => number
  /** Sessions that had to move to another key, those that were not seen for the longest time first. */
  readonly moved: Map<bigint, string>
  readonly now: () => number
}

// Clients may name as many models as they like.
const mostRests = 1_000

/** For the keys of one origin. Nothing rests yet, as far as this process knows. */
export function createRing(origin: string, { log, now, onRest, shared }: RingOptions): Ring {
  const rests = new Map<string, { readonly key: string; readonly until: number }>()
  let turns = 0
  const nameOf = (key: string, model: string | undefined): string => JSON.stringify([key, model ?? null])
  const untilOf = (name: string): number => rests.get(name)?.until ?? 0
  const about = (key: string, model: string | undefined): readonly RestName[] => [
    { origin, key, model: undefined },
    { origin, key, model },
  ]
  const restOf = (key: string, model: string | undefined): number => {
    const own = Math.max(untilOf(nameOf(key, undefined)), untilOf(nameOf(key, model))) - now()
    if (shared === undefined) return Math.max(0, own)
    return Math.max(0, own, ...about(key, model).map(shared.restOf))
  }

  return {
    restOf,
    rest: ({ key, model, ms, why }, { apiKeys, keyName, provider }) => {
      const isNew = restOf(key, model) === 0
      // Those that a reload took away are not kept, nor what is over.
      for (const [name, old] of rests)
        if (!apiKeys.includes(old.key) || old.until <= now()) rests.delete(name)
      const name = nameOf(key, model)
      const rest = { key, until: Math.max(now() + ms, untilOf(name)) }
      putLast(rests, name, rest, mostRests)
      shared?.tell({ origin, key, model }, ms, () => {
        if (rests.get(name) === rest) rests.delete(name)
      })
      if (!isNew) return
      onRest?.(provider)
      log.warn("an API key was refused and rests", () => ({
        variable: keyName,
        // Not `key`: what a field of that name holds is taken for one, and hidden.
        position: `key ${apiKeys.indexOf(key) + 1} of ${apiKeys.length}`,
        ...(model === undefined ? {} : { model }),
        seconds: Math.ceil(ms / 1000),
        why,
      }))
    },
    wake: (key, model) => {
      rests.delete(nameOf(key, undefined))
      rests.delete(nameOf(key, model))
      shared?.takeBack(about(key, model))
    },
    next: () => turns++,
    moved: new Map(),
    now,
  }
}
