// The answer to one request by whichever model gives it, in the words that its client speaks.
import { sessionOf } from "../convert/request/session.ts"
import { encodeEvent, pingEvent } from "../protocol/encode.ts"
import { invalidRequest } from "../protocol/fault.ts"
import { arrayOf, objectOf, textOf } from "../protocol/json.ts"
import { renderIssues } from "../protocol/messages.ts"
import { answer, type Dialect, refuse } from "./answer.ts"
import { type Asked, isDirect, withRoute } from "./asked.ts"
import type { Context } from "./context.ts"
import { answeringOn, type Conversation, type Course, createCourse } from "./course.ts"
import { handleDirect } from "./direct.ts"
import { threadFault } from "./direct-parts.ts"
import type { DirectRequest } from "./direct-request.ts"
import { scopeOf } from "./memory.ts"
import type { GetReady, Preparation, Stop } from "./prepare.ts"
import { faultReply, jsonReply } from "./respond.ts"
import { firstStop, nextStop } from "./stops.ts"

export const anthropicDialect: Dialect = {
  refuse: faultReply,
  whole: jsonReply,
  stream: (requestId) => ({ encode: (event) => encodeEvent(event, requestId), ping: pingEvent }),
}

/** How a client is spoken to. */
export interface Speech {
  readonly dialect: Dialect
  /** An answer in Anthropic's words, as the client reads it. */
  readonly translate: (reply: Response) => Response | Promise<Response>
}

/** What the client asked for, made ready for a model of either kind. */
export interface Readiness {
  readonly direct: (course: Course, route: DirectRequest["route"]) => DirectRequest
  readonly converted: (course: Course, route: DirectRequest["route"], ready: GetReady) => Preparation
}

export interface Asking {
  readonly asked: Asked
  readonly request: Request
  readonly requestId: string
  readonly speech: Speech
  /** The body as it came. */
  readonly bytes: Uint8Array
  /** It is asked to see what this very model answers. */
  readonly exact?: boolean | undefined
}

/**
 * Answers by the model that the request was routed to, or by its fallbacks: each is asked in words of its own, and what
 * it answers becomes one reply, one Exchange, and the header that names the route.
 */
export async function answerAlong(asking: Asking, readiness: Readiness, context: Context): Promise<Response> {
  const { asked, request, requestId, speech } = asking
  const { resolved } = asked
  if (!resolved.ok) {
    const parsed = asked.parsed()
    const fault = parsed.success ? resolved.fault : invalidRequest(renderIssues(parsed.error))
    return refuse(fault, request, context, requestId, speech.dialect)
  }
  const { route: primary } = resolved
  const conversation = primary.fallbacks.length > 0 ? conversationOf(asked, primary, request) : undefined
  const course = createCourse(primary, requestId, conversation, context)
  const ready: GetReady = (route) => {
    if (isDirect(route)) return readyDirect(readiness.direct(course, route))
    const preparation = readiness.converted(course, route, ready)
    if (!preparation.ok) return preparation
    return { ok: true, stop: { kind: "converted", prepared: preparation.prepared } }
  }

  function go(stop: Stop, { dialect, translate }: Speech): Promise<Response> {
    if (stop.kind === "converted") return answer(stop.prepared, request, context, dialect, asking)
    const next = (failed: Parameters<typeof nextStop>[2]) => nextStop(course, ready, failed)
    // What it says on the way is translated together with all the rest.
    const onward = { next, go: (other: Stop) => go(other, plainSpeech) }
    return handleDirect(stop.direct, context, onward).then(translate)
  }

  const first = firstStop(course, ready)
  const reply = first.ok
    ? await go(first.stop, speech)
    : refuse(first.fault, request, context, requestId, speech.dialect)
  return withRoute(reply, answeringOn(course).route)
}

export const plainSpeech: Speech = { dialect: anthropicDialect, translate: (reply) => reply }

function readyDirect(direct: DirectRequest) {
  const fault = threadFault(direct)
  return fault === undefined
    ? ({ ok: true, stop: { kind: "direct", direct } } as const)
    : ({ ok: false, fault } as const)
}

/** Whose conversation it is, and with which model. What the client does not name is known by the words it began with. */
function conversationOf(
  { body }: Asked,
  { url, model }: DirectRequest["route"],
  { headers }: Request,
): Conversation {
  const user_id = textOf(objectOf(body["metadata"])["user_id"])
  const session = headers.get("x-claude-code-session-id") ?? sessionOf({ metadata: { user_id } }) ?? user_id
  const messages = arrayOf(body["messages"])
  const begin =
    session ?? JSON.stringify([wordsOf(body["system"]), wordsOf(objectOf(messages[0])["content"])])
  const isNew = session === undefined && !messages.some((one) => objectOf(one)["role"] === "assistant")
  return { id: JSON.stringify([scopeOf(headers, begin), url, model]), isNew }
}

/** The words alone: what marks a place for a cache moves on with the conversation. */
function wordsOf(content: unknown): readonly string[] {
  if (typeof content === "string") return [content]
  return arrayOf(content).flatMap((block) => textOf(objectOf(block)["text"]) ?? [])
}
