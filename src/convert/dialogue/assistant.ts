// The assistant's turns of a conversation: text, calls, and the reasoning that a provider wants back.
import type { ChatAssistantMessage, ChatToolCall } from "../../protocol/chat/chat.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import { isObject, type JsonObject, parseJson } from "../../protocol/json.ts"
import type { ContentBlock } from "../../protocol/messages/content-block.ts"
import type { Message } from "../../protocol/messages/messages.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import { isOurs } from "../common/carrier.ts"
import { assistantBlockText } from "./content.ts"
import {
  isSameReply,
  isSigned,
  joinThoughts,
  noThoughts,
  readThoughts,
  reasoningFields,
  reasoningPart,
  signCalls,
  type Target,
  type ThinkingBlock,
  type Thoughts,
  thinkingBlock,
} from "./history-reasoning.ts"
import { mapToolId, mapToolName } from "./names.ts"

/** The thinking before a call, where this proxy still knows it. */
export type Recall = (toolUseId: string) => readonly ThinkingBlock[] | undefined

export interface MessageOptions {
  readonly profile: ProviderProfile
  /** Whom the conversation goes to: reasoning is given back only to those it came from. */
  readonly target: Target
  /** Earlier reasoning goes back to the provider; false while thinking is off. */
  readonly sendReasoning: boolean
  readonly recall: Recall
}

/** A message together with its place in the request, for notes. */
export interface Placed {
  readonly message: Message
  readonly path: string
}

export type ToolUse = Extract<ContentBlock, { type: "tool_use" }>

/** What an assistant's message says, piece by piece, in its own order. */
export type Said =
  | { readonly kind: "thinking"; readonly block: ThinkingBlock }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "call"; readonly use: ToolUse }

/** One assistant message, taken apart. */
export interface AssistantTurn {
  readonly said: readonly Said[]
  readonly text: string
  readonly thoughts: Thoughts
  readonly calls: readonly ToolUse[]
  readonly path: string
}

/** The call ids of a conversation: as they were sent, and how often each of the client's own came. */
export interface CallIds {
  readonly used: Set<string>
  readonly repeats: Map<string, number>
}

/** The ids of a conversation that has no calls yet. */
export function noCallIds(): CallIds {
  return { used: new Set(), repeats: new Map() }
}

/** A call that waits for its result, with the id the client knows it by. */
export interface PendingCall {
  readonly id: string
  readonly call: ChatToolCall
}

/** The parts of one assistant message. `notes` gets what had to be left out of it. */
export function readAssistant(
  { message, path }: Placed,
  options: MessageOptions,
  notes: Note[],
): AssistantTurn {
  const { content } = message
  const remembered = recalled(message, options)
  const said: Said[] = (remembered ?? []).map((block) => ({ kind: "thinking", block }))
  for (let index = 0; index < content.length; index++) {
    const block = content[index]
    if (block === undefined) continue
    const why = block.type === "tool_use" ? inputNote(block) : lostReason(block)
    if (why !== undefined) notes.push(noteOn(block, `${path}.content.${index}`, why))
    const piece = readSaid(block)
    if (piece === undefined || (remembered !== undefined && piece.kind === "thinking")) continue
    said.push(piece)
  }
  return takeApart(said, path, options)
}

/** What was said by what it is. */
function takeApart(
  said: readonly Said[],
  path: string,
  { sendReasoning, target }: MessageOptions,
): AssistantTurn {
  const thinking: ThinkingBlock[] = []
  const calls: ToolUse[] = []
  let text = ""
  for (const piece of said) {
    if (piece.kind === "text") text += piece.text
    else if (piece.kind === "call") calls.push(piece.use)
    else thinking.push(piece.block)
  }
  return { said, text, thoughts: sendReasoning ? readThoughts(thinking, target) : noThoughts, calls, path }
}

function readSaid(block: ContentBlock): Said | undefined {
  if (block.type === "tool_use") return { kind: "call", use: block }
  const thinking = thinkingBlock(block)
  if (thinking !== undefined) return { kind: "thinking", block: thinking }
  const text = assistantBlockText(block)
  return text === undefined ? undefined : { kind: "text", text }
}

/**
 * All the thinking of a message with calls, where it is remembered and the client left out some: the whole, or what it
 * has no place for. OpenAI's clients keep the words alone, and some of Anthropic's drop blocks without words.
 */
function recalled({ content }: Message, options: MessageOptions): readonly ThinkingBlock[] | undefined {
  const first = content.find(isCall)
  if (first === undefined) return undefined
  const kept = content.flatMap((block) => thinkingBlock(block) ?? [])
  if (kept.length === 0) return options.recall(first.id)
  if (!opaqueForms.has(options.profile.reasoning.sendBackAs) && kept.every(isSigned)) return undefined
  const remembered = options.recall(first.id)
  if (remembered === undefined || !isSameReply(kept, remembered)) return undefined
  const lacks = ({ signature }: ThinkingBlock) => kept.every((block) => block.signature !== signature)
  return remembered.some(lacks) ? remembered : undefined
}

