// `reasoning_details`, as OpenRouter and MiniMax give them: items that come in pieces and must go back whole,
// unchanged and in their order (openrouter.ai/docs, reasoning tokens).
import { countOf, type JsonObject, textOf } from "../../protocol/json.ts"

// These grow from piece to piece; of every other member the last value counts.
const growing = ["text", "summary", "data"] as const

/**
 * The items so far with further pieces added: pieces of one index and type are one item. Without an index a
 * piece continues the last item, unless that came in the same list: a whole reply lists whole items.
 */
export function mergeDetails(
  items: readonly JsonObject[],
  pieces: readonly JsonObject[],
): readonly JsonObject[] {
  return merge(items, pieces, items.length)
}

/** The same where something else stood in between: only an index then tells that a piece continues an item. */
export function continueDetails(
  items: readonly JsonObject[],
  pieces: readonly JsonObject[],
): readonly JsonObject[] {
  return merge(items, pieces, 0)
}

// Replies have a handful; each piece is looked for among all of them, so there must be an end to it.
const mostItems = 1_000

/** `open`: up to how many items the last one may still grow. */
function merge(
  items: readonly JsonObject[],
  pieces: readonly JsonObject[],
  open: number,
): readonly JsonObject[] {
  if (pieces.length === 0) return items
  const merged = [...items]
  for (const piece of pieces) {
    const at = findItem(merged, piece, open)
    const item = merged[at]
    if (item !== undefined) merged[at] = joinPiece(item, piece)
    else if (merged.length < mostItems) merged.push(piece)
  }
  return merged
}

/** The item a piece belongs to, or -1. */
function findItem(items: readonly JsonObject[], piece: JsonObject, open: number): number {
  const { index, type } = piece
  if (index !== undefined && index !== null) {
    // What is encrypted comes whole: under another id it is another item.
    const apart = (item: JsonObject) => type === "reasoning.encrypted" && differs(item["id"], piece["id"])
    return items.findLastIndex((item) => item["index"] === index && item["type"] === type && !apart(item))
  }
  const last = items.at(-1)
  const another = last === undefined || last["type"] !== type || differs(last["id"], piece["id"])
  return another || items.length > open ? -1 : items.length - 1
}

function differs(one: unknown, other: unknown): boolean {
  return textOf(one) !== undefined && textOf(other) !== undefined && one !== other
}

function joinPiece(item: JsonObject, piece: JsonObject): JsonObject {
  const joined: Record<string, unknown> = { ...item }
  for (const [key, value] of Object.entries(piece)) {
    if (value === null || value === undefined) continue
    const before = joined[key]
    const grows = growing.some((field) => field === key) && typeof value === "string"
    if (!grows || typeof before !== "string") joined[key] = value
    else joined[key] = before + (key === "data" ? newData(before, value) : value)
  }
  return joined
}

/** Encrypted data that comes once more is the same data; what repeats of a text was taken off by the reader. */
function newData(before: string, value: string): string {
  return before.length >= leastRepeat && value.startsWith(before) ? value.slice(before.length) : value
}

// Shorter beginnings may be alike by chance.
const leastRepeat = 8

/** The readable text of a piece. */
export function detailText(piece: JsonObject): string {
  return textOf(piece["text"]) ?? textOf(piece["summary"]) ?? ""
}

// In the place of a text that stands in the thinking: how long it is.
const lengthKeys = { text: "#text", summary: "#summary" } as const

/** The items without the texts that stand in the thinking already: of those the length is kept. */
export function packDetails(items: readonly JsonObject[], thinking: string): readonly JsonObject[] {
  let at = 0
  return items.map((item) => {
    const field = textOf(item["text"]) !== undefined ? "text" : "summary"
    const text = detailText(item)
    if (text === "" || !thinking.startsWith(text, at)) return item
    at += text.length
    return { ...item, [field]: null, [lengthKeys[field]]: text.length }
  })
}

/** The reverse of `packDetails`. */
export function unpackDetails(items: readonly JsonObject[], thinking: string): readonly JsonObject[] {
  let at = 0
  return items.map((item) => {
    const { [lengthKeys.text]: ofText, [lengthKeys.summary]: ofSummary, ...rest } = item
    const length = countOf(ofText) ?? countOf(ofSummary)
    if (length === undefined) return item
    const text = thinking.slice(at, at + length)
    at += length
    return { ...rest, [ofText === undefined ? "summary" : "text"]: text }
  })
}
