// What our own signatures carry, as data that can be compared and read in a snapshot.
import { parseJson } from "../../src/protocol/json.ts"
import type { MessagesReply } from "../../src/protocol/messages/messages.ts"

/** The data inside a signature of ours; any other signature as it is. The order of keys means nothing. */
export function carried(signature: string): unknown {
  const text = Buffer.from(signature.slice(signature.indexOf(".") + 1), "base64url").toString()
  const parsed = parseJson(text)
  return parsed.ok ? parsed.value : signature
}

/** A message whose signatures can be read. */
export function readable(reply: MessagesReply): unknown {
  const content = reply.content.map((block) =>
    block.type === "thinking" ? { ...block, signature: carried(block.signature) } : block,
  )
  return { ...reply, content }
}
