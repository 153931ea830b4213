// The models that a request goes to, one after the other, until one of them answers.
import type { Delta } from "../convert/delta.ts"
import type { Fault } from "../protocol/fault.ts"
import type { Attempted, FailedOpening, Opening } from "../upstream/attempts.ts"
import type { Context } from "./context.ts"
import { askTarget, type Course, currentTarget, faultOfAll, moveOn, settleCourse } from "./course.ts"
import { directParts, sendingOptions } from "./direct-parts.ts"
import type { DirectRequest } from "./direct-request.ts"
import { openNative } from "./native.ts"
import type { RequestOutcome } from "./outcome.ts"
import { openReply, type Way } from "./pipeline.ts"
import type { GetReady, Prepared, Ready, Stop } from "./prepare.ts"
import { type Answering, answeringOf } from "./progress.ts"

/** The request for the model whose turn it is, or for the first after it that can be asked. */
export function firstStop(course: Course, ready: GetReady): Ready {
  const first = ready(currentTarget(course).route)
  if (first.ok) return first
  const next = nextStop(course, ready, unsent(first.fault))
  return next === undefined ? { ok: false, fault: faultOfAll(course) } : { ok: true, stop: next }
}

/** The request for the next model that can be asked after one that failed; undefined: there is none. */
export function nextStop(course: Course, ready: GetReady, failed: FailedOpening): Stop | undefined {
  for (let failure = failed; moveOn(course, failure); ) {
    const next = ready(currentTarget(course).route)
    if (next.ok) return next.stop
    failure = unsent(next.fault)
  }
  return undefined
}

const unsent = (given: Fault): FailedOpening => ({ ok: false, fault: given })

/**
 * The reply of the first model that gets as far as content. `onMove` hears which one is asked after a failure, before
 * anything of its reply is there. Never rejects: what throws is the failure that `way` makes of it.
 */
export async function openStops(
  prepared: Prepared,
  way: Way & Pick<RequestOutcome, "fail">,
  context: Context,
  onMove: (answering: Answering) => void,
): Promise<Opening<Delta>> {
  const { course, ready } = prepared
  try {
    for (let pending: Promise<Opened> = openConverted(prepared, way, context); ; ) {
      const { opening } = await pending
      if (opening.ok) settleCourse(course)
      if (opening.ok || way.signal.aborted) return opening
      const next = nextStop(course, ready, opening)
      if (next === undefined) return unsent(faultOfAll(course))
      if (next.kind === "direct") pending = openDirectly(next.direct, course, way, context, onMove)
      else {
        onMove(answeringOf(next.prepared))
        pending = openConverted(next.prepared, way, context)
      }
    }
  } catch (error) {
    return unsent(way.fail(error))
  }
}

type Opened = Pick<Attempted<Delta>, "opening">

function openConverted(prepared: Prepared, way: Way, context: Context): Promise<Opened> {
  const { route, session, notes, course } = prepared
  const keys = context.keys.turn(route, session, course)
  askTarget(course, notes, keys.workedElsewhere)
  return openReply(prepared, keys, way, context)
}

async function openDirectly(
  direct: DirectRequest,
  course: Course,
  way: Way,
  context: Context,
  onMove: (answering: Answering) => void,
): Promise<Opened> {
  const parts = directParts(direct, context)
  const { prompt, servesTools } = parts
  // Few prompts are enough: who counts by itself is rarely asked for our count.
  onMove({ route: direct.route, prompt, isOwn: false, countsMore: servesTools || prompt.sure })
  const sending = sendingOptions(direct, parts.errors, context)
  askTarget(course, parts.notes, sending.keys.workedElsewhere)
  return { opening: await openNative(direct, parts, sending, context.times.afterFinishMs, way) }
}
