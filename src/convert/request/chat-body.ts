// The body of a Chat Completions request, put together of its parts.
import type { ChatMessage, ChatPart, ChatRequest } from "../../protocol/chat/chat.ts"
import type { CacheMarks, Message, MessagesRequest } from "../../protocol/messages/messages.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import type { Route } from "../../providers/route.ts"
import type { Dialogue } from "../dialogue/dialogue.ts"
import type { Format } from "../schema/schema.ts"
import { type Sampling, type Stops, serviceTier, streaming } from "./parameters.ts"
import { cacheKey } from "./session.ts"
import type { Reasoning } from "./thinking.ts"
import type { PreparedTools } from "./tools.ts"
import type { ConvertedSearch } from "./web-search.ts"

/** What the parts of a request were made into. */
export interface Parts {
  readonly tools: PreparedTools
  readonly search: ConvertedSearch
  readonly thinking: Reasoning
  readonly dialogue: Dialogue
  readonly format: Format
  readonly stops: Stops
  readonly sampled: Sampling
  readonly maxTokens: number
  readonly system: string | undefined
}

/** Without the last word of the profile. */
export function buildBody(
  request: MessagesRequest,
  { profile, model }: Route,
  { tools, search, thinking, dialogue, format, stops, sampled, maxTokens, system }: Parts,
  session: string | undefined,
): ChatRequest {
  const messages = withSystem(system, dialogue.messages, profile)
  const offered = search.chatTools.length === 0 ? tools.tools : [...tools.tools, ...search.chatTools]
  const choice = thinking.unforce ? "auto" : tools.choice
  const marks = profile.cacheControl ? marksOf(request) : undefined
  const body = bodyFor(model, marks === undefined ? messages : markCache(messages, marks), profile)
  body[profile.maxTokensField] = maxTokens
  addFields(sampled.fields, body)
  if (stops.sent.length > 0) body.stop = stops.sent
  addFields(streaming(request, profile, offered.length > 0), body)
  if (offered.length > 0) body.tools = offered
  if (choice !== undefined) body.tool_choice = choice
  if (tools.parallel !== undefined) body[profile.parallelField] = tools.parallel
  addFields(thinking.fields, body)
  addFields(format.fields, body)
  addFields(search.fields, body)
  addFields(dialogue.fields, body)
  addFields(serviceTier(request), body)
  if (profile.promptCacheKey && session !== undefined) body.prompt_cache_key = cacheKey(session)
  if (profile.sendStoreFalse) body.store = false
  return body
}

/** What the profile adds stands first. */
function bodyFor(
  model: string,
  messages: readonly ChatMessage[],
  { extraBody }: ProviderProfile,
): ChatRequest {
  return hasFields(extraBody) ? { ...extraBody, model, messages } : { model, messages }
}

function addFields(fields: Partial<ChatRequest> | undefined, body: ChatRequest): void {
  if (fields !== undefined && hasFields(fields)) Object.assign(body, fields)
}

function hasFields(object: object): boolean {
  for (const _field in object) return true
  return false
}

const isMarked = ({ cache_control }: Message): boolean => cache_control

/** Clients mark what they want cached; who marks nothing does not want to pay for it. */
function marksOf({ messages, cache_marks }: MessagesRequest): CacheMarks | undefined {
  return messages.some(isMarked) ? "all" : cache_marks
}

function withSystem(
  system: string | undefined,
  messages: readonly ChatMessage[],
  profile: ProviderProfile,
): readonly ChatMessage[] {
  return system === undefined ? messages : [{ role: profile.systemRole, content: system }, ...messages]
}

const mark = { cache_control: { type: "ephemeral" } } as const

/**
 * The messages with at most three marks, on text parts, for providers with an explicit prefix cache: where Anthropic's
 * own clients put them, at the end of the system prompt and of the last two turns (OpenRouter's and DashScope's
 * documents on prompt caching); of `"prefix"` only the system prompt is marked.
 */
function markCache(messages: readonly ChatMessage[], which: CacheMarks): readonly ChatMessage[] {
  const system = messages.findIndex(({ role }) => role === "system" || role === "developer")
  // The end of the turn before is where the last request ended: what was kept of that is found there, however many
  // results this turn has.
  const turns =
    which === "all" ? messages.flatMap((_, index) => (endsTurn(messages, index) ? [index] : [])) : []
  const places = new Set([system, ...turns.slice(-2)])
  return messages.map((message, index) => (places.has(index) ? markMessage(message) : message))
}

function endsTurn(messages: readonly ChatMessage[], index: number): boolean {
  return isUsers(messages[index]) && !isUsers(messages[index + 1])
}

const isUsers = (message: ChatMessage | undefined): boolean =>
  message?.role === "user" || message?.role === "tool"

function markMessage(message: ChatMessage): ChatMessage {
  if (message.role === "assistant") return message
  const { content } = message
  const parts: readonly ChatPart[] = typeof content === "string" ? [{ type: "text", text: content }] : content
  const at = parts.findLastIndex(({ type }) => type === "text")
  const part = parts[at]
  return part?.type === "text" ? { ...message, content: parts.with(at, { ...part, ...mark }) } : message
}
