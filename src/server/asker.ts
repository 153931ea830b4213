// Whose request it is, and what it may come to: the words in which those who share a reply speak of each other.
import type { Caller } from "../observe/exchange.ts"
import type { Fault } from "../protocol/fault.ts"

export interface Asker {
  readonly requestId: string
  /** Of `performance.now()`. */
  readonly startedAt: number
  readonly stream: boolean
  readonly caller: Caller
}

/** A request whose client may be replaced by another one. */
export interface Handing {
  /** Its client has left, and it is the request of this one from now on. False: it is over. */
  readonly handOver: (heir: Asker) => boolean
}

/** What a reply comes to for the request that it answers. */
export interface Ends {
  readonly complete: () => void
  /** It failed; gives the fault as the client is to see it. */
  readonly refuse: (given: Fault) => Fault
  /** Something of ours broke; gives what the client is told. */
  readonly fail: (error: unknown) => Fault
  /** The client has left. */
  readonly leave: () => void
}

/** The outcome of a request that asks nobody. */
export interface ReaderOutcome extends Ends {
  /** Fires when the client has left. */
  readonly left: () => AbortSignal
  /** Something of the answer has come. */
  readonly content: () => void
  /** There is nothing to say of it. */
  readonly abandon: () => void
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
