// The end of a server: what runs may go on for a while, what is new is sent elsewhere, and whoever balances
// between servers can see it. What has not ended by then is cut, and told.
import type { Logger } from "../observe/log.ts"
import { type Fault, fault } from "../protocol/fault.ts"
import type { Clock } from "../upstream/deadline.ts"
import { type RequestOutcome, stop } from "./outcome/outcome.ts"

export interface Drain {
  /** Fires when the end begins. */
  readonly begun: AbortSignal
  /** Closes in the order above. Called again, the shorter time counts. */
  readonly stop: (server: Listener, graceMs: number) => Promise<void>
}

/** What of Bun's server is needed for its end. */
interface Listener {
  /** Requests whose answers have not been written to their end. */
  readonly pendingRequests: number
  readonly stop: (closeConnections: boolean) => Promise<void>
}

interface DrainOptions {
  readonly running: ReadonlySet<RequestOutcome>
  readonly log: Pick<Logger, "warn">
  readonly clock: Clock
  /** Lets go of what nobody waits for. */
  readonly onBegin: () => void
}

// Between two looks at whether anything still runs.
const lookMs = 20
// Time for the last events to leave before the connections are cut.
const flushMs = 250
// More would be no list that anybody reads.
const mostTold = 50

/** The end of one server, which has not begun. */
export function createDrain({ running, log, clock, onBegin }: DrainOptions): Drain {
  const beginning = new AbortController()
  const begun = beginning.signal

  async function isIdle(server: Listener, ms: number): Promise<boolean> {
    const until = clock.steady() + ms
    for (;;) {
      if (server.pendingRequests === 0) return true
      const left = until - clock.steady()
      if (left <= 0) return false
      await new Promise<void>((resolve) => clock.setTimer(resolve, Math.min(left, lookMs)))
    }
  }

  function cut(server: Listener): void {
    const cut = [...running]
    const unread = Math.max(0, server.pendingRequests - cut.length)
    const now = performance.now()
    const requests = cut.slice(0, mostTold).map(({ asker, facts }) => ({
      requestId: asker.requestId,
      model: facts.route.requestedModel,
      seconds: Math.round((now - asker.startedAt) / 100) / 10,
    }))
    if (cut.length + unread > 0) {
      const count = cut.length === 1 ? "1 request is" : `${cut.length} requests are`
      log.warn(`the time to finish is over (SHUTDOWN_TIMEOUT): ${count} cut`, () => ({
        requests,
        // Replies that are there and that their clients do not read, or requests that never came to their end.
        ...(unread === 0 ? {} : { connections: unread }),
      }))
    }
    for (const one of cut) stop(one)
  }

  return {
    begun,
    stop: async (server, graceMs) => {
      if (!begun.aborted) onBegin()
      beginning.abort()
      if (!(await isIdle(server, graceMs))) {
        cut(server)
        await isIdle(server, flushMs)
      }
      await server.stop(true)
    },
  }
}

/** For a request that comes when the end has begun. */
export const ending: Fault = fault({
  kind: "overloaded_error",
  source: "proxy",
  status: 503,
  message: "this proxy is shutting down and takes no more requests: try again in a moment",
  retryAfterMs: 1_000,
  headers: { connection: "close" },
})
