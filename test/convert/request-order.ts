// The rules Chat Completions has for the order of messages, as the strictest servers apply them.
import type { ChatMessage, ChatRequest } from "../../src/protocol/chat/chat.ts"

/** Everything that a strict server would refuse in these messages; empty when there is nothing. */
export function orderProblems({ messages }: ChatRequest): readonly string[] {
  const problems: string[] = []
  let waiting: readonly string[] = []
  for (const [index, message] of messages.entries()) {
    const before = index === 0 ? undefined : messages[index - 1]
    const say = (what: string) => problems.push(`${index} (${message.role}): ${what}`)
    if (message.role === "tool") {
      if (waiting[0] !== message.tool_call_id) say(`answers ${message.tool_call_id}, not ${waiting[0]}`)
      waiting = waiting.slice(1)
      if (message.content === "") say("is empty")
      continue
    }
    if (waiting.length > 0) say(`calls ${waiting.join()} are not answered`)
    waiting = message.role === "assistant" ? (message.tool_calls ?? []).map(({ id }) => id) : []
    if (new Set(waiting).size !== waiting.length) say("two calls have one id")
    if ((message.role === "system" || message.role === "developer") && index > 0) say("is not the first")
    if (message.role === before?.role) say("follows its like")
    if (isEmpty(message)) say("is empty")
  }
  if (waiting.length > 0) problems.push(`at the end: calls ${waiting.join()} are not answered`)
  if (!messages.some(({ role }) => role === "user" || role === "assistant")) problems.push("nobody speaks")
  return problems
}

function isEmpty(message: ChatMessage): boolean {
  if (message.role === "assistant") {
    if (message.tool_calls?.length === 0) return true
    return message.tool_calls === undefined && (message.content === null || message.content.length === 0)
  }
  return typeof message.content === "string" ? message.content.trim() === "" : message.content.length === 0
}
