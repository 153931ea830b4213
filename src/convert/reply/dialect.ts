// The reader of whatever dialect the upstream answers in. It is asked in one, but relays are known to answer a
// Responses request in Chat's words.
import type { StreamInput } from "../../protocol/chat/chat.ts"
import { isObject } from "../../protocol/json.ts"
import type { Delta } from "../common/delta.ts"
import { readChat } from "../reader/chat-stream.ts"
import { initialReader } from "../reader/reader.ts"
import type { ReaderOptions, ReaderState } from "../reader/reader-text.ts"
import type { ResponsesState } from "../reader/responses-queue.ts"
import { initialResponses, readResponses, readResponsesReply } from "../reader/responses-stream.ts"
import { readReply } from "./reply.ts"

/** A reply as far as it was read. It changes in place. */
export interface DialectState {
  /** What is common to the readers of all dialects: how far the reply is. */
  readonly reader: ReaderState
  /** Undefined: it speaks Chat. */
  responses: ResponsesState | undefined
}

export function initialDialect(options: ReaderOptions): DialectState {
  if (options.profile.dialect !== "responses") return { reader: initialReader(options), responses: undefined }
  const responses = initialResponses(options)
  return { reader: responses.reader, responses }
}

/** One input in, which changes the state; what it means out. */
export function readDialect(state: DialectState, input: StreamInput): readonly Delta[] {
  const { reader, responses } = state
  if (responses === undefined) return readChat(reader, input)
  if (input.kind === "run" || (input.kind === "chunk" && isChat(input.chunk))) {
    state.responses = undefined
    return readChat(reader, input)
  }
  const [next, deltas] = readResponses(responses, input)
  state.responses = next
  return deltas
}

/** A whole reply, in one step. */
export function readWhole(reply: unknown, options: ReaderOptions): readonly Delta[] {
  const asked = options.profile.dialect
  return asked === "responses" && !isChat(reply)
    ? readResponsesReply(options, reply)
    : readReply(reply, options)
}

const isChat = (value: unknown): boolean => isObject(value) && Array.isArray(value["choices"])
