// From a request's bytes to the reply's, in one straight line.
import { encodeEvent, pingEvent } from "../protocol/encode.ts"
import { answer, type Dialect } from "./answer.ts"
import { type Asked, askFor, directRoute, type Wish, withRoute } from "./asked.ts"
import { readBody } from "./body.ts"
import type { Context } from "./context.ts"
import { handleDirect } from "./direct.ts"
import { directRequest } from "./direct-request.ts"
import { type Preparation, prepareRequest } from "./prepare.ts"
import { faultReply, jsonReply } from "./respond.ts"
import { refuseThread } from "./threads.ts"

const anthropic: Dialect = {
  refuse: faultReply,
  whole: jsonReply,
  stream: (requestId) => ({ encode: (event) => encodeEvent(event, requestId), ping: pingEvent }),
}

/** POST /v1/messages: the body, the route its model leads to, and the answer. */
export async function handleMessages(
  request: Request,
  context: Context,
  requestId: string,
  url: URL,
  wish: Wish = {},
): Promise<Response> {
  const startedAt = performance.now()
  const body = await readBody(request)
  if (!body.ok) return answer(body, request, context, requestId, anthropic)
  const asked = askFor(body.json, context.config, wish, context.ratios)
  const given = { request, requestId, startedAt, url, text: body.text }
  return withRoute(await answerAsked(asked, given, context), asked)
}

interface Given {
  readonly request: Request
  readonly requestId: string
  readonly startedAt: number
  readonly url: URL
  readonly text: string
}

/** An upstream that speaks the Messages API itself knows its fields better than we do: it gets them unread. */
function answerAsked(asked: Asked, given: Given, context: Context): Promise<Response> {
  const { request, requestId, startedAt } = given
  const route = directRoute(asked)
  if (route !== undefined) return handleDirect(directRequest(asked, route, given), context)
  const refused = refuseThread(asked.body, request.headers.get("user-agent") ?? "")
  const preparation: Preparation =
    refused === undefined
      ? prepareRequest(asked, request, context, requestId, startedAt)
      : { ok: false, fault: refused }
  return answer(preparation, request, context, requestId, anthropic)
}
