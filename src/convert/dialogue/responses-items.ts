// The conversation as the Responses API wants it: one flat list of items in the order things were said, each
// reasoning item where it was, directly before what it led to (OpenAI API reference, Responses; 2026-11).
import type { ChatPart } from "../../protocol/chat/chat.ts"
import type { ResponsesItem, ResponsesPart } from "../../protocol/chat/responses.ts"
import type { Note } from "../../protocol/fault.ts"
import type { Message } from "../../protocol/messages/messages.ts"
import { type Cargo, noCargo } from "../common/carrier.ts"
import {
  type AssistantTurn,
  type CallIds,
  convertCalls,
  type MessageOptions,
  noCallIds,
  type PendingCall,
  type Said,
} from "./assistant.ts"
import type { Converted } from "./content.ts"
import { readConversation, type Turn } from "./conversation.ts"
import { readThoughts } from "./history-reasoning.ts"
import { cannotBegin, goOn } from "./prefill.ts"
import { type Answer, type Item, liftMedia, readUserTurn, unanswered } from "./user.ts"

interface ConvertedItems extends Converted<readonly ResponsesItem[]> {
  /** System texts of the conversation that belong to the instructions here. */
  readonly hoisted: readonly string[]
  /** What the model may begin its answer with once more, and the client has already. */
  readonly repeats: string
}

/** All messages, system prompt excepted. Never empty. */
export function convertItems(messages: readonly Message[], options: MessageOptions): ConvertedItems {
  const notes: Note[] = []
  const { turns, hoisted, isBegun } = readConversation(messages, options, notes)
  const items = renderTurns(turns, options, notes)
  const last = items.at(-1)
  const ends = last?.type === "message" && last.role === "assistant"
  const repeats =
    ends && isBegun
      ? last.content
          .map(({ text }) => text)
          .join("")
          .trimEnd()
      : ""
  if (repeats !== "") notes.push(cannotBegin)
  // The user's last turn may be empty; what the assistant said would then be taken for the end of it all.
  const next = repeats !== "" ? goOn : ends || last === undefined ? "..." : undefined
  const value = next === undefined ? items : [...items, userMessage([{ type: "input_text", text: next }])]
  return { value, notes, hoisted, repeats }
}

function renderTurns(
  turns: readonly Turn[],
  options: MessageOptions,
  notes: Note[],
): readonly ResponsesItem[] {
  const { profile } = options
  const ids = noCallIds()
  const out: ResponsesItem[] = []
  let pending: readonly PendingCall[] = []
  for (const turn of turns) {
    if (turn.role === "system") {
      out.push({
        type: "message",
        role: profile.systemRole,
        content: [{ type: "input_text", text: turn.text }],
      })
    } else if (turn.role === "user") {
      out.push(...renderUser(turn.items, pending, options, notes))
      pending = []
    } else {
      out.push(...outputs(pending, []))
      const said = renderAssistant(turn.turns, options, ids)
      out.push(...said.items)
      pending = said.pending
    }
  }
  return [...out, ...outputs(pending, [])]
}

function renderUser(
  items: readonly Item[],
  pending: readonly PendingCall[],
  { profile }: MessageOptions,
  notes: Note[],
): readonly ResponsesItem[] {
  const { answers, words } = readUserTurn(items, pending, profile, notes)
  const lifted: ChatPart[] = []
  const given = profile.mediaInResults ? answers : pending.map((call, at) => lift(call, answers[at], lifted))
  const results = outputs(pending, given)
  const parts = [...lifted, ...words]
  return parts.length === 0 ? results : [...results, userMessage(parts.map(toPart))]
}

/** The answer in words; what else it holds is put behind the others. */
function lift(call: PendingCall, answer: Answer | undefined, lifted: ChatPart[]): Answer | undefined {
  if (answer === undefined || answer.media.length === 0) return answer
  liftMedia(call, answer.media, lifted)
  return { ...answer, media: [] }
}

