// A conversation in turns, in the order any dialect wants it: the user's and the assistant's in turn, nobody
// twice in a row, system messages where the provider takes them.
import type { ChatPart } from "../../protocol/chat/chat.ts"
import { dropped, type Note } from "../../protocol/fault.ts"
import { textOf } from "../../protocol/json.ts"
import type { ContentBlock } from "../../protocol/messages/content-block.ts"
import type { Message } from "../../protocol/messages/messages.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import {
  type AssistantTurn,
  type MessageOptions,
  type Placed,
  readAssistant,
  saysSomething,
} from "./assistant.ts"
import { addText, convertPart } from "./content.ts"
import { joinSystem, reminder } from "./system.ts"
import { isToolChange } from "./tool-changes.ts"
import type { Item } from "./user.ts"

/** What one side says before the other answers. */
export type Turn =
  | { readonly role: "assistant"; readonly turns: readonly AssistantTurn[] }
  | { readonly role: "user"; readonly items: readonly Item[] }
  | { readonly role: "system"; readonly text: string }

interface Conversation {
  readonly turns: readonly Turn[]
  /** System texts of the conversation that belong to the system prompt here. */
  readonly hoisted: readonly string[]
  /** The last message is the assistant's: the beginning of the answer. */
  readonly isBegun: boolean
}

/** The messages as turns. `notes` gets what had to be left out. */
export function readConversation(
  messages: readonly Message[],
  options: MessageOptions,
  notes: Note[],
): Conversation {
  const { profile } = options
  const hoisted: string[] = []
  const read: OpenTurn[] = []
  const lastUser = messages.findLastIndex(isUser)
  const first = messages.findLastIndex(isSummarised)
  if (first > 0)
    notes.push(dropped("messages.0", `a later summary stands for what was said (messages: ${first})`))
  let last: Message | undefined
  for (let index = Math.max(0, first); index < messages.length; index++) {
    const message = index === first ? fromSummary(messages[index]) : messages[index]
    // Such system text is for one turn only.
    if (message === undefined || (message.clear_at === "next_user_message" && index < lastUser)) continue
    last = message
    const path = `messages.${index}`
    if (message.role === "assistant") addAnswer({ message, path }, options, read, notes)
    else if (message.role === "user") addItems(readUser(message.content, path, profile, notes), read)
    else addSystem(readSystem(message.content, path, notes), profile, read, hoisted)
  }
  return { turns: withoutSilence(read, notes), hoisted, isBegun: last?.role === "assistant" }
}

const isUser = ({ role }: Message): boolean => role === "user"

/** A turn that may still grow. */
type OpenTurn =
  | { readonly role: "assistant"; readonly turns: AssistantTurn[] }
  | { readonly role: "user"; readonly items: Item[] }
  | { readonly role: "system"; readonly text: string }

/** To the user's turn that is the last one, or as a turn of its own. Nothing is no turn. */
function addItems(items: Item[], turns: OpenTurn[]): void {
  if (items.length === 0) return
  const last = turns.at(-1)
  if (last?.role !== "user") turns.push({ role: "user", items })
  else for (const item of items) last.items.push(item)
}

function addTurns(more: AssistantTurn[], turns: OpenTurn[]): void {
  const last = turns.at(-1)
  if (last?.role !== "assistant") turns.push({ role: "assistant", turns: more })
  else for (const turn of more) last.turns.push(turn)
}

const isSummary = (block: ContentBlock): boolean =>
  block.type === "other" && block.original["type"] === "compaction"

/** One that says nothing is one that failed. */
const tellsAll = (block: ContentBlock): boolean =>
  isSummary(block) && block.type === "other" && textOf(block.original["content"]) !== undefined

/** Anthropic drops all blocks before a summary (its documents on compaction; 2026-11), and clients leave that to it. */
const isSummarised = ({ role, content }: Message): boolean => role === "assistant" && content.some(tellsAll)

