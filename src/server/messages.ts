// From a request's bytes to the reply's, in one straight line.
import { answerAlong, anthropicDialect, plainSpeech } from "./along.ts"
import { refuse } from "./answer.ts"
import { askFor, type Wish } from "./asked.ts"
import { readBody, textOfBody } from "./body.ts"
import type { Context } from "./context.ts"
import { directRequest } from "./direct-request.ts"
import { prepareRequest } from "./prepare.ts"
import { refuseThread } from "./threads.ts"

/** POST /v1/messages: the body, the model that it leads to and its fallbacks, and the answer. */
export async function handleMessages(
  request: Request,
  context: Context,
  requestId: string,
  url: URL,
  wish: Wish = {},
): Promise<Response> {
  const startedAt = performance.now()
  const body = await readBody(request, context)
  if (!body.ok) return refuse(body.fault, request, context, requestId, anthropicDialect)
  const asked = askFor(body.json, context.config, wish, context)
  return answerAlong(
    { asked, request, requestId, speech: plainSpeech, bytes: body.bytes, exact: wish.exact },
    {
      // An upstream that speaks the Messages API itself knows its fields better than we do: it gets them unread.
      direct: (course, route) =>
        directRequest(asked, route, {
          request,
          requestId,
          startedAt,
          course,
          url,
          text: textOfBody(body.bytes),
        }),
      converted: (course, route, ready) => {
        const refused = refuseThread(asked.body, request.headers.get("user-agent") ?? "")
        if (refused !== undefined) return { ok: false, fault: refused }
        return prepareRequest(asked, route, { request, requestId, startedAt, course, ready }, context)
      },
    },
    context,
  )
}
