// What the Responses API gives as a turn: items of a reply, whole and in their final form, as OpenAI documents
// them. A stream of them is made in events.ts.
import type { JsonObject } from "../../../src/protocol/json.ts"
import type { Say } from "../conversation-shapes.ts"

/** An encrypted content that looks like the real thing. */
export function encrypted(name: string): string {
  return `gAAAAAB${Buffer.from(`${name}, which only the model itself can read, and nobody else`).toString("base64url")}`
}

export function reasoningItem(id: string, summary: readonly string[], content?: string): JsonObject {
  return {
    ...{ id: `rs_${id}`, type: "reasoning" },
    summary: summary.map((text) => ({ type: "summary_text", text })),
    encrypted_content: content ?? encrypted(id),
  }
}

export function messageItem(id: string, ...texts: readonly string[]): JsonObject {
  return {
    ...{ id: `msg_${id}`, type: "message", status: "completed", role: "assistant" },
    content: texts.map((text) => ({ type: "output_text", text, annotations: [], logprobs: [] })),
  }
}

export function callItem(id: string, name: string, args: string): JsonObject {
  return {
    ...{ id: `fc_${id}`, type: "function_call", status: "completed" },
    ...{ call_id: `call_${id}`, name, arguments: args },
  }
}

export function searchItem(id: string, query: string, urls: readonly string[]): JsonObject {
  const sources = urls.map((url) => ({ type: "url", url }))
  return {
    ...{ id: `ws_${id}`, type: "web_search_call", status: "completed" },
    action: { type: "search", query, sources },
  }
}

/** Summaries come in parts, one for each paragraph. */
function inParts(think: string, turn: number): readonly string[] {
  const half = Math.ceil(think.length / 2)
  return turn % 2 === 0 ? [think] : [think.slice(0, half), think.slice(half)]
}

/** A turn as a reasoning model gives it: what it thought, then what it says, then its calls. */
export function itemsOf(
  { think, opaque, seed = "", text, calls = [] }: Say,
  turn: number,
): readonly JsonObject[] {
  const id = `${turn}0f${seed.length}`
  const thought = think !== undefined || opaque === true
  const summary = think === undefined ? [] : inParts(think, turn)
  return [
    ...(thought ? [reasoningItem(id, summary, encrypted(`the reasoning of turn ${turn}${seed}`))] : []),
    ...(text === undefined ? [] : [messageItem(id, text)]),
    ...calls.map(({ name, input }, at) => callItem(`${id}_${at}`, name, JSON.stringify(input))),
  ]
}

export const usage = {
  ...{ input_tokens: 120, output_tokens: 50, total_tokens: 170 },
  input_tokens_details: { cached_tokens: 80 },
  output_tokens_details: { reasoning_tokens: 30 },
} as const

/** A whole reply with these items; `more` is laid over it. */
export function responseOf(output: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  return {
    ...{ id: "resp_1", object: "response", created_at: 1, status: "completed", model: "gpt-5.6" },
    ...{ error: null, incomplete_details: null, output, usage, store: false },
    ...more,
  }
}
