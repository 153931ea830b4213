// The reader of whatever dialect the upstream answers in. It is asked in one, but relays are known to answer a
// Responses request in Chat's words.
import type { StreamInput } from "../../protocol/chat.ts"
import { isObject } from "../../protocol/json.ts"
import type { Delta } from "../delta.ts"
import { readChat } from "./chat-stream.ts"
import { initialReader } from "./reader.ts"
import type { ReaderOptions, ReaderState } from "./reader-text.ts"
import { readReply } from "./reply.ts"
import type { ResponsesState } from "./responses-queue.ts"
import { initialResponses, readResponses, readResponsesReply } from "./responses-stream.ts"

export type DialectState =
  | { readonly dialect: "chat"; readonly state: ReaderState }
  | { readonly dialect: "responses"; readonly state: ResponsesState }

export function initialDialect(options: ReaderOptions): DialectState {
  if (options.profile.dialect !== "responses") return { dialect: "chat", state: initialReader(options) }
  return { dialect: "responses", state: initialResponses(options) }
}

/** What is common to the readers of all dialects: how far the reply is. */
export function readerOf(reader: DialectState): ReaderState {
  return reader.dialect === "chat" ? reader.state : reader.state.reader
}

/** One input in; the next state and what it means out. */
export function readDialect(
  reader: DialectState,
  input: StreamInput,
): readonly [DialectState, readonly Delta[]] {
  if (
    reader.dialect === "responses" &&
    input.kind !== "run" &&
    !(input.kind === "chunk" && isChat(input.chunk))
  ) {
    const [state, deltas] = readResponses(reader.state, input)
    return [{ dialect: "responses", state }, deltas]
  }
  const before = readerOf(reader)
  const [state, deltas] = readChat(before, input)
  const isSame = reader.dialect === "chat" && state === before
  return [isSame ? reader : { dialect: "chat", state }, deltas]
}

/** A whole reply, in one step. */
export function readWhole(reply: unknown, options: ReaderOptions): readonly Delta[] {
  const asked = options.profile.dialect
  return asked === "responses" && !isChat(reply)
    ? readResponsesReply(options, reply)
    : readReply(reply, options)
}

const isChat = (value: unknown): boolean => isObject(value) && Array.isArray(value["choices"])
