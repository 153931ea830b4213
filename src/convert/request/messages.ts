// The conversation, in the order Chat Completions wants it: results directly after their calls, the user's
// words after the results, no two turns of one role in a row, no call without a result.
import type { ContentBlock } from "../../protocol/blocks.ts"
import type { ChatMessage, ChatPart, ChatToolMessage } from "../../protocol/chat.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import type { Message } from "../../protocol/messages.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import {
  type AssistantTurn,
  type MessageOptions,
  type PendingCall,
  type Placed,
  readAssistant,
  renderAssistant,
  saysSomething,
} from "./assistant.ts"
import { type Converted, convertPart, convertParts, joinParts } from "./content.ts"
import { joinSystem, reminder } from "./system.ts"
import { isToolChange } from "./tool-changes.ts"

/** What a user's turn is made of, before it is known which calls wait for a result. */
type Item =
  | {
      readonly kind: "result"
      readonly block: Extract<ContentBlock, { type: "tool_result" }>
      readonly path: string
    }
  | { readonly kind: "words"; readonly parts: readonly ChatPart[] }

/** What one side says before the other answers. */
type Turn =
  | { readonly role: "assistant"; readonly turns: readonly AssistantTurn[] }
  | { readonly role: "user"; readonly items: readonly Item[] }

/** All messages, system prompt excepted. Never empty: an endpoint needs at least one message. */
export function convertMessages(
  messages: readonly Message[],
  options: MessageOptions,
): Converted<readonly ChatMessage[]> {
  const notes: Note[] = []
  const placed = dropCleared(messages)
  const turns = placed.flatMap((one) => readTurns(one, options.profile, notes))
  const out: ChatMessage[] = []
  let pending: readonly PendingCall[] = []
  for (const turn of joinTurns(turns, notes)) {
    if (turn.role === "user") {
      out.push(...convertUser(turn.items, pending, options.profile, notes))
      pending = []
    } else {
      const { message, pending: calls } = renderAssistant(turn.turns, options)
      out.push(message)
      pending = calls
    }
  }
  out.push(...pending.map(stubResult))
  // The user's last turn may be empty (an empty text, an effort without words); an assistant's turn at the
  // end would then be taken for the beginning of the answer.
  const last = out.at(-1)
  const isEmptied = last?.role === "assistant" && placed.at(-1)?.message.role !== "assistant"
  if (last === undefined || isEmptied) out.push({ role: "user", content: "..." })
  return { value: out, notes }
}

/** System text marked `clear_at: "next_user_message"` is for one turn only. */
function dropCleared(messages: readonly Message[]): readonly Placed[] {
  const lastUser = messages.findLastIndex((message) => message.role === "user")
  return messages
    .map((message, index) => ({ message, path: `messages.${index}`, index }))
    .filter(({ message, index }) => !(message.clear_at === "next_user_message" && index < lastUser))
}

/** A summary of what was compacted stands in an assistant message, but it is no answer: the user hands it over. */
function takeSummaries(
  { message, path }: Placed,
  profile: ProviderProfile,
): readonly [Placed, readonly Item[]] {
  const items: Item[] = []
  const content = message.content.map((block): ContentBlock => {
    if (block.type !== "other" || block.original["type"] !== "compaction") return block
    const parts = convertPart(block, profile, path).value
    if (parts.length > 0) items.push({ kind: "words", parts })
    return { type: "text", text: "" }
  })
  return [{ message: { ...message, content }, path }, items]
}

function readTurns(placed: Placed, profile: ProviderProfile, notes: Note[]): readonly Turn[] {
  if (placed.message.role === "assistant") {
    const [rest, items] = takeSummaries(placed, profile)
    const { notes: lost, ...turn } = readAssistant(rest)
    notes.push(...lost)
    return [
      { role: "user", items },
      { role: "assistant", turns: [turn] },
    ]
  }
  const read = placed.message.role === "user" ? readUser(placed, profile) : readSystem(placed)
  notes.push(...read.notes)
  return [{ role: "user", items: read.value }]
}

function readSystem({ message, path }: Placed): Converted<readonly Item[]> {
  const text = joinSystem(message.content.flatMap((block) => (block.type === "text" ? [block.text] : [])))
  const notes = message.content.flatMap((block, index) => {
    if (block.type === "text" || (block.type === "other" && isToolChange(block.original))) return []
    const type = block.type === "other" ? String(block.original["type"]) : block.type
    return [dropped(`${path}.content.${index}`, `a ${type} block in a system message is not understood`)]
  })
  if (text === undefined) return { value: [], notes }
  return { value: [{ kind: "words", parts: [{ type: "text", text: reminder(text) }] }], notes }
}

