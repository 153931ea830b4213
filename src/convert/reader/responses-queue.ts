// The items of a Responses stream. They may interleave, so each waits until the one before it is done.
import { fault } from "../../protocol/fault.ts"
import { countOf, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import type { Delta } from "../common/delta.ts"
import { failed } from "./reader.ts"
import { none, type ReaderState, type Step, take } from "./reader-text.ts"
import { readItemEvent } from "./responses-items.ts"
import { type Item, initialItem } from "./responses-parts.ts"

export interface ResponsesState {
  readonly reader: ReaderState
  /** The items that are not done, by output_index, in the order they were added. */
  readonly items: ReadonlyMap<number, Waiting>
  /** Something has come of an item. */
  readonly begun: boolean
  /** The highest output_index of an item that is done. */
  readonly done: number
  /** How many items of each type are done. */
  readonly told: Readonly<Partial<Record<ItemType, number>>>
}

/** The types of items of which anything is told. */
export type ItemType = (typeof itemTypes)[number]
const itemTypes = [
  ...(["reasoning", "message", "function_call"] as const),
  ...(["web_search_call", "image_generation_call"] as const),
] as const

/** The type of a whole item; undefined: one of which nothing is told. */
export function typeOfItem(item: JsonObject): ItemType | undefined {
  return itemTypes.find((type) => type === item["type"])
}

interface Waiting {
  readonly item: Item
  /** What it was added by. */
  readonly id: string | undefined
  readonly type: ItemType | undefined
  /** Events that came before it was this item's turn. */
  readonly later: Later | undefined
}

/** Events in a chain, the last one first: one more costs the same however many there are. */
interface Later {
  readonly event: JsonObject
  readonly before: Later | undefined
  /** Of the whole chain. */
  readonly size: number
}

export type ResponsesStep = readonly [ResponsesState, readonly Delta[]]

/**
 * Items are told apart by output_index, since Copilot gives them a new id with every event. vLLM ends an item under
 * the next one's index, where only the id is still its own (entrypoints/openai/responses, 2025-09 to 2026-05).
 */
function indexOf({ items }: ResponsesState, event: JsonObject): number {
  const index = countOf(event["output_index"])
  if (index === undefined) return [...items.keys()].at(-1) ?? 0
  const id = items.has(index) ? undefined : idOf(event)
  return id === undefined ? index : ([...items].find(([, item]) => item.id === id)?.[0] ?? index)
}

const idOf = (event: JsonObject): string | undefined =>
  textOf(objectOf(event["item"])["id"]) ?? textOf(event["item_id"])

// More of them at once than any model keeps open.
const mostOpen = 64

// Characters of events that wait: longer than any reply, so that an item that is never done costs no more.
const mostWaiting = 16 * 1024 * 1024

/** An item begins, with the event that says so. */
export function addItem(given: ResponsesState, event: JsonObject): ResponsesStep {
  const index = countOf(event["output_index"]) ?? given.items.size
  const [state, told] = endUnannounced(given, event)
  if (state.items.has(index)) return behind(told, toItem(state, event))
  const [ready, before] = state.items.size < mostOpen ? [state, none] : giveUp(state)
  const items = new Map(ready.items).set(index, {
    item: initialItem(index),
    id: idOf(event),
    type: undefined,
    later: undefined,
  })
  return behind([...told, ...before], toItem({ ...ready, items, begun: true }, event))
}

const behind = (before: readonly Delta[], [state, deltas]: ResponsesStep): ResponsesStep =>
  before.length === 0 ? [state, deltas] : [state, [...before, ...deltas]]

/** An event of the item whose turn it is is read at once; any other waits. */
export function toItem(state: ResponsesState, event: JsonObject): ResponsesStep {
  const index = indexOf(state, event)
  const known = state.items.get(index)
  if (known === undefined) {
    const moved = withMoved(state, index, event)
    if (moved !== undefined) return toItem(moved, event)
    return opensItem(state, index, event) ? addItem(state, event) : [state, none]
  }
  const waiting = known.type === undefined ? { ...known, type: typeOfEvent(event) } : known
  if (index === turnOf(state))
    return readNow(waiting === known ? state : withItem(state, index, waiting), index, event)
  const later: Later = { event, before: waiting.later, size: (waiting.later?.size ?? 0) + sizeOf(event, 8) }
  const next = withItem(state, index, { ...waiting, later })
  return sizeOfWaiting(next) > mostWaiting ? settle(next, tooMuch) : [next, none]
}

const withItem = (state: ResponsesState, index: number, item: Waiting): ResponsesState => {
  return { ...state, items: new Map(state.items).set(index, item) }
}

/** vLLM adds a message under the index of the reasoning before it, and goes on under the next one. */
function withMoved(state: ResponsesState, index: number, event: JsonObject): ResponsesState | undefined {
  const type = typeOfEvent(event)
  const found = [...state.items].find(
    ([at, item]) => at <= state.done && index > at && item.type === type && isSilent(item),
  )
  if (found === undefined || type === undefined) return undefined
  const [at, waiting] = found
  return withItem(without(state, at), index, { ...waiting, item: { ...waiting.item, index } })
}

const isSilent = ({ item }: Waiting): boolean => Object.keys(item.seen).length === 0

function sizeOfWaiting({ items }: ResponsesState): number {
  let size = 0
  for (const { later } of items.values()) size += later?.size ?? 0
  return size
}

/** About as many characters as the JSON of a value has; what is nested deeper than `depth` counts little. */
function sizeOf(value: unknown, depth: number): number {
  if (typeof value === "string") return value.length
  if (depth === 0 || typeof value !== "object" || value === null) return 8
  let size = 16
  for (const inner of Object.values(value)) size += sizeOf(inner, depth - 1)
  return size
}

function tooMuch(reader: ReaderState): Step {
  const { provider } = reader.options.errors
  const message = `[${provider}] the upstream sent more than ${mostWaiting / 1024 / 1024} MiB behind an item that it never ended`
  return failed(reader, fault({ kind: "api_error", source: "upstream", status: 502, message }))
}

/** Items that were never added, as some servers have them: they are known by their end, or by what they say. */
function opensItem({ done, items }: ResponsesState, index: number, event: JsonObject): boolean {
  if (isDone(event)) return index > done || countOf(event["output_index"]) === undefined
  const name = textOf(event["type"]) ?? ""
  if (index <= done || name.endsWith(".delta")) return index > done
  // LM Studio tells reasoning by this event alone (earendil-works/pi#4191).
  const type = wholeText.test(name) ? typeOfEvent(event) : undefined
  return type !== undefined && ![...items.values()].some((item) => item.type === type)
}

const wholeText = /^response\.(?:reasoning_text|reasoning_summary_text|output_text|refusal)\.done$/

/** An item that was never added has no other end than that one of another type begins (maximhq/bifrost#5170). */
function endUnannounced(state: ResponsesState, event: JsonObject): ResponsesStep {
  const index = turnOf(state)
  const waiting = state.items.get(index)
  if (waiting === undefined || waiting.item.added || isSilent(waiting)) return [state, none]
  if (waiting.type === typeOfEvent(event)) return [state, none]
  const deltas: Delta[] = []
  return [readWaiting(withDone(state, index, waiting), deltas), deltas]
}

const isDone = (event: JsonObject): boolean => event["type"] === "response.output_item.done"

/** The type of the item that an event is about, as far as it tells. */
function typeOfEvent(event: JsonObject): ItemType | undefined {
  const name = textOf(event["type"]) ?? ""
  if (name.startsWith("response.output_item.")) return typeOfItem(objectOf(event["item"]))
  if (name.startsWith("response.reasoning")) return "reasoning"
  if (name.startsWith("response.function_call")) return "function_call"
  return /^response\.(output_text|refusal)\./.test(name) ? "message" : undefined
}

const turnOf = ({ items }: ResponsesState): number => Math.min(...items.keys())

/** Reads an event of the item whose turn it is, and what has waited for that item's end. */
function readNow(state: ResponsesState, index: number, event: JsonObject): ResponsesStep {
  const deltas: Delta[] = []
  return [readWaiting(readOne(state, index, event, deltas), deltas), deltas]
}

function readOne(state: ResponsesState, index: number, event: JsonObject, deltas: Delta[]): ResponsesState {
  const waiting = state.items.get(index)
  if (waiting === undefined) return state
  const [item, step] = readItemEvent(state.reader, waiting.item, event)
  take(step, deltas)
  if (isDone(event)) return withDone(state, index, waiting)
  return item === waiting.item ? state : withItem(state, index, { ...waiting, item })
}

function without(state: ResponsesState, index: number): ResponsesState {
  const items = new Map(state.items)
  items.delete(index)
  return { ...state, items }
}

function withDone(state: ResponsesState, index: number, { type }: Waiting): ResponsesState {
  const told = type === undefined ? state.told : { ...state.told, [type]: (state.told[type] ?? 0) + 1 }
  return { ...without(state, index), done: Math.max(state.done, index), told }
}

/** The next item's events are read, and so on to one that is not done. */
function readWaiting(state: ResponsesState, deltas: Delta[]): ResponsesState {
  let current = state
  for (;;) {
    const index = turnOf(current)
    const waiting = current.items.get(index)
    if (waiting?.later === undefined) return current
    current = withItem(current, index, { ...waiting, later: undefined })
    for (const event of inOrder(waiting.later)) current = readOne(current, index, event, deltas)
  }
}

function inOrder(last: Later): readonly JsonObject[] {
  const events: JsonObject[] = []
  for (let at: Later | undefined = last; at !== undefined; at = at.before) events.push(at.event)
  return events.reverse()
}

/** The item whose turn it is is not waited for any longer; if it has said nothing yet, it may still begin anew. */
function giveUp(state: ResponsesState): ResponsesStep {
  const deltas: Delta[] = []
  const index = turnOf(state)
  const waiting = state.items.get(index)
  const left =
    waiting === undefined || isSilent(waiting) ? without(state, index) : withDone(state, index, waiting)
  return [readWaiting(left, deltas), deltas]
}

/** The reply is over, one way or another: what still waits is read first, in its order. */
export function settle(state: ResponsesState, end: (reader: ReaderState) => Step): ResponsesStep {
  let current = state
  const deltas: Delta[] = []
  while (current.items.size > 0) {
    const [next, more] = giveUp(current)
    current = next
    for (const delta of more) deltas.push(delta)
  }
  take(end(current.reader), deltas)
  return [current, deltas]
}
