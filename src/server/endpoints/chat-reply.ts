// A Response of the Messages API as OpenAI's clients read it: faults, and what an upstream of that API answered.
import {
  type ChatOutput,
  type ChatWriterOptions,
  initialChatWriter,
  writeChat,
} from "../../convert/reverse/chunks.ts"
import { encodeChat } from "../../convert/reverse/encode.ts"
import { readMessagesFault, toChatErrorBody } from "../../convert/reverse/error.ts"
import { readMessagesEvent } from "../../convert/reverse/events.ts"
import { convertMessagesReply } from "../../convert/reverse/reply.ts"
import { brokenUpstream, endedEarly } from "../../protocol/fault.ts"
import { isObject, jsonOf } from "../../protocol/json.ts"
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import { createSseDecoder, type SseMessage } from "../../protocol/sse.ts"
import { internalFault } from "../http/respond.ts"
import { chatFaultReply, named } from "./chat-fault.ts"

export type ChatReplyOptions = ChatWriterOptions

/** OpenAI's stream has no event that says nothing; clients skip a comment. */
export const chatComment = ": ping\n\n"

/** Rewrites an answer of the Messages API, whole, streamed or an error. */
export async function toChatReply(
  reply: Response,
  requestId: string,
  options: ChatReplyOptions,
): Promise<Response> {
  const { status } = reply
  const headers = named(reply.headers, requestId)
  if (reply.body !== null && headers.get("content-type")?.startsWith("text/event-stream"))
    return new Response(chatBody(reply.body, options), { status, headers })
  const value = jsonOf(await reply.text())
  headers.set("content-type", "application/json")
  if (!reply.ok) return Response.json(toChatErrorBody(readMessagesFault(value)), { status, headers })
  if (!isObject(value)) return chatFaultReply(brokenUpstream("the reply is no JSON object"), requestId)
  return Response.json(convertMessagesReply(value, options), { status, headers })
}

/** The same stream in chunks: pulled as the client takes it, and given up with it. */
function chatBody(source: ReadableStream<Uint8Array>, options: ChatReplyOptions): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  const sse = createSseDecoder()
  const write = createChatWriter(options)

  /** The next text for the client; undefined at the end. What says nothing to it still shows that we live. */
  async function next(): Promise<string | undefined> {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return undefined
      const messages = sse.push(decoder.decode(value, { stream: true }))
      if (messages.length > 0) return write(messages.flatMap(eventsOf)) || chatComment
      if (value[0] === colon && sse.pending() === 0) return chatComment
    }
  }

  async function nextOrLast(): Promise<{ readonly text: string; readonly last: boolean }> {
    try {
      const text = await next()
      if (text !== undefined) return { text, last: false }
      return { text: write([...sse.flush().flatMap(eventsOf), cut]), last: true }
    } catch (error) {
      return { text: write([{ type: "error", fault: internalFault(error) }]), last: true }
    }
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { text, last } = await nextOrLast()
      if (text !== "") controller.enqueue(encoder.encode(text))
      if (last) controller.close()
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

/** A comment begins with it. */
const colon = 58

/** Heard only when nothing has ended the stream before. */
const cut: MessagesEvent = {
  type: "error",
  fault: brokenUpstream(endedEarly("was complete")),
}

function eventsOf({ data }: SseMessage): readonly MessagesEvent[] {
  return readMessagesEvent(jsonOf(data))
}

/** Events in, what goes over the wire out: one for each stream. */
export function createChatWriter(options: ChatReplyOptions): (events: readonly MessagesEvent[]) => string {
  let state = initialChatWriter(options)
  return (events) => {
    const outputs: ChatOutput[] = []
    for (const event of events) {
      const [next, more] = writeChat(state, event)
      state = next
      for (const output of more) outputs.push(output)
    }
    return encodeChat(outputs)
  }
}
