// Single events of the Responses API, and the deltas they become, by short names.
import type { Delta } from "../../../src/convert/common/delta.ts"
import type { JsonObject } from "../../../src/protocol/json.ts"
import { encrypted } from "./items.ts"

export const at = (output_index: number, type: string, more: JsonObject = {}): JsonObject => {
  return { type: `response.${type}`, output_index, item_id: `item_${output_index}`, ...more }
}
export const added = (index: number, type: string, more: JsonObject = {}) =>
  at(index, "output_item.added", { item: { type, id: `item_${index}`, ...more } })
export const done = (index: number, type: string, more: JsonObject = {}) =>
  at(index, "output_item.done", { item: { type, id: `item_${index}`, ...more } })

export const thought = (text: string, field = "summary"): Delta => ({ kind: "reasoning", text, field })
export const said = (text: string): Delta => ({ kind: "text", text })
export const kept = (value: string): Delta => ({ kind: "opaque", opaque: { kind: "item", value } })
export const called = (
  args: string,
  complete: boolean,
  key = 0,
  id = "call_1_abcd",
  name = "Read",
): Delta => {
  return { kind: "tool", key, id, name, args, complete }
}

export const value = encrypted("a thought")
export const summary = (...texts: readonly string[]) => ({
  summary: texts.map((text) => ({ type: "summary_text", text })),
})
export const call = (args?: string) => ({
  ...{ call_id: "call_1_abcd", name: "Read" },
  ...(args === undefined ? {} : { arguments: args }),
})
export const words = (...content: readonly JsonObject[]) => ({ role: "assistant", content })
export const output = (text: string, annotations: readonly JsonObject[] = []) => {
  return { type: "output_text", text, annotations }
}
