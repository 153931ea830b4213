// POST /v1/chat/completions: OpenAI's clients on the same way as everybody else's. Their request becomes a
// Messages request, and the Response that it is answered with is rewritten: body, stream or error.
import {
  type ChatOutput,
  type ChatWriterOptions,
  encodeChat,
  initialChatWriter,
  writeChat,
} from "../convert/reverse/chunks.ts"
import { readMessagesFault, toChatErrorBody } from "../convert/reverse/error.ts"
import { readMessagesEvent } from "../convert/reverse/events.ts"
import { convertMessagesReply } from "../convert/reverse/reply.ts"
import { convertChatRequest } from "../convert/reverse/request.ts"
import { ChatRequestBody, firstChatIssue } from "../protocol/chat-request.ts"
import { brokenUpstream, type Fault, invalidRequest, type Note } from "../protocol/fault.ts"
import { isObject, parseJson } from "../protocol/json.ts"
import type { MessagesEvent } from "../protocol/messages.ts"
import { createSseDecoder, type SseMessage } from "../protocol/sse.ts"
import { readBody } from "./body.ts"
import type { Context } from "./context.ts"
import { answer } from "./messages.ts"
import { type Preparation, prepareRequest } from "./prepare.ts"
import { faultReply, internalFault } from "./respond.ts"

/** What of a refused parameter OpenAI's error shape has fields for. */
interface About {
  readonly param?: string
  readonly code?: string
}

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
  const body = await readBody(request)
  if (!body.ok) return refuse(body.fault)
  const parsed = ChatRequestBody.safeParse(body.json)
  if (!parsed.success) {
    const { message, param, code } = firstChatIssue(parsed.error)
    return refuse(invalidRequest(message), { param, code })
  }
  const { request: converted, wishes, notes } = convertChatRequest(parsed.data)
  const preparation = await prepareRequest(converted, request, context, requestId, startedAt)
  const reply = await answer(withNotes(preparation, notes), request, context, requestId)
  return toChatReply(reply, requestId, { ...wishes, created: Math.floor(Date.now() / 1000) })
}

/** What was lost on the way into the Messages API is told together with what is lost on the way out of it. */
function withNotes(preparation: Preparation, notes: readonly Note[]): Preparation {
  if (!preparation.ok) return preparation
  const { prepared } = preparation
  return { ok: true, prepared: { ...prepared, notes: [...notes, ...prepared.notes] } }
}

/** A Fault in OpenAI's shape, with the same status and headers as in Anthropic's. */
export function chatFaultReply(fault: Fault, requestId: string, about?: About): Response {
  const { status, headers } = faultReply(fault, requestId)
  return Response.json(toChatErrorBody(fault, about), { status, headers: named(headers, requestId) })
}

/** OpenAI's clients look for the id of a request under another name. */
function named(given: Headers, requestId: string): Headers {
  const headers = new Headers(given)
  headers.delete("content-length")
  headers.set("x-request-id", requestId)
  return headers
}

/** An answer of the Messages API as OpenAI's clients read it, whichever upstream it comes from. */
async function toChatReply(
  reply: Response,
  requestId: string,
  options: ChatWriterOptions,
): Promise<Response> {
  const { status } = reply
  const headers = named(reply.headers, requestId)
  if (reply.body !== null && headers.get("content-type")?.startsWith("text/event-stream")) {
    return new Response(chatBody(reply.body, options), { status, headers })
  }
  const parsed = parseJson(await reply.text())
  const value = parsed.ok ? parsed.value : undefined
  if (!reply.ok) return Response.json(toChatErrorBody(readMessagesFault(value)), { status, headers })
  if (!isObject(value)) return chatFaultReply(brokenUpstream("the reply is no JSON object"), requestId)
  return Response.json(convertMessagesReply(value, options), { status, headers })
}

// OpenAI's stream has no event that says nothing; clients skip a comment.
const comment = ": ping\n\n"

/** The same stream in chunks: pulled as the client takes it, and given up with it. */
function chatBody(
  source: ReadableStream<Uint8Array>,
  options: ChatWriterOptions,
): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  const sse = createSseDecoder()
  const writer = createWriter(options)

  /** The next bytes for the client; undefined at the end. What says nothing to it still shows that we live. */
  async function next(): Promise<string | undefined> {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return undefined
      const messages = sse.push(decoder.decode(value, { stream: true }))
      if (messages.length > 0) return writer.write(messages.flatMap(eventsOf)) || comment
    }
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let text: string | undefined
      let rest = ""
      try {
        text = await next()
        if (text === undefined) rest = writer.write([...sse.flush().flatMap(eventsOf), cut])
      } catch (error) {
        rest = writer.write([{ type: "error", fault: internalFault(error) }])
      }
      const bytes = text ?? rest
      if (bytes !== "") controller.enqueue(encoder.encode(bytes))
      if (text === undefined) controller.close()
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

/** Heard only when nothing has ended the stream before. */
const cut: MessagesEvent = {
  type: "error",
  fault: brokenUpstream("the upstream closed the connection before its reply was complete"),
}

function eventsOf({ data }: SseMessage): readonly MessagesEvent[] {
  const parsed = parseJson(data)
  return parsed.ok ? readMessagesEvent(parsed.value) : []
}

function createWriter(options: ChatWriterOptions) {
  let state = initialChatWriter(options)
  function write(events: readonly MessagesEvent[]): string {
    const outputs: ChatOutput[] = []
    for (const event of events) {
      const [next, more] = writeChat(state, event)
      state = next
      for (const output of more) outputs.push(output)
    }
    return encodeChat(outputs)
  }
  return { write }
}
