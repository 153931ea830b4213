// What of a Responses reply only its last event tells: items that were begun in the stream and not ended, or never
// begun.
import { isObject, type JsonObject } from "../../protocol/json.ts"
import type { Delta } from "../common/delta.ts"
import { type ItemType, typeOfItem } from "./responses-event.ts"
import { type ResponsesState, type ResponsesStep, toItem } from "./responses-queue.ts"

interface Listed {
  readonly item: JsonObject
  readonly type: ItemType
  /** Its place in the list. */
  readonly at: number
  /** Its place among those of its type. */
  readonly nth: number
}

/**
 * Reads the items of `response.output` that were not told to their end, as if each were done now. Some servers
 * list other items than they streamed, so these are found by their place among those of their type.
 */
export function readRest(state: ResponsesState, output: readonly unknown[]): ResponsesStep {
  const items = listItems(output)
  const isTold = ({ type, nth }: Listed): boolean => nth < (state.told[type] ?? 0)
  const lastTold = items.findLast(isTold)?.at ?? -1
  const opened = openItems(state)
  let current = state
  const deltas: Delta[] = []
  for (const listed of items) {
    const { type, at, nth, item } = listed
    const open = opened[type]?.[nth - (state.told[type] ?? 0)] ?? untyped(state, at)
    // What stands before an item that was told is too late to tell.
    if (isTold(listed) || (open === undefined && at < lastTold)) continue
    const output_index = open ?? freeIndex(current, at)
    const [next, more] = toItem(current, { type: "response.output_item.done", output_index, item })
    current = next
    for (const delta of more) deltas.push(delta)
    if (current.reader.ended) break
  }
  return [current, deltas]
}

function listItems(output: readonly unknown[]): readonly Listed[] {
  const counts: Partial<Record<ItemType, number>> = {}
  return output.flatMap((item, at) => {
    const type = isObject(item) ? typeOfItem(item) : undefined
    if (!isObject(item) || type === undefined) return []
    const nth = counts[type] ?? 0
    counts[type] = nth + 1
    return [{ item, type, at, nth }]
  })
}

/** The indexes of the items that are not done, by type. */
function openItems({ items }: ResponsesState): Readonly<Partial<Record<ItemType, readonly number[]>>> {
  const opened: Partial<Record<ItemType, number[]>> = {}
  const inOrder = [...items].sort(([one], [other]) => one - other)
  for (const [index, { type }] of inOrder) {
    if (type === undefined) continue
    opened[type] ??= []
    opened[type].push(index)
  }
  return opened
}

/** An item of which nothing is known but its index. */
function untyped({ items }: ResponsesState, at: number): number | undefined {
  const waiting = items.get(at)
  return waiting !== undefined && waiting.type === undefined ? at : undefined
}

function freeIndex({ items, done }: ResponsesState, at: number): number {
  return at > done && !items.has(at) ? at : Math.max(at, done, ...items.keys()) + 1
}
