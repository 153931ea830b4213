// The course of one request over the models that may answer it: the one it was meant for and its fallbacks, which of
// them is asked now, what those before it failed of, and what the client is told when none is left.
import type { Config } from "../../config/config.ts"
import { resolveFallbacks } from "../../config/routes/route.ts"
import type { Exchange, Failure } from "../../observe/exchange.ts"
import type { Logger } from "../../observe/log.ts"
import type { Fault, Note } from "../../protocol/fault.ts"
import type { Route } from "../../providers/route.ts"
import type { FailedOpening } from "../../upstream/attempts.ts"
import type { Keys } from "../keys/keys.ts"
import { type FailedModel, isRefusal, mayMove, toldOf } from "./moving.ts"
import type { Stays } from "./stays.ts"

/** One model that may answer. */
interface Target {
  readonly route: Route
  /** The id of a fallback; undefined: it is the model that the request was meant for. */
  readonly fallback: string | undefined
}

/** Who answered, or whose failure the client is told, and what was done to the request for it. */
interface Answering {
  readonly route: Route
  readonly notes: readonly Note[]
}

interface CourseFacts extends Pick<Exchange, "attempts" | "failures" | "fallbackFrom"> {
  readonly answering: Answering
}

/** What of the server it is moved on by. */
interface Sources {
  readonly config: Config
  readonly keys: Pick<Keys, "areResting">
  readonly stays: Stays
  readonly log: Pick<Logger, "warn">
}

interface Asked {
  readonly notes: readonly Note[]
  readonly workedElsewhere: () => void
}

/** There is one for each request, and most are of a single step: a record, which the functions below move on. */
export interface Course {
  readonly first: Target
  readonly requestId: string
  /** Names the conversation, where there are fallbacks and it is known. */
  readonly conversation: Conversation | undefined
  /** There are fallbacks, whether or not they can be reached. */
  readonly hasFallbacks: boolean
  readonly sources: Sources
  /** Undefined: the first one has its turn, and the fallbacks are not looked up yet. */
  targets: readonly Target[] | undefined
  position: number
  /** Undefined: the target was not asked yet. */
  asked: Asked | undefined
  attempts: number
  /** The failure that led to the target, which counts once that is asked. */
  followed: Failure | undefined
  told: FailedModel | undefined
  failures: readonly Failure[]
  tried: readonly FailedModel[]
  /** Those that hear when another one answers. */
  elsewhere: readonly (() => void)[]
}

const none: readonly never[] = []

/** A conversation, by a name that tells it apart. */
export interface Conversation {
  readonly id: string
  /** Nothing of it was answered before: it is on no fallback, even if another one began with the same words. */
  readonly isNew: boolean
}

/** Begins with the model that `route` leads to, or with the fallback that the conversation is on. */
export function createCourse(
  route: Route,
  requestId: string,
  conversation: Conversation | undefined,
  sources: Sources,
): Course {
  const first: Target = { route, fallback: undefined }
  const hasFallbacks = route.fallbacks.length > 0
  return {
    first,
    requestId,
    conversation,
    hasFallbacks,
    sources,
    targets: hasFallbacks ? inOtherOrder(first, conversation, sources) : undefined,
    position: 0,
    asked: undefined,
    attempts: 0,
    followed: undefined,
    told: undefined,
    failures: none,
    tried: none,
    elsewhere: none,
  }
}

/** The target whose turn it is. */
export function currentTarget({ targets, position, first }: Course): Target {
  return targets?.[position] ?? first
}

/** There is another target after this one. */
export function hasNextTarget(course: Course): boolean {
  return course.hasFallbacks && course.position + 1 < allTargets(course).length
}

/** Fallbacks are looked up when they are needed: most requests never need them. */
function allTargets(course: Course): readonly Target[] {
  const { first, sources } = course
  course.targets ??= [first, ...restingLast(fallbacksOf(first, sources), sources)]
  return course.targets
}

/**
 * The target is asked now. `workedElsewhere` is called when another one answers the request in the end. Here as below,
 * no course is one with nothing to remember.
 */
export function askTarget(
  course: Course | undefined,
  notes: readonly Note[],
  workedElsewhere: () => void,
): void {
  if (course === undefined) return
  course.attempts += 1
  if (course.followed !== undefined) course.failures = [...course.failures, course.followed]
  course.followed = undefined
  course.asked = { notes, workedElsewhere }
}

