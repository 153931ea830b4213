// Events of a Responses stream that wait until it is their item's turn.
import type { JsonObject } from "../../protocol/json.ts"
import type { Link } from "../common/links.ts"

/** One event more costs the same however many there are. */
export interface Later extends Link<JsonObject> {
  /** Of the whole list. */
  readonly size: number
}

export function andLater(before: Later | undefined, event: JsonObject): Later {
  return { item: event, before, size: (before?.size ?? 0) + sizeOf(event, 8) }
}

/** About as many characters as the JSON of a value has; what is nested deeper than `depth` counts little. */
function sizeOf(value: unknown, depth: number): number {
  if (typeof value === "string") return value.length
  if (depth === 0 || typeof value !== "object" || value === null) return 8
  let size = 16
  for (const inner of Object.values(value)) size += sizeOf(inner, depth - 1)
  return size
}
