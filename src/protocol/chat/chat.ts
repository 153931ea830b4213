// OpenAI Chat Completions: the request is ours to write and typed strictly; replies and chunks are theirs,
// so every field we look at is unknown until an accessor of json.ts has read it.

import type { Fault } from "../fault.ts"
import type { JsonObject } from "../json.ts"
import type { ChatRun } from "./chat-run.ts"

/** A mark for a provider's explicit prefix cache (OpenRouter, DashScope). */
interface CacheMark {
  readonly cache_control?: { readonly type: "ephemeral" }
}

export type ChatPart =
  | ({ readonly type: "text"; readonly text: string } & CacheMark)
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } }
  | { readonly type: "file"; readonly file: { readonly filename: string; readonly file_data: string } }
  | { readonly type: "document_url"; readonly document_url: string }

/** Mistral's form of reasoning, before the text of an assistant's turn. */
export interface ThinkingPart {
  readonly type: "thinking"
  readonly thinking: readonly { readonly type: "text"; readonly text: string }[]
  readonly closed: true
}

export interface ChatToolCall {
  readonly id: string
  readonly type: "function"
  readonly function: { readonly name: string; readonly arguments: string }
  /** Gemini's signature of the reasoning that led to the call. */
  readonly extra_content?: { readonly google: { readonly thought_signature: string } }
}

interface ChatSystemMessage {
  readonly role: "system" | "developer"
  readonly content: string | readonly ChatPart[]
}

interface ChatUserMessage {
  readonly role: "user"
  readonly content: string | readonly ChatPart[]
}

export interface ChatAssistantMessage {
  readonly role: "assistant"
  readonly content: string | null | readonly (ChatPart | ThinkingPart)[]
  readonly reasoning_content?: string
  readonly reasoning?: string
  readonly reasoning_text?: string
  readonly reasoning_details?: readonly JsonObject[]
  /** What a provider gave with its reasoning and wants back unchanged (Qwen, Copilot). */
  readonly encrypted_content?: string
  readonly reasoning_opaque?: string
  readonly extra_content?: { readonly google: { readonly thought_signature: string } }
  readonly tool_calls?: readonly ChatToolCall[]
  /** The beginning of the answer, to be gone on from: Mistral's and DeepSeek's word, and Moonshot's. */
  readonly prefix?: true
  readonly partial?: true
}

export interface ChatToolMessage {
  readonly role: "tool"
  readonly tool_call_id: string
  readonly content: string | readonly ChatPart[]
  readonly name?: string
}

export type ChatMessage = ChatSystemMessage | ChatUserMessage | ChatAssistantMessage | ChatToolMessage

export interface ChatFunctionTool {
  readonly type: "function"
  readonly function: {
    readonly name: string
    readonly description?: string
    readonly parameters: { readonly [key: string]: unknown }
    readonly strict?: boolean
  }
}

/** Zhipu's own web search, which stands among the tools. */
export interface ChatSearchTool {
  readonly type: "web_search"
  readonly web_search: JsonObject
  readonly function?: undefined
}

export type ChatTool = ChatFunctionTool | ChatSearchTool

export type ChatToolChoice =
  | "auto"
  | "none"
  | "required"
  | "any"
  | { readonly type: "function"; readonly function: { readonly name: string } }

/** Every word for effort that a provider may take: from none to all, then the one that says none in particular. */
export const reasoningEfforts = [
  "none",
  "minimal",
  "low",
  "medium",
  "high",
  "xhigh",
  "max",
  "default",
] as const

export type ReasoningEffort = (typeof reasoningEfforts)[number]

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
  parallel_function_calling?: boolean
  tool_stream?: true
  reasoning_effort?: ReasoningEffort
  thinking?: { readonly type: "enabled" | "disabled" | "adaptive"; readonly [extra: string]: unknown }
  enable_thinking?: boolean
  thinking_budget?: number
  reasoning?: { readonly effort?: ReasoningEffort; readonly enabled?: boolean }
  chat_template_kwargs?: Readonly<Record<string, boolean>>
  response_format?:
    | { readonly type: "json_object" }
    | {
        readonly type: "json_schema"
        readonly json_schema: { readonly name: string; readonly schema: unknown; readonly strict?: boolean }
      }
  service_tier?: "auto" | "default" | "priority"
  prompt_cache_key?: string
  store?: false
  plugins?: readonly JsonObject[]
  enable_search?: boolean
  continue_final_message?: true
  add_generation_prompt?: false
}

/** One entry of `choices`: `delta` in chunks, `message` in whole replies (and in some last chunks). */
export interface ChatChoice {
  readonly delta?: unknown
  readonly message?: unknown
  readonly finish_reason?: unknown
  readonly stop_reason?: unknown
  readonly matched_stop?: unknown
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
  /** Chunks like one that was given before, but for their text. */
  | { readonly kind: "run"; readonly run: ChatRun }
  | { readonly kind: "end"; readonly clean: boolean }
  | { readonly kind: "fault"; readonly fault: Fault }
