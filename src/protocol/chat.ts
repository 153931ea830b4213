// OpenAI Chat Completions: the request is ours to write and typed strictly; replies and chunks are theirs,
// so every field we look at is unknown until an accessor of json.ts has read it.

export type ChatPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } }
  | { readonly type: "file"; readonly file: { readonly filename: string; readonly file_data: string } }

export interface ChatToolCall {
  readonly id: string
  readonly type: "function"
  readonly function: { readonly name: string; readonly arguments: string }
}

export interface ChatSystemMessage {
  readonly role: "system" | "developer"
  readonly content: string
}

export interface ChatUserMessage {
  readonly role: "user"
  readonly content: string | readonly ChatPart[]
}

export interface ChatAssistantMessage {
  readonly role: "assistant"
  readonly content: string | null
  readonly reasoning_content?: string
  readonly reasoning?: string
  readonly tool_calls?: readonly ChatToolCall[]
}

export interface ChatToolMessage {
  readonly role: "tool"
  readonly tool_call_id: string
  readonly content: string
}

export type ChatMessage = ChatSystemMessage | ChatUserMessage | ChatAssistantMessage | ChatToolMessage

export interface ChatTool {
  readonly type: "function"
  readonly function: {
    readonly name: string
    readonly description?: string
    readonly parameters: { readonly [key: string]: unknown }
    readonly strict?: boolean
  }
}

export type ChatToolChoice =
  | "auto"
  | "none"
  | "required"
  | { readonly type: "function"; readonly function: { readonly name: string } }

export type ReasoningEffort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max"

export interface ChatRequest {
  model: string
  messages: readonly ChatMessage[]
  stream?: boolean
  stream_options?: { readonly include_usage: true }
  max_tokens?: number
  max_completion_tokens?: number
  temperature?: number
  top_p?: number
  top_k?: number
  stop?: readonly string[]
  tools?: readonly ChatTool[]
  tool_choice?: ChatToolChoice
  parallel_tool_calls?: boolean
  reasoning_effort?: ReasoningEffort
  thinking?: { readonly type: "enabled" | "disabled" }
  response_format?:
    | { readonly type: "json_object" }
    | {
        readonly type: "json_schema"
        readonly json_schema: { readonly name: string; readonly schema: unknown; readonly strict?: boolean }
      }
  service_tier?: "auto" | "default" | "priority"
  prompt_cache_key?: string
  store?: false
}

/** One `data:` of a streamed reply, or a whole reply; nothing in it is trusted. */
export interface ChatChunk {
  readonly choices?: unknown
  readonly usage?: unknown
  readonly error?: unknown
  readonly object?: unknown
  readonly x_groq?: unknown
}

/** One entry of `choices`: `delta` in chunks, `message` in whole replies (and in some last chunks). */
export interface ChatChoice {
  readonly delta?: unknown
  readonly message?: unknown
  readonly finish_reason?: unknown
  readonly stop_reason?: unknown
  readonly usage?: unknown
  readonly error?: unknown
}

export interface ChatDelta {
  readonly content?: unknown
  readonly refusal?: unknown
  readonly tool_calls?: unknown
  readonly function_call?: unknown
}

export interface ChatDeltaToolCall {
  readonly index?: unknown
  readonly id?: unknown
  readonly function?: unknown
}

/** What the upstream client hands to a dialect's reader; always closed by `end` or `fault`. */
export type StreamInput =
  | { readonly kind: "chunk"; readonly chunk: unknown }
  | { readonly kind: "end"; readonly clean: boolean }
  | { readonly kind: "fault"; readonly fault: import("./fault.ts").Fault }
