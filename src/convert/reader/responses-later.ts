// Events of a Responses stream that wait until it is their item's turn.
import type { JsonObject } from "../../protocol/json.ts"

/** Events in a chain, the last one first: one more costs the same however many there are. */
export interface Later {
  readonly event: JsonObject
  readonly before: Later | undefined
  /** Of the whole chain. */
  readonly size: number
}

export function andLater(before: Later | undefined, event: JsonObject): Later {
  return { event, before, size: (before?.size ?? 0) + sizeOf(event, 8) }
}

export function inOrder(last: Later): readonly JsonObject[] {
  const events: JsonObject[] = []
  for (let at: Later | undefined = last; at !== undefined; at = at.before) events.push(at.event)
  return events.reverse()
}

/** About as many characters as the JSON of a value has; what is nested deeper than `depth` counts little. */
function sizeOf(value: unknown, depth: number): number {
  if (typeof value === "string") return value.length
  if (depth === 0 || typeof value !== "object" || value === null) return 8
  let size = 16
  for (const inner of Object.values(value)) size += sizeOf(inner, depth - 1)
  return size
}
