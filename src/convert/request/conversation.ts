// A conversation in turns, in the order any dialect wants it: the user's and the assistant's in turn, nobody
// twice in a row, system messages where the provider takes them.
import type { ContentBlock } from "../../protocol/content-block.ts"
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
import { convertPart } from "./content.ts"
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
  const hoisted: string[] = []
  const read: Turn[] = []
  const lastUser = messages.findLastIndex((message) => message.role === "user")
  let last: Message | undefined
  for (const [index, message] of messages.entries()) {
    // Such system text is for one turn only.
    if (message.clear_at === "next_user_message" && index < lastUser) continue
    last = message
    for (const turn of readTurns({ message, path: `messages.${index}` }, options, notes)) {
      if (turn.role !== "system" || midSystem === "inline") read.push(turn)
      else if (midSystem === "hoist") hoisted.push(turn.text)
    }
  }
  return { turns: joinTurns(read, notes), hoisted, isBegun: last?.role === "assistant", notes }
}

const isSummary = (block: ContentBlock): boolean =>
  block.type === "other" && block.original["type"] === "compaction"

/** A summary of what was compacted stands in an assistant message, but it is no answer: the user hands it over. */
function takeSummaries(placed: Placed, profile: ProviderProfile): readonly [Placed, readonly Item[]] {
  const { message, path } = placed
  if (!message.content.some(isSummary)) return [placed, []]
  const items: Item[] = []
  const content = message.content.map((block): ContentBlock => {
    if (!isSummary(block)) return block
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
    const answer: Turn = { role: "assistant", turns: [turn] }
    return items.length === 0 ? [answer] : [{ role: "user", items }, answer]
  }
  if (placed.message.role !== "user") return readSystem(placed, profile, notes)
  return [{ role: "user", items: readUser(placed, profile, notes) }]
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

function readUser({ message, path }: Placed, profile: ProviderProfile, notes: Note[]): readonly Item[] {
  const items: Item[] = []
  for (const [index, block] of message.content.entries()) {
    const place = `${path}.content.${index}`
    if (block.type === "tool_result") {
      items.push({ kind: "result", block, path: place })
      continue
    }
    const parts = convertPart(block, profile, place)
    notes.push(...parts.notes)
    if (parts.value.length > 0) items.push({ kind: "words", parts: parts.value })
  }
  return items
}

/** Turns of one role in a row together; turns that say nothing fall out, and their neighbours meet. */
function joinTurns(turns: readonly Turn[], notes: Note[]): readonly Turn[] {
  const joined = joinNeighbours(turns)
  const spoken = joined.filter((turn) => {
    if (turn.role !== "assistant" || turn.turns.some(saysSomething)) return true
    const thoughts = turn.turns.filter(({ said }) =>
      said.some((piece) => piece.kind === "thinking" && piece.block.thinking !== ""),
    )
    notes.push(...thoughts.map(({ path }) => dropped(path, "reasoning alone is no message")))
    return false
  })
  return spoken.length === joined.length ? joined : joinNeighbours(spoken)
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
