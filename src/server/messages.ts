// POST /v1/messages, from the request's bytes to the reply's, in one straight line.
import type { Delta } from "../convert/delta.ts"
import { foldEvents } from "../convert/reply/reply.ts"
import type { MessagesEvent } from "../protocol/messages.ts"
import type { Batches } from "../upstream/batches.ts"
import type { Context } from "./context.ts"
import { eventReply } from "./event-reply.ts"
import { prepare } from "./prepare.ts"
import { faultReply, internalFault, jsonReply } from "./respond.ts"
import { createSession, type Session } from "./session.ts"
import { within } from "./within.ts"

/** Answers one request; every outcome, the client's going away included, is one Exchange. */
export async function handleMessages(
  request: Request,
  context: Context,
  requestId: string,
): Promise<Response> {
  const preparation = await prepare(request, context, requestId)
  if (!preparation.ok) {
    const { status, message } = preparation.fault
    if (!request.signal.aborted) {
      context.log.warn("request refused", () => ({ requestId, status, why: message }))
    }
    return faultReply(preparation.fault, requestId)
  }
  const { prepared } = preparation
  const session = createSession(prepared, context)
  if (request.signal.aborted) session.leave()
  else request.signal.addEventListener("abort", session.leave, { once: true })
  try {
    return await (prepared.stream ? streamed(session, context) : plain(session))
  } catch (error) {
    return faultReply(session.fail(error), requestId)
  }
}

/** A whole reply: everything is read, folded, and sent as one document. */
async function plain(session: Session): Promise<Response> {
  const { requestId } = session.prepared
  const { opening } = await session.opening
  if (!opening.ok) return faultReply(session.refuse(opening.fault), requestId)
  const events: MessagesEvent[] = []
  for (;;) {
    const deltas = await opening.batches.next()
    if (deltas === undefined) break
    for (const event of session.write(deltas)) events.push(event)
  }
  const { reply, fault } = foldEvents(events)
  if (reply === undefined) return faultReply(session.refuse(fault ?? internalFault(undefined)), requestId)
  session.complete()
  return jsonReply(reply, requestId)
}

/** An event stream. Its status waits for the upstream's first content, but no longer than is good for clients. */
async function streamed(session: Session, { times, clock }: Context): Promise<Response> {
  const { requestId } = session.prepared
  const early = await within(session.opening, times.commitMs, clock)
  if (early?.opening.ok === false) return faultReply(session.refuse(early.opening.fault), requestId)
  const next = nextEvents(session)
  const start = session.begin()
  // Content that is there already leaves together with the start of the message.
  const first = early === undefined ? start : [...start, ...((await next()) ?? [])]
  return eventReply(first, { ...session, next }, { requestId, clock, times })
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
