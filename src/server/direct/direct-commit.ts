// A stream that is passed through begins with its upstream's first words. While these are not there it is kept
// alive: the answer's status does not wait for ever, and comments stand before what comes. A ping would be an event
// before the message has begun.

import { toErrorBody } from "../../protocol/fault.ts"
import { encodeSse } from "../../protocol/sse.ts"
import type { Soon } from "../../upstream/batches.ts"
import { type ByteReader, readerOf } from "../../upstream/byte-reader.ts"
import { within } from "../common/within.ts"
import type { Context } from "../context.ts"
import { type Piece, pulledBody } from "../http/pulled-body.ts"
import { internalFault, streamHeaders } from "../http/respond.ts"
import type { DirectRequest } from "../request/direct-request.ts"

/**
 * What `make` gives, if it comes in time; else a stream that waits for it, and ends with an error event if it turns
 * out to be a refusal. `make` gets the signal that fires when the client leaves.
 */
export async function commitInTime(
  { request, requestId }: Pick<DirectRequest, "request" | "requestId">,
  { clock, times, log }: Pick<Context, "clock" | "times" | "log">,
  make: (left: AbortSignal) => Promise<Response>,
): Promise<Response> {
  const client = new AbortController()
  const leave = () => client.abort()
  if (request.signal.aborted) leave()
  else request.signal.addEventListener("abort", leave, { once: true })
  const pending = make(client.signal)
  const early = await within(pending, times.commitMs, clock)
  if (early !== undefined) return early
  let reader: ByteReader | undefined
  let piece: Piece | undefined

  function next(): Soon<Piece> {
    const given = piece
    piece = undefined
    return given ?? readOn()
  }

  async function readOn(): Promise<void> {
    if (reader === undefined) {
      const response = await pending
      if (!response.ok) {
        piece = { chunks: [encodeSse("error", oneLine(await response.text()))], last: true }
        return
      }
      reader = readerOf(response)
    }
    const { done, value } = await reader.read()
    piece = { chunks: value === undefined ? [] : [value], last: done }
  }

  const body = pulledBody([waiting], {
    clock,
    next,
    write: (piece) => piece,
    // What comes then keeps itself alive.
    heartbeat: { pingMs: times.pingMs, ping: waiting, allowed: () => reader === undefined },
    fail: (error) => {
      log.error("internal error", () => ({ requestId, error }))
      return encodeSse("error", JSON.stringify(toErrorBody(internalFault(error), requestId)))
    },
    left: client.signal,
    leave: () => {
      leave()
      void reader?.cancel()
    },
    ended: () => request.signal.removeEventListener("abort", leave),
  })
  return new Response(body, { headers: { ...streamHeaders, "request-id": requestId } })
}

const waiting = ": waiting for the upstream\n\n"

/** An upstream may have written its refusal in several lines; within JSON a line's end means nothing. */
const oneLine = (json: string): string => json.replace(/[\r\n]+/g, " ").trim()
