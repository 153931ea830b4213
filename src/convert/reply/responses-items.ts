// One item of a Responses reply: reasoning, a message, a call or a search, from its events or as a whole.
import { arrayOf, countOf, isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"
import { called } from "./reader.ts"
import {
  after,
  none,
  plainText,
  type ReaderState,
  reasoning,
  releaseHeld,
  type Step,
  tagged,
} from "./reader-text.ts"
import { foundPages, readPage } from "./search.ts"

export interface Item {
  readonly index: number
  /** The parts of which something has come, by kind and position: their `done` says nothing new. */
  readonly seen: ReadonlySet<string>
}

export type ItemStep = readonly [Item, Step]

/** The item at an output_index, before any of its events. */
export function initialItem(index: number): Item {
  return { index, seen: new Set() }
}

type Kind = "summary" | "reasoning" | "text" | "refusal" | "arguments"

// Events that bring text, without the `.delta` or `.done` at their end.
const kinds: Readonly<Record<string, Kind>> = {
  "response.reasoning_summary_text": "summary",
  "response.reasoning_text": "reasoning",
  "response.output_text": "text",
  "response.refusal": "refusal",
  "response.function_call_arguments": "arguments",
}

/** One event of an item: what it says is passed on, unless it was said before. */
export function readItemEvent(reader: ReaderState, item: Item, event: JsonObject): ItemStep {
  const type = textOf(event["type"]) ?? ""
  if (type === "response.output_item.added") return [item, startItem(reader, item, objectOf(event["item"]))]
  if (type === "response.output_item.done") return finishItem(reader, item, objectOf(event["item"]))
  if (type === "response.output_text.annotation.added") {
    return [item, foundPages(reader, readPage(objectOf(event["annotation"])))]
  }
  const [, name = "", end] = /^(.*)\.(delta|done)$/.exec(type) ?? []
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
  if (kind === undefined) return [item, [reader, none]]
  const position = countOf(event["summary_index"]) ?? countOf(event["content_index"]) ?? 0
  const text = textOf(
    event[end === "delta" ? "delta" : kind === "summary" || kind === "reasoning" ? "text" : kind],
  )
  return say(reader, item, { kind, position, text, isWhole: end === "done" })
}

/** A whole item, in one step. */
export function readWholeItem(reader: ReaderState, index: number, given: JsonObject): Step {
  const item = initialItem(index)
  const [started, before] = startItem(reader, item, given)
  return after(before, finishItem(started, item, given)[1])
}

interface Said {
  readonly kind: Kind
  readonly position: number
  readonly text: string | undefined
  /** All of a part, which may have come in pieces before. */
  readonly isWhole: boolean
}

function say(reader: ReaderState, item: Item, { kind, position, text, isWhole }: Said): ItemStep {
  const key = `${kind}:${position}`
  // A summary and the reasoning itself are one thing told twice: the first to come is shown.
  const other = kind === "summary" ? "reasoning:" : kind === "reasoning" ? "summary:" : undefined
  const told = other !== undefined && [...item.seen].some((one) => one.startsWith(other))
  if (text === undefined || told || (isWhole && item.seen.has(key))) return [item, [reader, none]]
  const isNew = !item.seen.has(key)
  const next = isNew ? { ...item, seen: new Set(item.seen).add(key) } : item
  return [next, pass(reader, item, kind, text, isNew)]
}

function pass(reader: ReaderState, item: Item, kind: Kind, text: string, isNew: boolean): Step {
  switch (kind) {
    case "summary":
    case "reasoning": {
      // Parts are paragraphs.
      const gap = isNew && reader.last === "reasoning" ? "\n\n" : ""
      return reasoning(reader, gap + text, kind)
    }
    case "text":
      return tagged(reader, text)
    case "refusal":
      return plainText(reader, text)
    case "arguments":
      return callWith(reader, { index: item.index, function: { arguments: text } })
    default:
      return kind satisfies never
  }
}

function callWith(reader: ReaderState, entry: JsonObject): Step {
  const [ready, before] = releaseHeld(reader)
  return after(before, called(ready, [entry], false))
}

/** A call is known by name as soon as it is added; its arguments follow. */
function startItem(reader: ReaderState, { index }: Item, given: JsonObject): Step {
  if (given["type"] !== "function_call") return [reader, none]
  const { call_id: id, name } = given
  return callWith(reader, { index, id, function: { name, arguments: "" } })
}

/** The item as it is in the end: what of it has not come before, and what only now is final. */
function finishItem(reader: ReaderState, item: Item, given: JsonObject): ItemStep {
  switch (given["type"]) {
    case "reasoning":
      return finishReasoning(reader, item, given)
    case "message":
      return finishMessage(reader, item, given)
    case "function_call":
      return say(reader, item, wholePart("arguments", 0, given["arguments"]))
    case "web_search_call":
      return [item, finishSearch(reader, given)]
    case "image_generation_call":
      return [item, plainText(reader, "[image omitted]")]
    default:
      return [item, [reader, none]]
  }
}

const wholePart = (kind: Kind, position: number, text: unknown): Said => {
  return { kind, position, text: textOf(text), isWhole: true }
}

/** `encrypted_content` is final only here (OpenAI API reference): it goes back with the next request. */
function finishReasoning(reader: ReaderState, item: Item, given: JsonObject): ItemStep {
  const [next, [read, deltas]] = sayAll(reader, item, [
    ...partsOf(given["summary"]).map((part, at) => wholePart("summary", at, part["text"])),
    ...partsOf(given["content"]).map((part, at) => wholePart("reasoning", at, part["text"])),
  ])
  const value = textOf(given["encrypted_content"])
  if (value === undefined) return [next, [read, deltas]]
  return [next, [read, [...deltas, { kind: "opaque", opaque: { kind: "item", value } }]]]
}

function finishMessage(reader: ReaderState, item: Item, given: JsonObject): ItemStep {
  const parts = partsOf(given["content"])
  const said = parts.map((part, at) =>
    part["type"] === "refusal"
      ? wholePart("refusal", at, part["refusal"])
      : wholePart("text", at, part["text"]),
  )
  const [next, [read, deltas]] = sayAll(reader, item, said)
  const pages = parts.flatMap((part) => partsOf(part["annotations"]).flatMap(readPage))
  return [next, after(deltas, foundPages(read, pages))]
}

function sayAll(reader: ReaderState, item: Item, parts: readonly Said[]): ItemStep {
  let current: ItemStep = [item, [reader, none]]
  for (const part of parts) {
    const [at, [read, before]] = current
    const [next, step] = say(read, at, part)
    current = [next, after(before, step)]
  }
  return current
}

const partsOf = (value: unknown): readonly JsonObject[] => arrayOf(value).filter(isObject)

/** Every search that was run is told; one whose pages are not named is told by the sources of the text. */
function finishSearch(reader: ReaderState, given: JsonObject): Step {
  const action = objectOf(given["action"])
  const { search } = reader.options
  if (search === undefined || (action["type"] !== "search" && given["status"] !== "failed"))
    return [reader, none]
  const queries = arrayOf(action["queries"]).filter((one) => typeof one === "string")
  const query = textOf(action["query"]) ?? textOf(queries.join(", ")) ?? search.query
  const pages = partsOf(action["sources"]).flatMap(readPage)
  if (given["status"] !== "failed" && pages.length === 0) return [reader, none]
  const results = given["status"] === "failed" ? undefined : pages
  const [ready, before] = releaseHeld(reader)
  return [{ ...ready, searched: true }, [...before, { kind: "search", query, results }]]
}
