// A request in Chat's words, said in those of the Responses API: what they call differently, and what nobody
// may store.
import type { ChatFunctionTool, ChatMessage, ChatRequest, ChatToolChoice } from "../../protocol/chat/chat.ts"
import type {
  ResponsesFormat,
  ResponsesItem,
  ResponsesRequest,
  ResponsesTool,
  ResponsesToolChoice,
} from "../../protocol/chat/responses.ts"
import { isObject, type JsonObject, objectOf, textOf } from "../../protocol/json.ts"

/** What the Responses API has in a form of its own. */
export interface ResponsesParts {
  readonly input: readonly ResponsesItem[]
  /** The provider's own search, where the client asked for one. */
  readonly search: readonly ResponsesTool[]
  /** The client insists on that search. */
  readonly forcesSearch: boolean
  /** The pages that search found are not asked for: some know no `include`. */
  readonly withoutSources?: true
  /** The model gives encrypted reasoning, and wants it back. */
  readonly keepsReasoning: boolean
  /** Reasoning is to be seen. */
  readonly summarises: boolean
  /** Fields of every body, by the configuration. */
  readonly extra?: JsonObject
}

/** The body for POST …/responses. `chat` holds everything but the conversation; its messages are the system's. */
export function toResponses(chat: ChatRequest, parts: ResponsesParts): ResponsesRequest {
  const { input, search, keepsReasoning, withoutSources } = parts
  const instructions = chat.messages.flatMap(textsOf).join("\n\n")
  const maxTokens = chat.max_completion_tokens ?? chat.max_tokens
  const include = [
    ...(keepsReasoning ? (["reasoning.encrypted_content"] as const) : []),
    ...(search.length === 0 || withoutSources ? [] : (["web_search_call.action.sources"] as const)),
  ]
  const extra = extraFields(chat, parts.extra)
  const { text } = textFields(chat, extra)
  return {
    ...extra,
    model: chat.model,
    ...(instructions === "" ? {} : { instructions }),
    input: withJsonWord(input, text?.format),
    ...(chat.stream === true ? { stream: true } : {}),
    store: false,
    ...(include.length === 0 ? {} : { include }),
    // Fewer are refused.
    ...(maxTokens === undefined ? {} : { max_output_tokens: Math.max(16, maxTokens) }),
    ...toolFields(chat, parts),
    ...reasoning(chat, parts),
    ...(text === undefined ? {} : { text }),
    ...sameFields(chat),
  }
}

// Fields of Chat Completions that are said here in other words, or have no counterpart.
const ofChat: ReadonlySet<string> = new Set([
  ...[
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "store",
  ],
  ...["tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "verbosity"],
  ...["reasoning_split", "reasoning_format"],
])

/** What the configuration adds, as far as it is still there: what the model does not take is out of Chat's body. */
function extraFields(chat: ChatRequest, extra: JsonObject = {}): JsonObject {
  const sent = objectOf(chat)
  const names = Object.keys(extra).filter((name) => !ofChat.has(name) && sent[name] !== undefined)
  return names.length === 0 ? {} : Object.fromEntries(names.map((name) => [name, sent[name]]))
}

function toolFields(
  chat: ChatRequest,
  { search, forcesSearch }: ResponsesParts,
): Pick<ResponsesRequest, "tools" | "tool_choice" | "parallel_tool_calls"> {
  const functions = (chat.tools ?? []).flatMap((tool) => (tool.type === "function" ? [flatTool(tool)] : []))
  const tools = [...functions, ...search]
  if (tools.length === 0) return {}
  const choice = forcesSearch ? ({ type: "web_search" } as const) : flatChoice(chat.tool_choice)
  return {
    tools,
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(isSingle(chat) ? { parallel_tool_calls: false } : {}),
  }
}

/** Here all providers call it the same. */
const isSingle = ({ parallel_tool_calls, parallel_function_calling }: ChatRequest): boolean =>
  parallel_tool_calls === false || parallel_function_calling === false

/** What both APIs call the same. */
function sameFields({ temperature, top_p, service_tier, prompt_cache_key }: ChatRequest) {
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(top_p === undefined ? {} : { top_p }),
    ...(service_tier === undefined ? {} : { service_tier }),
    ...(prompt_cache_key === undefined ? {} : { prompt_cache_key }),
  }
}

function flatTool({ function: { name, description, parameters, strict } }: ChatFunctionTool): ResponsesTool {
  return {
    type: "function",
    name,
    ...(description === undefined ? {} : { description }),
    parameters,
    strict: strict === true,
  }
}

/** What the configuration says in this API's own words is left as it is. */
function flatChoice(choice: ChatToolChoice | undefined): ResponsesToolChoice | JsonObject | undefined {
  if (choice === undefined || choice === "auto" || choice === "none" || choice === "required") return choice
  if (choice === "any") return "required"
  const name = textOf(objectOf(objectOf(choice)["function"])["name"])
  return name === undefined ? objectOf(choice) : { type: "function", name }
}

/** Without a summary asked for, nobody would see that the model thinks. */
function reasoning(chat: ChatRequest, { summarises }: ResponsesParts): Pick<ResponsesRequest, "reasoning"> {
  const effort = chat.reasoning_effort ?? chat.reasoning?.effort
  if (effort === undefined) return {}
  return { reasoning: summarises && effort !== "none" ? { effort, summary: "auto" } : { effort } }
}

function textsOf({ content }: ChatMessage): readonly string[] {
  if (typeof content === "string") return [content]
  return (content ?? []).flatMap((part) => (part.type === "text" ? [part.text] : []))
}

/** The form of the answer and its length, which is called verbosity in Chat as well. */
function textFields(chat: ChatRequest, extra: JsonObject): Pick<ResponsesRequest, "text"> {
  const format = formatOf(chat)
  const { verbosity } = objectOf(chat)
  if (format === undefined && verbosity === undefined) return {}
  const text = verbosity === undefined ? objectOf(extra["text"]) : { ...objectOf(extra["text"]), verbosity }
  return { text: format === undefined ? text : { ...text, format } }
}

/** JSON without a schema is refused where nothing but the instructions speaks of it (mira#267, wenyi#66). */
function withJsonWord(
  input: readonly ResponsesItem[],
  format: ResponsesFormat | JsonObject | undefined,
): readonly ResponsesItem[] {
  return format?.["type"] !== "json_object" || /json/i.test(JSON.stringify(input))
    ? input
    : [jsonWord, ...input]
}

const jsonWord: ResponsesItem = {
  ...{ type: "message", role: "system" },
  content: [{ type: "input_text", text: "Answer with one JSON object only." }],
}

function formatOf({ response_format: wanted }: ChatRequest): ResponsesFormat | JsonObject | undefined {
  if (wanted === undefined || wanted.type === "json_object") return wanted
  if (!isObject(objectOf(wanted)["json_schema"])) return objectOf(wanted)
  const { name, schema, strict } = wanted.json_schema
  return { type: "json_schema", name, schema, strict: strict === true }
}
