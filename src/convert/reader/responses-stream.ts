// The reader of the Responses dialect: its events become deltas here. Servers leave out deltas, or send nothing but
// the whole at the end.
import type { StreamInput } from "../../protocol/chat/chat.ts"
import { faultFromJson, isErrorJson } from "../../protocol/errors/upstream-error.ts"
import { type Fault, fault } from "../../protocol/fault.ts"
import { arrayOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import type { Delta } from "../common/delta.ts"
import { convertUsage, type Finish } from "./finish.ts"
import { failed, finished, initialReader, readEnd, reported } from "./reader.ts"
import { after, each, none, type ReaderOptions, type ReaderState, type Step } from "./reader-text.ts"
import { pagesOf, readWholeItem } from "./responses-items.ts"
import { addItem, type ResponsesState, type ResponsesStep, settle, toItem } from "./responses-queue.ts"
import { readRest } from "./responses-rest.ts"
import { foundPages } from "./search.ts"

export function initialResponses(options: ReaderOptions): ResponsesState {
  return {
    reader: initialReader(options),
    items: new Map(),
    begun: false,
    done: -1,
    last: undefined,
    told: {},
    over: [],
  }
}

/** One input in; the next state and what it means out. After `end` or `fault` nothing more comes. */
export function readResponses(
  state: ResponsesState,
  input: Exclude<StreamInput, { kind: "run" }>,
): ResponsesStep {
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
  if (isErrorJson(reply)) return failed(reader, faultFromJson(reply, options.errors))
  const response = objectOf(reply)
  // Who stops reading at a stop sequence is to know what it cost all the same.
  const usage = countedBy(reader, response)
  const deltas = readOutput(reader, response)
  return [...usage, ...deltas, ...endOf(reader, response)]
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
    // A gateway may know the prompt's tokens from the start; one that is cut off never tells more.
    case "response.created":
    case "response.in_progress":
      return [state, countedBy(reader, response)]
    case "response.output_item.added":
      return addItem(state, event)
    default:
      return isItemEvent(event) ? toItem(state, event) : [state, none]
  }
}

const isItemEvent = (event: JsonObject): boolean => /^response\.\w+[._]/.test(textOf(event["type"]) ?? "")

/** The last event holds the whole reply: it is all there is where nothing was streamed. */
function readTerminal(state: ResponsesState, response: JsonObject): ResponsesStep {
  const [told, before] =
    state.begun && !isFailed(response) ? readRest(state, arrayOf(response["output"])) : [state, none]
  if (told.reader.ended) return [told, before]
  const [next, deltas] = settle(told, (reader) => {
    const step = state.begun ? none : readOutput(reader, response)
    return after(step, endOf(reader, response))
  })
  return [next, [...before, ...deltas]]
}

const isFailed = ({ status, error }: JsonObject): boolean => status === "failed" || isErrorJson({ error })

function readOutput(reader: ReaderState, response: JsonObject): Step {
  const items = [...arrayOf(response["output"]).entries()]
  foundPages(
    reader,
    items.flatMap(([, item]) => (isObject(item) ? pagesOf(item) : [])),
  )
  return each(reader, items, (current, [index, item]) =>
    isObject(item) ? readWholeItem(current, index, item) : none,
  )
}

function countedBy(reader: ReaderState, response: JsonObject): Step {
  const usage = convertUsage(response["usage"])
  return usage === undefined ? none : reported(reader, usage, response["usage"])
}

function endOf(reader: ReaderState, response: JsonObject): Step {
  const usage = countedBy(reader, response)
  if (isFailed(response)) {
    const error = { error: response["error"] ?? { message: "the response failed, without a reason" } }
    return after(usage, failed(reader, faultFromJson(error, reader.options.errors)))
  }
  if (reader.last === "nothing" && unfinished.has(response["status"])) {
    return after(usage, failed(reader, notFinished(reader, String(response["status"]))))
  }
  const step = after(usage, finished(reader, finishOf(response)))
  return reader.ended ? step : after(step, readEnd(reader, true))
}

// What a reply is that is made in the background, or was given up.
const unfinished: ReadonlySet<unknown> = new Set(["queued", "in_progress", "cancelled"])

function notFinished({ options }: ReaderState, status: string): Fault {
  const message = `[${options.errors.provider}] the upstream's reply has the status "${status}" and holds nothing`
  return fault({ kind: "api_error", source: "upstream", status: 502, message })
}

// "length" is Ark's and xAI's (vercel/ai, packages/xai/src/responses; 2026-11).
const limits: ReadonlySet<unknown> = new Set(["max_output_tokens", "max_tokens", "length"])

/** `incomplete_details.reason` says why a reply is not whole. */
function finishOf(response: JsonObject): Finish {
  const why = textOf(objectOf(response["incomplete_details"])["reason"])
  if (response["status"] !== "incomplete" && why === undefined) {
    return { kind: "stop", reason: "end_turn", known: true }
  }
  if (why === "content_filter") return { kind: "filtered" }
  return { kind: "stop", reason: limits.has(why) ? "max_tokens" : "end_turn", known: true }
}
