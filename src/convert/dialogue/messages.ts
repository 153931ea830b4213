// The conversation as Chat Completions wants it: results directly after their calls, the user's words after the
// results, no call without a result.
import type { ChatAssistantMessage, ChatMessage } from "../../protocol/chat/chat.ts"
import { dropped, type Note } from "../../protocol/fault.ts"
import type { Message } from "../../protocol/messages/messages.ts"
import { isOurs } from "../common/carrier.ts"
import {
  type AssistantTurn,
  type CallIds,
  type MessageOptions,
  noCallIds,
  type PendingCall,
  renderAssistant,
} from "./assistant.ts"
import type { Converted } from "./content.ts"
import { readConversation, type Turn } from "./conversation.ts"
import { convertUser, stubResults } from "./user.ts"

interface ConvertedMessages extends Converted<readonly ChatMessage[]> {
  /** System texts of the conversation that belong to the system prompt here. */
  readonly hoisted: readonly string[]
}

/** All messages, system prompt excepted. Never empty: an endpoint needs at least one message. */
export function convertMessages(messages: readonly Message[], options: MessageOptions): ConvertedMessages {
  const notes: Note[] = []
  const { turns, hoisted, isBegun } = readConversation(messages, options, notes)
  const out = renderTurns(turns, options, notes)
  // The user's last turn may be empty (an empty text, an effort without words); an assistant's turn at the
  // end would then be taken for the beginning of the answer.
  const last = out.at(-1)
  const isEmptied = last?.role === "assistant" && !isBegun
  if (last === undefined || isEmptied) out.push({ role: "user", content: "..." })
  if (options.profile.userFirst && out[0]?.role !== "user")
    out.unshift({ role: "user", content: "(continued)" })
  return { value: out, notes, hoisted }
}

function renderTurns(turns: readonly Turn[], options: MessageOptions, notes: Note[]): ChatMessage[] {
  const { profile } = options
  const out: ChatMessage[] = []
  let ids: CallIds | undefined
  let lost: string[] | undefined
  let pending: readonly PendingCall[] = noCalls
  // Nothing may stand between calls and their results: a system message there waits for them.
  const waiting: ChatMessage[] = []
  for (const turn of turns) {
    if (turn.role === "system") {
      const message = { role: profile.systemRole, content: turn.text }
      if (pending.length > 0) waiting.push(message)
      else out.push(message)
      continue
    }
    if (turn.role === "user") convertUser(turn.items, pending, profile, out, notes)
    else stubResults(pending, profile, out)
    pending = noCalls
    for (const message of waiting) out.push(message)
    waiting.length = 0
    if (turn.role === "user") continue
    ids ??= noCallIds()
    const { message, pending: calls } = renderAssistant(turn.turns, options, ids)
    out.push(message)
    if (!tellsThoughts(message)) lost = signedElsewhere(turn.turns, lost)
    pending = calls
  }
  if (lost !== undefined) noteLost(lost, notes)
  stubResults(pending, profile, out)
  for (const message of waiting) out.push(message)
  return out
}

const noCalls: readonly PendingCall[] = []

function noteLost(places: readonly string[], notes: Note[]): void {
  const first = places[0]
  if (first === undefined) return
  const why = `thinking signed elsewhere is of no use to this provider (blocks: ${places.length}, first here)`
  notes.push(dropped(first, why))
}

/** Does the message say, in whatever form, what was thought before it? */
function tellsThoughts(message: ChatAssistantMessage): boolean {
  const { content, reasoning_content, reasoning, reasoning_text } = message
  if (reasoning_content || reasoning || reasoning_text) return true
  return typeof content === "string" ? content.startsWith("<think>") : content?.[0]?.type === "thinking"
}

/** Where thinking stands whose signature is not this proxy's but Anthropic's own, after `before`: a place for each block. */
function signedElsewhere(
  turns: readonly AssistantTurn[],
  before: string[] | undefined,
): string[] | undefined {
  let places = before
  for (const { said, path } of turns) {
    for (const piece of said) {
      if (piece.kind !== "thinking") continue
      const { thinking, signature } = piece.block
      if (thinking === "" || signature === "" || isOurs(signature)) continue
      places ??= []
      places.push(`${path}.content`)
    }
  }
  return places
}
