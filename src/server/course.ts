// The course of one request over the models that may answer it: the one it was meant for and its fallbacks, which of
// them is asked now, what those before it failed of, and what the client is told when none is left.
import { resolveFallbacks } from "../config/route.ts"
import type { Exchange, Failure } from "../observe/exchange.ts"
import type { Fault, Note } from "../protocol/fault.ts"
import type { Route } from "../providers/route.ts"
import type { FailedOpening } from "../upstream/attempts.ts"
import type { Context } from "./context.ts"
import { isRefusal, mayMove, type Tried, toldOf } from "./moving.ts"

/** One model that may answer. */
export interface Target {
  readonly route: Route
  /** The id of a fallback; undefined: it is the model that the request was meant for. */
  readonly fallback: string | undefined
}

export interface CourseFacts extends Pick<Exchange, "attempts" | "failures" | "fallbackFrom"> {
  /** Who answered, or whose failure the client is told, and what was done to the request for it. */
  readonly answering: { readonly route: Route; readonly notes: readonly Note[] }
}

export interface Course {
  /** The target whose turn it is. */
  readonly target: () => Target
  /** There are fallbacks, whether or not they can be reached. */
  readonly hasFallbacks: boolean
  /** There is another target after this one. */
  readonly hasNext: () => boolean
  /** The target is asked now. `workedElsewhere` is called when another one answers the request in the end. */
  readonly ask: (notes: readonly Note[], workedElsewhere?: () => void) => void
  /** An attempt at the target has failed, and another one follows there. */
  readonly retried: (given: Fault) => void
  /** The target has failed for good, or cannot be asked at all. True: the next one has its turn. */
  readonly move: (failed: FailedOpening) => boolean
  readonly answered: () => void
  /** What the client is told after all of them failed. */
  readonly told: () => Fault
  /** Undefined: nobody was asked. */
  readonly facts: () => CourseFacts | undefined
}

export interface CourseOptions {
  readonly requestId: string
  /** Names the conversation, where it is known; asked for only where there are fallbacks. */
  readonly conversation: () => string | undefined
}

type Sources = Pick<Context, "config" | "keys" | "stays" | "log">

/** Begins with the model that `primary` leads to, or with the fallback that the conversation is on. */
export function createCourse(
  primary: Route,
  { requestId, conversation: findConversation }: CourseOptions,
  sources: Sources,
): Course {
  const { log, stays } = sources
  const first: Target = { route: primary, fallback: undefined }
  const hasFallbacks = primary.fallbacks.length > 0
  const conversation = hasFallbacks ? findConversation() : undefined
  let targets = hasFallbacks ? inOtherOrder(first, conversation, sources) : [first]
  let position = 0
  let asked: { readonly notes: readonly Note[]; readonly workedElsewhere: () => void } | undefined
  let attempts = 0
  let followed: Failure | undefined
  let told: Tried | undefined
  const failures: Failure[] = []
  const tried: Tried[] = []
  const elsewhere: (() => void)[] = []

  const target = (): Target => targets?.[position] ?? first

  /** Fallbacks are looked up when they are needed: most requests never need them. */
  function all(): readonly Target[] {
    targets ??= [first, ...restingLast(fallbacksOf(first, sources), sources)]
    return targets
  }

  function tell(given: Fault, next: Target | undefined): void {
    if (next === undefined) return
    const message =
      asked === undefined
        ? "a model cannot be asked; another one is"
        : "a model failed before its reply began; another one is asked"
    const facts = { requestId, model: nameOf(target()), why: given.message, next: nameOf(next) }
    log.warn(message, () => facts)
  }

  return {
    target,
    hasFallbacks,
    hasNext: () => position + 1 < all().length,
    ask: (notes, workedElsewhere = () => {}) => {
      attempts += 1
      if (followed !== undefined) failures.push(followed)
      followed = undefined
      asked = { notes, workedElsewhere }
    },
    retried: ({ kind }) => {
      attempts += 1
      failures.push({ provider: target().route.provider, kind })
    },
    move: (failed) => {
      const { route, fallback } = target()
      const { fault } = failed
      const isFinal = fallback === undefined && (asked === undefined || isRefusal(failed))
      tried.push({ route, fault, notes: asked?.notes ?? [] })
      if (isFinal) told = tried.at(-1)
      const next = mayMove(failed, isFinal) ? all()[position + 1] : undefined
      tell(fault, next)
      if (next === undefined) return false
      if (asked !== undefined) {
        followed = { provider: route.provider, kind: fault.kind, moved: true }
        elsewhere.push(asked.workedElsewhere)
      }
      asked = undefined
      position += 1
      return true
    },
    answered: () => {
      for (const hear of elsewhere.splice(0)) hear()
      if (conversation !== undefined) stays.answered(conversation, target().fallback)
    },
    told: () => {
      told ??= toldOf(tried)
      return told.fault
    },
    facts: () => {
      if (attempts === 0) return undefined
      const { route, notes } = told ?? { route: target().route, notes: asked?.notes ?? [] }
      const fallbackFrom = route === primary ? undefined : primary.model
      return { attempts, failures, fallbackFrom, answering: { route, notes } }
    },
  }
}

const nameOf = ({ route }: Target): string => `${route.provider}/${route.model}`

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
  conversation: string | undefined,
  sources: Sources,
): readonly Target[] | undefined {
  const stay = conversation === undefined ? undefined : sources.stays.at(conversation)
  if (stay === undefined && !sources.keys.areResting(first.route)) return undefined
  const fallbacks = fallbacksOf(first, sources)
  const at = fallbacks.findIndex(({ fallback }) => fallback === stay)
  const order = at < 0 ? [first, ...fallbacks] : [...fallbacks.slice(at), ...fallbacks.slice(0, at), first]
  return restingLast(order, sources)
}
