// The items of a Responses stream. They may interleave, so each waits until the one before it is done.
import { fault } from "../../protocol/fault.ts"
import { countOf, type JsonObject, textOf } from "../../protocol/json.ts"
import type { Delta } from "../common/delta.ts"
import { inOrder } from "../common/links.ts"
import { failed } from "./reader.ts"
import { none, type ReaderState, type Step, take } from "./reader-text.ts"
import { type ItemType, idsOf, isAdded, isDone, typeOfEvent } from "./responses-event.ts"
import { readItemEvent } from "./responses-items.ts"
import { andLater, type Later } from "./responses-later.ts"
import { type Item, initialItem } from "./responses-parts.ts"

export interface ResponsesState {
  readonly reader: ReaderState
  /** The items that are not done, by output_index, in the order they were added. */
  readonly items: ReadonlyMap<number, Waiting>
  /** Something has come of an item. */
  readonly begun: boolean
  /** The highest output_index of an item that is done, and the type of the last one under it. */
  readonly done: number
  readonly last: ItemType | undefined
  /** How many items of each type are done. */
  readonly told: Readonly<Partial<Record<ItemType, number>>>
  /** Items that were over before their own end came. */
  readonly over: readonly Waiting[]
}

interface Waiting {
  readonly item: Item
  /** What it was added by. */
  readonly ids: readonly string[]
  readonly type: ItemType | undefined
  /** Events that came before it was this item's turn. */
  readonly later: Later | undefined
}

export type ResponsesStep = readonly [ResponsesState, readonly Delta[]]

/**
 * Items are told apart by output_index, since Copilot gives them a new id with every event. vLLM ends an item under
 * the next one's index, where only the id is still its own (entrypoints/openai/responses, 2025-09 to 2026-05).
 */
function indexOf({ items }: ResponsesState, event: JsonObject): number {
  const index = countOf(event["output_index"])
  if (index !== undefined && items.has(index)) return index
  const ids = idsOf(event)
  const known = [...items].findLast(([, item]) => isNamed(item, ids))?.[0]
  return known ?? before(items, index, event) ?? index ?? [...items.keys()].at(-1) ?? 0
}

const isNamed = (item: Waiting, ids: readonly string[]): boolean => item.ids.some((id) => ids.includes(id))

/** SGLang ends reasoning under the next index as vLLM did, but by another id (serving_responses.py; 2026-11). */
function before(
  items: ResponsesState["items"],
  index: number | undefined,
  event: JsonObject,
): number | undefined {
  if (index === undefined || !isDone(event) || typeOfEvent(event) !== "reasoning") return undefined
  const open = items.get(index - 1)
  return open?.type === "reasoning" && !isSilent(open) ? index - 1 : undefined
}

// More of them at once than any model keeps open.
const mostOpen = 64

// Calls among them: more than any reply has.
const mostOver = 1024

// Characters of events that wait: longer than any reply, so that an item that is never done costs no more.
const mostWaiting = 16 * 1024 * 1024

/** An item begins, with the event that says so. */
export function addItem(given: ResponsesState, event: JsonObject): ResponsesStep {
  const [state, told] = endEarlier(given, event)
  const index = countOf(event["output_index"]) ?? Math.max(state.done, ...state.items.keys()) + 1
  if (state.items.has(index)) return behind(told, toItem(state, event))
  const [ready, before] = state.items.size < mostOpen ? [state, none] : giveUp(state)
  const items = new Map(ready.items).set(index, {
    item: initialItem(index),
    ids: idsOf(event),
    type: undefined,
    later: undefined,
  })
  return behind([...told, ...before], toItem({ ...ready, items, begun: true }, event))
}

const behind = (before: readonly Delta[], [state, deltas]: ResponsesStep): ResponsesStep =>
  before.length === 0 ? [state, deltas] : [state, [...before, ...deltas]]

