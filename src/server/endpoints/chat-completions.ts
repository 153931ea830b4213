// POST /v1/chat/completions: OpenAI's clients on the same way as everybody else's. Their request becomes a
// Messages request, and what it is answered with is told them in their own words.
import { fitClaude } from "../../convert/reverse/claude.ts"
import { convertMessagesReply } from "../../convert/reverse/reply.ts"
import { convertChatRequest } from "../../convert/reverse/request.ts"
import { ChatRequestBody, firstChatIssue } from "../../protocol/chat/chat-request.ts"
import { changed, type Fault, invalidRequest } from "../../protocol/fault.ts"
import type { Route } from "../../providers/route.ts"
import { answerAlong, type Speech } from "../answer/along.ts"
import type { Dialect } from "../answer/answer.ts"
import { onceFor } from "../common/once.ts"
import type { Context } from "../context.ts"
import { readBody } from "../http/body.ts"
import { askFor } from "../request/asked.ts"
import { type DirectRequest, directRequest } from "../request/direct-request.ts"
import { type Preparation, prepareRequest, type Readiness, type Readying } from "../request/prepare.ts"
import { type About, chatFaultReply } from "./chat-fault.ts"
import { type ChatReplyOptions, chatComment, createChatWriter, toChatReply } from "./chat-reply.ts"

/** Answers one request; what happens to it is recorded as for a Messages request. */
export async function handleChatCompletions(
  request: Request,
  context: Context,
  requestId: string,
): Promise<Response> {
  const startedAt = performance.now()
  const refuse = (fault: Fault, about?: About): Response => {
    const why = () => ({ requestId, status: fault.status, why: fault.message })
    if (!request.signal.aborted) context.log.warn("request refused", why)
    return chatFaultReply(fault, requestId, about)
  }
  const body = await readBody(request, context)
  if (!body.ok) return refuse(body.fault)
  const parsed = ChatRequestBody.safeParse(body.json)
  if (!parsed.success) {
    const { message, param, code } = firstChatIssue(parsed.error)
    return refuse(invalidRequest(message), { param, code })
  }
  const { request: converted, wishes, notes } = convertChatRequest(parsed.data)
  const options = { ...wishes, created: Math.floor(Date.now() / 1000) }
  const asked = askFor(converted, context.config, undefined, context)
  const speech: Speech = {
    dialect: chatDialect(options),
    translate: (reply) => toChatReply(reply, requestId, options),
  }
  const { bytes } = body
  const given = { asked, request, requestId, startedAt, url: noQuery, bytes, notes, exact: undefined }
  const reply = await answerAlong({ ...given, readiness }, speech, context)
  reply.headers.set("x-request-id", requestId)
  return reply
}

const readiness: Readiness = { direct: passOn, converted: convert }

/** A filter's stop has a word of its own here, which ends nothing for a client: see `contentFilter`. */
const tellingFilter = onceFor((route: Route): Route => {
  return { ...route, profile: { ...route.profile, contentFilter: "refusal" } }
})

/** What was lost on the way into the Messages API is told together with what is lost on the way out of it. */
function convert(readying: Readying, route: Route): Preparation {
  const preparation = prepareRequest(readying, tellingFilter(route))
  if (!preparation.ok) return preparation
  const { prepared } = preparation
  return { ok: true, prepared: { ...prepared, notes: [...readying.asking.notes, ...prepared.notes] } }
}

// The query of a Chat request means nothing to the Messages API.
const noQuery = new URL("http://localhost/v1/messages")

/** For an upstream that speaks the Messages API itself, whose temperatures end at 1. */
function passOn({ asking, course }: Readying, route: Route): DirectRequest {
  const { asked, notes, request, requestId, startedAt, url } = asking
  const fitted = fitClaude(asked.body, route.model)
  const { temperature } = fitted.body
  const hot = typeof temperature === "number" && temperature > 1
  const body = hot ? { ...fitted.body, temperature: 1 } : fitted.body
  const lowered = hot ? [changed("temperature", `${temperature} became 1, the nearest value taken here`)] : []
  const text = JSON.stringify(body)
  const direct = directRequest({ ...asked, body }, route, {
    ...{ request, requestId, startedAt, course, text, url },
  })
  return { ...direct, notes: [...notes, ...fitted.notes, ...lowered] }
}

/** How an OpenAI client is spoken to. */
function chatDialect(options: ChatReplyOptions): Dialect {
  return {
    refuse: chatFaultReply,
    whole: (reply, headers) => Response.json(convertMessagesReply(reply, options), { headers }),
    stream: () => {
      const write = createChatWriter(options)
      return { encode: (event) => write([event]), ping: chatComment }
    },
  }
}
