// A stream of Anthropic's events folded into the one message that a client would make of it.

import type { Fault } from "../../protocol/fault.ts"
import { isObject, type JsonObject } from "../../protocol/json.ts"
import { joinedRun } from "../../protocol/messages/delta-run.ts"
import type { MessagesEvent, MessagesReply, ReplyBlock } from "../../protocol/messages/messages.ts"
import { messageOfStream } from "../direct/direct-form.ts"
import { toolInput } from "../tool-calls/json-scan.ts"

interface Fold {
  readonly reply: MessagesReply | undefined
  readonly fault: Fault | undefined
}

/** A block that grows in place. */
interface Draft {
  block: ReplyBlock
  json: string
}

/** A message that grows in place. */
type OpenReply = { -readonly [Field in keyof MessagesReply]: MessagesReply[Field] }

/** The message that a client would have assembled from these events, or the fault they end in. */
export function foldEvents(events: Iterable<MessagesEvent>): Fold {
  let reply: OpenReply | undefined
  const drafts: Draft[] = []
  let native: JsonObject[] | undefined
  for (const event of events) {
    if (event.type === "error") return { reply: undefined, fault: event.fault }
    if (event.type === "native") {
      native ??= []
      native.push(event.value)
    } else if (event.type === "message_start") reply = { ...event.message }
    else if (event.type !== "message_delta") foldBlock(drafts, event)
    else if (reply !== undefined) addEnd(reply, event)
  }
  if (reply === undefined) return { reply: undefined, fault: undefined }
  if (native !== undefined) return { reply: foldNative(reply, native), fault: undefined }
  reply.content = drafts.map(finishBlock)
  return { reply, fault: undefined }
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

function addEnd(reply: OpenReply, { delta, usage }: Extract<MessagesEvent, { type: "message_delta" }>): void {
  reply.stop_reason = delta.stop_reason
  reply.stop_sequence = delta.stop_sequence
  reply.usage = { ...reply.usage, ...usage }
}

function foldBlock(drafts: Draft[], event: MessagesEvent): void {
  if (event.type === "content_block_start") drafts[event.index] = { block: event.content_block, json: "" }
  if (event.type !== "content_block_delta" && event.type !== "content_block_deltas") return
  const delta = event.type === "content_block_deltas" ? joinedRun(event) : event
  const draft = drafts[event.index]
  if (draft !== undefined) addDelta(draft, delta)
}

function addDelta(draft: Draft, { delta }: Extract<MessagesEvent, { type: "content_block_delta" }>): void {
  const { block } = draft
  switch (delta.type) {
    case "text_delta":
      if (block.type === "text") draft.block = { type: "text", text: block.text + delta.text }
      return
    case "thinking_delta":
      if (block.type === "thinking") draft.block = { ...block, thinking: block.thinking + delta.thinking }
      return
    case "signature_delta":
      if (block.type === "thinking") draft.block = { ...block, signature: delta.signature }
      return
    case "input_json_delta":
      draft.json += delta.partial_json
      return
    case "compaction_delta":
      if (block.type === "compaction") draft.block = { ...block, content: delta.content }
      return
    default:
      delta satisfies never
  }
}

function finishBlock({ block, json }: Draft): ReplyBlock {
  if (block.type !== "tool_use" && block.type !== "server_tool_use") return block
  return { ...block, input: toolInput(json) }
}
