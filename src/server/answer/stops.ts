// The models that a request goes to, one after the other, until one of them answers.
import type { Delta } from "../../convert/common/delta.ts"
import type { Fault } from "../../protocol/fault.ts"
import type { FailedOpening, Opening } from "../../upstream/attempts.ts"
import { oneBatch } from "../../upstream/batches.ts"
import type { Context } from "../context.ts"
import { askTarget, type Course, currentTarget, faultOfAll, moveOn, settleCourse } from "../course/course.ts"
import { directParts, sendingOptions } from "../direct/direct-parts.ts"
import { openNative } from "../direct/native.ts"
import { fail, type RequestOutcome } from "../outcome/outcome.ts"
import { openReply } from "../reply/pipeline.ts"
import { type Answerer, moveTo, type Progress } from "../reply/progress.ts"
import type { DirectRequest } from "../request/direct-request.ts"
import type { Prepared, Readying } from "../request/prepare.ts"
import { getReady, type Ready, type Stop } from "../request/ready.ts"

/** Who answers when this request does. */
export function answererOf({ route, prompt, conversion }: Prepared): Answerer {
  const isOwn = conversion.answer !== undefined
  // A search adds what it found to the prompt.
  return { route, prompt, isOwn, countsMore: conversion.search !== undefined }
}

/** The request for the model whose turn it is, or for the first after it that can be asked. */
export function firstStop(readying: Readying): Ready {
  const { course } = readying
  const first = getReady(readying, currentTarget(course).route)
  if (first.ok) return first
  const next = nextStop(readying, unsent(first.fault))
  return next === undefined ? { ok: false, fault: faultOfAll(course) } : { ok: true, stop: next }
}

/** The request for the next model that can be asked after one that failed; undefined: there is none. */
export function nextStop(readying: Readying, failed: FailedOpening): Stop | undefined {
  const { course } = readying
  for (let failure = failed; moveOn(course, failure); ) {
    const next = getReady(readying, currentTarget(course).route)
    if (next.ok) return next.stop
    failure = unsent(next.fault)
  }
  return undefined
}

const unsent = (given: Fault): FailedOpening => ({ ok: false, fault: given })

/**
 * The reply of the first model that gets as far as content. Its progress hears which one is asked after a failure, before
 * anything of its reply is there. Never rejects: what throws is the failure that the outcome makes of it.
 */
export async function openStops(
  prepared: Prepared,
  progress: Progress,
  context: Context,
): Promise<Opening<Delta>> {
  const { course, readying } = prepared
  const { outcome } = progress
  try {
    for (let pending: Promise<Opening<Delta>> = openConverted(prepared, outcome, context); ; ) {
      const opening = await pending
      if (opening.ok) settleCourse(course)
      if (opening.ok || outcome.upstream.aborted) return begin(progress, opening)
      const next = nextStop(readying, opening)
      if (next === undefined) return begin(progress, unsent(faultOfAll(course)))
      if (next.kind === "direct") pending = openDirectly(next.direct, course, progress, context)
      else {
        moveTo(progress, answererOf(next.prepared))
        pending = openConverted(next.prepared, outcome, context)
      }
    }
  } catch (error) {
    return begin(progress, unsent(fail(outcome, error)))
  }
}

/** What the reply is made of, be it its failure alone. */
function begin(progress: Progress, opening: Opening<Delta>): Opening<Delta> {
  progress.batches = opening.ok ? opening.batches : oneBatch([{ kind: "fault", fault: opening.fault }])
  return opening
}

function openConverted(
  prepared: Prepared,
  outcome: RequestOutcome,
  context: Context,
): Promise<Opening<Delta>> {
  const { route, session, notes, course } = prepared
  const keys = context.keys.turn(route, session, course)
  askTarget(course, notes, keys.workedElsewhere)
  return openReply(prepared, keys, outcome, context)
}

async function openDirectly(
  direct: DirectRequest,
  course: Course,
  progress: Progress,
  context: Context,
): Promise<Opening<Delta>> {
  const parts = directParts(direct, context)
  const { prompt, servesTools } = parts
  // Few prompts are enough: who counts by itself is rarely asked for our count.
  moveTo(progress, { route: direct.route, prompt, isOwn: false, countsMore: servesTools || prompt.sure })
  const sending = sendingOptions(direct, parts.errors, context)
  askTarget(course, parts.notes, sending.keys.workedElsewhere)
  return openNative(direct, parts, sending, context.times.afterFinishMs, progress.outcome)
}
