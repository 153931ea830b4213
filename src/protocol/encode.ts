// Anthropic's events as bytes on the wire: an `event:` line, then one line of JSON with the same type.
import { toErrorBody } from "./fault.ts"
import type { MessagesEvent } from "./messages.ts"
import { encodeSse } from "./sse.ts"

/** One event as text. The kinds that make up nearly all of a stream are written by hand: it is faster. */
export function encodeEvent(event: MessagesEvent, requestId: string): string {
  if (event.type === "error") return encodeSse("error", JSON.stringify(toErrorBody(event.fault, requestId)))
  if (event.type === "content_block_delta") {
    const { delta, index } = event
    const head = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":"`
    if (delta.type === "text_delta") return `${head}text_delta","text":${JSON.stringify(delta.text)}}}\n\n`
    if (delta.type === "thinking_delta")
      return `${head}thinking_delta","thinking":${JSON.stringify(delta.thinking)}}}\n\n`
    if (delta.type === "input_json_delta") {
      return `${head}input_json_delta","partial_json":${JSON.stringify(delta.partial_json)}}}\n\n`
    }
  }
  if (event.type === "native") return encodeSse(event.name, event.data)
  return encodeSse(event.type, JSON.stringify(event))
}

/** The event that keeps a connection alive; clients read it and do nothing. */
export const pingEvent = encodeSse("ping", '{"type":"ping"}')