/** Where more than words goes back, which may travel in a block of its own. */
const opaqueForms: ReadonlySet<string> = new Set(["thought-signature", "reasoning_details", "items"])

const isCall = (block: ContentBlock): block is ToolUse => block.type === "tool_use"

/** Does a turn hold anything that Chat Completions counts as a message? Reasoning alone it does not. */
export function saysSomething({ text, calls }: AssistantTurn): boolean {
  return text.trim() !== "" || calls.length > 0
}

/**
 * Assistant turns in a row as one message, and the calls that now wait for results. Chat Completions keeps no
 * order between text and calls. `ids` holds the call ids of the conversation so far, and gets the new ones.
 */
export function renderAssistant(
  turns: readonly AssistantTurn[],
  options: MessageOptions,
  ids: CallIds,
): { readonly message: ChatAssistantMessage; readonly pending: readonly PendingCall[] } {
  const { profile, sendReasoning } = options
  const { reasoning } = profile
  const texts: string[] = []
  for (const { text } of turns) if (text.trim() !== "") texts.push(text.toWellFormed())
  const only = turns.length === 1 ? turns[0] : undefined
  const thoughts = only?.thoughts ?? turns.map((turn) => turn.thoughts).reduce(joinThoughts)
  const calls = only?.calls ?? turns.flatMap((turn) => turn.calls)
  const pending = convertCalls(calls, profile, ids)
  const hasCalls = pending.length > 0
  const part = sendReasoning ? reasoningPart(thoughts, hasCalls, reasoning) : undefined
  const content = contentOf(texts, part, profile)
  const fields = sendReasoning ? reasoningFields(thoughts, pending, reasoning) : undefined
  if (!hasCalls) return { message: { role: "assistant", content, ...fields }, pending }
  const tool_calls = sendReasoning ? signCalls(pending, thoughts, reasoning) : pending.map(callOf)
  return { message: { role: "assistant", content, ...fields, tool_calls }, pending }
}

const callOf = ({ call }: PendingCall): ChatToolCall => call

function contentOf(
  texts: readonly string[],
  part: ReturnType<typeof reasoningPart>,
  profile: ProviderProfile,
): ChatAssistantMessage["content"] {
  const text = texts.length === 1 ? (texts[0] ?? "") : texts.join("\n\n")
  if (part === undefined) return texts.length === 0 ? profile.emptyAssistantContent : text
  if (typeof part === "string") return part + text
  return texts.length === 0 ? [part] : [part, { type: "text", text }]
}

const noteOn = ({ type }: ContentBlock, path: string, why: string): Note =>
  type === "tool_use" ? changed(`${path}.input`, why) : dropped(path, why)

/** What becomes of an input that is no object. */
function inputNote({ input }: ToolUse): string | undefined {
  if (isObject(input) || input === null || input === undefined) return undefined
  return objectIn(input) === undefined
    ? "not an object, so it is sent as {}"
    : "an object in a string, so it is sent as the object"
}

/** The object that an input is; some clients keep it as the text it came in. */
function objectIn(input: unknown): JsonObject | undefined {
  if (isObject(input)) return input
  const parsed = typeof input === "string" ? parseJson(input) : undefined
  return parsed?.ok && isObject(parsed.value) ? parsed.value : undefined
}

/** Why a block of an assistant message goes nowhere, or undefined when it goes somewhere. */
function lostReason(block: ContentBlock): string | undefined {
  if (block.type === "thinking" || assistantBlockText(block) !== undefined) return undefined
  if (block.type === "redacted_thinking")
    return isOurs(block.data) ? undefined : "only Anthropic can read redacted thinking"
  if (block.type === "other") return `unknown block type ${String(block.original["type"])}`
  return `no place for a ${block.type} block in an assistant message`
}

/** Calls as the upstream gets them. Ids are made unique within the conversation: some providers refuse repeats. */
export function convertCalls(
  calls: readonly ToolUse[],
  profile: ProviderProfile,
  { used, repeats }: CallIds,
): readonly PendingCall[] {
  const pending: PendingCall[] = []
  for (const block of calls) {
    const name = mapToolName(block.name, profile)
    const numbered = { name, count: used.size }
    let id = mapToolId(block.id, profile, numbered)
    let again = repeats.get(block.id) ?? 1
    while (used.has(id)) {
      again++
      id = mapToolId(`${block.id}#${again}`, profile, numbered)
    }
    repeats.set(block.id, again)
    used.add(id)
    const call: ChatToolCall = { id, type: "function", function: { name, arguments: inputText(block) } }
    pending.push({ id: block.id, call })
  }
  return pending
}

/**
 * A call's input as JSON text. Half a surrogate pair becomes U+FFFD: JSON.stringify writes it as an escape,
 * which servers that read the arguments with a strict parser refuse.
 */
function inputText({ input }: ToolUse): string {
  const json = JSON.stringify(objectIn(input) ?? {})
  if (!json.includes("\\ud")) return json
  return json.replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][\da-f]{2}/g, "$1\ufffd")
}
