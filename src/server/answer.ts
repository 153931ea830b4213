// The answer to one request that is understood: its reply read to the end and sent whole, or written as it comes.
import { foldEvents } from "../convert/reply/fold.ts"
import type { Exchange } from "../observe/exchange.ts"
import type { Fault } from "../protocol/fault.ts"
import type { MessagesEvent, MessagesReply } from "../protocol/messages.ts"
import type { Context } from "./context.ts"
import { eventReply, type StreamEncoder } from "./event-reply.ts"
import { gone } from "./flight-reader.ts"
import { type Origin, openReading } from "./open-reading.ts"
import type { Preparation } from "./prepare.ts"
import type { Reading } from "./reading.ts"
import { internalFault } from "./respond.ts"
import { within } from "./within.ts"

/** How the client is spoken to: in Anthropic's words, or in OpenAI's. */
export interface Dialect {
  readonly refuse: (fault: Fault, requestId: string) => Response
  readonly whole: (reply: MessagesReply, requestId: string) => Response
  /** The encoder of one stream. */
  readonly stream: (requestId: string) => StreamEncoder
}

/**
 * Answers a request that was understood, or refuses one that was not; every outcome is one Exchange. By its `origin`
 * it may be found to ask what is known, or is being asked, already.
 */
export async function answer(
  preparation: Preparation,
  request: Request,
  context: Context,
  requestId: string,
  dialect: Dialect,
  origin?: Origin,
): Promise<Response> {
  if (!preparation.ok) {
    const { status, message } = preparation.fault
    if (!request.signal.aborted) {
      context.log.warn("request refused", () => ({ requestId, status, why: message }))
    }
    return dialect.refuse(preparation.fault, requestId)
  }
  const { prepared } = preparation
  const caller = context.callers(request.headers, prepared.session)
  const begun = await openReading({ prepared, request, caller, context }, origin)
  if (begun === undefined) return dialect.refuse(gone, requestId)
  const { reading, cache } = begun
  if (request.signal.aborted) reading.leave()
  else request.signal.addEventListener("abort", reading.leave, { once: true })
  return withCache(await respond(reading, context, dialect), cache)
}

async function respond(reading: Reading, context: Context, dialect: Dialect): Promise<Response> {
  try {
    return await (reading.stream ? streamed(reading, context, dialect) : plain(reading, dialect))
  } catch (error) {
    return dialect.refuse(reading.fail(error), reading.requestId)
  }
}

/** Says whether the cache had the answer, if it was asked. */
function withCache(response: Response, cache: Exchange["cache"]): Response {
  if (cache !== undefined) response.headers.set("x-claude-proxy-cache", cache)
  return response
}

/** A whole reply: everything is read, folded, and sent as one document. */
async function plain(reading: Reading, dialect: Dialect): Promise<Response> {
  const { requestId } = reading
  const { fault: failed } = await reading.opened
  if (failed !== undefined) return dialect.refuse(reading.refuse(failed), requestId)
  const events: MessagesEvent[] = []
  for (let more = await reading.next(); more !== undefined; more = await reading.next()) {
    for (const event of more) events.push(event)
  }
  const { reply, fault } = foldEvents(events)
  if (reply !== undefined) return dialect.whole(reply, requestId)
  const why = fault ?? (reading.left.aborted ? gone : internalFault(undefined))
  return dialect.refuse(reading.refuse(why), requestId)
}

/** An event stream. Its status waits for the upstream's first content, but no longer than is good for clients. */
async function streamed(reading: Reading, { times, clock }: Context, dialect: Dialect): Promise<Response> {
  const { requestId } = reading
  const early = await within(reading.opened, times.commitMs, clock)
  if (early?.fault !== undefined) return dialect.refuse(reading.refuse(early.fault), requestId)
  const start = reading.begin()
  // Content that is there already leaves together with the start of the message, but none is waited for twice.
  const isMore = early !== undefined && start.length <= 1
  const first = isMore ? [...start, ...((await reading.next()) ?? [])] : start
  return eventReply(first, reading, { requestId, clock, times, ...dialect.stream(requestId) })
}
