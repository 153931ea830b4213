// The models that a request goes to, one after the other, until one of them answers.
import type { Delta } from "../convert/delta.ts"
import type { Fault } from "../protocol/fault.ts"
import type { Attempted, FailedOpening, Opening } from "../upstream/attempts.ts"
import type { Context } from "./context.ts"
import type { Course } from "./course.ts"
import { directParts, sendingOptions } from "./direct-parts.ts"
import { randomId } from "./ids.ts"
import { openNative } from "./native.ts"
import type { RequestOutcome } from "./outcome.ts"
import { openReply } from "./pipeline.ts"
import type { GetReady, Prepared, Ready, Stop } from "./prepare.ts"
import { type Answering, answeringOf } from "./progress.ts"

/** The request for the model whose turn it is, or for the first after it that can be asked. */
export function firstStop(course: Course, ready: GetReady): Ready {
  const first = ready(course.target().route)
  if (first.ok) return first
  const next = nextStop(course, ready, unsent(first.fault))
  return next === undefined ? { ok: false, fault: course.told() } : { ok: true, stop: next }
}

/** The request for the next model that can be asked after one that failed; undefined: there is none. */
export function nextStop(course: Course, ready: GetReady, failed: FailedOpening): Stop | undefined {
  for (let failure = failed; course.move(failure); ) {
    const next = ready(course.target().route)
    if (next.ok) return next.stop
    failure = unsent(next.fault)
  }
  return undefined
}

const unsent = (given: Fault): FailedOpening => ({ ok: false, fault: given })

type Way = Pick<RequestOutcome, "signal" | "retried" | "sent" | "answered">

/**
 * The reply of the first model that gets as far as content. `onMove` hears which one is asked after a failure, before
 * anything of its reply is there.
 */
export async function openStops(
  prepared: Prepared,
  way: Way,
  context: Context,
  onMove: (answering: Answering) => void,
): Promise<Attempted<Delta>> {
  const { course, ready } = prepared
  let move: (answering: Answering) => void = () => {}
  for (let stop: Stop | undefined = { kind: "converted", prepared }; ; move = onMove) {
    const opening = await openStop(stop, course, way, context, move)
    const { attempts } = course.facts() ?? { attempts: 1 }
    if (opening.ok) course.answered()
    if (opening.ok || way.signal.aborted) return { opening, attempts }
    stop = nextStop(course, ready, opening)
    if (stop === undefined) return { opening: { ok: false, fault: course.told() }, attempts }
  }
}

async function openStop(
  stop: Stop,
  course: Course,
  way: Way,
  context: Context,
  onMove: (answering: Answering) => void,
): Promise<Opening<Delta>> {
  const { times } = context
  if (stop.kind === "direct") {
    const parts = directParts(stop.direct, context)
    const { prompt, servesTools } = parts
    // Few prompts are enough: who counts by itself is rarely asked for our count.
    const countsMore = servesTools || prompt.sure
    onMove({ route: stop.direct.route, prompt, isOwn: false, countsMore })
    const sending = sendingOptions(stop.direct, parts.errors, context)
    course.ask(parts.notes, sending.keys.workedElsewhere)
    return openNative(stop.direct, parts, sending, times.afterFinishMs, way)
  }
  const { prepared } = stop
  const { route, session, notes } = prepared
  onMove(answeringOf(prepared))
  const keys = context.keys.turn(route, session, { hasFallbacks: course.hasFallbacks })
  course.ask(notes, keys.workedElsewhere)
  const { opening } = await openReply({
    ...prepared,
    keys,
    idSeed: randomId(20),
    signal: way.signal,
    timeoutMs: context.config.requestTimeoutMs,
    maxRetries: context.config.maxRetries,
    hasNext: course.hasNext,
    afterFinishMs: times.afterFinishMs,
    clock: context.clock,
    userAgent: `claude-proxy/${context.version}`,
    onRetry: way.retried,
    onSend: way.sent,
    onAnswer: way.answered,
  })
  return opening
}
