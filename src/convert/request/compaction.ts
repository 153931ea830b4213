// Requests that ask for nothing but a summary of the conversation: by a field (Anthropic beta compact-2026-09-04),
// which become an ordinary turn upstream with the instruction as the user's last words and no tool to be called; or in
// Claude Code's own words.
import type { MessagesRequest } from "../../protocol/messages/messages.ts"

const instruction = `Summarise the conversation so far, so that the work can go on from your summary alone. Keep:
what the user wants, in their own words where they matter; decisions and their reasons; files, commands, names
and values that were read, written or found; errors and how they were dealt with; what is done, and what is to
be done next. Leave out pleasantries. Answer with the summary only.`

/** The request with the instruction in it, or the very same request when it asks for no summary. */
export function askForSummary(request: MessagesRequest): MessagesRequest {
  const { compaction } = request
  if (compaction?.type !== "summarize") return request
  // An empty one counts as none (Anthropic SDK 1.11, BetaCompactionConfig).
  const text = compaction.instructions?.trim() ? compaction.instructions : instruction
  const last = request.messages.at(-1)
  const words = { type: "text", text } as const
  const messages =
    last?.role === "user"
      ? request.messages.with(-1, { ...last, content: [...last.content, words] })
      : [...request.messages, { ...emptyTurn, content: [words] }]
  return withoutCalls({ ...request, messages, output_config: undefined, output_format: undefined })
}

// Claude Code's words (observed with 2.1.332), beside which it names the tag that it wants around its summary.
const asking = /\bRespond with TEXT ONLY\b|\bYour task is to create a detailed summary of /

/** Does Claude Code ask for a summary? It can do nothing with a call or with thoughts alone, and gives up after them. */
export function wantsText({ messages, tools }: MessagesRequest): boolean {
  const last = messages.at(-1)
  if (last?.role !== "user" || (tools ?? []).length === 0) return false
  const { content } = last
  return content.some(
    (block) => block.type === "text" && block.text.includes("<summary>") && asking.test(block.text),
  )
}

/** The same request, to be answered without a call. */
export function withoutCalls(request: MessagesRequest): MessagesRequest {
  return { ...request, tool_choice: { type: "none" } }
}

const emptyTurn = { role: "user", output_config: null, clear_at: null, cache_control: false } as const