/** The message without what stands before its summary; the rest keeps its places. */
function fromSummary(message: Message | undefined): Message | undefined {
  if (message === undefined) return undefined
  const at = message.content.findLastIndex(tellsAll)
  return { ...message, content: message.content.map((block, index) => (index < at ? silence : block)) }
}

const silence: ContentBlock = { type: "text", text: "" }

/** A summary of what was compacted stands in an assistant message, but it is no answer: the user hands it over. */
function takeSummaries(placed: Placed, profile: ProviderProfile, items: Item[]): Placed {
  const { message, path } = placed
  if (!message.content.some(isSummary)) return placed
  const content = message.content.map((block): ContentBlock => {
    if (!isSummary(block)) return block
    const parts = convertPart(block, profile, path).value
    if (parts.length > 0) items.push({ kind: "words", parts })
    return silence
  })
  return { message: { ...message, content }, path }
}

function addAnswer(placed: Placed, options: MessageOptions, turns: OpenTurn[], notes: Note[]): void {
  const items: Item[] = []
  const rest = takeSummaries(placed, options.profile, items)
  addItems(items, turns)
  addTurns([readAssistant(rest, options, notes)], turns)
}

function addSystem(
  text: string | undefined,
  { midSystem }: ProviderProfile,
  turns: OpenTurn[],
  hoisted: string[],
): void {
  if (text === undefined) return
  if (midSystem === "inline") turns.push({ role: "system", text })
  else if (midSystem === "hoist") hoisted.push(text)
  else addItems([{ kind: "words", parts: [{ type: "text", text: reminder(text) }] }], turns)
}

function readSystem(content: Message["content"], path: string, notes: Note[]): string | undefined {
  const texts: string[] = []
  for (const [index, block] of content.entries()) {
    if (block.type === "text") texts.push(block.text)
    else if (block.type !== "other" || !isToolChange(block.original)) {
      const type = block.type === "other" ? String(block.original["type"]) : block.type
      const why = `a ${type} block in a system message is not understood`
      notes.push(dropped(`${path}.content.${index}`, why))
    }
  }
  return joinSystem(texts)
}

function readUser(
  content: Message["content"],
  path: string,
  profile: ProviderProfile,
  notes: Note[],
): Item[] {
  const items: Item[] = []
  for (let index = 0; index < content.length; index++) {
    const block = content[index]
    if (block === undefined) continue
    if (block.type === "text") {
      addWords(block.text, items)
      continue
    }
    const place = `${path}.content.${index}`
    if (block.type === "tool_result") {
      items.push({ kind: "result", block, path: place })
      continue
    }
    const parts = convertPart(block, profile, place)
    for (const note of parts.notes) notes.push(note)
    if (parts.value.length > 0) items.push({ kind: "words", parts: parts.value })
  }
  return items
}

function addWords(text: string, items: Item[]): void {
  const parts: ChatPart[] = []
  addText(text, parts)
  if (parts.length > 0) items.push({ kind: "words", parts })
}

/** Turns that say nothing fall out, and their neighbours meet. */
function withoutSilence(turns: readonly OpenTurn[], notes: Note[]): readonly Turn[] {
  if (!turns.some(isSilent)) return turns
  const joined: OpenTurn[] = []
  for (const turn of turns) {
    if (isSilent(turn)) noteThoughts(turn, notes)
    else if (turn.role === "system") joined.push(turn)
    else if (turn.role === "user") addItems(turn.items, joined)
    else addTurns(turn.turns, joined)
  }
  return joined
}

const isSilent = (turn: Turn): boolean => turn.role === "assistant" && !turn.turns.some(saysSomething)

function noteThoughts(turn: Turn, notes: Note[]): void {
  if (turn.role !== "assistant") return
  for (const { said, path } of turn.turns) {
    const hasThought = said.some((piece) => piece.kind === "thinking" && piece.block.thinking !== "")
    if (hasThought) notes.push(dropped(path, "reasoning alone is no message"))
  }
}
