// Chat Completions chunks in the shapes providers send, built by name so that a script reads like a story.
import type { JsonObject } from "../../src/protocol/json.ts"

export interface ToolPiece {
  readonly index?: number
  readonly id?: string
  readonly name?: string
  readonly args?: string
}

/** A chunk with this delta in its only choice; `more` goes beside `choices`. */
export function deltaChunk(delta: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "scripted",
    choices: [{ index: 0, delta, finish_reason: null }],
    ...more,
  }
}

/** The chunk most providers begin with: a role and no content. */
export function roleChunk(): JsonObject {
  return deltaChunk({ role: "assistant", content: "" })
}

export function textChunk(text: string): JsonObject {
  return deltaChunk({ content: text })
}

/** Reasoning under the provider's own field name. */
export function reasoningChunk(text: string, field = "reasoning_content"): JsonObject {
  return deltaChunk({ content: null, [field]: text })
}

/** One fragment of one tool call; what is not given is left out, as providers do. */
export function toolChunk(piece: ToolPiece): JsonObject {
  return deltaChunk({ tool_calls: [toolCallPiece(piece)] })
}

function toolCallPiece({ index, id, name, args }: ToolPiece): JsonObject {
  return {
    ...(index === undefined ? {} : { index }),
    ...(id === undefined ? {} : { id, type: "function" }),
    function: {
      ...(name === undefined ? {} : { name }),
      ...(args === undefined ? {} : { arguments: args }),
    },
  }
}

/** A whole call: its first chunk with id and name, then the arguments in pieces of `size` characters. */
export function toolChunks(
  index: number,
  id: string,
  name: string,
  input: unknown,
  size = 7,
): readonly JsonObject[] {
  const args = JSON.stringify(input)
  const pieces: JsonObject[] = [toolChunk({ index, id, name, args: "" })]
  for (let at = 0; at < args.length; at += size) {
    pieces.push(toolChunk({ index, args: args.slice(at, at + size) }))
  }
  return pieces
}

export function finishChunk(reason: string, usage?: JsonObject): JsonObject {
  return {
    ...deltaChunk({}, usage === undefined ? {} : { usage }),
    choices: [{ index: 0, delta: {}, finish_reason: reason }],
  }
}

/** The last chunk of a stream that was asked to include usage. */
export function usageChunk(input: number, output: number, cached = 0): JsonObject {
  return { ...deltaChunk({}), choices: [], usage: chatUsage(input, output, cached) }
}

export function chatUsage(input: number, output: number, cached = 0): JsonObject {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
  }
}

/** A whole reply with this message. */
export function chatReply(
  message: JsonObject,
  reason = "stop",
  usage: JsonObject = chatUsage(12, 5),
): JsonObject {
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "scripted",
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: reason }],
    usage,
  }
}
