// Marks for providers with an explicit prefix cache: where Anthropic's own clients put them, at the end of the
// system prompt and of the last two turns (OpenRouter's and DashScope's documents on prompt caching).
import type { ChatMessage, ChatPart } from "../../protocol/chat/chat.ts"
import type { CacheMarks } from "../../protocol/messages/messages.ts"

const mark = { cache_control: { type: "ephemeral" } } as const

/** The messages with at most three marks, on text parts; of `"prefix"` only the system prompt is marked. */
export function markCache(messages: readonly ChatMessage[], which: CacheMarks): readonly ChatMessage[] {
  const system = messages.findIndex(({ role }) => role === "system" || role === "developer")
  // The end of the turn before is where the last request ended: what was kept of that is found there, however many
  // results this turn has.
  const turns =
    which === "all" ? messages.flatMap((_, index) => (endsTurn(messages, index) ? [index] : [])) : []
  const places = new Set([system, ...turns.slice(-2)])
  return messages.map((message, index) => (places.has(index) ? markMessage(message) : message))
}

function endsTurn(messages: readonly ChatMessage[], index: number): boolean {
  return isUsers(messages[index]) && !isUsers(messages[index + 1])
}

const isUsers = (message: ChatMessage | undefined): boolean =>
  message?.role === "user" || message?.role === "tool"

function markMessage(message: ChatMessage): ChatMessage {
  if (message.role === "assistant") return message
  const { content } = message
  const parts: readonly ChatPart[] = typeof content === "string" ? [{ type: "text", text: content }] : content
  const at = parts.findLastIndex(({ type }) => type === "text")
  const part = parts[at]
  return part?.type === "text" ? { ...message, content: parts.with(at, { ...part, ...mark }) } : message
}
