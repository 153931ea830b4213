// The answer to one request that is understood: its reply read to the end and sent whole, or written as it comes.
import type { Delta } from "../convert/delta.ts"
import { foldEvents } from "../convert/reply/reply.ts"
import type { Fault } from "../protocol/fault.ts"
import type { MessagesEvent, MessagesReply } from "../protocol/messages.ts"
import type { Batches } from "../upstream/batches.ts"
import type { Context } from "./context.ts"
import { eventReply, type StreamEncoder } from "./event-reply.ts"
import type { Preparation } from "./prepare.ts"
import { internalFault } from "./respond.ts"
import { createSession, type Session } from "./session.ts"
import { within } from "./within.ts"

/** How the client is spoken to: in Anthropic's words, or in OpenAI's. */
export interface Dialect {
  readonly refuse: (fault: Fault, requestId: string) => Response
  readonly whole: (reply: MessagesReply, requestId: string) => Response
  /** The encoder of one stream. */
  readonly stream: (requestId: string) => StreamEncoder
}

/** Answers a request that was understood, or refuses one that was not; every outcome is one Exchange. */
export async function answer(
  preparation: Preparation,
  request: Request,
  context: Context,
  requestId: string,
  dialect: Dialect,
): Promise<Response> {
  if (!preparation.ok) {
    const { status, message } = preparation.fault
    if (!request.signal.aborted) {
      context.log.warn("request refused", () => ({ requestId, status, why: message }))
    }
    return dialect.refuse(preparation.fault, requestId)
  }
  const { prepared } = preparation
  const session = createSession(prepared, context.callers(request.headers, prepared.session), context)
  if (request.signal.aborted) session.leave()
  else request.signal.addEventListener("abort", session.leave, { once: true })
  try {
    return await (prepared.stream ? streamed(session, context, dialect) : plain(session, dialect))
  } catch (error) {
    return dialect.refuse(session.fail(error), requestId)
  }
}

/** A whole reply: everything is read, folded, and sent as one document. */
async function plain(session: Session, dialect: Dialect): Promise<Response> {
  const { requestId } = session.prepared
  const { opening } = await session.opening
  if (!opening.ok) return dialect.refuse(session.refuse(opening.fault), requestId)
  const events: MessagesEvent[] = []
  for (;;) {
    const deltas = await opening.batches.next()
    if (deltas === undefined) break
    for (const event of session.write(deltas)) events.push(event)
  }
  const { reply, fault } = foldEvents(events)
  if (reply === undefined) return dialect.refuse(session.refuse(fault ?? internalFault(undefined)), requestId)
  session.complete()
  return dialect.whole(reply, requestId)
}

/** An event stream. Its status waits for the upstream's first content, but no longer than is good for clients. */
async function streamed(session: Session, { times, clock }: Context, dialect: Dialect): Promise<Response> {
  const { requestId } = session.prepared
  const early = await within(session.opening, times.commitMs, clock)
  if (early?.opening.ok === false) return dialect.refuse(session.refuse(early.opening.fault), requestId)
  const next = nextEvents(session)
  const start = session.begin()
  // Content that is there already leaves together with the start of the message.
  const first = early === undefined ? start : [...start, ...((await next()) ?? [])]
  return eventReply(first, { ...session, next }, { requestId, clock, times, ...dialect.stream(requestId) })
}

/** A function that gives the next events of the stream, and undefined once it is over. */
function nextEvents(session: Session): () => Promise<readonly MessagesEvent[] | undefined> {
  let batches: Batches<Delta> | undefined
  return async () => {
    if (session.ended()) return undefined
    if (batches === undefined) {
      const { opening } = await session.opening
      if (!opening.ok) return writeEvents(session, [{ kind: "fault", fault: opening.fault }])
      batches = opening.batches
    }
    return writeEvents(session, (await batches.next()) ?? [{ kind: "end", clean: false }])
  }
}

/** Writes a batch; when it was the last one, the request's outcome is known. */
function writeEvents(session: Session, deltas: readonly Delta[]): readonly MessagesEvent[] {
  const events = session.write(deltas)
  if (!session.ended()) return events
  const last = events.at(-1)
  if (last?.type === "error") session.refuse(last.fault)
  else session.complete()
  return events
}
