// The thinking that led to a call, remembered by the call's id: clients leave it out when the model is changed or
// the history shortened, and some providers refuse a call without it. A memory only improves on the signatures,
// which carry the same; it may be lost at any time.
import { addQuoted, addText, type GrownText, noText, textOf } from "../../convert/common/grown-text.ts"
import type { ThinkingBlock } from "../../convert/dialogue/history-reasoning.ts"
import type { MessagesEvent, ReplyBlock } from "../../protocol/messages/messages.ts"
import { quotedWhole } from "../../protocol/texts.ts"

export interface ReasoningMemory {
  /** `scope` keeps clients with different keys apart. */
  readonly recall: (scope: string, toolUseId: string) => readonly ThinkingBlock[] | undefined
  /** The same for one scope, as long as nothing more is remembered. */
  readonly recallIn: (scope: string) => (toolUseId: string) => readonly ThinkingBlock[] | undefined
  readonly remember: (scope: string, toolUseId: string, blocks: readonly ThinkingBlock[]) => void
  /** As scopeOf(), for whom it mostly is the scope of the request before. */
  readonly scopeOf: typeof scopeOf
}

/** Most of what is remembered, in characters: some thousands of turns. */
const defaultLimit = 16 * 1024 * 1024

/** A memory that forgets what was not used for the longest time. */
export function createReasoningMemory(limit = defaultLimit): ReasoningMemory {
  const entries = new Map<string, readonly ThinkingBlock[]>()
  let size = 0

  function forget(key: string): void {
    const blocks = entries.get(key)
    if (blocks === undefined) return
    size -= sizeOf(key, blocks)
    entries.delete(key)
  }

  function keep(key: string, blocks: readonly ThinkingBlock[]): void {
    entries.set(key, blocks)
    size += sizeOf(key, blocks)
  }

  function recall(scope: string, toolUseId: string): readonly ThinkingBlock[] | undefined {
    const key = `${scope} ${toolUseId}`
    const blocks = entries.get(key)
    if (blocks === undefined) return undefined
    forget(key)
    keep(key, blocks)
    return blocks
  }

  function recallFrom(scope: string): ReturnType<ReasoningMemory["recallIn"]> {
    return (toolUseId) => recall(scope, toolUseId)
  }

  return {
    scopeOf: createScopes(),
    recall,
    recallIn: (scope) => (entries.size === 0 ? recallNothing : recallFrom(scope)),
    remember: (scope, toolUseId, blocks) => {
      const key = `${scope} ${toolUseId}`
      forget(key)
      // What does not fit at all must not drive out everything else.
      if (sizeOf(key, blocks) > limit) return
      keep(key, blocks)
      for (const oldest of entries.keys()) {
        if (size <= limit) break
        forget(oldest)
      }
    },
  }
}

const recallNothing = (): undefined => undefined

function sizeOf(key: string, blocks: readonly ThinkingBlock[]): number {
  return blocks.reduce((sum, { thinking, signature }) => sum + thinking.length + signature.length, key.length)
}

/** What was thought and called in one reply so far. It changes in place. */
export interface Recording {
  readonly memory: ReasoningMemory
  readonly scope: string
  /** Undefined: nothing was thought, and no tool called; most replies never are more than that. */
  told: Told | undefined
}

interface Told {
  readonly blocks: ThinkingBlock[]
  readonly calls: string[]
  /** How many blocks came before the first call: at least of these every call has been told. */
  before: number
  open: Draft | undefined
}

/** Of a reply that has not begun. */
export function startRecording(memory: ReasoningMemory, scope: string): Recording {
  return { memory, scope, told: undefined }
}

/**
 * One more event: the memory is told of each call what was thought before it; and once the reply is complete also what
 * was thought later, because some providers give their opaque half after the call.
 */
export function recordEvent(recording: Recording, event: MessagesEvent): void {
  if (event.type === "content_block_start") begin(recording, event.content_block)
  const { told } = recording
  if (told === undefined) return
  if (event.type === "message_stop") end(recording, told)
  else if (event.type === "content_block_stop") stop(told)
  else if (told.open !== undefined) grow(told.open, event)
}

function begin(recording: Recording, block: ReplyBlock): void {
  if (block.type !== "thinking" && block.type !== "tool_use") return
  recording.told ??= { blocks: [], calls: [], before: 0, open: undefined }
  const { memory, scope, told } = recording
  if (block.type === "thinking") {
    told.open = { thinking: noText, signature: "" }
    return
  }
  if (told.calls.length === 0) told.before = told.blocks.length
  told.calls.push(block.id)
  if (told.blocks.length > 0) memory.remember(scope, block.id, [...told.blocks])
}

function stop(told: Told): void {
  const { open, blocks } = told
  if (open !== undefined) blocks.push({ thinking: textOf(open.thinking), signature: open.signature })
  told.open = undefined
}

function end({ memory, scope }: Recording, { blocks, calls, before }: Told): void {
  if (blocks.length === before) return
  const whole = [...blocks]
  for (const id of calls) memory.remember(scope, id, whole)
}

/** A block that is not over; it grows in place, piece by piece. */
interface Draft {
  thinking: GrownText
  signature: string
}

function grow(block: Draft, event: MessagesEvent): void {
  if (event.type === "content_block_deltas" && event.delta === "thinking_delta")
    block.thinking = addQuoted(block.thinking, quotedWhole(event))
  if (event.type !== "content_block_delta") return
  const { delta } = event
  if (delta.type === "thinking_delta") block.thinking = addText(block.thinking, delta.thinking)
  else if (delta.type === "signature_delta") block.signature = delta.signature
}

/**
 * A name for whoever sends the request and its session, from which no key can be read: providers that number
 * their calls use the same ids in every conversation.
 */
export function scopeOf(headers: Headers, session: string | undefined): string {
  return scopeOfText(senderOf(headers, session))
}

function senderOf(headers: Headers, session: string | undefined): string {
  const key = headers.get("authorization") ?? headers.get("x-api-key") ?? ""
  return `${key} ${session ?? ""}`
}

const scopeOfText = (sender: string): string => Bun.SHA256.hash(sender, "base64")

function createScopes(): typeof scopeOf {
  let last: string | undefined
  let scope = ""
  return (headers, session) => {
    const sender = senderOf(headers, session)
    if (sender === last) return scope
    last = sender
    scope = scopeOfText(sender)
    return scope
  }
}
