// The reader of the Responses dialect: its events become deltas here. Items may interleave, so each waits until
// the one before it is done; servers leave out deltas, or send nothing but the whole at the end.
import type { StreamInput } from "../../protocol/chat.ts"
import { arrayOf, countOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import { faultFromJson, isErrorJson } from "../../protocol/upstream-error.ts"
import type { Delta } from "../delta.ts"
import { convertUsage, type Finish } from "./finish.ts"
import { failed, finished, initialReader, readEnd, reported } from "./reader.ts"
import { after, each, none, type ReaderOptions, type ReaderState, type Step } from "./reader-text.ts"
import { type Item, initialItem, pagesOf, readItemEvent, readWholeItem } from "./responses-items.ts"
import { foundPages } from "./search.ts"

export interface ResponsesState {
  readonly reader: ReaderState
  /** The items that are not done, by output_index, in the order they were added. */
  readonly items: ReadonlyMap<number, Waiting>
  /** Something has come of an item. */
  readonly begun: boolean
  /** The highest output_index of an item that is done. */
  readonly done: number
  /** How many items are done. */
  readonly ended: number
}

interface Waiting {
  readonly item: Item
  /** Events that came before it was this item's turn. */
  readonly later: Later | undefined
}

/** Events in a chain, the last one first: one more costs the same however many there are. */
interface Later {
  readonly event: JsonObject
  readonly before: Later | undefined
}

type ResponsesStep = readonly [ResponsesState, readonly Delta[]]

export function initialResponses(options: ReaderOptions): ResponsesState {
  return { reader: initialReader(options), items: new Map(), begun: false, done: -1, ended: 0 }
}

/** One input in; the next state and what it means out. After `end` or `fault` nothing more comes. */
export function readResponses(state: ResponsesState, input: StreamInput): ResponsesStep {
  if (state.reader.ended) return [state, none]
  switch (input.kind) {
    case "chunk":
      return readEvent(state, input.chunk)
    case "end":
      return settle(state, (reader) => readEnd(reader, input.clean && reader.finish !== undefined))
    case "fault":
      return settle(state, (reader) => failed(reader, input.fault))
    default:
      return input satisfies never
  }
}

/** A whole reply, in one step. */
export function readResponsesReply(options: ReaderOptions, reply: unknown): readonly Delta[] {
  const reader = initialReader(options)
  if (isErrorJson(reply)) return failed(reader, faultFromJson(reply, options.errors))[1]
  const response = objectOf(reply)
  // Who stops reading at a stop sequence is to know what it cost all the same.
  const [counted, usage] = countedBy(reader, response)
  const [read, deltas] = readOutput(counted, response)
  return [...usage, ...deltas, ...endOf(read, response)[1]]
}

function readEvent(state: ResponsesState, event: unknown): ResponsesStep {
  if (!isObject(event)) return [state, none]
  const { reader } = state
  if (isErrorJson(event))
    return settle(state, (at) => failed(at, faultFromJson(event, reader.options.errors)))
  const response = objectOf(event["response"])
  switch (event["type"]) {
    case "response.completed":
    case "response.incomplete":
    case "response.failed":
    case "response.done":
      return readTerminal(state, response)
    case "response.output_item.added":
      return addItem(state, event)
    default:
      return isItemEvent(event) ? toItem(state, event) : [state, none]
  }
}

const isItemEvent = (event: JsonObject): boolean => /^response\.\w+[._]/.test(textOf(event["type"]) ?? "")

/** Items are told apart by output_index alone: Copilot gives them a new id with every event. */
function indexOf(state: ResponsesState, event: JsonObject): number {
  return countOf(event["output_index"]) ?? [...state.items.keys()].at(-1) ?? 0
}

// More of them at once than any model keeps open.
const mostOpen = 64

function addItem(state: ResponsesState, event: JsonObject): ResponsesStep {
  const index = countOf(event["output_index"]) ?? state.items.size
  if (state.items.has(index)) return toItem(state, event)
  const [ready, before] = state.items.size < mostOpen ? [state, none] : giveUp(state)
  const items = new Map(ready.items).set(index, { item: initialItem(index), later: undefined })
  const [next, deltas] = toItem({ ...ready, items, begun: true }, event)
  return [next, [...before, ...deltas]]
}

/** An event of the item whose turn it is is read at once; any other waits. */
function toItem(state: ResponsesState, event: JsonObject): ResponsesStep {
  const index = indexOf(state, event)
  const waiting = state.items.get(index)
  if (waiting === undefined) return opensItem(state, index, event) ? addItem(state, event) : [state, none]
  if (index === turnOf(state)) return readNow(state, index, event)
  const later = { event, before: waiting.later }
  return [{ ...state, items: new Map(state.items).set(index, { ...waiting, later }) }, none]
}

/** Items that were never added, as some servers have them: they are known by their end, or by what they say. */
function opensItem({ done }: ResponsesState, index: number, event: JsonObject): boolean {
  if (index <= done && countOf(event["output_index"]) !== undefined) return false
  if (event["type"] === "response.output_item.done") return true
  return index > done && (textOf(event["type"])?.endsWith(".delta") ?? false)
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
  const [item, [reader, more]] = readItemEvent(state.reader, waiting.item, event)
  for (const delta of more) deltas.push(delta)
  if (event["type"] === "response.output_item.done") return { ...without(state, index), reader }
  if (item === waiting.item) return { ...state, reader }
  return { ...state, reader, items: new Map(state.items).set(index, { ...waiting, item }) }
}

function without(state: ResponsesState, index: number): ResponsesState {
  const items = new Map(state.items)
  items.delete(index)
  return { ...state, items, done: Math.max(state.done, index), ended: state.ended + 1 }
}

/** The next item's events are read, and so on to one that is not done. */
function readWaiting(state: ResponsesState, deltas: Delta[]): ResponsesState {
  let current = state
  for (;;) {
    const index = turnOf(current)
    const waiting = current.items.get(index)
    if (waiting?.later === undefined) return current
    const items = new Map(current.items).set(index, { ...waiting, later: undefined })
    current = { ...current, items }
    for (const event of inOrder(waiting.later)) current = readOne(current, index, event, deltas)
  }
}

function inOrder(last: Later): readonly JsonObject[] {
  const events: JsonObject[] = []
  for (let at: Later | undefined = last; at !== undefined; at = at.before) events.push(at.event)
  return events.reverse()
}

/** The item whose turn it is is not waited for any longer. */
function giveUp(state: ResponsesState): ResponsesStep {
  const deltas: Delta[] = []
  return [readWaiting(without(state, turnOf(state)), deltas), deltas]
}

/** The reply is over, one way or another: what still waits is read first, in its order. */
function settle(state: ResponsesState, end: (reader: ReaderState) => Step): ResponsesStep {
  let current = state
  const deltas: Delta[] = []
  while (current.items.size > 0) {
    const [next, more] = giveUp(current)
    current = next
    for (const delta of more) deltas.push(delta)
  }
  const [reader, more] = end(current.reader)
  for (const delta of more) deltas.push(delta)
  return [{ ...current, reader }, deltas]
}

/** The last event holds the whole reply: it is all there is where nothing was streamed. */
function readTerminal(state: ResponsesState, response: JsonObject): ResponsesStep {
  const [told, before] = state.begun && !isFailed(response) ? readRest(state, response) : [state, none]
  const [next, deltas] = settle(told, (reader) => {
    const step: Step = state.begun ? [reader, none] : readOutput(reader, response)
    return after(step[1], endOf(step[0], response))
  })
  return [next, [...before, ...deltas]]
}

/** Items that were begun and not ended, or that come with the last event alone. */
function readRest(state: ResponsesState, response: JsonObject): ResponsesStep {
  let current = state
  const deltas: Delta[] = []
  for (const [output_index, item] of arrayOf(response["output"]).entries()) {
    // Some servers number nothing: then the items that have ended are counted.
    const isNew = output_index > state.done && output_index >= state.ended
    if (!isNew && !state.items.has(output_index)) continue
    const [next, more] = toItem(current, { type: "response.output_item.done", output_index, item })
    current = next
    for (const delta of more) deltas.push(delta)
  }
  return [current, deltas]
}

const isFailed = ({ status, error }: JsonObject): boolean => status === "failed" || isErrorJson({ error })

function readOutput(reader: ReaderState, response: JsonObject): Step {
  const items = [...arrayOf(response["output"]).entries()]
  const known = foundPages(
    reader,
    items.flatMap(([, item]) => (isObject(item) ? pagesOf(item) : [])),
  )
  return each(known, items, (current, [index, item]) =>
    isObject(item) ? readWholeItem(current, index, item) : [current, none],
  )
}

function countedBy(reader: ReaderState, response: JsonObject): Step {
  const usage = convertUsage(response["usage"])
  return usage === undefined ? [reader, none] : reported(reader, usage)
}

function endOf(reader: ReaderState, response: JsonObject): Step {
  let step = countedBy(reader, response)
  if (isFailed(response)) {
    const error = { error: response["error"] ?? { message: "the response failed, without a reason" } }
    return after(step[1], failed(step[0], faultFromJson(error, reader.options.errors)))
  }
  step = after(step[1], finished(step[0], finishOf(response)))
  return step[0].ended ? step : after(step[1], readEnd(step[0], true))
}

/** `incomplete_details.reason` says why a reply is not whole. */
function finishOf(response: JsonObject): Finish {
  const why = textOf(objectOf(response["incomplete_details"])["reason"])
  if (response["status"] !== "incomplete" && why === undefined) {
    return { kind: "stop", reason: "end_turn", known: true }
  }
  if (why === "content_filter") return { kind: "filtered" }
  return { kind: "stop", reason: why === "max_output_tokens" ? "max_tokens" : "end_turn", known: true }
}
