// The blocks that histories are made of, read by hand: a conversation of megabytes comes whole with every request,
// and nearly all of it was read before. What is read here is what the schemas of blocks.ts would make of it.

import { isObject, type JsonObject } from "../json.ts"
import type { ContentBlock } from "./content-block.ts"
import { calledName } from "./toolsets.ts"

/**
 * The blocks that histories are made of, read as their schemas read them in a fraction of the time. Undefined: it is
 * another block, or something is wrong with it, which is for its schema to say.
 */
export function readUsual(item: unknown): ContentBlock | undefined {
  if (!isObject(item)) return undefined
  if (item["type"] === "tool_result") return readResult(item)
  return readFlat(item)
}

function readFlat(item: JsonObject): ContentBlock | undefined {
  const { type, text, id, name, input, toolset_name, thinking, signature } = item
  switch (type) {
    case "text":
      return typeof text === "string" ? { type, text } : undefined
    case "tool_use":
      if (typeof id !== "string" || typeof name !== "string") return undefined
      return { type, id, name: calledName(name, toolset_name), input: input ?? {} }
    case "thinking":
      if (typeof thinking !== "string") return undefined
      if (typeof signature === "string") return { type, thinking, signature }
      return signature === undefined || signature === null ? { type, thinking, signature: "" } : undefined
    default:
      return undefined
  }
}

function readResult({ tool_use_id, content, is_error: flag }: JsonObject): ContentBlock | undefined {
  if (typeof tool_use_id !== "string") return undefined
  if (flag !== undefined && flag !== null && typeof flag !== "boolean") return undefined
  const blocks = readInner(content ?? [])
  return blocks && { type: "tool_result", tool_use_id, content: blocks, is_error: flag === true }
}

/** What a result holds, as long as that holds nothing itself: so nothing is looked at more than twice. */
function readInner(content: unknown): readonly ContentBlock[] | undefined {
  if (typeof content === "string") return [{ type: "text", text: content }]
  if (!Array.isArray(content)) return undefined
  const blocks: ContentBlock[] = []
  for (const item of content) {
    const block = isObject(item) ? readFlat(item) : undefined
    if (block === undefined) return undefined
    blocks.push(block)
  }
  return blocks
}
