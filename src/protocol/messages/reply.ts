// Anthropic's replies and stream events, as this proxy writes them.
import type { Fault } from "../fault.ts"
import type { JsonObject } from "../json.ts"
import type { Texts } from "../texts.ts"

export type StopReason = "end_turn" | "max_tokens" | "stop_sequence" | "tool_use" | "refusal" | "compaction"

/** Usage of a reply; input_tokens excludes what came from or went into the cache. */
export interface MessagesUsage {
  readonly input_tokens: number
  readonly cache_creation_input_tokens: number
  readonly cache_read_input_tokens: number
  readonly output_tokens: number
  readonly output_tokens_details?: { readonly thinking_tokens: number }
  readonly server_tool_use?: { readonly web_search_requests: number }
}

export interface WebSearchResult {
  readonly type: "web_search_result"
  readonly url: string
  readonly title: string
  readonly encrypted_content: string
  readonly page_age: null
}

export type ReplyBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | {
      readonly type: "tool_use"
      readonly id: string
      readonly name: string
      readonly input: JsonObject
      readonly toolset_name?: string
    }
  | {
      readonly type: "server_tool_use"
      readonly id: string
      readonly name: "web_search"
      readonly input: JsonObject
    }
  | {
      readonly type: "web_search_tool_result"
      readonly tool_use_id: string
      readonly content:
        | readonly WebSearchResult[]
        | { readonly type: "web_search_tool_result_error"; readonly error_code: "unavailable" }
    }
  | {
      readonly type: "compaction"
      readonly content: string | null
      readonly encrypted_content: null
      readonly signature: string
      readonly tool_changes?: readonly JsonObject[]
    }

export interface MessagesReply {
  readonly id: string
  readonly type: "message"
  readonly role: "assistant"
  readonly model: string
  readonly content: readonly ReplyBlock[]
  readonly stop_reason: StopReason | null
  readonly stop_sequence: string | null
  readonly usage: MessagesUsage
}

export type BlockDelta =
  | { readonly type: "text_delta"; readonly text: string }
  | { readonly type: "thinking_delta"; readonly thinking: string }
  | { readonly type: "signature_delta"; readonly signature: string }
  | { readonly type: "input_json_delta"; readonly partial_json: string }
  | { readonly type: "compaction_delta"; readonly content: string; readonly encrypted_content: null }

/** An event in the words of an upstream that speaks this API itself; `value` is what `data`, one line, says. */
export interface NativeEvent {
  readonly type: "native"
  readonly name: string
  readonly data: string
  readonly value: JsonObject
}

/** Deltas of one block in a row that differ in their text alone: on the wire each is an event. */
export interface DeltaRun extends Texts {
  readonly type: "content_block_deltas"
  readonly index: number
  readonly delta: "text_delta" | "thinking_delta" | "input_json_delta"
}

export type MessagesEvent =
  | { readonly type: "message_start"; readonly message: MessagesReply }
  | { readonly type: "content_block_start"; readonly index: number; readonly content_block: ReplyBlock }
  | { readonly type: "content_block_delta"; readonly index: number; readonly delta: BlockDelta }
  | DeltaRun
  | { readonly type: "content_block_stop"; readonly index: number }
  | {
      readonly type: "message_delta"
      readonly delta: { readonly stop_reason: StopReason | null; readonly stop_sequence: string | null }
      readonly usage: Partial<MessagesUsage> & { readonly output_tokens: number }
    }
  | { readonly type: "message_stop" }
  /** `midway`: behind a block that is complete, and so a part of the reply that the client keeps. */
  | { readonly type: "error"; readonly fault: Fault; readonly midway?: true }
  | NativeEvent
