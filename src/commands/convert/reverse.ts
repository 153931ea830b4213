// `convert` for Anthropic's replies and streams: what an OpenAI client would get.
import {
  type ChatOutput,
  type ChatWriterOptions,
  initialChatWriter,
  writeChat,
} from "../../convert/reverse/chunks.ts"
import { encodeChat } from "../../convert/reverse/encode.ts"
import { readMessagesFault, toChatErrorBody } from "../../convert/reverse/error.ts"
import { readMessagesEvent } from "../../convert/reverse/events.ts"
import { convertMessagesReply, noteLostBlock } from "../../convert/reverse/reply.ts"
import { brokenUpstream, type Note } from "../../protocol/fault.ts"
import { arrayOf, type JsonObject, objectOf } from "../../protocol/json.ts"
import type { MessagesEvent } from "../../protocol/messages/messages.ts"
import type { Known } from "./input.ts"
import type { Converted } from "./reply.ts"

// No clock: the same input gives the same output, which a diff can then compare.
const options: ChatWriterOptions = { created: 0, legacyCalls: false, includeUsage: true }

/** OpenAI's reply or chunks for a reply or stream of the Messages API. */
export function convertMessagesInput(
  input: Extract<Known, { kind: "messages-reply" | "messages-stream" }>,
): Converted {
  if (input.kind === "messages-stream") return convertEvents(input.events)
  const { reply } = input
  const failed = reply["type"] === "error"
  const value = failed ? toChatErrorBody(readMessagesFault(reply)) : convertMessagesReply(reply, options)
  const blocks = arrayOf(reply["content"]).map(objectOf)
  return { text: `${JSON.stringify(value, null, 2)}\n`, notes: failed ? [] : noteBlocks(blocks) }
}

function convertEvents(raw: readonly unknown[]): Converted {
  let state = initialChatWriter(options)
  const outputs: ChatOutput[] = []
  const feed = (event: MessagesEvent): void => {
    const [next, more] = writeChat(state, event)
    state = next
    for (const output of more) outputs.push(output)
  }
  for (const value of raw) for (const event of readMessagesEvent(value)) feed(event)
  feed({ type: "error", fault: cut })
  const blocks = raw.map(objectOf).flatMap((event) => {
    return event["type"] === "content_block_start" ? [objectOf(event["content_block"])] : []
  })
  return { text: encodeChat(outputs), notes: noteBlocks(blocks) }
}

/** Heard only when nothing has ended the stream before. */
const cut = brokenUpstream("the stream ends before its message_stop")

function noteBlocks(blocks: readonly JsonObject[]): readonly Note[] {
  return blocks.flatMap((block, index) => noteLostBlock(block, `content.${index}`) ?? [])
}