function readUser({ message, path }: Placed, profile: ProviderProfile): Converted<readonly Item[]> {
  const notes: Note[] = []
  const items = message.content.flatMap((block, index): readonly Item[] => {
    const place = `${path}.content.${index}`
    if (block.type === "tool_result") return [{ kind: "result", block, path: place }]
    const parts = convertPart(block, profile, place)
    notes.push(...parts.notes)
    return parts.value.length === 0 ? [] : [{ kind: "words", parts: parts.value }]
  })
  return { value: items, notes }
}

/** Turns of one role in a row together; turns that say nothing fall out, and their neighbours meet. */
function joinTurns(turns: readonly Turn[], notes: Note[]): readonly Turn[] {
  const spoken = joinNeighbours(turns).filter((turn) => {
    if (turn.role === "user" || turn.turns.some(saysSomething)) return true
    const thoughts = turn.turns.filter(({ reasoning }) => reasoning !== "")
    notes.push(...thoughts.map(({ path }) => dropped(path, "reasoning alone is no message")))
    return false
  })
  return joinNeighbours(spoken)
}

function joinNeighbours(turns: readonly Turn[]): readonly Turn[] {
  const out: ({ role: "assistant"; turns: AssistantTurn[] } | { role: "user"; items: Item[] })[] = []
  for (const turn of turns) {
    const last = out.at(-1)
    if (turn.role === "assistant") {
      if (last?.role === "assistant") last.turns.push(...turn.turns)
      else out.push({ role: "assistant", turns: [...turn.turns] })
    } else if (turn.items.length > 0) {
      if (last?.role === "user") last.items.push(...turn.items)
      else out.push({ role: "user", items: [...turn.items] })
    }
  }
  return out
}

/** One turn of the user: results in the order of their calls, then what the results carried, then the words. */
function convertUser(
  items: readonly Item[],
  pending: readonly PendingCall[],
  profile: ProviderProfile,
  notes: Note[],
): readonly ChatMessage[] {
  const answers = new Map<PendingCall, Answer>()
  const words: ChatPart[] = []
  for (const item of items) {
    if (item.kind === "words") {
      words.push(...item.parts)
      continue
    }
    const answer = readResult(item, profile)
    notes.push(...answer.notes)
    const call = pending.find((one) => one.id === item.block.tool_use_id && !answers.has(one))
    if (call !== undefined) {
      answers.set(call, answer)
      continue
    }
    notes.push(changed(item.path, "sent as the user's words: no call before it waits for this result"))
    const text = `[tool result ${item.block.tool_use_id}]\n${answer.content}`.toWellFormed()
    words.push({ type: "text", text }, ...answer.media)
  }
  const results = pending.map((call) => {
    const answer = answers.get(call)
    return answer === undefined ? stubResult(call) : toolMessage(call, answer.content)
  })
  const lifted = pending.flatMap((call) => liftMedia(call, answers.get(call)?.media ?? []))
  const parts = [...lifted, ...words]
  return parts.length === 0 ? results : [...results, { role: "user", content: joinParts(parts) }]
}

interface Answer {
  readonly content: string
  readonly media: readonly ChatPart[]
  readonly notes: readonly Note[]
}

function readResult({ block, path }: Extract<Item, { kind: "result" }>, profile: ProviderProfile): Answer {
  const parts = convertParts(block.content, profile, `${path}.content`)
  const texts = parts.value.flatMap((part) => (part.type === "text" ? [part.text] : []))
  const media = parts.value.filter((part) => part.type !== "text")
  const said = texts.join("\n")
  const attached = media.some((part) => part.type === "file") ? "(see attached file)" : "(see attached image)"
  const content = said !== "" ? said : media.length > 0 ? attached : "(no output)"
  return { content: block.is_error ? markError(content) : content, media, notes: parts.notes }
}

/** Tool messages hold text only: what else a result carried follows in the user's message. */
function liftMedia({ call }: PendingCall, media: readonly ChatPart[]): readonly ChatPart[] {
  if (media.length === 0) return []
  return [{ type: "text", text: `Attached from the result of ${call.function.name}:` }, ...media]
}

/** Chat Completions has no error flag: the text must say it, unless it does already. */
function markError(content: string): string {
  return /^\s*(error|<tool_use_error>|exit code)/i.test(content) ? content : `Error: ${content}`
}

function toolMessage({ call }: PendingCall, content: string): ChatToolMessage {
  return { role: "tool", tool_call_id: call.id, content }
}

function stubResult(call: PendingCall): ChatToolMessage {
  return toolMessage(call, "[no result: the tool call was interrupted]")
}
