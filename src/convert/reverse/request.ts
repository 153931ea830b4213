// A Chat Completions request as a Messages request: parameters and assembly. The parts are in the files named
// after them.
import type { ChatRequestBody } from "../../protocol/chat/chat-request.ts"
import { changed, dropped, type Note } from "../../protocol/fault.ts"
import { type JsonObject, lookUp } from "../../protocol/json.ts"
import { convertConversation } from "./messages.ts"
import { convertTools, usesFunctions } from "./tools.ts"

/** What the reply must be like, beyond what the Messages API knows of. */
interface ChatWishes {
  /** Usage in a chunk of its own at the end of a stream. */
  readonly includeUsage: boolean
  /** Calls as the older `function_call`. */
  readonly legacyCalls: boolean
}

export interface ReverseConversion {
  /** The body of a Messages request; it always passes its schema. */
  readonly request: JsonObject
  readonly wishes: ChatWishes
  /** Paths are those of the Chat request. */
  readonly notes: readonly Note[]
}

/**
 * The Messages request that asks for the same. What has no counterpart is left out with a note. Throws only a
 * RangeError, for a request nested deeper than the stack.
 */
export function convertChatRequest(chat: ChatRequestBody): ReverseConversion {
  const conversation = convertConversation(chat.messages)
  const tools = convertTools(chat)
  const format = convertFormat(chat)
  const thinking = convertEffort(chat)
  const limit = convertLimit(chat)
  const system = [...conversation.system, ...format.system]
  const output = { ...thinking.output, ...format.output }
  const parts = [conversation, tools, format, thinking, limit]
  return {
    request: {
      ...given("model", chat.model),
      ...limit.fields,
      ...(system.length === 0 ? {} : { system }),
      messages: conversation.messages,
      ...tools.fields,
      ...given("temperature", chat.temperature),
      ...given("top_p", chat.top_p),
      ...given("top_k", chat.top_k),
      ...stops(chat),
      ...thinking.fields,
      ...(Object.keys(output).length === 0 ? {} : { output_config: output }),
      ...(chat.user ? { metadata: { user_id: chat.user } } : {}),
      ...given("stream", chat.stream),
    },
    wishes: {
      includeUsage: chat.stream_options?.include_usage === true,
      legacyCalls: usesFunctions(chat),
    },
    notes: [...parts.flatMap(({ notes }) => notes), ...noteUnread(chat)],
  }
}

function given(field: string, value: unknown): JsonObject {
  return value === null || value === undefined ? {} : { [field]: value }
}

function stops({ stop }: ChatRequestBody): JsonObject {
  const list = (typeof stop === "string" ? [stop] : (stop ?? [])).filter((one) => one !== "")
  return list.length === 0 ? {} : { stop_sequences: list }
}

interface Part {
  readonly fields: JsonObject
  readonly notes: readonly Note[]
}

/** The newer name wins. Without either the proxy's own default applies later. */
function convertLimit(chat: ChatRequestBody): Part {
  const { max_tokens, max_completion_tokens } = chat
  const value = max_completion_tokens ?? max_tokens
  const both = typeof max_tokens === "number" && typeof max_completion_tokens === "number"
  const notes = both && max_tokens !== value ? [dropped("max_tokens", "max_completion_tokens wins")] : []
  return { fields: given("max_tokens", value), notes }
}

const efforts: Readonly<Record<string, string>> = {
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "xhigh",
  max: "max",
}

function convertEffort(chat: ChatRequestBody): Part & { readonly output: JsonObject } {
  const word = chat.reasoning_effort
  if (word === null || word === undefined) return { fields: {}, output: {}, notes: [] }
  if (word === "none") return { fields: { thinking: { type: "disabled" } }, output: {}, notes: [] }
  const effort = lookUp(efforts, word)
  if (effort === undefined) {
    const notes = [dropped("reasoning_effort", `unknown word ${JSON.stringify(word)}`)]
    return { fields: {}, output: {}, notes }
  }
  const notes = effort === word ? [] : [changed("reasoning_effort", `${word} is sent as ${effort}`)]
  return { fields: { thinking: { type: "adaptive" } }, output: { effort }, notes }
}

interface Format {
  readonly output: JsonObject
  /** Text blocks for the end of the system prompt. */
  readonly system: readonly JsonObject[]
  readonly notes: readonly Note[]
}

const justText: Format = { output: {}, system: [], notes: [] }

const jsonInstruction = "Answer with one JSON object only: no other text, and no code fence around it."

function convertFormat({ response_format: format }: ChatRequestBody): Format {
  if (!format || format.type === "text") return justText
  const schema = format.json_schema?.schema
  if (format.type === "json_schema" && schema) {
    const description = format.json_schema?.description
    // The schema is all there is to describe: the description has its place there.
    const described = description && schema["description"] === undefined ? { ...schema, description } : schema
    const notes = format.json_schema?.name
      ? [dropped("response_format.json_schema.name", "formats of the Messages API have no name")]
      : []
    return { output: { format: { type: "json_schema", schema: described } }, system: [], notes }
  }
  if (format.type === "json_object" || format.type === "json_schema") {
    const notes = [changed("response_format", "asked for in the system prompt: there is no schema to send")]
    return { output: {}, system: [{ type: "text", text: jsonInstruction }], notes }
  }
  const why = `no counterpart of ${JSON.stringify(format.type)}`
  return { ...justText, notes: [dropped("response_format", why)] }
}

const readFields: ReadonlySet<string> = new Set([
  ...["model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"],
  ...["temperature", "top_p", "top_k", "n", "stop", "tools", "functions", "tool_choice", "function_call"],
  ...["parallel_tool_calls", "reasoning_effort", "response_format", "user"],
])

const probabilities = "the Messages API gives no probabilities"
const sampling = "the Messages API has no such sampling parameter"
const caching = "prompt caches are grouped by the proxy itself"

const reasons: Readonly<Record<string, string>> = {
  logprobs: probabilities,
  top_logprobs: probabilities,
  logit_bias: sampling,
  presence_penalty: sampling,
  frequency_penalty: sampling,
  seed: sampling,
  prompt_cache_key: caching,
  prompt_cache_retention: caching,
  store: "nothing is stored here",
  metadata: "it belongs to stored completions, and nothing is stored here",
  safety_identifier: "who is asking is named by `user` alone",
}

/** Values that ask for nothing: to leave them out loses nothing. */
function isNeutral(field: string, value: unknown): boolean {
  if (value === null || value === undefined) return true
  if (field === "modalities") return Array.isArray(value) && value.every((one) => one === "text")
  return value === false || (value === 0 && field.endsWith("_penalty"))
}

function noteUnread(chat: ChatRequestBody): readonly Note[] {
  return Object.entries(chat)
    .filter(([field, value]) => !readFields.has(field) && !isNeutral(field, value))
    .map(([field]) => dropped(field, reasonOf(field)))
}

function reasonOf(field: string): string {
  const known = lookUp(reasons, field)
  return known ?? "no counterpart in the Messages API"
}