/** An event of the item whose turn it is is read at once; any other waits. */
export function toItem(state: ResponsesState, event: JsonObject): ResponsesStep {
  const past = pastItem(state, event)
  if (past !== undefined) return readPast(state, past, event)
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
  const next = withItem(state, index, { ...waiting, later: andLater(waiting.later, event) })
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

const sizeOfWaiting = ({ items }: ResponsesState): number =>
  [...items.values()].reduce((size, { later }) => size + (later?.size ?? 0), 0)

function tooMuch(reader: ReaderState): Step {
  const { provider } = reader.options.errors
  const message = `[${provider}] the upstream sent more than ${mostWaiting / 1024 / 1024} MiB behind an item that it never ended`
  return failed(reader, fault({ kind: "api_error", source: "upstream", status: 502, message }))
}

/** Items that were never added, as some servers have them: they are known by their end, or by what they say. */
function opensItem({ done, last, items }: ResponsesState, index: number, event: JsonObject): boolean {
  if (isDone(event)) return index > done || countOf(event["output_index"]) === undefined
  const name = textOf(event["type"]) ?? ""
  const type = typeOfEvent(event)
  // LiteLLM says its text under the index of the reasoning that is over (litellm_completion_transformation; 2026-09).
  const isAnother = index === done && last !== undefined && type !== undefined && type !== last
  if (name.endsWith(".delta")) return index > done || isAnother
  // LM Studio tells reasoning by this event alone (earendil-works/pi#4191).
  return index > done && wholeText.test(name) && ![...items.values()].some((item) => item.type === type)
}

const wholeText = /^response\.(?:reasoning_text|reasoning_summary_text|output_text|refusal)\.done$/

/**
 * An item that was never added has no other end than that one of another type begins (maximhq/bifrost#5170); and
 * llama.cpp, which gives no index, ends all items of a reply behind the last one (ggml-org/llama.cpp#20607).
 */
function endEarlier(state: ResponsesState, event: JsonObject): ResponsesStep {
  const index = turnOf(state)
  const waiting = state.items.get(index)
  if (waiting === undefined || isSilent(waiting)) return [state, none]
  const isOver = isAdded(event) && countOf(event["output_index"]) === undefined
  if (!isOver && (waiting.item.added || waiting.type === typeOfEvent(event))) return [state, none]
  const over = state.over.length < mostOver ? [...state.over, waiting] : state.over
  const deltas: Delta[] = []
  return [readWaiting({ ...withDone(state, index, waiting), over }, deltas), deltas]
}

/** The item that an event is about, if it was over before; one that goes by the same id now stands before it. */
function pastItem({ over, items, done }: ResponsesState, event: JsonObject): Waiting | undefined {
  if (over.length === 0 || (countOf(event["output_index"]) ?? 0) > done) return undefined
  const ids = idsOf(event)
  if ([...items.values()].some((item) => isNamed(item, ids))) return undefined
  return over.findLast((item) => isNamed(item, ids))
}

/**
 * llama.cpp and LiteLLM have one message in a reply, llama.cpp one reasoning, too: words behind a call, and thoughts
 * behind words, are more of the same. Their ends say nothing new, and a call is not called anew.
 */
function readPast(state: ResponsesState, past: Waiting, event: JsonObject): ResponsesStep {
  if (past.type === "function_call" || isDone(event)) return [state, none]
  const [item, step] = readItemEvent(state.reader, past.item, event)
  return [{ ...state, over: state.over.map((one) => (one === past ? { ...past, item } : one)) }, step]
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
  // Ollama never ends a message that calls follow, and gives the first of them its index: what ended was told.
  if (isDone(event)) return withDone(state, index, { type: typeOfEvent(event) ?? waiting.type })
  return item === waiting.item ? state : withItem(state, index, { ...waiting, item })
}

function without(state: ResponsesState, index: number): ResponsesState {
  const items = new Map(state.items)
  items.delete(index)
  return { ...state, items }
}

function withDone(state: ResponsesState, index: number, { type }: Pick<Waiting, "type">): ResponsesState {
  const told = type === undefined ? state.told : { ...state.told, [type]: (state.told[type] ?? 0) + 1 }
  const isLast = index >= state.done
  return {
    ...without(state, index),
    done: isLast ? index : state.done,
    last: isLast ? type : state.last,
    told,
  }
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
