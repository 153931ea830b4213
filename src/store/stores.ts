// The store that the configuration wants: it may change while the proxy runs, and whoever holds it need not know.
import type { Logger } from "../observe/log.ts"
import { createMemoryStore } from "./memory.ts"
import { createRedisStore } from "./redis.ts"
import type { Store } from "./store.ts"

interface StoreWishes {
  /** Undefined: nothing is shared. */
  readonly redisUrl: string | undefined
  readonly authorities: string | undefined
  /** Memory for values, where there is no Redis. */
  readonly maxBytes: number
}

interface Stores extends Store {
  /** From now on this is what is used. A connection that is still wanted stays. */
  readonly use: (wishes: StoreWishes) => void
}

interface StoresOptions {
  readonly log: Pick<Logger, "info" | "warn">
  readonly now: () => number
}

/** The memory of this process, until something else is wished for. */
export function createStores({ log, now }: StoresOptions): Stores {
  // It outlives every change: limits go on where they were.
  const memory = createMemoryStore({ now, maxBytes: 0 })
  let current: Store = memory
  let url: string | undefined
  let trusted: string | undefined

  function connect(redisUrl: string | undefined, authorities: string | undefined): void {
    if (redisUrl === url && authorities === trusted) return
    current.close()
    url = redisUrl
    trusted = authorities
    const options = { log, now, fallback: memory, authorities }
    current = redisUrl === undefined ? memory : createRedisStore(redisUrl, options)
  }

  return {
    use: ({ redisUrl, authorities, maxBytes }) => {
      connect(redisUrl, redisUrl?.startsWith("rediss:") ? authorities : undefined)
      memory.resize(redisUrl === undefined ? maxBytes : 0)
    },
    get: (key) => current.get(key),
    set: (key, value, ttlMs) => current.set(key, value, ttlMs),
    take: (key, bucket) => current.take(key, bucket),
    mark: (group, name, ttlMs) => current.mark(group, name, ttlMs),
    unmark: (group, names) => current.unmark(group, names),
    marks: (group) => current.marks(group),
    shared: () => current.shared(),
    close: () => current.close(),
  }
}
