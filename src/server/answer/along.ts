// The answer to one request by whichever model gives it, in the words that its client speaks.
import { sessionOf } from "../../convert/request/session.ts"
import { invalidRequest } from "../../protocol/fault.ts"
import { arrayOf, objectOf, textOf } from "../../protocol/json.ts"
import { pingEvent } from "../../protocol/messages/encode.ts"
import { renderIssues } from "../../protocol/messages/messages.ts"
import type { Route } from "../../providers/route.ts"
import type { FailedOpening } from "../../upstream/attempts.ts"
import { sentSession } from "../common/client-headers.ts"
import type { Context } from "../context.ts"
import { answeringOn, type Conversation, createCourse } from "../course/course.ts"
import { handleDirect } from "../direct/direct.ts"
import { isLarge, leftovers } from "../heap/leftovers.ts"
import { encodeBytes } from "../http/event-bytes.ts"
import { faultReply } from "../http/respond.ts"
import { scopeOf } from "../learned/memory.ts"
import { type Asked, parsedOf, withRoute } from "../request/asked.ts"
import type { Asking, Readying } from "../request/prepare.ts"
import type { Stop } from "../request/ready.ts"
import { answer, type Dialect, refuse } from "./answer.ts"
import { firstStop, nextStop } from "./stops.ts"

export const anthropicDialect: Dialect = {
  refuse: faultReply,
  whole: (reply, headers) => Response.json(reply, { headers }),
  stream: (requestId) => ({ encode: (event) => encodeBytes(event, requestId), ping: pingEvent }),
}

/** How a client is spoken to. */
export interface Speech {
  readonly dialect: Dialect
  /** An answer in Anthropic's words, as the client reads it. */
  readonly translate: (reply: Response) => Response | Promise<Response>
}

export const plainSpeech: Speech = { dialect: anthropicDialect, translate: (reply) => reply }

/**
 * Answers by the model that the request was routed to, or by its fallbacks: each is asked in words of its own, and what
 * it answers becomes one reply, one Exchange, and the header that names the route.
 */
export function answerAlong(asking: Asking, speech: Speech, context: Context): Promise<Response> | Response {
  const { asked, request, requestId } = asking
  const { resolved } = asked
  if (!resolved.ok) {
    const parsed = parsedOf(asked)
    const fault = parsed.success ? resolved.fault : invalidRequest(renderIssues(parsed.error))
    return refuse(fault, request, context, requestId, speech.dialect)
  }
  const { route: primary } = resolved
  const conversation = primary.fallbacks.length > 0 ? conversationOf(asked, primary, request) : undefined
  const course = createCourse(primary, requestId, conversation, context)
  const readying: Readying = { asking, course, context }
  const first = firstStop(readying)
  if (first.ok) return answerFirst(first.stop, readying, speech)
  const refused = refuse(first.fault, request, context, requestId, speech.dialect)
  return withRoute(refused, answeringOn(course).route)
}

/** What was converted names its route by itself. */
function answerFirst(stop: Stop, readying: Readying, speech: Speech): Promise<Response> {
  const { length } = readying.asking.bytes
  const answered = answerAt(stop, readying, speech)
  const named =
    stop.kind === "converted"
      ? answered
      : answered.then((reply) => withRoute(reply, answeringOn(readying.course).route))
  return isLarge(length) ? named.finally(() => leftovers.answered(length)) : named
}

function answerAt(stop: Stop, readying: Readying, { dialect, translate }: Speech): Promise<Response> {
  const { asking, context } = readying
  if (stop.kind === "converted") return answer(stop.prepared, asking.request, context, dialect, asking)
  const onward = {
    next: (failed: FailedOpening) => nextStop(readying, failed),
    // What it says on the way is translated together with all the rest.
    go: (other: Stop) => answerAt(other, readying, plainSpeech),
  }
  return handleDirect(stop.direct, context, onward).then(translate)
}

/** Whose conversation it is, and with which model. What the client does not name is known by the words it began with. */
function conversationOf({ body }: Asked, { url, model }: Route, { headers }: Request): Conversation {
  const user_id = textOf(objectOf(body["metadata"])["user_id"])
  const session = sentSession(headers) ?? sessionOf({ metadata: { user_id } }) ?? user_id
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
