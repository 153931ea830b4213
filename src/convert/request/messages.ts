// The conversation, in the order Chat Completions wants it: results directly after their calls, the user's
// words after the results, no two turns of one role in a row, no call without a result.
import type { ContentBlock } from "../../protocol/blocks.ts"
import type { ChatMessage } from "../../protocol/chat.ts"
import { dropped, type Note } from "../../protocol/fault.ts"
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
import { type Converted, convertPart } from "./content.ts"
import { joinSystem, reminder } from "./system.ts"
import { isToolChange } from "./tool-changes.ts"
import { convertUser, type Item, stubResults } from "./user.ts"

/** What one side says before the other answers. */
type Turn =
  | { readonly role: "assistant"; readonly turns: readonly AssistantTurn[] }
  | { readonly role: "user"; readonly items: readonly Item[] }
  | { readonly role: "system"; readonly text: string }

export interface ConvertedMessages extends Converted<readonly ChatMessage[]> {
  /** System texts of the conversation that belong to the system prompt here. */
  readonly hoisted: readonly string[]
}

/** All messages, system prompt excepted. Never empty: an endpoint needs at least one message. */
export function convertMessages(messages: readonly Message[], options: MessageOptions): ConvertedMessages {
  const { profile } = options
  const notes: Note[] = []
  const placed = dropCleared(messages)
  const turns = placed.flatMap((one) => readTurns(one, options, notes))
  const hoisted = turns.flatMap((turn) =>
    turn.role === "system" && profile.midSystem === "hoist" ? [turn.text] : [],
  )
  const spoken = joinTurns(
    turns.filter((turn) => turn.role !== "system" || profile.midSystem === "inline"),
    notes,
  )
  const out = [...renderTurns(spoken, options, notes)]
  // The user's last turn may be empty (an empty text, an effort without words); an assistant's turn at the
  // end would then be taken for the beginning of the answer.
  const last = out.at(-1)
  const isEmptied = last?.role === "assistant" && placed.at(-1)?.message.role !== "assistant"
  if (last === undefined || isEmptied) out.push({ role: "user", content: "..." })
  if (profile.userFirst && out[0]?.role !== "user") out.unshift({ role: "user", content: "(continued)" })
  return { value: out, notes, hoisted }
}

function renderTurns(turns: readonly Turn[], options: MessageOptions, notes: Note[]): readonly ChatMessage[] {
  const { profile } = options
  const out: ChatMessage[] = []
  const used = new Set<string>()
  let pending: readonly PendingCall[] = []
  // Nothing may stand between calls and their results: a system message there waits for them.
  let waiting: readonly ChatMessage[] = []
  for (const turn of turns) {
    if (turn.role === "user") {
      out.push(...convertUser(turn.items, pending, profile, notes), ...waiting)
      pending = []
      waiting = []
    } else if (turn.role === "system") {
      const message = { role: profile.systemRole, content: turn.text }
      if (pending.length > 0) waiting = [...waiting, message]
      else out.push(message)
    } else {
      out.push(...stubResults(pending, profile), ...waiting)
      const { message, pending: calls } = renderAssistant(turn.turns, options, used)
      out.push(message)
      pending = calls
      waiting = []
    }
  }
  return [...out, ...stubResults(pending, profile), ...waiting]
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

function readTurns(placed: Placed, options: MessageOptions, notes: Note[]): readonly Turn[] {
  const { profile } = options
  if (placed.message.role === "assistant") {
    const [rest, items] = takeSummaries(placed, profile)
    const { notes: lost, ...turn } = readAssistant(rest, options)
    notes.push(...lost)
    return [
      { role: "user", items },
      { role: "assistant", turns: [turn] },
    ]
  }
  if (placed.message.role !== "user") return readSystem(placed, profile, notes)
  const read = readUser(placed, profile)
  notes.push(...read.notes)
  return [{ role: "user", items: read.value }]
}

function readSystem({ message, path }: Placed, profile: ProviderProfile, notes: Note[]): readonly Turn[] {
  const text = joinSystem(message.content.flatMap((block) => (block.type === "text" ? [block.text] : [])))
  const unread = message.content.flatMap((block, index) => {
    if (block.type === "text" || (block.type === "other" && isToolChange(block.original))) return []
    const type = block.type === "other" ? String(block.original["type"]) : block.type
    return [dropped(`${path}.content.${index}`, `a ${type} block in a system message is not understood`)]
  })
  notes.push(...unread)
  if (text === undefined) return []
  if (profile.midSystem !== "user") return [{ role: "system", text }]
  return [{ role: "user", items: [{ kind: "words", parts: [{ type: "text", text: reminder(text) }] }] }]
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
    if (turn.role !== "assistant" || turn.turns.some(saysSomething)) return true
    const thoughts = turn.turns.filter(({ thoughts }) => thoughts.text !== "")
    notes.push(...thoughts.map(({ path }) => dropped(path, "reasoning alone is no message")))
    return false
  })
  return joinNeighbours(spoken)
}

function joinNeighbours(turns: readonly Turn[]): readonly Turn[] {
  const out: (
    | { role: "assistant"; turns: AssistantTurn[] }
    | { role: "user"; items: Item[] }
    | { role: "system"; text: string }
  )[] = []
  for (const turn of turns) {
    const last = out.at(-1)
    if (turn.role === "system") out.push({ ...turn })
    else if (turn.role === "assistant") {
      if (last?.role === "assistant") last.turns.push(...turn.turns)
      else out.push({ role: "assistant", turns: [...turn.turns] })
    } else if (turn.items.length > 0) {
      if (last?.role === "user") last.items.push(...turn.items)
      else out.push({ role: "user", items: [...turn.items] })
    }
  }
  return out
}
