// The answer to one request that is understood: its reply read to the end and sent whole, or written as it comes.
import { foldEvents } from "../../convert/reply/fold.ts"
import type { Fault } from "../../protocol/fault.ts"
import type { MessagesEvent, MessagesReply } from "../../protocol/messages/messages.ts"
import { settled } from "../../upstream/batches.ts"
import { clientLeft } from "../../upstream/connection.ts"
import { within } from "../common/within.ts"
import type { Context } from "../context.ts"
import { answeringOn } from "../course/course.ts"
import { eventReply, type StreamEncoder } from "../http/event-reply.ts"
import { internalFault } from "../http/respond.ts"
import type { Reading } from "../reply/reading.ts"
import { routeHeader, routeText, withRoute } from "../request/asked.ts"
import type { Prepared } from "../request/prepare.ts"
import { type Begun, type Origin, openReading } from "./open-reading.ts"

/** How the client is spoken to: in Anthropic's words, or in OpenAI's. */
export interface Dialect {
  readonly refuse: (fault: Fault, requestId: string) => Response
  /** `headers` are those of every reply. */
  readonly whole: (reply: MessagesReply, headers: ReplyHeaders) => Response
  /** The encoder of one stream. */
  readonly stream: (requestId: string) => StreamEncoder
}

/** What every reply says in headers. They are written at once: to set one later takes as long as all of them. */
interface ReplyHeaders extends Readonly<Record<string, string>> {
  readonly "request-id": string
  readonly [routeHeader]: string
}

function headersOf({ requestId, course }: Prepared): ReplyHeaders {
  return { "request-id": requestId, [routeHeader]: routeText(answeringOn(course).route) }
}

/** Tells the client, as far as it is still there, that its request is not answered. */
export function refuse(
  given: Fault,
  { signal }: Request,
  { log }: Pick<Context, "log">,
  requestId: string,
  dialect: Dialect,
): Response {
  const { status, message } = given
  if (!signal.aborted) log.warn("request refused", () => ({ requestId, status, why: message }))
  return dialect.refuse(given, requestId)
}

/**
 * Answers a request that was understood; every outcome is one Exchange. By its `origin` it may be found to ask what is
 * known, or is being asked, already.
 */
export function answer(
  prepared: Prepared,
  request: Request,
  context: Context,
  dialect: Dialect,
  origin: Origin,
): Promise<Response> {
  const caller = context.callers(request.headers, prepared.session)
  const begun = openReading({ prepared, request, caller, context }, origin)
  return begun instanceof Promise
    ? respondLater(begun, prepared, request, context, dialect)
    : respond(begun, prepared, request, context, dialect)
}

async function respondLater(
  begun: Promise<Begun | undefined>,
  prepared: Prepared,
  request: Request,
  context: Context,
  dialect: Dialect,
): Promise<Response> {
  return respond(await begun, prepared, request, context, dialect)
}

function respond(
  begun: Begun | undefined,
  prepared: Prepared,
  { signal }: Request,
  context: Context,
  dialect: Dialect,
): Promise<Response> {
  if (begun === undefined) return Promise.resolve(refused(clientLeft, prepared, dialect))
  const { reading, cache } = begun
  if (signal.aborted) reading.leave()
  else signal.addEventListener("abort", reading.leave)
  const reply = reading.stream
    ? streamed(reading, prepared, context, dialect)
    : plain(reading, prepared, dialect)
  return cache === undefined ? reply : withCache(reply, cache)
}

/** Refused in the client's words, and with the name of the route. */
function refused(given: Fault, { requestId, course }: Prepared, dialect: Dialect): Response {
  return withRoute(dialect.refuse(given, requestId), answeringOn(course).route)
}

/** Says whether the cache had the answer. */
async function withCache(reply: Promise<Response>, cache: string): Promise<Response> {
  const response = await reply
  // A failure that was shared with others is no reply from the cache.
  if (response.ok || cache !== "hit") response.headers.set("x-claude-proxy-cache", cache)
  return response
}

/** A whole reply: everything is read, folded, and sent as one document. Never rejects. */
async function plain(reading: Reading, prepared: Prepared, dialect: Dialect): Promise<Response> {
  try {
    const { fault: failed } = await reading.opened
    if (failed !== undefined) return refused(reading.refuse(failed), prepared, dialect)
    const events: MessagesEvent[] = []
    for (let more = reading.next(); more !== undefined; more = reading.next()) {
      if (more instanceof Promise) await more
      else for (const event of more) events.push(event)
    }
    const { reply, fault } = foldEvents(events)
    if (reply !== undefined) return dialect.whole(reply, headersOf(prepared))
    const why = fault ?? (reading.left.aborted ? clientLeft : internalFault(undefined))
    return refused(reading.refuse(why), prepared, dialect)
  } catch (error) {
    return refused(reading.fail(error), prepared, dialect)
  }
}

/**
 * An event stream. Its status waits for the upstream's first content, but no longer than is good for clients. Never
 * rejects.
 */
async function streamed(
  reading: Reading,
  prepared: Prepared,
  { times, clock }: Context,
  dialect: Dialect,
): Promise<Response> {
  try {
    const early = await within(reading.opened, times.commitMs, clock)
    if (early?.fault !== undefined) return refused(reading.refuse(early.fault), prepared, dialect)
    const start = reading.begin()
    // Content that is there already leaves together with the start of the message, but none is waited for twice.
    const isMore = early !== undefined && start.length <= 1
    const first = isMore ? [...start, ...((await settled(reading.next)) ?? [])] : start
    const { requestId } = reading
    const encoder = dialect.stream(requestId)
    return eventReply(first, reading, { requestId, headers: headersOf(prepared), clock, times, encoder })
  } catch (error) {
    return refused(reading.fail(error), prepared, dialect)
  }
}
