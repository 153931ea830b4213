// What an event of a Responses stream is about: which item, of which type, and whether it begins or ends.
import { type JsonObject, objectOf, textOf } from "../../protocol/json.ts"

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

/** The type of the item that an event is about, as far as it tells. */
export function typeOfEvent(event: JsonObject): ItemType | undefined {
  const name = textOf(event["type"]) ?? ""
  if (name.startsWith("response.output_item.")) return typeOfItem(objectOf(event["item"]))
  if (name.startsWith("response.reasoning")) return "reasoning"
  if (name.startsWith("response.function_call")) return "function_call"
  return /^response\.(output_text|refusal)\./.test(name) ? "message" : undefined
}

export const isAdded = (event: JsonObject): boolean => event["type"] === "response.output_item.added"

export const isDone = (event: JsonObject): boolean => event["type"] === "response.output_item.done"

/** llama.cpp gives calls no id but their call_id, by which their pieces are known. */
export function idsOf({ item, item_id }: JsonObject): readonly string[] {
  const { id, call_id } = objectOf(item)
  return [id, call_id, item_id].flatMap((one) => textOf(one) ?? [])
}
