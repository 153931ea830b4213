// The conversation, in the order Chat Completions wants it: results directly after their calls, the user's
// words after the results, no two turns of one role in a row, no call without a result.
import type { ContentBlock } from "../protocol/blocks.ts"
import type { ChatMessage, ChatPart, ChatToolCall, ChatToolMessage } from "../protocol/chat.ts"
import { dropped, type Note } from "../protocol/fault.ts"
import type { Message } from "../protocol/messages.ts"
import type { ProviderProfile } from "../providers/profile.ts"
import { convertAssistant, type MessageOptions, type Placed } from "./assistant.ts"
import { type Converted, convertParts, joinParts } from "./content.ts"
import { mapToolId } from "./names.ts"
import { joinSystem, reminder } from "./system.ts"

interface Group {
  readonly assistant: boolean
  readonly messages: readonly Placed[]
}

interface ToolResult {
  readonly block: Extract<ContentBlock, { type: "tool_result" }>
  readonly path: string
}

/** All messages, system prompt excepted. Never empty: an endpoint needs at least one message. */
export function convertMessages(
  messages: readonly Message[],
  options: MessageOptions,
): Converted<readonly ChatMessage[]> {
  const out: ChatMessage[] = []
  const notes: Note[] = []
  let pending: readonly ChatToolCall[] = []
  for (const group of groupMessages(dropCleared(messages))) {
    const converted = group.assistant
      ? convertAssistant(group.messages, options)
      : convertUser(group.messages, pending, options)
    out.push(...converted.value)
    notes.push(...converted.notes)
    const last = converted.value.at(-1)
    pending = group.assistant && last?.role === "assistant" ? (last.tool_calls ?? []) : []
  }
  out.push(...pending.map((call) => stubResult(call)))
  const empty = !out.some((message) => message.role !== "system")
  return { value: empty ? [...out, { role: "user", content: "..." }] : out, notes }
}

/** System text marked `clear_at: "next_user_message"` is for one turn only (wire.md §11.3). */
function dropCleared(messages: readonly Message[]): readonly Placed[] {
  const lastUser = messages.findLastIndex((message) => message.role === "user")
  return messages
    .map((message, index) => ({ message, path: `messages.${index}`, index }))
    .filter(({ message, index }) => !(message.clear_at === "next_user_message" && index < lastUser))
}

function groupMessages(messages: readonly Placed[]): readonly Group[] {
  const groups: { assistant: boolean; messages: Placed[] }[] = []
  for (const placed of messages) {
    const assistant = placed.message.role === "assistant"
    const group = groups.at(-1)
    if (group !== undefined && group.assistant === assistant) group.messages.push(placed)
    else groups.push({ assistant, messages: [placed] })
  }
  return groups
}

interface UserTurn {
  readonly results: Map<string, ToolResult>
  readonly words: ChatPart[]
  readonly notes: Note[]
}

/** One turn of the user: results in the order of their calls, then what the results carried, then the words. */
function convertUser(
  messages: readonly Placed[],
  pending: readonly ChatToolCall[],
  options: MessageOptions,
): Converted<readonly ChatMessage[]> {
  const { profile } = options
  const turn: UserTurn = { results: new Map(), words: [], notes: [] }
  for (const placed of messages) {
    if (placed.message.role === "user") readUser(placed, pending, profile, turn)
    else readSystem(placed.message, turn)
  }
  const answers = pending.map((call) => {
    const result = turn.results.get(call.id)
    return result === undefined
      ? { message: stubResult(call), lifted: [], notes: [] }
      : convertResult(call, result, profile)
  })
  const results = answers.map((answer) => answer.message)
  const parts = [...answers.flatMap((answer) => answer.lifted), ...turn.words]
  const notes = [...answers.flatMap((answer) => answer.notes), ...turn.notes]
  if (parts.length === 0) return { value: results, notes }
  return { value: [...results, { role: "user", content: joinParts(parts) }], notes }
}

function readSystem(message: Message, turn: UserTurn): void {
  const text = joinSystem(message.content.flatMap((block) => (block.type === "text" ? [block.text] : [])))
  if (text !== undefined) turn.words.push({ type: "text", text: reminder(text) })
}

function readUser(
  { message, path }: Placed,
  pending: readonly ChatToolCall[],
  profile: ProviderProfile,
  { results, words, notes }: UserTurn,
): void {
  for (const [index, block] of message.content.entries()) {
    const place = `${path}.content.${index}`
    if (block.type === "tool_result" && claims(block, pending, results, profile)) {
      results.set(mapToolId(block.tool_use_id, profile.toolIdMaxLength), { block, path: place })
      continue
    }
    if (block.type === "tool_result") {
      words.push({ type: "text", text: `[tool result ${block.tool_use_id}]` })
      notes.push(dropped(place, "no tool call before it has this id; its content is sent as text"))
    }
    const parts = convertParts([block], profile, `${path}.content`)
    words.push(...parts.value)
    notes.push(...parts.notes)
  }
}

/** Is this the first result of a call that waits for one? */
function claims(
  block: ToolResult["block"],
  pending: readonly ChatToolCall[],
  results: ReadonlyMap<string, ToolResult>,
  profile: ProviderProfile,
): boolean {
  const id = mapToolId(block.tool_use_id, profile.toolIdMaxLength)
  return pending.some((call) => call.id === id) && !results.has(id)
}

function convertResult(
  call: ChatToolCall,
  { block, path }: ToolResult,
  profile: ProviderProfile,
): { message: ChatToolMessage; lifted: readonly ChatPart[]; notes: readonly Note[] } {
  const parts = convertParts(block.content, profile, `${path}.content`)
  const texts = parts.value.flatMap((part) => (part.type === "text" ? [part.text] : []))
  const media = parts.value.filter((part) => part.type !== "text")
  const said = texts.join("\n")
  const content = said !== "" ? said : media.length > 0 ? "(see attached image)" : "(no output)"
  const lead = `Attached from the result of ${call.function.name}:`
  return {
    message: { role: "tool", tool_call_id: call.id, content: block.is_error ? markError(content) : content },
    lifted: media.length === 0 ? [] : [{ type: "text", text: lead }, ...media],
    notes: parts.notes,
  }
}

/** Chat Completions has no error flag: the text must say it, unless it does already. */
function markError(content: string): string {
  return /^\s*(error|<tool_use_error>|exit code)/i.test(content) ? content : `Error: ${content}`
}

function stubResult(call: ChatToolCall): ChatToolMessage {
  return { role: "tool", tool_call_id: call.id, content: "[no result: the tool call was interrupted]" }
}
