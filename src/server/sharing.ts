// What this proxy has in common with others: the store, the keys that rest, and the limits of its clients.
import type { Config } from "../config/config.ts"
import type { Logger } from "../observe/log.ts"
import type { Store } from "../store/store.ts"
import { createStores } from "../store/stores.ts"
import type { Clock } from "../upstream/deadline.ts"
import { createLimiter, type Limiter, type LimiterOptions } from "./entrance/limits.ts"
import { createSharedRests, needsRests, type SharedRests } from "./keys/shared-rests.ts"

export interface Sharing extends Limiter {
  /** The same one for good, whatever it keeps things in. */
  readonly store: Store
  readonly rests: SharedRests
  /** From now on this is what the configuration says. */
  readonly use: (config: Config) => void
  readonly close: () => void
}

interface SharingOptions extends Pick<LimiterOptions, "metrics" | "siblings"> {
  readonly log: Logger
  readonly clock: Clock
}

/** Nothing is shared before `use`. */
export function createSharing({ log, clock, metrics, siblings }: SharingOptions): Sharing {
  const { now } = clock
  const store = createStores({ log, now })
  const rests = createSharedRests({ store, clock })
  return {
    store,
    rests,
    limitsOf: createLimiter({ store, log, metrics, now, siblings }).limitsOf,
    use: (config) => {
      const { redisUrl, cache, network } = config
      store.use({ redisUrl, authorities: network.authorities, maxBytes: cache.maxBytes })
      rests.follow(needsRests(config))
    },
    close: () => {
      rests.follow(false)
      store.close()
    },
  }
}
