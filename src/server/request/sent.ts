// How long a prompt is in the form it is sent in: without what the conversion leaves out, with what it adds.
import type { ChatRequest } from "../../protocol/chat/chat.ts"
import type { ResponsesRequest } from "../../protocol/chat/responses.ts"
import { isObject } from "../../protocol/json.ts"
import { estimateText } from "../../tokens/estimate.ts"
import { perCall, perMessage, perTool } from "../../tokens/pieces.ts"

export interface Sent {
  /** Our estimate of its words; pictures and documents are not in it. */
  readonly tokens: number
  readonly hasMedia: boolean
}

const media: ReadonlySet<unknown> = new Set([
  ...["image_url", "input_image", "file", "input_file", "document_url"],
])

// Names that are part of no text, and what only the upstream can read: its bytes say nothing of its length.
const unread: ReadonlySet<string> = new Set([
  ...["role", "type", "id", "tool_call_id", "call_id", "phase", "status", "cache_control"],
  ...["encrypted_content", "reasoning_opaque", "thought_signature", "signature", "data"],
])

/** Estimates a converted body; takes as long as the estimate of the client's own. */
export function measureSent(
  body: ChatRequest | ResponsesRequest,
  countText: (text: string) => number = estimateText,
): Sent {
  const turns = "messages" in body ? body.messages : [body.instructions ?? [], ...body.input]
  const words = measureWords(turns, countText)
  const tools = (body.tools ?? []).map((tool) => perTool + countText(definitionOf(tool)))
  const around = perMessage * turns.length
  return { ...words, tokens: tools.reduce((sum, tokens) => sum + tokens, words.tokens + around) }
}

function measureWords(turns: readonly unknown[], countText: (text: string) => number): Sent {
  let hasMedia = false
  let tokens = 0
  // A list and no recursion: what a provider wants back of its reasoning is nested as it pleases.
  const waiting = [...turns]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value === "string") tokens += countText(value)
    else if (Array.isArray(value)) for (const item of value) waiting.push(item)
    else if (isObject(value)) {
      if (media.has(value["type"])) hasMedia = true
      else tokens += pushTexts(value, waiting)
    }
  }
  return { tokens, hasMedia }
}

/** Puts on the list what an object says; the tokens of its frame. */
function pushTexts(value: Readonly<Record<string, unknown>>, waiting: unknown[]): number {
  for (const key in value) {
    // Some want the same words under two names.
    const isTwice = key === "reasoning" && value["reasoning"] === value["reasoning_content"]
    if (!unread.has(key) && !isTwice) waiting.push(value[key])
  }
  const { type } = value
  return type === "function" || type === "function_call" ? perCall : 0
}

function definitionOf(tool: object): string {
  const given: unknown = "function" in tool ? tool.function : tool
  if (!isObject(given)) return ""
  const { name, description, parameters } = given
  if (parameters === undefined) return JSON.stringify(given)
  return [name, description, JSON.stringify(parameters)].filter((part) => typeof part === "string").join("\n")
}
