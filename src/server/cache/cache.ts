// The response cache: whole replies of text, kept for a while in the store. Off unless it is switched on.
import type { CacheConfig } from "../../config/config.ts"
import { readUsage } from "../../convert/common/messages-usage.ts"
import { arrayOf, objectOf, parseJson } from "../../protocol/json.ts"
import type { MessagesReply } from "../../protocol/messages/messages.ts"
import { noUsage } from "../../protocol/messages/usage.ts"
import type { Store } from "../../store/store.ts"
import type { Clock } from "../../upstream/deadline.ts"
import { within } from "../common/within.ts"

/** What of a reply is the same for everybody who gets it. */
export type KeptReply = Pick<MessagesReply, "content" | "stop_reason" | "stop_sequence" | "usage">

export interface ReplyCache {
  /** Undefined: nothing is kept of replies, only what is under way is shared. */
  readonly find: ((key: string) => Promise<KeptReply | undefined>) | undefined
  /** Keeps a reply that is worth it; `life` gives the milliseconds, where the configuration does not. Never rejects. */
  readonly keep: (key: string, reply: MessagesReply, life: () => number) => Promise<void>
  /** Most memory that a reply takes that may be kept once it is whole, in bytes (EventLog). */
  readonly growingBytes: number
}

// One reply must not drive out all the others, nor be a burden to a Redis that serves more than this.
const entryShare = 1 / 8
const mostEntryBytes = 4 * 1024 * 1024
// Longer than this the cache costs more than it saves.
const mostLookupMs = 500

/** The cache that the configuration wants; undefined: none. */
export function createReplyCache(
  { enabled, ttlMs, maxBytes }: CacheConfig,
  store: Pick<Store, "get" | "set">,
  clock: Clock,
): ReplyCache | undefined {
  if (!enabled) return undefined
  const entryBytes = Math.min(maxBytes * entryShare, mostEntryBytes)
  const keeps = ttlMs !== 0 && entryBytes > 0
  // A reply that grows takes two bytes a character and what its events weigh; what is too long in the end is not kept.
  const growingBytes = keeps ? 2 * entryBytes + 4_096 : 0
  return {
    growingBytes,
    find: keeps ? async (key) => readKept(await within(store.get(key), mostLookupMs, clock)) : undefined,
    keep: async (key, { content, stop_reason, stop_sequence, usage }, life) => {
      const reply: KeptReply = { content, stop_reason, stop_sequence, usage }
      if (!keeps || kept(reply) === undefined) return
      const json = JSON.stringify(reply)
      if (Buffer.byteLength(json) <= entryBytes) await store.set(key, json, ttlMs ?? life())
    },
  }
}

const text = (block: unknown): string | undefined => {
  const { type, text: said } = objectOf(block)
  return type === "text" && typeof said === "string" ? said : undefined
}

/** Text alone, and all of it: what was cut, is empty or holds anything else is not kept, nor taken for a reply. */
function kept(given: unknown): KeptReply | undefined {
  const { content, stop_reason, stop_sequence, usage } = objectOf(given)
  const texts = arrayOf(content).flatMap((block) => text(block) ?? [])
  const isWhole = texts.length === arrayOf(content).length && texts.some((said) => said.trim() !== "")
  const isEnd = stop_reason === "end_turn" || stop_reason === "stop_sequence"
  const counts = objectOf(usage)
  const isCounted = [counts["input_tokens"], counts["output_tokens"]].every(
    (count) => typeof count === "number" && count >= 0,
  )
  if (!isWhole || !isEnd || !isCounted || (stop_sequence !== null && typeof stop_sequence !== "string"))
    return undefined
  return {
    content: texts.map((said) => ({ type: "text", text: said })),
    stop_reason,
    stop_sequence,
    usage: { ...noUsage, ...readUsage(counts) },
  }
}

/** What somebody wrote into the store: also other programs, and earlier or later versions of this one. */
function readKept(given: string | undefined): KeptReply | undefined {
  const parsed = given === undefined ? undefined : parseJson(given)
  return parsed?.ok === true ? kept(parsed.value) : undefined
}
