// What passing a request through is made of, whether its reply goes out as it comes or takes the place of another one.
import { directMaxTokens, prepareDirectBody } from "../../convert/direct/direct.ts"
import { sessionOf } from "../../convert/request/session.ts"
import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import type { Note } from "../../protocol/fault.ts"
import { arrayOf, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import type { FailedOpening } from "../../upstream/attempts.ts"
import type { DirectFailure } from "../../upstream/direct.ts"
import { sentSession } from "../common/client-headers.ts"
import type { Context } from "../context.ts"
import { hasNextTarget } from "../course/course.ts"
import type { TurnOptions } from "../keys/keys.ts"
import { hasLeft, isAnswered, type RequestOutcome, retry } from "../outcome/outcome.ts"
import type { DirectRequest } from "../request/direct-request.ts"
import { errorContext } from "../request/prepare.ts"
import { type MeasuredPrompt, measurePrompt, promptTokens } from "../request/prompt.ts"
import type { DirectOpenOptions } from "./direct-open.ts"

export interface DirectParts {
  /** The body for the upstream, and what was done to it. */
  readonly text: string
  readonly notes: readonly Note[]
  readonly prompt: MeasuredPrompt
  readonly errors: ErrorContext
  readonly stream: boolean
  /** The upstream runs tools by itself, whose results it counts with the prompt. */
  readonly servesTools: boolean
}

/** A request for a reply, as its upstream gets it. */
export function directParts(given: DirectRequest, context: Context): DirectParts {
  const { route, body, genuineOnly } = given
  const { config, ratios, clock } = context
  const maxTokens = directMaxTokens(route.profile, config)
  const { text, notes } = prepareDirectBody(given.text, body, { model: route.model, maxTokens, genuineOnly })
  const prompt = measurePrompt({ body, tokens: given.inputTokens }, route, ratios)
  return {
    ...{ text, prompt },
    notes: [...given.notes, ...notes],
    errors: errorContext(route, config, () => promptTokens(prompt), clock.now),
    stream: body["stream"] === true,
    servesTools: hasServerTools(body),
  }
}

/** Tools with a type of their own are mostly run upstream. */
function hasServerTools(body: JsonObject): boolean {
  return arrayOf(body["tools"]).some((tool) => (textOf(objectOf(tool)["type"]) ?? "custom") !== "custom")
}

/** The conversation that a body names. */
export function sessionIn(body: JsonObject): string | undefined {
  return sessionOf({ metadata: { user_id: textOf(objectOf(body["metadata"])["user_id"]) } })
}

export type SendingOptions = Omit<DirectOpenOptions, "endpoint" | "stream" | "signal" | "onRetry">

/** How it is sent, whatever it asks for. */
export function sendingOptions(
  { url, route, request, body, course }: DirectRequest,
  errors: ErrorContext,
  context: Context,
  turn: TurnOptions = {},
): SendingOptions {
  const { config, clock, version, keys } = context
  // Claude Code writes its session into both.
  const session = sentSession(request.headers) ?? textOf(objectOf(body["metadata"])["user_id"])
  return {
    keys: keys.turn(route, session, { hasFallbacks: course?.hasFallbacks === true, ...turn }),
    timeoutMs: config.requestTimeoutMs,
    maxRetries: config.maxRetries,
    ...(course === undefined ? {} : { hasNext: () => hasNextTarget(course) }),
    clock,
    userAgent: `claude-proxy/${version}`,
    errors,
    query: url.searchParams,
  }
}

/**
 * How its outcome hears of the way there. Made apart from who asks: functions keep all that theirs uses, and these last
 * as long as the reply.
 */
export function telling(
  outcome: RequestOutcome,
): Required<Pick<DirectOpenOptions, "onRetry" | "onSend" | "onAnswer">> {
  return {
    onRetry: (failed, attempt, waitMs) => retry(outcome, failed, attempt, waitMs),
    onSend: () => hasLeft(outcome),
    onAnswer: () => isAnswered(outcome),
  }
}

/** The failure as it is told of every upstream. */
export function failedOpening({ fault, refusal }: DirectFailure): FailedOpening {
  const { status = 0, body = "" } = refusal ?? {}
  return { ok: false, fault, ...(refusal === undefined ? {} : { refused: { status, body } }) }
}
