// Events as they go over the wire: text that never was more than bytes goes out as bytes.
import { isUtf8 } from "node:buffer"
import { encodeEvent, encodeRun } from "../../protocol/messages/encode.ts"
import type { MessagesEvent } from "../../protocol/messages/messages.ts"

/** One event; of a run as many as it stands for. What is no UTF-8 in the bytes of a run is replaced. */
export function encodeBytes(event: MessagesEvent, requestId: string): string | Uint8Array {
  if (event.type !== "content_block_deltas" || !event.wide) return encodeEvent(event, requestId)
  const bytes = Buffer.from(encodeRun(event, event.quoted), "latin1")
  return isUtf8(bytes) ? bytes : bytes.toString("utf8")
}
