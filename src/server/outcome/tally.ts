// What a reply is made of, counted while it goes by: nothing of what it says is kept.
import type { ReplyFacts } from "../../observe/exchange.ts"
import { type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import type { MessagesEvent } from "../../protocol/messages/messages.ts"

/** How far the counting of one reply is. It changes in place. */
export interface Counting {
  events: number
  thought: boolean
  /** Undefined: no tool was called. */
  calls: Map<string, number> | undefined
}

/** What a reply is counted by that is passed through. */
export interface Tally {
  /** One more event of a stream that is passed through; the block it begins, if it does. */
  readonly pass: (block?: JsonObject) => void
  /** The blocks of a whole reply. */
  readonly blocks: (blocks: readonly unknown[]) => void
  readonly facts: () => ReplyFacts
}

// Names come from the model, which may make up any number of them.
const mostNames = 100
const longestName = 128
const restName = "(others)"
const noCalls: ReplyFacts["calls"] = Object.freeze({})

/** Nothing is counted yet. */
export function startCounting(): Counting {
  return { events: 0, thought: false, calls: undefined }
}

/** One more event that was written; a run is as many as it stands for. */
export function countEvent(counting: Counting, event: MessagesEvent): void {
  counting.events += event.type === "content_block_deltas" ? event.quoted.length : 1
  if (event.type === "native") beganNative(counting, event.value)
  if (event.type !== "content_block_start") return
  const { content_block: block } = event
  began(counting, block.type, block.type === "tool_use" ? block.name : undefined)
}

/** What it came to. */
export function factsOf({ events, calls, thought }: Counting): ReplyFacts {
  return { events, calls: calls === undefined ? noCalls : Object.fromEntries(calls), thought }
}

/** Counts from zero, for one reply. */
export function createTally(): Tally {
  const counting = startCounting()
  return {
    pass: (block) => {
      counting.events += 1
      if (block !== undefined) began(counting, block["type"], block["name"])
    },
    blocks: (blocks) => {
      for (const block of blocks.map(objectOf)) began(counting, block["type"], block["name"])
    },
    facts: () => factsOf(counting),
  }
}

function began(counting: Counting, type: unknown, name: unknown): void {
  if (type === "thinking" || type === "redacted_thinking") counting.thought = true
  else if (type === "tool_use") called(counting, textOf(name) ?? "")
}

function beganNative(counting: Counting, { type, content_block: given }: JsonObject): void {
  const block = objectOf(given)
  if (type === "content_block_start") began(counting, block["type"], block["name"])
}

function called(counting: Counting, given: string): void {
  counting.calls ??= new Map()
  const { calls } = counting
  const name = given.slice(0, longestName)
  const key = calls.has(name) || calls.size < mostNames ? name : restName
  calls.set(key, (calls.get(key) ?? 0) + 1)
}
