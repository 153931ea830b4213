// What only requests to models need. Its code is a third of all, and most of a start's: it is loaded with the first.
import type { Logger } from "../observe/log.ts"
import type { Metrics } from "../observe/metrics.ts"
import { createKnownTexts } from "../tokens/known-texts.ts"
import type { Clock } from "../upstream/deadline.ts"
import type { Parts } from "./context.ts"
import { createFlights } from "./flights/flights.ts"
import { createDialects } from "./learned/dialects.ts"
import type { RefusalHistory } from "./learned/history.ts"
import { createReasoningMemory } from "./learned/memory.ts"
import { createRatios } from "./learned/ratios.ts"
import { createRefusals } from "./learned/refusals.ts"

export interface PartsOptions {
  readonly log: Logger
  readonly clock: Clock
  readonly metrics: Metrics
  /** What no file may hold, as it is now. */
  readonly secrets: () => readonly string[]
  /** What was kept of upstreams' refusals; undefined: nothing is. */
  readonly history: RefusalHistory | undefined
}

/** Nothing is known, and nothing under way. */
export function createParts({ log, clock, metrics, secrets, history }: PartsOptions): Parts {
  return {
    memory: createReasoningMemory(),
    refusals: createRefusals({ log, metrics, secrets, now: clock.now, history }),
    texts: createKnownTexts(Bun.hash.wyhash),
    ratios: createRatios({ log }),
    dialects: createDialects({ log, now: clock.steady }),
    flights: createFlights({ clock, log }),
  }
}
