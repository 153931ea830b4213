// A reply of text that is known as a whole, told as a stream.
import type { MessagesEvent, MessagesReply } from "../../protocol/messages/messages.ts"

/** The events that say what `reply` says, its text in pieces. Blocks that are no text are left out. */
export function* retell(reply: MessagesReply): Generator<MessagesEvent, void> {
  const { content, stop_reason, stop_sequence, usage } = reply
  const begun = { ...usage, output_tokens: 0 }
  const message = { ...reply, content: [], stop_reason: null, stop_sequence: null, usage: begun }
  yield { type: "message_start", message }
  let index = 0
  for (const block of content) {
    if (block.type !== "text") continue
    yield { type: "content_block_start", index, content_block: { type: "text", text: "" } }
    for (const text of pieces(block.text)) {
      yield { type: "content_block_delta", index, delta: { type: "text_delta", text } }
    }
    yield { type: "content_block_stop", index }
    index += 1
  }
  yield { type: "message_delta", delta: { stop_reason, stop_sequence }, usage }
  yield { type: "message_stop" }
}

const pieceLength = 200

/** Pieces that end with a word where they can, and never within a character. */
export function* pieces(text: string): Generator<string, void> {
  for (let from = 0; from < text.length; ) {
    const to = endOfPiece(text, from)
    yield text.slice(from, to)
    from = to
  }
}

function endOfPiece(text: string, from: number): number {
  const most = from + pieceLength
  if (most >= text.length) return text.length
  const space = text.slice(from, most).lastIndexOf(" ")
  if (space > 0) return from + space + 1
  const code = text.charCodeAt(most - 1)
  const splitsPair = code >= 0xd800 && code <= 0xdbff
  return splitsPair ? most - 1 : most
}
