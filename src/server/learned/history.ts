// How long what was learned of upstreams' refusals is kept, and what keeps it.
import type { RefusalRow } from "../../store/refusal-store.ts"

/** Where what was learned outlives the process. Nothing here throws. */
export interface RefusalHistory {
  /** All that is known, when it may be something else than at the last call; undefined: nothing new. */
  readonly changes: () => readonly RefusalRow[] | undefined
  /** Keeps what was learned, or learned again. */
  readonly keep: (row: RefusalRow) => void
}

// Providers change: what they refused last month they may take by now.
export const learnedDays = 30
export const learnedMs = learnedDays * 86_400_000
