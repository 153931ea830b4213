// POST /v1/messages and its count_tokens for upstreams that speak Messages themselves: passed through byte
// for byte, with the same keys, retries and accounting as everything else.
import { prepareDirectBody } from "../../convert/direct/direct.ts"
import { rewordRefusal, withMessage } from "../../convert/direct/direct-errors.ts"
import { streamOfMessage } from "../../convert/direct/direct-form.ts"
import type { ErrorContext } from "../../protocol/errors/upstream-error.ts"
import type { Fault } from "../../protocol/fault.ts"
import { arrayOf, isObject, objectOf } from "../../protocol/json.ts"
import type { FailedOpening } from "../../upstream/attempts.ts"
import type { DirectFailure, DirectHead } from "../../upstream/direct.ts"
import type { Context } from "../context.ts"
import { askTarget, faultOfAll, settleCourse } from "../course/course.ts"
import { countReply, eventType, faultReply, unbuffered } from "../http/respond.ts"
import { abandon, complete, fail, leave, refuse } from "../outcome/outcome.ts"
import { type DirectRequest, threadFault } from "../request/direct-request.ts"
import { errorContext } from "../request/prepare.ts"
import type { Stop } from "../request/ready.ts"
import { directBody } from "./direct-body.ts"
import { commitInTime } from "./direct-commit.ts"
import { openDirect } from "./direct-open.ts"
import {
  type DirectParts,
  directParts,
  failedOpening,
  sendingOptions,
  sessionIn,
  telling,
} from "./direct-parts.ts"
import { type Ask, askOrResume } from "./direct-resend.ts"
import { createDirectSession, type DirectSession } from "./direct-session.ts"

/** The other models that may answer when this one fails. */
interface Onward {
  /** What the request becomes for the next one that can be asked; undefined: there is none. */
  readonly next: (failed: FailedOpening) => Stop | undefined
  readonly go: (stop: Stop) => Promise<Response>
}

/** Answers one POST /v1/messages that may go there (`getReady`); every outcome is one Exchange. */
export function handleDirect(given: DirectRequest, context: Context, onward?: Onward): Promise<Response> {
  const ask: Ask = (left, begun) => answerDirect(given, context, onward, left, begun)
  if (given.body["stream"] !== true) return askOrResume(given, context, given.request.signal, ask)
  return commitInTime(given, context, (left) => askOrResume(given, context, left, ask))
}

async function answerDirect(
  given: DirectRequest,
  context: Context,
  onward: Onward | undefined,
  left: AbortSignal,
  begun: Parameters<Ask>[1],
): Promise<Response> {
  const { request, requestId } = given
  const parts = directParts(given, context)
  const caller = context.callers(request.headers, sessionIn(given.body))
  const session = createDirectSession({ ...given, ...parts, caller }, context)
  const { outcome } = session
  begun(outcome)
  if (left.aborted) leave(outcome)
  else left.addEventListener("abort", () => leave(outcome), { once: true })
  try {
    return await reply(given, parts, session, context, onward)
  } catch (error) {
    return faultReply(fail(outcome, error), requestId)
  }
}

async function reply(
  given: DirectRequest,
  parts: DirectParts,
  session: DirectSession,
  context: Context,
  onward: Onward | undefined,
): Promise<Response> {
  const { route, request, requestId, course } = given
  const { text, errors, stream } = parts
  const { outcome } = session
  const { upstream: signal } = outcome
  const options = sendingOptions(given, errors, context)
  askTarget(course, parts.notes, options.keys.workedElsewhere)
  const opening = await openDirect(route, text, request.headers, {
    ...options,
    endpoint: "",
    stream,
    signal,
    ...telling(outcome),
  })
  if (!opening.ok) {
    const next = signal.aborted ? undefined : onward?.next(failedOpening(opening))
    if (next !== undefined && onward !== undefined) {
      abandon(outcome)
      return onward.go(next)
    }
    const isOwn = signal.aborted || onward === undefined || course === undefined
    const fault = refuse(outcome, isOwn ? opening.fault : faultOfAll(course))
    return fault === opening.fault ? refusalReply(opening, given, errors) : faultReply(fault, requestId)
  }
  settleCourse(course)
  context.log.debug("upstream reply", () => ({ requestId, upstreamId: opening.head.headers["request-id"] }))
  if (opening.kind === "document") {
    const blocks = arrayOf(opening.json["content"])
    session.content(blocks.map(wordsOf).join(""))
    session.readUsage(objectOf(opening.json["usage"]))
    session.tally.blocks(blocks)
    complete(outcome)
    if (!stream) return new Response(opening.bytes, replyInit(opening.head, requestId, asJson(opening.head)))
    return new Response(streamOfMessage(opening.json), replyInit(opening.head, requestId, eventType))
  }
  const body = directBody(opening.batches, session, { requestId, errors, context })
  return new Response(body, replyInit(opening.head, requestId, { ...unbuffered, ...asEvents(opening.head) }))
}

