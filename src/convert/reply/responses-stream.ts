// The reader of the Responses dialect: its events become deltas here. Items may interleave, so each waits until
// the one before it is done; servers leave out deltas, or send nothing but the whole at the end.
import type { StreamInput } from "../../protocol/chat.ts"
import { arrayOf, countOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import { faultFromJson, isErrorJson } from "../../protocol/upstream-error.ts"
import type { Delta } from "../delta.ts"
import { convertUsage, type Finish } from "./finish.ts"
import { failed, finished, initialReader, readEnd, reported } from "./reader.ts"
import { after, each, none, type ReaderOptions, type ReaderState, type Step } from "./reader-text.ts"
import { type Item, initialItem, readItemEvent, readWholeItem } from "./responses-items.ts"

export interface ResponsesState {
  readonly reader: ReaderState
  /** The items that are not done, by output_index, in the order they were added. */
  readonly items: ReadonlyMap<number, Waiting>
  /** Something has come of an item. */
  readonly begun: boolean
}

interface Waiting {
  readonly item: Item
  /** Events that came before it was this item's turn. */
  readonly events: readonly JsonObject[]
}

type ResponsesStep = readonly [ResponsesState, readonly Delta[]]

export function initialResponses(options: ReaderOptions): ResponsesState {
  return { reader: initialReader(options), items: new Map(), begun: false }
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
  const [read, deltas] = readOutput(reader, objectOf(reply))
  return [...deltas, ...endOf(read, objectOf(reply))[1]]
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

function addItem(state: ResponsesState, event: JsonObject): ResponsesStep {
  const index = countOf(event["output_index"]) ?? state.items.size
  const items = new Map(state.items).set(index, { item: initialItem(index), events: [] })
  return toItem({ ...state, items, begun: true }, event)
}

/** An event of the item whose turn it is is read at once; any other waits. */
function toItem(state: ResponsesState, event: JsonObject): ResponsesStep {
  const index = indexOf(state, event)
  const waiting = state.items.get(index)
  if (waiting === undefined) {
    // An item that was never added, as some servers have it: it is known by its end.
    return event["type"] === "response.output_item.done" ? addItem(state, event) : [state, none]
  }
  if (index === turnOf(state)) return readNow(state, index, event)
  const items = new Map(state.items).set(index, { ...waiting, events: [...waiting.events, event] })
  return [{ ...state, items }, none]
}

const turnOf = ({ items }: ResponsesState): number => Math.min(...items.keys())

function readNow(state: ResponsesState, index: number, event: JsonObject): ResponsesStep {
  const waiting = state.items.get(index)
  if (waiting === undefined) return [state, none]
  const [item, [reader, deltas]] = readItemEvent(state.reader, waiting.item, event)
  const items = new Map(state.items)
  if (event["type"] !== "response.output_item.done") {
    return [{ ...state, reader, items: items.set(index, { item, events: waiting.events }) }, deltas]
  }
  items.delete(index)
  const [next, more] = drain(
    { ...state, reader, items },
    items.size === 0 ? undefined : Math.min(...items.keys()),
  )
  return [next, [...deltas, ...more]]
}

/** Reads what waited for an item's turn, and so on to the next one that is done already. */
function drain(state: ResponsesState, index: number | undefined): ResponsesStep {
  const waiting = index === undefined ? undefined : state.items.get(index)
  if (index === undefined || waiting === undefined) return [state, none]
  let current: ResponsesState = {
    ...state,
    items: new Map(state.items).set(index, { item: waiting.item, events: [] }),
  }
  const deltas: Delta[] = []
  for (const event of waiting.events) {
    const [next, more] = readNow(current, index, event)
    current = next
    for (const delta of more) deltas.push(delta)
  }
  return [current, deltas]
}

/** The reply is over, one way or another: what still waits is read first, in its order. */
function settle(state: ResponsesState, end: (reader: ReaderState) => Step): ResponsesStep {
  let current = state
  const deltas: Delta[] = []
  for (const index of [...state.items.keys()].toSorted((one, other) => one - other)) {
    const [next, more] = drain(current, index)
    current = next
    for (const delta of more) deltas.push(delta)
  }
  const [reader, more] = end(current.reader)
  return [{ ...current, reader, items: new Map() }, [...deltas, ...more]]
}

/** The last event holds the whole reply: it is all there is where nothing was streamed. */
function readTerminal(state: ResponsesState, response: JsonObject): ResponsesStep {
  return settle(state, (reader) => {
    const step: Step = state.begun ? [reader, none] : readOutput(reader, response)
    return after(step[1], endOf(step[0], response))
  })
}

function readOutput(reader: ReaderState, response: JsonObject): Step {
  const items = [...arrayOf(response["output"]).entries()]
  return each(reader, items, (current, [index, item]) =>
    isObject(item) ? readWholeItem(current, index, item) : [current, none],
  )
}

function endOf(reader: ReaderState, response: JsonObject): Step {
  const usage = convertUsage(response["usage"])
  let step: Step = usage === undefined ? [reader, none] : reported(reader, usage)
  if (response["status"] === "failed" || isErrorJson({ error: response["error"] })) {
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
