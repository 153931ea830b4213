// One request under way: its upstream, its reply as it grows, and the one end it comes to.
import type { Delta } from "../convert/delta.ts"
import type { Caller, Exchange } from "../observe/exchange.ts"
import type { Opening } from "../upstream/attempts.ts"
import type { Context } from "./context.ts"
import { createOutcome, type RequestOutcome } from "./outcome.ts"
import type { Prepared } from "./prepare.ts"
import { createProgress, type Progress } from "./progress.ts"
import { openStops } from "./stops.ts"

/** Lasts as long as the reply does: nothing of what was sent belongs into it. */
export interface Session {
  readonly requestId: string
  readonly stream: boolean
  /** The upstream's reply, from its first content on. Never rejects. */
  readonly opening: Promise<Opening<Delta>>
  readonly progress: Progress
  readonly outcome: RequestOutcome
}

/** Sends the request and keeps the writer's state, until the one end it comes to. */
export function createSession(
  prepared: Prepared,
  caller: Caller,
  context: Context,
  cache?: Exchange["cache"],
): Session {
  const { route, requestId, startedAt, stream, notes, course } = prepared
  const account = () => progress.account()
  const facts = { route, requestId, startedAt, stream, notes, course, cache, caller, account }
  const outcome = createOutcome(facts, context)
  const opening = openStops(prepared, outcome, context, (next) => progress.move(next))
  // After the request has left: counting its tokens then takes no time from the reply.
  const progress = beginProgress(prepared, context, outcome)
  return { requestId, stream, opening, progress, outcome }
}

/** What throws before there is a session to fail takes the request that is under way with it. */
function beginProgress(prepared: Prepared, context: Context, outcome: RequestOutcome): Progress {
  try {
    return createProgress(prepared, context, outcome.content)
  } catch (error) {
    outcome.abandon()
    throw error
  }
}
