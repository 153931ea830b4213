// One request under way: its upstream, its reply as it grows, and the one end it comes to.
import type { Caller, Exchange } from "../../observe/exchange.ts"
import type { Context } from "../context.ts"
import { abandon, createOutcome } from "../outcome/outcome.ts"
import { accountOf, countPrompt, createProgress, type Progress } from "../reply/progress.ts"
import { createSource, type Source } from "../reply/reading.ts"
import type { Prepared } from "../request/prepare.ts"
import { answererOf, openStops } from "./stops.ts"

/** Sends the request and keeps the writer's state, until the one end it comes to. Nothing of what was sent is kept. */
export function createSession(
  prepared: Prepared,
  caller: Caller,
  context: Context,
  cache?: Exchange["cache"],
): Source {
  const { route, requestId, startedAt, stream, notes, course } = prepared
  const account = () => accountOf(progress)
  const facts = { route, requestId, startedAt, stream, notes, course, cache, caller, account }
  const outcome = createOutcome(facts, context)
  const progress = createProgress(prepared, answererOf(prepared), outcome, context)
  const opening = openStops(prepared, progress, context)
  // After the request has left: counting its tokens then takes no time from the reply.
  countOrAbandon(progress)
  return createSource(opening, progress)
}

/** What throws before there is a session to fail takes the request that is under way with it. */
function countOrAbandon(progress: Progress): void {
  try {
    countPrompt(progress)
  } catch (error) {
    abandon(progress.outcome)
    throw error
  }
}
