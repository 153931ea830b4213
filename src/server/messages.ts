// POST /v1/messages, from the request's bytes to the reply's, in one straight line.
import type { Delta } from "../convert/delta.ts"
import { foldEvents } from "../convert/reply.ts"
import type { Fault } from "../protocol/fault.ts"
import type { MessagesEvent } from "../protocol/messages.ts"
import type { Batches } from "../upstream/attempts.ts"
import type { Context } from "./context.ts"
import { prepare } from "./prepare.ts"
import { eventReply, faultReply, internalFault, jsonReply } from "./respond.ts"
import { createSession, type Session } from "./session.ts"

/** Answers one request; every outcome, the client's going away included, is one Exchange. */
export async function handleMessages(
  request: Request,
  context: Context,
  requestId: string,
): Promise<Response> {
  const preparation = await prepare(request, context, requestId)
  if (!preparation.ok) {
    context.log.warn("request refused", () => ({
      requestId,
      status: preparation.fault.status,
      why: preparation.fault.message,
    }))
    return faultReply(preparation.fault, requestId)
  }
  const { prepared } = preparation
  const gone = new AbortController()
  request.signal.addEventListener("abort", () => gone.abort(), { once: true })
  const session = createSession(prepared, context, gone)
  return prepared.stream ? streamed(session) : plain(session)
}

/** A whole reply: everything is read, folded, and sent as one document. */
async function plain(session: Session): Promise<Response> {
  const { requestId } = session.prepared
  const { opening } = await session.opening
  if (!opening.ok) return refuse(session, opening.fault)
  const events: MessagesEvent[] = []
  for (;;) {
    const next = await opening.batches.next()
    if (next.done === true) break
    events.push(...session.write(next.value))
  }
  const { reply, fault: found } = foldEvents(events)
  if (reply === undefined) return refuse(session, found ?? internalFault(undefined))
  session.finish({ kind: "completed" })
  return jsonReply(reply, requestId)
}

function refuse(session: Session, given: Fault): Response {
  session.finish(session.gone.signal.aborted ? { kind: "cancelled" } : { kind: "failed", fault: given })
  return faultReply(given, session.prepared.requestId)
}

// The status waits for the upstream's first event, so that its errors keep their own; but no longer.
const commitAfterMs = 15_000

async function streamed(session: Session): Promise<Response> {
  const early = await within(session.opening, commitAfterMs)
  if (early !== undefined && !early.opening.ok) return refuse(session, early.opening.fault)
  const { requestId } = session.prepared
  const first = session.begin()
  return eventReply(
    first,
    { next: nextEvents(session), keepAlive: session.keepAlive, cancel: () => leave(session) },
    requestId,
  )
}

function leave(session: Session): void {
  session.gone.abort()
  session.finish({ kind: "cancelled" })
}

/** A function that gives the next events of the stream, and undefined once it is over. */
function nextEvents(session: Session): () => Promise<readonly MessagesEvent[] | undefined> {
  let batches: Batches<Delta> | undefined
  return async () => {
    if (session.ended()) return undefined
    if (batches === undefined) {
      const { opening } = await session.opening
      if (!opening.ok) return lastEvents(session, [{ kind: "fault", fault: opening.fault }])
      batches = opening.batches
    }
    const next = await batches.next()
    if (next.done === true) return lastEvents(session, [{ kind: "end", clean: false }])
    return lastEvents(session, next.value)
  }
}

/** Writes a batch; when it was the last one, the request's outcome is known. */
function lastEvents(session: Session, deltas: readonly Delta[]): readonly MessagesEvent[] {
  const events = session.write(deltas)
  if (!session.ended()) return events
  const last = events.at(-1)
  if (session.gone.signal.aborted) session.finish({ kind: "cancelled" })
  else if (last?.type === "error") session.finish({ kind: "failed", fault: last.fault })
  else session.finish({ kind: "completed" })
  return events
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