/** What a block was made of, for the estimate of its tokens. */
function wordsOf(given: unknown): string {
  const { text, thinking, input } = objectOf(given)
  const words = [text, thinking].filter((part) => typeof part === "string").join("")
  return isObject(input) ? words + JSON.stringify(input) : words
}

/** Answers one POST /v1/messages/count_tokens; an upstream without it leaves us our own estimate. */
export async function countDirect(given: DirectRequest, context: Context): Promise<Response> {
  const { route, request, body, requestId, genuineOnly } = given
  const inputTokens = () => context.ratios.correct(route, given.inputTokens())
  const refused = refuseDirectThread(given, context)
  if (refused !== undefined) return refused
  const prepared = prepareDirectBody(given.text, body, {
    model: route.model,
    maxTokens: undefined,
    genuineOnly,
  })
  const errors = errorContext(route, context.config, inputTokens, context.clock.now)
  const opening = await openDirect(route, prepared.text, request.headers, {
    // Counting has limits and rights of its own: what refuses it would not refuse a message.
    ...sendingOptions(given, errors, context, { learns: false }),
    endpoint: "/count_tokens",
    stream: false,
    signal: request.signal,
    onRetry: (fault) => context.log.debug("counting again", () => ({ requestId, why: fault.message })),
  })
  if (!opening.ok) {
    const { refusal } = opening
    if (refusal?.status === 404 || refusal?.status === 405) return countReply(body, inputTokens(), requestId)
    return refusalReply(opening, given, errors)
  }
  if (opening.kind === "document") return new Response(opening.bytes, replyInit(opening.head, requestId))
  opening.batches.close()
  return countReply(body, inputTokens(), requestId)
}

/** A thread that cannot be kept is refused. */
function refuseDirectThread(given: DirectRequest, { log }: Context): Response | undefined {
  const refused = threadFault(given)
  if (refused === undefined) return undefined
  const { requestId } = given
  const { status, message } = refused
  log.warn("request refused", () => ({ requestId, status, why: message }))
  return faultReply(refused, requestId)
}

// What it is was judged by its bytes: clients that go by the type have to be told so.
const asEvents = ({ headers }: DirectHead) =>
  headers["content-type"]?.startsWith("text/event-stream") === true ? {} : eventType
const asJson = ({ headers }: DirectHead) =>
  headers["content-type"]?.includes("json") === true ? {} : { "content-type": "application/json" }

function replyInit(head: DirectHead, requestId: string, more: Readonly<Record<string, string>> = {}) {
  return { status: head.status, headers: { "request-id": requestId, ...head.headers, ...more } }
}

/** The upstream's own words if they are Anthropic's; a header tells clients that would ask for ever to stop. */
function refusalReply(
  { fault, refusal }: DirectFailure,
  { route, requestId, genuineOnly }: DirectRequest,
  errors: ErrorContext,
): Response {
  if (refusal?.body === undefined) return faultReply(fault, requestId)
  const { status, headers, body } = refusal
  // What Anthropic itself says of waiting, its clients understand; elsewhere our rules hold.
  const final = fault.finalForClient === true || (!genuineOnly && isTooLong(fault))
  return new Response(worded(body, fault, genuineOnly, errors), {
    status,
    headers: {
      "request-id": requestId,
      ...(final ? { "x-should-retry": "false" } : {}),
      ...(route.apiKeys.length > 1 ? waiting(headers, fault) : headers),
    },
  })
}

function worded(body: string, given: Fault, genuineOnly: boolean, errors: ErrorContext): string {
  // The key is ours, which the upstream cannot know: it would be the client's own that is looked at, and Claude Code
  // says that its user is not logged in.
  if (given.kind === "authentication_error") return withMessage(body, given.message)
  // The kind: a text about too many tokens may speak of a rate, or of money.
  return !genuineOnly && given.kind === "invalid_request_error" ? rewordRefusal(body, errors) : body
}

const isTooLong = (given: Fault): boolean => faultReply(given, "").headers.get("x-should-retry") === "false"

/** The upstream speaks of one key: of several it is the first to be free again that the client waits for. */
function waiting(headers: DirectHead["headers"], { retryAfterMs }: Fault): DirectHead["headers"] {
  if (retryAfterMs === undefined) return headers
  const { "retry-after-ms": exact, ...others } = headers
  const inMs = exact === undefined ? {} : { "retry-after-ms": String(Math.ceil(retryAfterMs)) }
  return { ...others, ...inMs, "retry-after": String(Math.ceil(retryAfterMs / 1000)) }
}
