// The conversation in the form that an upstream takes: other roles, words in place of what it cannot read,
// messages without members that it does not know. Nobody's words are lost.
import type {
  ChatAssistantMessage,
  ChatMessage,
  ChatPart,
  ChatToolMessage,
  ThinkingPart,
} from "../../protocol/chat/chat.ts"
import type { ResponsesItem, ResponsesPart } from "../../protocol/chat/responses.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import type { Conversion } from "../request/request.ts"

const assistantMembers = [
  ...(["reasoning_content", "reasoning", "reasoning_text", "reasoning_details"] as const),
  ...(["encrypted_content", "reasoning_opaque", "extra_content"] as const),
] as const

/** Members of messages that say nothing without which the conversation would be another one. */
export const messageMembers = ["name", ...assistantMembers, "cache_control"] as const

export type MessageMember = (typeof messageMembers)[number]

/** `image-url`: images that the upstream would have to fetch. */
export type Media = "image" | "image-url" | "file"

export type SystemRole = "system" | "developer"

/** A conversion that was changed, and what was done to it. */
export interface Amended {
  readonly conversion: Conversion
  readonly notes: readonly Note[]
}

/** The conversion with these messages and items; undefined where they are the ones it had. */
export function withMessages(
  conversion: Conversion,
  messages: readonly ChatMessage[],
  input: readonly ResponsesItem[] | undefined,
  note: Note,
): Amended | undefined {
  const { body, responses } = conversion
  const isSame =
    isSameList(messages, body.messages) && (input === undefined || isSameList(input, responses?.input))
  if (isSame) return undefined
  const parts = responses === undefined || input === undefined ? responses : { ...responses, input }
  return { conversion: { ...conversion, body: { ...body, messages }, responses: parts }, notes: [note] }
}

function isSameList<T>(left: readonly T[], right: readonly T[] | undefined): boolean {
  return left.length === right?.length && left.every((item, index) => item === right[index])
}

/** Instructions under another role; as the user's they stand before what the user says. */
export function changeRole(
  conversion: Conversion,
  from: SystemRole,
  to: SystemRole | "user",
): Amended | undefined {
  const { body, responses, formatFallback } = conversion
  const renamed = body.messages.map(
    (message): ChatMessage => (message.role === from ? { role: to, content: message.content } : message),
  )
  const isSame = isSameList(renamed, body.messages)
  const messages = to === "user" && !isSame && responses === undefined ? joinUsers(renamed) : renamed
  const input = responses?.input.map(
    (item): ResponsesItem => (item.type === "message" && item.role === from ? { ...item, role: to } : item),
  )
  // With the Responses API the system's messages are instructions, without a role.
  const given = responses === undefined ? messages : body.messages
  const note = changed("system", `sent with the role ${to}: ${from} is refused here`)
  const after = withMessages(conversion, given, input, note)
  if (after === undefined || formatFallback === undefined || to === "user") return after
  return { ...after, conversion: { ...after.conversion, formatFallback: { ...formatFallback, role: to } } }
}

function joinUsers(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const out: ChatMessage[] = []
  for (const message of messages) {
    const last = out.at(-1)
    if (message.role === "user" && last?.role === "user") {
      out[out.length - 1] = { role: "user", content: joined(last.content, message.content) }
    } else out.push(message)
  }
  return out
}

type UserContent = string | readonly ChatPart[]

function joined(before: UserContent, after: UserContent): UserContent {
  if (typeof before === "string" && typeof after === "string") return `${before}\n\n${after}`
  return [...partsOf(before), ...partsOf(after)]
}

const partsOf = (content: UserContent): readonly ChatPart[] =>
  typeof content === "string" ? [{ type: "text", text: content }] : content

const absent: Readonly<Record<Media, string>> = {
  image: "[image omitted: this model cannot see images]",
  "image-url": "[image omitted: this provider takes images only as data]",
  file: "[document omitted: this provider takes no documents]",
}

/** A few words in the place of each image, or document. */
export function withoutMedia(conversion: Conversion, what: Media): Amended | undefined {
  const { body, responses } = conversion
  const messages = body.messages.map((message): ChatMessage => {
    if (message.role === "assistant" || typeof message.content === "string") return message
    const content = message.content.map((part) => (isMedia(part, what) ? text(absent[what]) : part))
    return isSameList(content, message.content) ? message : { ...message, content: ifTexts(content) }
  })
  const input = responses?.input.map((item) => itemWithout(item, what))
  const why = what === "file" ? "documents are refused here" : "images are refused here"
  return withMessages(conversion, messages, input, changed("messages.content", `left out: ${why}`))
}