const userMessage = (content: readonly ResponsesPart[]): ResponsesItem => {
  return { type: "message", role: "user", content }
}

/** The output of every call; images and files stay within it. */
function outputs(
  pending: readonly PendingCall[],
  answers: readonly (Answer | undefined)[],
): readonly ResponsesItem[] {
  return pending.map(({ call }, at) => {
    const { content, media } = answers[at] ?? unanswered
    const parts: readonly ResponsesPart[] = [{ type: "input_text", text: content }, ...media.map(toPart)]
    return { type: "function_call_output", call_id: call.id, output: media.length === 0 ? content : parts }
  })
}

function toPart(part: ChatPart): ResponsesPart {
  switch (part.type) {
    case "text":
      return { type: "input_text", text: part.text }
    case "image_url":
      return { type: "input_image", image_url: part.image_url.url }
    case "file":
      return inputFile(part.file.filename, part.file.file_data)
    case "document_url":
      return inputFile("document.pdf", part.document_url)
    default:
      return part satisfies never
  }
}

/** What is to be fetched has a field of its own there. */
function inputFile(filename: string, url: string): ResponsesPart {
  if (!url.startsWith("data:")) return { type: "input_file", file_url: url }
  return { type: "input_file", filename, file_data: url }
}

interface RenderedAssistant {
  readonly items: readonly ResponsesItem[]
  readonly pending: readonly PendingCall[]
}

function renderAssistant(
  turns: readonly AssistantTurn[],
  options: MessageOptions,
  ids: CallIds,
): RenderedAssistant {
  const items: ResponsesItem[] = []
  const pending: PendingCall[] = []
  let phase: string | undefined
  for (const piece of turns.flatMap(({ said }) => joinTexts(said))) {
    if (piece.kind === "thinking") {
      const own = ownCargo(piece.block, options)
      items.push(...own.items.map(reasoningItem))
      phase = own.phase ?? phase
    } else if (piece.kind === "text") {
      items.push(assistantMessage(piece.text, phase))
      phase = undefined
    } else {
      phase = undefined
      const calls = convertCalls([piece.use], options.profile, ids)
      pending.push(...calls)
      for (const { call } of calls) items.push({ type: "function_call", call_id: call.id, ...call.function })
    }
  }
  // A reasoning item must lead to something.
  const end = items.findLastIndex(({ type }) => type !== "reasoning")
  return { items: items.slice(0, end + 1), pending }
}

/**
 * OpenAI takes it without status and annotations, servers that go by its schema do not (BerriAI/litellm#35213,
 * langchain#32557, vercel/ai#20828).
 */
function assistantMessage(text: string, phase: string | undefined): ResponsesItem {
  const said = phase === undefined ? {} : { phase }
  const content = [{ type: "output_text", text, annotations: noAnnotations } as const]
  return { type: "message", role: "assistant", status: "completed", ...said, content }
}

const noAnnotations = [] as const

/** Texts in a row as one; white space alone says nothing. */
function joinTexts(said: readonly Said[]): readonly Said[] {
  const out: Said[] = []
  for (const piece of said) {
    const last = out.at(-1)
    if (piece.kind === "text" && last?.kind === "text") {
      out[out.length - 1] = { kind: "text", text: last.text + piece.text }
    } else out.push(piece)
  }
  return out.flatMap((piece): readonly Said[] => {
    if (piece.kind !== "text") return [piece]
    return piece.text.trim() === "" ? [] : [{ ...piece, text: piece.text.toWellFormed() }]
  })
}

/** Only what this very model gave: anybody else's is refused. */
function ownCargo(
  block: Extract<Said, { kind: "thinking" }>["block"],
  { profile, target, sendReasoning }: MessageOptions,
): Cargo {
  return sendReasoning && profile.reasoning.sendBack !== "never"
    ? readThoughts([block], target).cargo
    : noCargo
}

/** Its id would name an item that nobody stored. */
const reasoningItem = (encrypted_content: string): ResponsesItem => {
  return { type: "reasoning", summary: [], encrypted_content }
}
