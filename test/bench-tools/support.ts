// Right replies to spoil, as bodies without HTTP's framing.
import { writesOf } from "../bench/speed/chat-wire.ts"
import { createReplyReader } from "../bench/speed/reply-reader.ts"
import { conclusion, piecesOf, toolId, toolName } from "../bench/speed/reply-text.ts"
import type { Reply, Voice } from "../bench/speed/work.ts"

/** What the upstream sends, read as a client reads it. */
export function chatBody(reply: Reply): string {
  const reader = createReplyReader()
  for (const bytes of writesOf(reply) ?? []) reader.push(bytes)
  return reader.body().toString()
}

const event = (data: { readonly type: string }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

interface Block {
  readonly start: object
  readonly deltas: readonly object[]
}

function blocksOf(voice: Voice, chunks: number): readonly Block[] {
  const pieces = piecesOf(voice, chunks)
  const text = (words: readonly string[]): Block => ({
    start: { type: "text", text: "" },
    deltas: words.map((word) => ({ type: "text_delta", text: word })),
  })
  switch (voice) {
    case "text":
      return [text(pieces)]
    case "reasoning":
      return [
        {
          start: { type: "thinking", thinking: "", signature: "" },
          deltas: pieces.map((thinking) => ({ type: "thinking_delta", thinking })),
        },
        text([conclusion]),
      ]
    case "tool":
      return [
        {
          start: { type: "tool_use", id: toolId, name: toolName, input: {} },
          deltas: pieces.map((partial_json) => ({ type: "input_json_delta", partial_json })),
        },
      ]
    default:
      return voice satisfies never
  }
}

/** The events that a converted stream has, as text, one string each. */
export function messagesEvents(voice: Voice, chunks: number, id = "msg_1"): readonly string[] {
  const usage = { input_tokens: 1, output_tokens: 1 }
  const message = {
    ...{ id, type: "message", role: "assistant", model: "m", content: [] },
    ...{ stop_reason: null, stop_sequence: null, usage },
  }
  const blocks = blocksOf(voice, chunks).flatMap(({ start, deltas }, index) => [
    { type: "content_block_start", index, content_block: start },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ])
  const delta = { stop_reason: voice === "tool" ? "tool_use" : "end_turn", stop_sequence: null }
  const all = [
    { type: "message_start", message },
    ...blocks,
    { type: "message_delta", delta, usage },
    { type: "message_stop" },
  ]
  return all.map(event)
}
