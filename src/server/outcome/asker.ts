// Whose request it is, and what it may come to: the words in which those who share a reply speak of each other.
import type { Caller } from "../../observe/exchange.ts"

export interface Asker {
  readonly requestId: string
  /** Of `performance.now()`. */
  readonly startedAt: number
  readonly stream: boolean
  readonly caller: Caller
}

/** One client that waits for the answer to a request which is passed through. */
export interface Seat extends Asker {
  /** When it came, by the clock. */
  readonly since: number
  /** Fires when it has left. */
  readonly left: AbortSignal
  /** Counts a request for which nothing is left to be asked. */
  readonly count: () => void
}
