// The events of one reply that readers still need, in the batches they came in.
import { joinedRun } from "../../protocol/messages/delta-run.ts"
import type { DeltaRun, MessagesEvent } from "../../protocol/messages/messages.ts"

interface Batch {
  readonly events: readonly MessagesEvent[]
  readonly bytes: number
}

// Of an event's objects, without its text.
const eventBytes = 200
// Of a text in a list.
const textBytes = 40
// Packing is worth it for some batches at a time.
const leastPacked = 64

/** Positions count the batches as they came, also those that are forgotten or made one. It changes in place. */
export interface EventLog {
  batches: Batch[]
  /** A batch stands at its position less this. */
  offset: number
  /** The memory that it takes, in bytes, roughly. */
  size: number
}

/** An empty log. */
export function createEventLog(): EventLog {
  return { batches: [], offset: 0, size: 0 }
}

function indexOf({ offset }: EventLog, position: number): number {
  return Math.max(0, position - offset)
}

/** Puts these batches in the place of the first ones. */
function replace(log: EventLog, count: number, others: readonly Batch[]): void {
  const [gone, kept] = [log.batches.slice(0, count), log.batches.slice(count)]
  for (const { bytes } of gone) log.size -= bytes
  for (const { bytes } of others) log.size += bytes
  log.batches = [...others, ...kept]
  log.offset += gone.length - others.length
}

/** With these events behind what it holds. */
export function append(log: EventLog, events: readonly MessagesEvent[]): void {
  const batch = { events, bytes: sizeOf(events) }
  log.batches.push(batch)
  log.size += batch.bytes
}

/** Everything since a position that is not forgotten. */
export function since(log: EventLog, position: number): readonly MessagesEvent[] {
  const { batches } = log
  const from = indexOf(log, position)
  const last = batches[from]
  if (last !== undefined && from === batches.length - 1) return last.events
  return batches.slice(from).flatMap(({ events }) => events)
}

/** The position of what comes next. */
export function endOf({ offset, batches }: EventLog): number {
  return offset + batches.length
}

/** Nobody asks for what stands before this position. */
export function forget(log: EventLog, before: number): void {
  replace(log, indexOf(log, before), [])
}

/** Nobody asks for a part of what stands before this position: it may be kept with less. */
export function pack(log: EventLog, before: number): void {
  const count = indexOf(log, before)
  if (count < leastPacked) return
  const events = joined(log.batches.slice(0, count))
  replace(log, count, [{ events, bytes: sizeOf(events) }])
}

/** The same reply in fewer events. */
function joined(batches: readonly Batch[]): readonly MessagesEvent[] {
  const events: MessagesEvent[] = []
  for (const given of batches.flatMap((batch) => batch.events)) {
    const event = given.type === "content_block_deltas" ? joinedRun(given) : given
    const both = joinTexts(events.at(-1), event)
    if (both === undefined) events.push(event)
    else events[events.length - 1] = both
  }
  return events
}

/** Two pieces of one text as one piece. */
function joinTexts(one: MessagesEvent | undefined, other: MessagesEvent): MessagesEvent | undefined {
  if (one?.type !== "content_block_delta" || other.type !== "content_block_delta") return undefined
  if (one.delta.type !== "text_delta" || other.delta.type !== "text_delta") return undefined
  if (one.index !== other.index) return undefined
  return { ...one, delta: { type: "text_delta", text: one.delta.text + other.delta.text } }
}

function sizeOf(events: readonly MessagesEvent[]): number {
  return events.reduce((sum, event) => sum + eventBytes + 2 * lengthOf(event), 0)
}

/** In characters of two bytes; each text is an object by itself, and all are there once more together. */
function runLength({ quoted, joined, wide, whole }: DeltaRun): number {
  const said = whole?.length ?? (wide ? joined.length / 2 : joined.length)
  return 2 * said + quoted.length * (textBytes / 2)
}

function lengthOf(event: MessagesEvent): number {
  if (event.type === "native") return event.data.length
  if (event.type === "content_block_deltas") return runLength(event)
  if (event.type !== "content_block_delta") return 0
  const { delta } = event
  switch (delta.type) {
    case "text_delta":
      return delta.text.length
    case "thinking_delta":
      return delta.thinking.length
    case "signature_delta":
      return delta.signature.length
    case "input_json_delta":
      return delta.partial_json.length
    case "compaction_delta":
      return delta.content.length
    default:
      return delta satisfies never
  }
}
