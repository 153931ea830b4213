// The user's turns of a conversation: results of calls, what the results carried besides text, and words.

import type { ChatMessage, ChatPart, ChatToolMessage } from "../../protocol/chat/chat.ts"
import { changed, type Note } from "../../protocol/fault.ts"
import type { ContentBlock } from "../../protocol/messages/content-block.ts"
import type { ProviderProfile } from "../../providers/profile.ts"
import { between } from "../common/between.ts"
import type { PendingCall } from "./assistant.ts"
import { convertParts, joinParts } from "./content.ts"

/** What a user's turn is made of, before it is known which calls wait for a result. */
export type Item =
  | {
      readonly kind: "result"
      readonly block: Extract<ContentBlock, { type: "tool_result" }>
      readonly path: string
    }
  | { readonly kind: "words"; readonly parts: readonly ChatPart[] }

/** A user's turn, once it is known which calls wait for a result. */
interface UserTurn {
  /** The answer to each of the waiting calls; undefined where there is none. */
  readonly answers: readonly (Answer | undefined)[]
  readonly words: readonly ChatPart[]
}

/** Results to their calls; a result that nobody waits for becomes the user's words. */
export function readUserTurn(
  items: readonly Item[],
  pending: readonly PendingCall[],
  profile: ProviderProfile,
  notes: Note[],
): UserTurn {
  const only = items.length === 1 ? items[0] : undefined
  if (pending.length === 0 && only?.kind === "words") return { answers: noAnswers, words: only.parts }
  const answers: (Answer | undefined)[] = pending.map(notYet)
  const waiting = placesOf(pending)
  const words: ChatPart[] = []
  for (const item of items) {
    if (item.kind === "words") {
      for (const part of item.parts) words.push(part)
      continue
    }
    const answer = readResult(item, profile)
    for (const note of answer.notes) notes.push(note)
    const place = waiting.get(item.block.tool_use_id)?.shift()
    if (place !== undefined) {
      answers[place] = answer
      continue
    }
    notes.push(changed(item.path, "sent as the user's words: no call before it waits for this result"))
    const text = `[tool result ${item.block.tool_use_id}]\n${answer.content}`.toWellFormed()
    words.push({ type: "text", text }, ...answer.media)
  }
  return { answers, words }
}

/** Where each id is called; a client that repeats one means the calls in their order. */
function placesOf(pending: readonly PendingCall[]): ReadonlyMap<string, number[]> {
  if (pending.length === 0) return noPlaces
  const places = new Map<string, number[]>()
  for (let place = 0; place < pending.length; place++) {
    const id = pending[place]?.id ?? ""
    const known = places.get(id)
    if (known === undefined) places.set(id, [place])
    else known.push(place)
  }
  return places
}

const notYet = (): undefined => undefined
const noAnswers: UserTurn["answers"] = []

const noPlaces: ReadonlyMap<string, number[]> = new Map()

/**
 * One turn of the user, put after the other messages: results in the order of their calls, then what the results
 * carried, then the words.
 */
export function convertUser(
  items: readonly Item[],
  pending: readonly PendingCall[],
  profile: ProviderProfile,
  out: ChatMessage[],
  notes: Note[],
): void {
  const { answers, words } = readUserTurn(items, pending, profile, notes)
  let lifted: ChatPart[] | undefined
  for (let at = 0; at < pending.length; at++) {
    const call = pending[at]
    if (call === undefined) continue
    const { content, media } = answers[at] ?? unanswered
    out.push(toolMessage(call, content, profile))
    if (media.length === 0) continue
    lifted ??= []
    liftMedia(call, media, lifted)
  }
  const parts = lifted === undefined ? words : [...lifted, ...words]
  if (parts.length === 0) return
  if (profile.assistantAfterTool && pending.length > 0) out.push(between)
  out.push({ role: "user", content: joinParts(parts) })
}

/** What stands in for a result that never came. */
const noResult = "[no result: the tool call was interrupted]"

export const unanswered: Pick<Answer, "content" | "media"> = { content: noResult, media: [] }

export interface Answer {
  /** What it says in words; never empty. */
  readonly content: string
  readonly media: readonly ChatPart[]
  readonly notes: readonly Note[]
}

function readResult({ block, path }: Extract<Item, { kind: "result" }>, profile: ProviderProfile): Answer {
  const parts = convertParts(block.content, profile, `${path}.content`)
  const texts: string[] = []
  let media: ChatPart[] | undefined
  for (const part of parts.value) {
    if (part.type === "text") texts.push(part.text)
    else {
      media ??= []
      media.push(part)
    }
  }
  const said = texts.length === 1 ? (texts[0] ?? "") : texts.join("\n")
  const content = said !== "" ? said : media === undefined ? "(no output)" : attachedTo(media)
  return {
    content: block.is_error ? markError(content) : content,
    media: media ?? noParts,
    notes: parts.notes,
  }
}

const noParts: readonly ChatPart[] = []

function attachedTo(media: readonly ChatPart[]): string {
  return media.some((part) => part.type !== "image_url") ? "(see attached file)" : "(see attached image)"
}

/** Tool messages hold text only: what else a result carried follows in the user's message. */
export function liftMedia({ call }: PendingCall, media: readonly ChatPart[], lifted: ChatPart[]): void {
  lifted.push({ type: "text", text: `Attached from the result of ${call.function.name}:` })
  for (const part of media) lifted.push(part)
}

/** Chat Completions has no error flag: the text must say it, unless it does already. */
function markError(content: string): string {
  return saysError.test(content) ? content : `Error: ${content}`
}

const saysError = /^\s*(error|<tool_use_error>|exit code)/i

function toolMessage({ call }: PendingCall, content: string, profile: ProviderProfile): ChatToolMessage {
  const message = { role: "tool", tool_call_id: call.id, content } as const
  return profile.toolMessageName ? { ...message, name: call.function.name } : message
}

/** Puts results for calls that nobody answered after the other messages. */
export function stubResults(
  calls: readonly PendingCall[],
  profile: ProviderProfile,
  out: ChatMessage[],
): void {
  for (const call of calls) out.push(toolMessage(call, noResult, profile))
}