function isMedia(part: ChatPart, what: Media): boolean {
  if (what === "file") return part.type === "file" || part.type === "document_url"
  return part.type === "image_url" && (what === "image" || !part.image_url.url.startsWith("data:"))
}

const text = (words: string): ChatPart => ({ type: "text", text: words })

/** One string where there is nothing but words: many servers take nothing else. */
function ifTexts(parts: readonly ChatPart[]): UserContent {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part] : []))
  const isPlain = texts.length === parts.length && texts.every((part) => part.cache_control === undefined)
  return isPlain ? texts.map((part) => part.text).join("\n\n") : parts
}

function itemWithout(item: ResponsesItem, what: Media): ResponsesItem {
  const replace = (part: ResponsesPart): ResponsesPart =>
    isItemMedia(part, what) ? { type: "input_text", text: absent[what] } : part
  if (item.type === "message" && item.role !== "assistant") {
    const content = item.content.map(replace)
    return isSameList(content, item.content) ? item : { ...item, content }
  }
  if (item.type !== "function_call_output" || typeof item.output === "string") return item
  const output = item.output.map(replace)
  return isSameList(output, item.output) ? item : { ...item, output }
}

function isItemMedia(part: ResponsesPart, what: Media): boolean {
  if (what === "file") return part.type === "input_file"
  return part.type === "input_image" && (what === "image" || !part.image_url.startsWith("data:"))
}

/** An empty text in the place of absent content; lists of parts stay. */
export function withoutAbsent(conversion: Conversion): Amended | undefined {
  const messages = conversion.body.messages.map(
    (message): ChatMessage =>
      message.role === "assistant" && message.content === null ? { ...message, content: "" } : message,
  )
  const note = changed("messages.content", "empty where there was none: absent content is refused here")
  return withMessages(conversion, messages, undefined, note)
}

/** Every content as one string, for servers that know no lists of parts (and no absent content). */
export function asText(conversion: Conversion): Amended | undefined {
  const messages = conversion.body.messages.map((message): ChatMessage => {
    const { content } = message
    return typeof content === "string" ? message : { ...message, content: textOfParts(content ?? []) }
  })
  const note = changed("messages.content", "sent as plain text: nothing else is taken here")
  return withMessages(conversion, messages, undefined, note)
}

function textOfParts(parts: readonly (ChatPart | ThinkingPart)[]): string {
  const texts = parts.flatMap((part): readonly string[] => {
    if (part.type === "thinking") return []
    if (part.type === "text") return [part.text]
    return [part.type === "image_url" ? absent.image : absent.file]
  })
  return texts.join("\n\n")
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] }

/** Messages without these members. */
export function withoutMembers(conversion: Conversion, names: readonly MessageMember[]): Amended | undefined {
  const gone = new Set<string>(names)
  const messages = conversion.body.messages.map((message) => {
    const bare = gone.has("cache_control") ? withoutMarks(message) : message
    if (bare.role === "assistant") return assistantWithout(bare, gone)
    return bare.role === "tool" && gone.has("name") ? withoutName(bare) : bare
  })
  const note = dropped("messages", `without ${names.join(", ")}: refused by the upstream`)
  return withMessages(conversion, messages, undefined, note)
}

function withoutName(message: ChatToolMessage): ChatToolMessage {
  if (message.name === undefined) return message
  const { name: _name, ...rest } = message
  return rest
}

function withoutMarks(message: ChatMessage): ChatMessage {
  if (message.role === "assistant" || typeof message.content === "string") return message
  const content = message.content.map((part): ChatPart => {
    if (part.type !== "text" || part.cache_control === undefined) return part
    return text(part.text)
  })
  return isSameList(content, message.content) ? message : { ...message, content: ifTexts(content) }
}

function assistantWithout(message: ChatAssistantMessage, gone: ReadonlySet<string>): ChatAssistantMessage {
  const copy: Mutable<ChatAssistantMessage> = { ...message }
  const present = assistantMembers.filter((name) => gone.has(name) && message[name] !== undefined)
  for (const name of present) delete copy[name]
  const marked = gone.has("extra_content") && message.tool_calls?.some((call) => call.extra_content)
  if (marked === true)
    copy.tool_calls = message.tool_calls?.map(({ extra_content: _extra, ...call }) => call) ?? []
  return present.length === 0 && marked !== true ? message : copy
}
