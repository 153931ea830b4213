// What the running server counts, and where it is kept over its end.
import type { Config } from "../../config/config.ts"
import type { Exchange } from "../../observe/exchange.ts"
import { type AllTime, createSums, type Stats } from "../../observe/stats.ts"

/** What outlives the process. */
export interface History {
  /** Takes note of a request that is over. */
  readonly record: (exchange: Exchange) => void
  /** From now on this configuration says whether anything is kept. */
  readonly use: (config: Config) => void
  /** Undefined: it cannot be read now. Never rejects. */
  readonly allTime: () => Promise<AllTime | undefined>
}

export interface Statistics {
  readonly record: (exchange: Exchange) => void
  readonly current: () => Stats
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly history: History | undefined
}

/** Empty statistics, which begin now. */
export function createStatistics(now: () => number, history?: History): Statistics {
  const sums = createSums()
  return {
    record: (exchange) => {
      sums.add(exchange)
      history?.record(exchange)
    },
    current: sums.current,
    startedAt: now(),
    history,
  }
}
