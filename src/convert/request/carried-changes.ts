// What a summary has to say of tools: it takes the place of the messages that added and removed them, and what is not
// told beside it is lost (Anthropic SDK 1.11, BetaCompactionBlock.tool_changes).
import { isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import type { MessagesRequest } from "../../protocol/messages/messages.ts"
import { findChanges, nameOf } from "../dialogue/tool-changes.ts"

const noChanges: readonly JsonObject[] = Object.freeze([])

/** The changes that lead from the request's own tools to those in force at its end; only a summary is asked for them. */
export function carriedChanges({ compaction, tools, messages }: MessagesRequest): readonly JsonObject[] {
  const changes = compaction?.type === "summarize" ? findChanges(messages) : undefined
  if (changes === undefined) return noChanges
  const own = new Set((tools ?? []).map(({ name }) => name))
  const defined = new Map<string, JsonObject>()
  const carried = new Map<string, JsonObject>()
  for (const { block } of changes) {
    const tool = objectOf(block["tool"])
    const name = nameOf(tool)
    if (name === undefined) continue
    if (isObject(tool["definition"])) defined.set(name, addition(tool["definition"]))
    const isAdded = block["type"] === "tool_addition"
    const change = isAdded ? defined.get(name) : own.has(name) ? removal(name) : undefined
    carried.delete(name)
    if (change !== undefined) carried.set(name, change)
  }
  return [...carried.values()]
}

function addition({ cache_control: _mark, ...definition }: JsonObject): JsonObject {
  return { type: "tool_addition", tool: { type: "tool_definition", definition } }
}

const removal = (name: string): JsonObject => {
  return { type: "tool_removal", tool: { type: "tool_reference", name } }
}
