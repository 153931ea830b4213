// One item of a Responses reply: reasoning, a message, a call or a search, from its events or as a whole.
import {
  arrayOf,
  countOf,
  isObject,
  type JsonObject,
  lookUp,
  objectOf,
  parseJson,
  textOf,
} from "../../protocol/json.ts"
import type { Delta, SearchResult } from "../common/delta.ts"
import { after, each, none, otherText, type ReaderState, releaseHeld, type Step } from "./reader-text.ts"
import {
  callWith,
  type Item,
  type ItemStep,
  initialItem,
  type Kind,
  type Said,
  say,
} from "./responses-parts.ts"
import { foundPages, readPage } from "./search.ts"

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
  if (type === "response.output_item.added") return addItem(reader, item, objectOf(event["item"]))
  if (type === "response.output_item.done") return finishItem(reader, item, objectOf(event["item"]))
  if (type === "response.output_text.annotation.added") {
    foundPages(reader, readPage(objectOf(event["annotation"])))
    return [item, none]
  }
  return readText(reader, item, type, event)
}

/** A piece of a text, or all of it. */
function readText(reader: ReaderState, item: Item, type: string, event: JsonObject): ItemStep {
  const [, name = "", end] = /^(.*)\.(delta|done)$/.exec(type) ?? []
  const kind = lookUp(kinds, name)
  if (kind === undefined) return [item, none]
  // Arguments of a call without a name come once more with its end, if it gets no name before that.
  if (kind === "arguments" && !item.added)
    return [end === "delta" ? { ...item, early: item.early + (textOf(event["delta"]) ?? "") } : item, none]
  const position = countOf(event["summary_index"]) ?? countOf(event["content_index"]) ?? 0
  const text = textOf(
    event[end === "delta" ? "delta" : kind === "summary" || kind === "reasoning" ? "text" : kind],
  )
  return say(reader, item, { kind, position, text, isWhole: end === "done" })
}

/** Its beginning, and of a call what came of it before (docker/docker-agent#2976). */
function addItem(reader: ReaderState, item: Item, given: JsonObject): ItemStep {
  const before = startItem(reader, item, given)
  const early = given["type"] === "function_call" ? textOf(item.early) : undefined
  const said: Said = { kind: "arguments", position: 0, text: early, isWhole: false }
  const [next, step] = say(reader, { ...item, added: true, early: "" }, said)
  return [next, after(before, step)]
}

/** A whole item, in one step. */
export function readWholeItem(reader: ReaderState, index: number, given: JsonObject): Step {
  return finishItem(reader, initialItem(index), given)[1]
}

/** A call is known by name as soon as it is added, and a message by its phase; the rest follows. */
function startItem(reader: ReaderState, { index }: Item, given: JsonObject): Step {
  if (given["type"] === "message") return startMessage(textOf(given["phase"]))
  if (given["type"] !== "function_call") return none
  const { call_id: id, name } = given
  return callWith(reader, { index, id, function: { name, arguments: "" } })
}

/** OpenAI's newer models lose quality where the phase of their messages does not come back. */
function startMessage(phase: string | undefined): Step {
  return phase === undefined ? none : [{ kind: "opaque", opaque: { kind: "phase", value: phase } }]
}

/** What is said next is a text of its own. */
function endText(reader: ReaderState): void {
  if (reader.last === "text") reader.last = "tool"
}

/** The item as it is in the end: what of it has not come before, and what only now is final. */
function finishItem(reader: ReaderState, item: Item, given: JsonObject): ItemStep {
  switch (given["type"]) {
    case "reasoning":
      return finishReasoning(reader, item, given)
    case "message":
      return finishMessage(reader, item, given)
    case "function_call":
      return finishCall(reader, item, given)
    case "web_search_call":
      return [item, finishSearch(reader, given)]
    case "image_generation_call":
      return [item, otherText(reader, "[image omitted]")]
    default:
      return [item, none]
  }
}

