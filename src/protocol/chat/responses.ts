// OpenAI's Responses API: the request is ours to write and typed strictly; replies and events are theirs, read
// through the accessors of json.ts (OpenAI API reference, Responses; 2026-11).

import type { JsonObject } from "../json.ts"
import type { ReasoningEffort } from "./chat.ts"

export type ResponsesPart =
  | { readonly type: "input_text"; readonly text: string }
  | { readonly type: "input_image"; readonly image_url: string }
  | { readonly type: "input_file"; readonly filename: string; readonly file_data: string }
  | { readonly type: "input_file"; readonly file_url: string }

export type ResponsesItem =
  | {
      readonly type: "message"
      readonly role: "user" | "system" | "developer"
      readonly content: readonly ResponsesPart[]
    }
  | {
      readonly type: "message"
      readonly role: "assistant"
      readonly status: "completed"
      readonly phase?: string
      readonly content: readonly {
        readonly type: "output_text"
        readonly text: string
        readonly annotations: readonly []
      }[]
    }
  /** Nothing is stored, so there are no ids: what the item says is in its encrypted content. */
  | {
      readonly type: "reasoning"
      readonly summary: readonly JsonObject[]
      readonly encrypted_content: string
    }
  | {
      readonly type: "function_call"
      readonly call_id: string
      readonly name: string
      readonly arguments: string
    }
  | {
      readonly type: "function_call_output"
      readonly call_id: string
      readonly output: string | readonly ResponsesPart[]
    }

export type ResponsesTool =
  | {
      readonly type: "function"
      readonly name: string
      readonly description?: string
      readonly parameters: JsonObject
      /** Left out it would mean true. */
      readonly strict: boolean
    }
  | ResponsesSearchTool

export interface ResponsesSearchTool {
  readonly type: "web_search"
  readonly filters?: { readonly allowed_domains: readonly string[] }
  readonly user_location?: JsonObject
}

export type ResponsesToolChoice =
  | "auto"
  | "none"
  | "required"
  | { readonly type: "function"; readonly name: string }
  | { readonly type: "web_search" }

export type ResponsesFormat =
  | { readonly type: "json_object" }
  | {
      readonly type: "json_schema"
      readonly name: string
      readonly schema: unknown
      readonly strict: boolean
    }

export interface ResponsesRequest {
  model: string
  instructions?: string
  input: readonly ResponsesItem[]
  stream?: true
  store: false
  include?: readonly ("reasoning.encrypted_content" | "web_search_call.action.sources")[]
  max_output_tokens?: number
  temperature?: number
  top_p?: number
  tools?: readonly ResponsesTool[]
  /** As an object of no type of ours: as the configuration has it. */
  tool_choice?: ResponsesToolChoice | JsonObject
  parallel_tool_calls?: false
  reasoning?: { readonly effort?: ReasoningEffort; readonly summary?: "auto" }
  text?: { readonly format?: ResponsesFormat | JsonObject; readonly verbosity?: unknown }
  service_tier?: "auto" | "default" | "priority"
  prompt_cache_key?: string
}
