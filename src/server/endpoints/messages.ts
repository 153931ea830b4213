// From a request's bytes to the reply's, in one straight line.
import { noNotes } from "../../protocol/fault.ts"
import type { Route } from "../../providers/route.ts"
import { answerAlong, anthropicDialect, plainSpeech } from "../answer/along.ts"
import { refuse } from "../answer/answer.ts"
import type { Context } from "../context.ts"
import { textOfBody, useBody } from "../http/body.ts"
import { askFor, type Wish } from "../request/asked.ts"
import { type DirectRequest, directRequest } from "../request/direct-request.ts"
import { type Preparation, prepareRequest, type Readiness, type Readying } from "../request/prepare.ts"
import { refuseThread } from "../request/threads.ts"

/** POST /v1/messages: the body, the model that it leads to and its fallbacks, and the answer. */
export function handleMessages(
  request: Request,
  context: Context,
  requestId: string,
  url: URL,
  wish?: Wish,
): Promise<Response> {
  const startedAt = performance.now()
  return useBody(request, context, (body) => {
    if (!body.ok) return refuse(body.fault, request, context, requestId, anthropicDialect)
    const asking = {
      asked: askFor(body.json, context.config, wish, context),
      request,
      requestId,
      startedAt,
      url,
      bytes: body.bytes,
      notes: noNotes,
      readiness,
      exact: wish?.exact,
    }
    return answerAlong(asking, plainSpeech, context)
  })
}

const readiness: Readiness = { direct: passOn, converted: convert }

/** An upstream that speaks the Messages API itself knows its fields better than we do: it gets them unread. */
function passOn({ asking, course }: Readying, route: Route): DirectRequest {
  const { asked, request, requestId, startedAt, url, bytes } = asking
  return directRequest(asked, route, { request, requestId, startedAt, course, url, text: textOfBody(bytes) })
}

function convert(readying: Readying, route: Route): Preparation {
  const { asked, request } = readying.asking
  const refused = refuseThread(asked.body, request.headers)
  return refused === undefined ? prepareRequest(readying, route) : { ok: false, fault: refused }
}
