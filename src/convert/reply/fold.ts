// A stream of Anthropic's events folded into the one message that a client would make of it.

import { joinedRun } from "../../protocol/delta-run.ts"
import type { Fault } from "../../protocol/fault.ts"
import { isObject, type JsonObject } from "../../protocol/json.ts"
import type { MessagesEvent, MessagesReply, ReplyBlock } from "../../protocol/messages.ts"
import { messageOfStream } from "../direct-form.ts"
import { toolInput } from "../tool-calls/json-scan.ts"

export interface Fold {
  readonly reply: MessagesReply | undefined
  readonly fault: Fault | undefined
}

interface Draft {
  readonly block: ReplyBlock
  readonly json: string
}

/** The message that a client would have assembled from these events, or the fault they end in. */
export function foldEvents(events: Iterable<MessagesEvent>): Fold {
  let reply: MessagesReply | undefined
  const drafts: Draft[] = []
  let native: JsonObject[] | undefined
  for (const event of events) {
    if (event.type === "error") return { reply: undefined, fault: event.fault }
    if (event.type === "native") {
      native ??= []
      native.push(event.value)
    } else if (event.type === "message_start") reply = event.message
    else if (event.type === "message_delta") reply = addEnd(reply, event)
    else foldBlock(drafts, event)
  }
  if (reply === undefined) return { reply: undefined, fault: undefined }
  if (native !== undefined) return { reply: foldNative(reply, native), fault: undefined }
  return { reply: { ...reply, content: drafts.map(finishBlock) }, fault: undefined }
}

/** With every block and field that its upstream gave it, known here or not. */
function foldNative(start: MessagesReply, events: readonly JsonObject[]): MessagesReply | undefined {
  const message = messageOfStream([{ type: "message_start", message: start }, ...events])
  return isReply(message) ? message : undefined
}

/** As far as the clients of this proxy look: what is in a block is theirs to read. */
function isReply(message: unknown): message is MessagesReply {
  return isObject(message) && Array.isArray(message["content"]) && isObject(message["usage"])
}

function addEnd(
  reply: MessagesReply | undefined,
  event: Extract<MessagesEvent, { type: "message_delta" }>,
): MessagesReply | undefined {
  return reply === undefined
    ? undefined
    : { ...reply, ...event.delta, usage: { ...reply.usage, ...event.usage } }
}

function foldBlock(drafts: Draft[], event: MessagesEvent): void {
  if (event.type === "content_block_start") drafts[event.index] = { block: event.content_block, json: "" }
  if (event.type !== "content_block_delta" && event.type !== "content_block_deltas") return
  const delta = event.type === "content_block_deltas" ? joinedRun(event) : event
  const draft = drafts[event.index]
  if (draft !== undefined) drafts[event.index] = addDelta(draft, delta)
}

function addDelta(draft: Draft, event: Extract<MessagesEvent, { type: "content_block_delta" }>): Draft {
  const { block, json } = draft
  const { delta } = event
  switch (delta.type) {
    case "text_delta":
      return block.type === "text" ? { json, block: { ...block, text: block.text + delta.text } } : draft
    case "thinking_delta":
      if (block.type !== "thinking") return draft
      return { json, block: { ...block, thinking: block.thinking + delta.thinking } }
    case "signature_delta":
      return block.type === "thinking" ? { json, block: { ...block, signature: delta.signature } } : draft
    case "input_json_delta":
      return { block, json: json + delta.partial_json }
    case "compaction_delta":
      return block.type === "compaction" ? { json, block: { ...block, content: delta.content } } : draft
    default:
      return delta satisfies never
  }
}

function finishBlock({ block, json }: Draft): ReplyBlock {
  if (block.type !== "tool_use" && block.type !== "server_tool_use") return block
  return { ...block, input: toolInput(json) }
}
