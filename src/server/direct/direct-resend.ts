// A request that is passed through and sent again by its client, who gave up waiting before the upstream answered:
// the answer to the first one goes to the second.
import { clientLeft } from "../../upstream/connection.ts"
import { isRetried, sentSession } from "../common/client-headers.ts"
import type { Context } from "../context.ts"
import { lingerMs, sentAgain } from "../flights/flight-reader.ts"
import type { Resendable } from "../flights/resends.ts"
import { faultReply } from "../http/respond.ts"
import { scopeOf } from "../learned/memory.ts"
import type { Seat } from "../outcome/asker.ts"
import { complete, createFreeOutcome, handOver, type RequestOutcome } from "../outcome/outcome.ts"
import type { DirectRequest } from "../request/direct-request.ts"
import { sessionIn } from "./direct-parts.ts"

/** Asks; `left` fires when nobody waits for the answer any more, `begun` hears of the request under way. */
export type Ask = (left: AbortSignal, begun: (outcome: RequestOutcome) => void) => Promise<Response>

/** The answer to this request, or to the same one that its client has given up. */
export function askOrResume(
  given: DirectRequest,
  context: Context,
  left: AbortSignal,
  ask: Ask,
): Promise<Response> {
  const { request } = given
  const key = resentKey(given)
  // A fallback would be asked for one who may not be there.
  if (key === undefined || given.course?.hasFallbacks === true || left.aborted) return ask(left, () => {})
  const { config, flights } = context
  const seat = seatOf(given, context, left)
  const retried = isRetried(request.headers)
  const resumed = flights.passed.resume(key, config, seat, retried)
  if (resumed !== undefined) return resumed
  let remove: () => void = () => {}
  const pending = createPending(context, ask, () => remove())
  remove = flights.passed.enter(key, config, seat, pending)
  return pending.join(seat)
}

function seatOf(given: DirectRequest, context: Context, left: AbortSignal): Seat {
  const { route, request, requestId, startedAt, body, notes } = given
  const stream = body["stream"] === true
  const caller = context.callers(request.headers, sessionOf(given))
  const about = { route, requestId, startedAt, stream, notes, caller, shared: true } as const
  const count = () => complete(createFreeOutcome(about, context))
  return { requestId, startedAt, stream, caller, since: context.clock.steady(), left, count }
}

interface Waiting extends PromiseWithResolvers<Response> {
  readonly seat: Seat
}

/** Begins to ask. `onClose` hears when nobody can come in the place of the one who waits. */
function createPending(
  { clock, log, flights }: Context,
  ask: Ask,
  onClose: () => void,
): Resendable<Seat, Promise<Response>> {
  const upstream = new AbortController()
  let outcome: RequestOutcome | undefined
  let owner: Waiting | undefined
  let first = ""
  let response: Response | undefined
  let cancelLinger: (() => void) | undefined

  ask(upstream.signal, (begun) => {
    outcome = begun
  }).then((answer) => {
    response = answer
    if (cancelLinger === undefined) deliver(answer)
    // A failure is for the one who waits for it.
    else if (!answer.ok) abandon()
  }, fail)

  function fail(error: unknown): void {
    endLinger()
    onClose()
    owner?.reject(error)
  }

  function deliver(answer: Response): void {
    onClose()
    if (owner === undefined) return
    const { seat } = owner
    seat.left.removeEventListener("abort", leave)
    if (seat.left.aborted) upstream.abort()
    else seat.left.addEventListener("abort", () => upstream.abort(), { once: true })
    if (answer.headers.get("request-id") === first) answer.headers.set("request-id", seat.requestId)
    owner.resolve(answer)
  }

  function leave(): void {
    if (owner === undefined) return
    const { requestId, since } = owner.seat
    const ms = lingerMs(clock.steady() - since)
    if (ms === 0 || !flights.passed.linger(pending, true)) {
      abandon()
      return
    }
    cancelLinger = clock.setTimer(abandon, ms)
    log.debug("a client gave up waiting; its request may be sent again", () => ({ requestId, ms }))
  }

  function endLinger(): void {
    cancelLinger?.()
    cancelLinger = undefined
    flights.passed.linger(pending, false)
  }

  function abandon(): void {
    endLinger()
    onClose()
    upstream.abort()
    if (owner !== undefined) owner.resolve(faultReply(clientLeft, owner.seat.requestId))
  }

  function sit(seat: Seat): Promise<Response> {
    owner = { seat, ...Promise.withResolvers<Response>() }
    seat.left.addEventListener("abort", leave, { once: true })
    return owner.promise
  }

  /** The one before is told, as far as it still listens, and this one waits in its place. */
  function replace(seat: Seat, told: typeof clientLeft): Promise<Response> {
    const before = owner
    before?.seat.left.removeEventListener("abort", leave)
    if (outcome === undefined || !handOver(outcome, seat)) seat.count()
    const answer = sit(seat)
    if (before !== undefined) before.resolve(faultReply(told, before.seat.requestId))
    return answer
  }

  const pending: Resendable<Seat, Promise<Response>> = {
    join: (seat) => {
      if (owner === undefined) {
        first = seat.requestId
        return sit(seat)
      }
      endLinger()
      const answer = replace(seat, clientLeft)
      if (response !== undefined) deliver(response)
      return answer
    },
    takeOver: (seat) => replace(seat, sentAgain),
    waits: () => cancelLinger !== undefined,
    isPrivate: () => owner !== undefined,
    abandon,
  }
  return pending
}

function sessionOf({ request, body }: DirectRequest): string | undefined {
  return sentSession(request.headers) ?? sessionIn(body)
}

/** Names the very request of one client, as long as its conversation is known. */
function resentKey(given: DirectRequest): string | undefined {
  const { request, text } = given
  const { headers, url } = request
  const session = sessionOf(given)
  if (session === undefined) return undefined
  const named = ["x-claude-code-agent-id", "anthropic-beta", "anthropic-version"].map((name) =>
    headers.get(name),
  )
  return JSON.stringify([url, scopeOf(headers, session), ...named, text.length, String(Bun.hash(text))])
}