/** An attempt at the target has failed, and another one follows there. */
export function retryTarget(course: Course | undefined, { kind }: Fault): void {
  if (course === undefined) return
  course.attempts += 1
  course.failures = [...course.failures, { provider: currentTarget(course).route.provider, kind }]
}

/** The target has failed for good, or cannot be asked at all. True: the next one has its turn. */
export function moveOn(course: Course, failed: FailedOpening): boolean {
  const { asked } = course
  const { route, fallback } = currentTarget(course)
  const { fault } = failed
  const isFinal = fallback === undefined && (asked === undefined || isRefusal(failed))
  const last = { route, fault, notes: asked?.notes ?? none }
  course.tried = [...course.tried, last]
  if (isFinal) course.told = last
  const next = mayMove(failed, isFinal) ? allTargets(course)[course.position + 1] : undefined
  if (next === undefined) return false
  tell(course, fault, next)
  if (asked !== undefined) {
    course.followed = { provider: route.provider, kind: fault.kind, moved: true }
    course.elsewhere = [...course.elsewhere, asked.workedElsewhere]
  }
  course.asked = undefined
  course.position += 1
  return true
}

function tell(course: Course, given: Fault, next: Target): void {
  const message =
    course.asked === undefined
      ? "a model cannot be asked; another one is"
      : "a model failed before its reply began; another one is asked"
  const { requestId, sources } = course
  const facts = { requestId, model: nameOf(currentTarget(course)), why: given.message, next: nameOf(next) }
  sources.log.warn(message, () => facts)
}

const nameOf = ({ route }: Target): string => `${route.provider}/${route.model}`

/** The target has answered. */
export function settleCourse(course: Course | undefined): void {
  if (course === undefined) return
  const { elsewhere, conversation, sources } = course
  course.elsewhere = none
  for (const hear of elsewhere) hear()
  if (conversation !== undefined) sources.stays.answered(conversation.id, currentTarget(course).fallback)
}

/** What the client is told after all of them failed. */
export function faultOfAll(course: Course): Fault {
  course.told ??= toldOf(course.tried)
  return course.told.fault
}

/** As far as that is known now: who has its turn, unless it is settled whose failure is told. */
export function answeringOn(course: Course): Answering {
  return course.told ?? { route: currentTarget(course).route, notes: course.asked?.notes ?? none }
}

/** Undefined: nobody was asked. */
export function courseFacts(course: Course | undefined): CourseFacts | undefined {
  if (course === undefined || course.attempts === 0) return undefined
  const { attempts, failures, first } = course
  const answering = answeringOn(course)
  const fallbackFrom = answering.route === first.route ? undefined : first.route.model
  return { attempts, failures, fallbackFrom, answering }
}

function fallbacksOf({ route }: Target, { config, log }: Sources): readonly Target[] {
  return resolveFallbacks(config, route).flatMap(({ id, resolved }): readonly Target[] => {
    if (resolved.ok) return [{ route: resolved.route, fallback: id }]
    log.warn("a fallback cannot be reached", () => ({ fallback: id, why: resolved.fault.message }))
    return []
  })
}

/** Those whose keys all rest are asked after the others. */
function restingLast(targets: readonly Target[], { keys }: Sources): readonly Target[] {
  const rests = targets.map(({ route }) => keys.areResting(route))
  return [...targets.filter((_target, at) => !rests[at]), ...targets.filter((_target, at) => rests[at])]
}

/** Undefined: the model that the request is meant for has the first turn, and nothing else is known yet. */
function inOtherOrder(
  first: Target,
  conversation: Conversation | undefined,
  sources: Sources,
): readonly Target[] | undefined {
  const stay =
    conversation === undefined || conversation.isNew ? undefined : sources.stays.at(conversation.id)
  if (stay === undefined && !sources.keys.areResting(first.route)) return undefined
  const fallbacks = fallbacksOf(first, sources)
  const at = fallbacks.findIndex(({ fallback }) => fallback === stay)
  const order = at < 0 ? [first, ...fallbacks] : [...fallbacks.slice(at), ...fallbacks.slice(0, at), first]
  return restingLast(order, sources)
}
