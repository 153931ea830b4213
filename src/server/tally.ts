// What a reply is made of, counted while it goes by: nothing of what it says is kept.
import type { ReplyFacts } from "../observe/exchange.ts"
import { type JsonObject, objectOf, textOf } from "../protocol/json.ts"
import type { MessagesEvent } from "../protocol/messages.ts"

export interface Tally {
  readonly count: (events: readonly MessagesEvent[]) => void
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

/** Counts from zero, for one reply. */
export function createTally(): Tally {
  const calls = new Map<string, number>()
  let events = 0
  let thought = false

  function called(given: string): void {
    const name = given.slice(0, longestName)
    const key = calls.has(name) || calls.size < mostNames ? name : restName
    calls.set(key, (calls.get(key) ?? 0) + 1)
  }

  function began(type: unknown, name: unknown): void {
    if (type === "thinking" || type === "redacted_thinking") thought = true
    else if (type === "tool_use") called(textOf(name) ?? "")
  }

  function beganNative({ type, content_block: given }: JsonObject): void {
    const block = objectOf(given)
    if (type === "content_block_start") began(block["type"], block["name"])
  }

  return {
    count: (batch) => {
      for (const event of batch) {
        events += event.type === "content_block_deltas" ? event.texts.length : 1
        if (event.type === "native") beganNative(event.value)
        if (event.type !== "content_block_start") continue
        const { content_block: block } = event
        began(block.type, block.type === "tool_use" ? block.name : undefined)
      }
    },
    pass: (block) => {
      events += 1
      if (block !== undefined) began(block["type"], block["name"])
    },
    blocks: (blocks) => {
      for (const block of blocks.map(objectOf)) began(block["type"], block["name"])
    },
    facts: () => ({ events, calls: Object.fromEntries(calls), thought }),
  }
}
