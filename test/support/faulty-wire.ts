// A healthy reply of an upstream in the pieces at which it may break, for each dialect, whole and streamed.
import type { JsonObject } from "../../src/protocol/json.ts"
import { nativeEvent, nativeEvents } from "./anthropic-upstream.ts"
import { chatReply, finishChunk, roleChunk, textChunk, usageChunk } from "./chunks.ts"

export type DialectName = "chat" | "native"

/** What the pieces of a reply are made of. */
export interface Wire {
  readonly dialect: DialectName
  readonly stream: boolean
  readonly type: string
  /** Nothing of the answer is in it. */
  readonly begin: string
  /** The first words of the answer; of a document a part of its JSON. */
  readonly words: string
  readonly rest: string
  /** An error where a reply, or a part of one, is expected. */
  readonly error: (message: string) => string
}

export const halfSaid = "Half an "
export const allSaid = "Half an answer."

/** The pieces of a reply that says `text`, of which `half` comes first. */
export function wireOf(dialect: DialectName, stream: boolean, [half, text] = [halfSaid, allSaid]): Wire {
  const type = stream ? "text/event-stream" : "application/json"
  const pieces = stream ? events(dialect, half, text.slice(half.length)) : document(dialect, text)
  const error = (message: string) => {
    const json = JSON.stringify(errorOf(dialect, message))
    if (!stream) return json
    return dialect === "native" ? `event: error\ndata: ${json}\n\n` : `data: ${json}\n\n`
  }
  return { dialect, stream, type, error, ...pieces }
}

export const wholeOf = ({ begin, words, rest }: Wire): string => begin + words + rest

function errorOf(dialect: DialectName, message: string): JsonObject {
  return dialect === "native"
    ? { type: "error", error: { type: "overloaded_error", message } }
    : { error: { message, type: "server_error", code: 503 } }
}

type Pieces = Pick<Wire, "begin" | "words" | "rest">

function events(dialect: DialectName, half: string, rest: string): Pieces {
  const data = (...chunks: readonly JsonObject[]) =>
    chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")
  if (dialect === "chat")
    return {
      begin: data(roleChunk()),
      words: data(textChunk(half)),
      rest: `${data(textChunk(rest), finishChunk("stop"), usageChunk(12, 5))}data: [DONE]\n\n`,
    }
  const all = nativeEvents(half).map((event) => nativeEvent(event))
  const more = nativeEvent({
    type: "content_block_delta",
    index: 0,
    delta: { type: "text_delta", text: rest },
  })
  return {
    begin: all.slice(0, 1).join(""),
    words: all.slice(1, 4).join(""),
    rest: more + all.slice(4).join(""),
  }
}

/** The words end within the JSON string that holds them. */
function document(dialect: DialectName, text: string): Pieces {
  const json = JSON.stringify(dialect === "chat" ? chatReply({ content: text }) : message(text))
  const at = json.indexOf(text) + 4
  return { begin: json.slice(0, 10), words: json.slice(10, at), rest: json.slice(at) }
}

const message = (text: string): JsonObject => ({
  ...{ id: "msg_native", type: "message", role: "assistant", model: "u-native" },
  content: [{ type: "text", text }],
  ...{ stop_reason: "end_turn", stop_sequence: null },
  usage: { input_tokens: 12, cache_creation_input_tokens: 3, cache_read_input_tokens: 40, output_tokens: 25 },
})
