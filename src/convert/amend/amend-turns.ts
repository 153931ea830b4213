// Whose turn it is, and how many calls one turn may have: for templates and APIs that take less than is usual.
import type { ChatAssistantMessage, ChatMessage } from "../../protocol/chat/chat.ts"
import { changed } from "../../protocol/fault.ts"
import { between } from "../common/between.ts"
import type { Conversion } from "../request/request.ts"
import { type Amended, withMessages } from "./amend-messages.ts"

const opening: ChatMessage = { role: "user", content: "..." }

/** A user's turn before all others: histories that were cut, or that begin with a greeting, have none there. */
export function withOpening(conversion: Conversion): Amended | undefined {
  const { messages } = conversion.body
  const first = messages.findIndex(({ role }) => role !== "system" && role !== "developer")
  const at = first < 0 ? messages.length : first
  if (messages[at]?.role === "user") return undefined
  const opened = [...messages.slice(0, at), opening, ...messages.slice(at)]
  const note = changed("messages", "a user's turn before the assistant's first one: wanted here")
  return withMessages(conversion, opened, undefined, note)
}

/** An assistant's turn between the results of its calls and what the user says. */
export function withTurnsBetween(conversion: Conversion): Amended | undefined {
  const { messages } = conversion.body
  const parted = messages.flatMap((message, index) =>
    message.role === "user" && messages[index - 1]?.role === "tool" ? [between, message] : [message],
  )
  const note = changed("messages", "an assistant's turn between results and the user's words: wanted here")
  return withMessages(conversion, parted, undefined, note)
}

/** Calls that were made together, one after the other: each with its own result. */
export function withSingleCalls(conversion: Conversion): Amended | undefined {
  const { messages } = conversion.body
  const out: ChatMessage[] = []
  for (let at = 0; at < messages.length; at += 1) {
    const message = messages[at]
    if (message === undefined) continue
    if (message.role !== "assistant" || (message.tool_calls?.length ?? 0) < 2) {
      out.push(message)
      continue
    }
    const next = messages.findIndex((one, index) => index > at && one.role !== "tool")
    const results = messages.slice(at + 1, next < 0 ? messages.length : next)
    for (const part of parted(message, results)) out.push(part)
    at += results.length
  }
  const note = changed("messages", "calls one after the other: only one at a time is taken here")
  return withMessages(conversion, out, undefined, note)
}

/** Results of no call here stay where they were: behind the last one. */
function parted(message: ChatAssistantMessage, results: readonly ChatMessage[]): readonly ChatMessage[] {
  const calls = message.tool_calls ?? []
  const isOf = (result: ChatMessage, id: string): boolean =>
    result.role === "tool" && result.tool_call_id === id
  const turns = calls.flatMap((call, index): readonly ChatMessage[] => [
    index === 0
      ? { ...message, tool_calls: [call] }
      : { role: "assistant", content: null, tool_calls: [call] },
    ...results.filter((result) => isOf(result, call.id)),
  ])
  const others = results.filter((result) => !calls.some((call) => isOf(result, call.id)))
  return [...turns, ...others]
}
