// A reply of the Responses API as the events of a stream: in the documented grammar, and in the ways servers
// depart from it.
import { arrayOf, type JsonObject, objectOf } from "../../../src/protocol/json.ts"
import { responseOf } from "./items.ts"

export interface EventOptions {
  /**
   * Deltas and everything else; no deltas, but the `done` of every part (LM Studio); nothing of an item but its
   * last event; or nothing but the last event of all.
   */
  readonly manner?: "documented" | "done-only" | "items-only" | "completed-only"
  /** Every event names its item by another id (GitHub Copilot). */
  readonly rotate?: boolean
  /** One list of the events of all items, made of one list for each; one after the other unless told. */
  readonly order?: (items: readonly (readonly JsonObject[])[]) => readonly JsonObject[]
  /** A text in pieces. */
  readonly pieces?: (text: string) => readonly string[]
  /** What the last event's `response` holds beyond the usual; its status names the event. */
  readonly end?: JsonObject
}

/** Pieces of `size` characters. */
export function piecesOf(size: number): (text: string) => readonly string[] {
  return (text) => {
    const characters = [...text]
    return Array.from({ length: Math.ceil(characters.length / size) }, (_, at) =>
      characters.slice(at * size, (at + 1) * size).join(""),
    )
  }
}

/** All events of a reply with these items, numbered. */
export function eventsOf(output: readonly JsonObject[], options: EventOptions = {}): readonly JsonObject[] {
  const { order = (lists) => lists.flat(), manner = "documented" } = options
  const begun = responseOf([], { status: "in_progress", usage: null })
  const last = responseOf(output, options.end)
  const items =
    manner === "completed-only" ? [] : output.map((item, index) => itemEvents(item, index, options))
  const events: readonly JsonObject[] = [
    { type: "response.created", response: begun },
    { type: "response.in_progress", response: begun },
    ...order(items),
    { type: `response.${last["status"]}`, response: last },
  ]
  return events.map((event, sequence_number) => ({
    ...rotated(event, sequence_number, options),
    sequence_number,
  }))
}

function rotated(event: JsonObject, at: number, { rotate = false }: EventOptions): JsonObject {
  if (!rotate) return event
  const id = `${Buffer.from(`${at}`).toString("base64")}rot`
  const item = event["item"] === undefined ? {} : { item: { ...objectOf(event["item"]), id } }
  return { ...event, ...item, ...(event["item_id"] === undefined ? {} : { item_id: id }) }
}

/** The events of one item, from its beginning to its end. */
export function itemEvents(
  item: JsonObject,
  output_index: number,
  options: EventOptions,
): readonly JsonObject[] {
  const { manner = "documented" } = options
  const place = { output_index }
  const done = { type: "response.output_item.done", ...place, item }
  if (manner === "items-only") return [done]
  const inside = partEvents(item, options).filter(
    ({ type }) => manner === "documented" || !String(type).endsWith(".delta"),
  )
  const middle = inside.map((event) => ({ ...event, item_id: item["id"], ...place }))
  return [{ type: "response.output_item.added", ...place, item: begun(item) }, ...middle, done]
}

/** An item when it is added: nothing in it yet, and an encrypted content that is not the final one. */
function begun(item: JsonObject): JsonObject {
  switch (item["type"]) {
    case "reasoning":
      return { ...item, summary: [], content: [], encrypted_content: "gAAAAABpartial" }
    case "message":
      return { ...item, status: "in_progress", content: [] }
    case "function_call":
      return { ...item, status: "in_progress", arguments: "" }
    default:
      return { ...item, status: "in_progress", action: undefined }
  }
}

function partEvents(item: JsonObject, options: EventOptions): readonly JsonObject[] {
  const { pieces = piecesOf(7) } = options
  switch (item["type"]) {
    case "reasoning":
      return [
        ...listOf(item["summary"]).flatMap((part, at) => summaryEvents(part, at, pieces)),
        ...listOf(item["content"]).flatMap((part, at) => contentEvents(part, at, pieces)),
      ]
    case "message":
      return listOf(item["content"]).flatMap((part, at) => contentEvents(part, at, pieces))
    case "function_call": {
      const [type, args] = ["response.function_call_arguments", String(item["arguments"])]
      const deltas = pieces(args).map((delta) => ({ type: `${type}.delta`, delta, obfuscation: "x" }))
      return [...deltas, { type: `${type}.done`, name: item["name"], arguments: args }]
    }
    case "web_search_call":
      return ["in_progress", "searching", "completed"].map((word) => ({
        type: `response.web_search_call.${word}`,
      }))
    default:
      return []
  }
}

type Pieces = (text: string) => readonly string[]

const listOf = (value: unknown): readonly JsonObject[] => arrayOf(value).map(objectOf)

function summaryEvents(part: JsonObject, summary_index: number, pieces: Pieces): readonly JsonObject[] {
  const text = String(part["text"])
  const words = pieces(text).map((delta) => ({ type: "response.reasoning_summary_text.delta", delta }))
  const events: readonly JsonObject[] = [
    { type: "response.reasoning_summary_part.added", part: { ...part, text: "" } },
    ...words,
    { type: "response.reasoning_summary_text.done", text },
    { type: "response.reasoning_summary_part.done", part },
  ]
  return events.map((event) => ({ ...event, summary_index }))
}

/** What the text of each kind of part is called, in the part and in its events. */
const kinds: Readonly<Record<string, readonly [field: string, event: string]>> = {
  output_text: ["text", "response.output_text"],
  refusal: ["refusal", "response.refusal"],
  reasoning_text: ["text", "response.reasoning_text"],
}

function contentEvents(part: JsonObject, content_index: number, pieces: Pieces): readonly JsonObject[] {
  const [field, type] = kinds[String(part["type"])] ?? ["text", "response.output_text"]
  const text = String(part[field])
  const notes = listOf(part["annotations"]).map((annotation, annotation_index) => ({
    ...{ type: "response.output_text.annotation.added", annotation, annotation_index },
  }))
  const empty = part["annotations"] === undefined ? {} : { annotations: [] }
  const events: readonly JsonObject[] = [
    { type: "response.content_part.added", part: { ...part, ...empty, [field]: "" } },
    ...pieces(text).map((delta) => ({ type: `${type}.delta`, delta, logprobs: [] })),
    ...notes,
    { type: `${type}.done`, [field]: text },
    { type: "response.content_part.done", part },
  ]
  return events.map((event) => ({ ...event, content_index }))
}

/** Events as the server sends them: each named, and no `[DONE]`. */
export function encodeEvents(events: readonly JsonObject[]): string {
  return events.map((event) => `event: ${event["type"]}\ndata: ${JSON.stringify(event)}\n\n`).join("")
}
