// A request that ends with the beginning of the assistant's own answer: Chat Completions has no such thing, but
// some providers have a word for it, and any model can be asked to go on.
import type { ChatMessage, ChatRequest } from "../../protocol/chat/chat.ts"
import { changed, type Note, noNotes } from "../../protocol/fault.ts"
import type { ProviderProfile } from "../../providers/profile.ts"

export interface Prefill {
  readonly messages: readonly ChatMessage[]
  readonly fields: Pick<ChatRequest, "continue_final_message" | "add_generation_prompt">
  /** What the model may begin its answer with once more, and the client has already. */
  readonly repeats: string
  readonly notes: readonly Note[]
}

/** What the model is told where the beginning of its answer cannot be sent. */
export const goOn =
  "Continue your last message exactly where it ends. Do not repeat any of it, and do not comment on it."

/** That it is told so. */
export const cannotBegin: Note = changed(
  "messages",
  "the beginning of an answer cannot be sent here: the model is asked to go on from it",
)

const noFields: Prefill["fields"] = Object.freeze({})

/** The messages, with the last one as the provider wants a beginning to be sent. */
export function convertPrefill(messages: readonly ChatMessage[], profile: ProviderProfile): Prefill {
  const last = messages.at(-1)
  const nothing: Prefill = { messages, fields: noFields, repeats: "", notes: noNotes }
  if (last?.role !== "assistant" || typeof last.content !== "string" || last.tool_calls !== undefined)
    return nothing
  const content = last.content.trimEnd()
  if (content === "") return nothing
  const trimmed = { ...last, content }
  switch (profile.prefill) {
    case "assistant":
      return { ...nothing, messages: messages.with(-1, trimmed) }
    case "prefix":
      return { ...nothing, messages: messages.with(-1, { ...trimmed, prefix: true }), repeats: content }
    case "partial":
      return { ...nothing, messages: messages.with(-1, { ...trimmed, partial: true }) }
    case "continue-final":
      return {
        ...nothing,
        messages: messages.with(-1, trimmed),
        fields: { continue_final_message: true, add_generation_prompt: false },
      }
    case "instruction":
      return {
        ...nothing,
        messages: [...messages.slice(0, -1), trimmed, { role: "user", content: goOn }],
        repeats: content,
        notes: [cannotBegin],
      }
    default:
      return profile.prefill satisfies never
  }
}
