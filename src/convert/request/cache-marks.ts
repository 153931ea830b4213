// Marks for providers with an explicit prefix cache: where Anthropic's own clients put them, at the end of the
// system prompt and of the last two turns (OpenRouter's and DashScope's documents on prompt caching).
import type { ChatMessage, ChatPart } from "../../protocol/chat.ts"

const mark = { cache_control: { type: "ephemeral" } } as const

/** The messages with at most three marks, on text parts. */
export function markCache(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const system = messages.findIndex(({ role }) => role === "system" || role === "developer")
  const turns = messages.flatMap(({ role }, index) => (role === "user" || role === "tool" ? [index] : []))
  const places = new Set([system, ...turns.slice(-2)])
  return messages.map((message, index) => (places.has(index) ? markMessage(message) : message))
}

function markMessage(message: ChatMessage): ChatMessage {
  if (message.role === "assistant") return message
  const { content } = message
  const parts: readonly ChatPart[] = typeof content === "string" ? [{ type: "text", text: content }] : content
  const at = parts.findLastIndex(({ type }) => type === "text")
  const part = parts[at]
  return part?.type === "text" ? { ...message, content: parts.with(at, { ...part, ...mark }) } : message
}