const wholePart = (kind: Kind, position: number, text: unknown): Said => {
  return { kind, position, text: textOf(text), isWhole: true }
}

/** Servers that send nothing of a call but its end name it here for the first time. */
function finishCall(reader: ReaderState, item: Item, given: JsonObject): ItemStep {
  const { arguments: sent, status } = given
  // Some give the object itself, as others do in Chat Completions; a call that was cut off has none yet.
  const absent = status === "incomplete" ? "" : "{}"
  const args = textOf(sent) ?? (isObject(sent) ? JSON.stringify(sent) : absent)
  const before = startItem(reader, item, given)
  const [next, deltas] = say(reader, item, wholePart("arguments", 0, args))
  return [next, [...before, ...deltas, ...(parseJson(args).ok ? endCall(reader) : none)]]
}

/** Empty arguments are held back, because more may follow them; here nothing does. */
function endCall({ tools }: ReaderState): readonly Delta[] {
  const key = tools.current
  const slot = tools.slots[key]
  if (slot === undefined || !slot.started || slot.args.done) return none
  return [{ kind: "tool", key, id: slot.id, name: slot.clientName, args: "", complete: true }]
}

/** `encrypted_content` is final only here (OpenAI API reference): it goes back with the next request. */
function finishReasoning(reader: ReaderState, item: Item, given: JsonObject): ItemStep {
  const [next, deltas] = sayAll(reader, item, [
    ...partsOf(given["summary"]).map((part, at) => wholePart("summary", at, part["text"])),
    ...partsOf(given["content"]).map((part, at) => wholePart("reasoning", at, part["text"])),
  ])
  const value = textOf(given["encrypted_content"])
  if (value === undefined) return [next, deltas]
  endText(reader)
  return [next, [...deltas, { kind: "opaque", opaque: { kind: "item", value } }]]
}

function finishMessage(reader: ReaderState, item: Item, given: JsonObject): ItemStep {
  const parts = partsOf(given["content"])
  const said = parts.map((part, at) =>
    part["type"] === "refusal"
      ? wholePart("refusal", at, part["refusal"])
      : wholePart("text", at, part["text"]),
  )
  // Of a message that was never added this is all there is.
  const isAll = Object.keys(item.seen).length === 0
  const before = isAll ? startItem(reader, item, given) : none
  foundPages(reader, pagesOf(given))
  const [next, step] = sayAll(reader, item, said)
  return [next, after(before, step)]
}

/** The pages that the parts of a message name as their sources. */
export function pagesOf(given: JsonObject): readonly SearchResult[] {
  return partsOf(given["content"]).flatMap((part) => partsOf(part["annotations"]).flatMap(readPage))
}

function sayAll(reader: ReaderState, item: Item, parts: readonly Said[]): ItemStep {
  let current = item
  const step = each(reader, parts, (at, part) => {
    const [next, said] = say(at, current, part)
    current = next
    return said
  })
  return [current, step]
}

const partsOf = (value: unknown): readonly JsonObject[] => arrayOf(value).filter(isObject)

/** Every search that was run is told; one whose pages are not named is told by the sources of the text. */
function finishSearch(reader: ReaderState, given: JsonObject): Step {
  const action = objectOf(given["action"])
  const { search } = reader.options
  if (search === undefined || (action["type"] !== "search" && given["status"] !== "failed")) return none
  const queries = arrayOf(action["queries"]).filter((one) => typeof one === "string")
  const query = textOf(action["query"]) ?? textOf(queries.join(", ")) ?? search.query
  const pages = partsOf(action["sources"]).flatMap(readPage)
  if (given["status"] !== "failed" && pages.length === 0) return none
  const results = given["status"] === "failed" ? undefined : pages
  const before = releaseHeld(reader, "more")
  reader.searched = true
  reader.last = "tool"
  return [...before, { kind: "search", query, results }]
}
