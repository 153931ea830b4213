// Counts every request once: those that came to a reply, or failed on the way to it, by their Exchange, and those
// that were refused before there was one, by the answer they got.
import type { Exchange } from "../../observe/exchange.ts"
import type { Metrics } from "../../observe/metrics.ts"
import type { RequestOutcome } from "../outcome/outcome.ts"

export interface Meter {
  readonly began: (requestId: string) => void
  /** The request is over, and this is what became of it. */
  readonly record: (exchange: Exchange) => void
  /** The answer to the request is about to leave; of a stream that is its beginning. */
  readonly answered: (request: Request, requestId: string, response: Response) => void
}

/** Nothing has been asked yet. */
export function createMeter(metrics: Metrics): Meter {
  /** Requests that have no answer yet and no Exchange. */
  const open = new Set<string>()
  return {
    began: (requestId) => open.add(requestId),
    record: (exchange) => {
      open.delete(exchange.requestId)
      metrics.recordExchange(exchange)
    },
    answered: (request, requestId, response) => {
      if (open.delete(requestId) && isRefusal(request, response))
        metrics.recordRefusal(request.signal.aborted ? "cancelled" : response.status)
    },
  }
}

/** A GET may well be told that a proxy drains or that an upstream is down: that is its answer, and no refusal. */
function isRefusal({ method }: Request, { status }: Response): boolean {
  return status >= 400 && (status <= 500 || method === "POST")
}

/** How many requests are under way, for whoever asks. */
export function countRunning(
  running: ReadonlySet<{ readonly facts: Pick<RequestOutcome["facts"], "stream"> }>,
) {
  let streams = 0
  for (const { facts } of running) if (facts.stream) streams++
  return { requests: running.size, streams }
}
