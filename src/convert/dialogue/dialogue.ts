// The conversation in the form of the dialect at hand.
import type { ChatMessage } from "../../protocol/chat/chat.ts"
import type { ResponsesItem } from "../../protocol/chat/responses.ts"
import { joinNotes, type Note } from "../../protocol/fault.ts"
import type { Message } from "../../protocol/messages/messages.ts"
import type { MessageOptions } from "./assistant.ts"
import { convertMessages } from "./messages.ts"
import { convertPrefill, type Prefill } from "./prefill.ts"
import { convertItems } from "./responses-items.ts"

export interface Dialogue {
  readonly messages: readonly ChatMessage[]
  /** In place of messages, where the Responses API is spoken. */
  readonly input: readonly ResponsesItem[] | undefined
  /** System texts of the conversation that belong to the system prompt here. */
  readonly hoisted: readonly string[]
  readonly fields: Prefill["fields"]
  /** What the model may begin its answer with once more, and the client has already. */
  readonly repeats: string
  readonly notes: readonly Note[]
}

/** All messages, system prompt excepted. */
export function convertDialogue(given: readonly Message[], options: MessageOptions): Dialogue {
  const { profile } = options
  if (profile.dialect === "responses") {
    const { value: input, hoisted, repeats, notes } = convertItems(given, options)
    return { messages: [], input, hoisted, fields: {}, repeats, notes }
  }
  const { value, hoisted, notes } = convertMessages(given, options)
  const { messages, fields, repeats, notes: told } = convertPrefill(value, profile)
  return { messages, input: undefined, hoisted, fields, repeats, notes: joinNotes(notes, told) }
}
