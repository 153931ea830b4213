// A conversation in turns, in the order any dialect wants it: the user's and the assistant's in turn, nobody
// twice in a row, system messages where the provider takes them.
import type { ContentBlock } from "../../protocol/blocks.ts"
import { dropped, type Note } from "../../protocol/fault.ts"
import type { Message } from "../../protocol/messages.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import {
  type AssistantTurn,
  type MessageOptions,
  type Placed,
  readAssistant,
  saysSomething,
} from "./assistant.ts"
import { type Converted, convertPart } from "./content.ts"
import { joinSystem, reminder } from "./system.ts"
import { isToolChange } from "./tool-changes.ts"
import type { Item } from "./user.ts"

/** What one side says before the other answers. */
export type Turn =
  | { readonly role: "assistant"; readonly turns: readonly AssistantTurn[] }
  | { readonly role: "user"; readonly items: readonly Item[] }
  | { readonly role: "system"; readonly text: string }

export interface Conversation {
  readonly turns: readonly Turn[]
  /** System texts of the conversation that belong to the system prompt here. */
  readonly hoisted: readonly string[]
  /** The last message is the assistant's: the beginning of the answer. */
  readonly isBegun: boolean
  readonly notes: readonly Note[]
}

/** The messages as turns, with notes on what had to be left out. */
export function readConversation(messages: readonly Message[], options: MessageOptions): Conversation {
  const { midSystem } = options.profile
  const notes: Note[] = []
  const placed = dropCleared(messages)
  const read = placed.flatMap((one) => readTurns(one, options, notes))
  const hoisted = read.flatMap((turn) => (turn.role === "system" && midSystem === "hoist" ? [turn.text] : []))
  const turns = joinTurns(
    read.filter((turn) => turn.role !== "system" || midSystem === "inline"),
    notes,
  )
  return { turns, hoisted, isBegun: placed.at(-1)?.message.role === "assistant", notes }
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
    const thoughts = turn.turns.filter(({ said }) =>
      said.some((piece) => piece.kind === "thinking" && piece.block.thinking !== ""),
    )
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
