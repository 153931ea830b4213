// The neutral form between the two halves of the machine: every dialect's reader makes these, the one writer
// (writer/blocks.ts) turns them into Anthropic's events.
import type { Fault, Note } from "../../protocol/fault.ts"
import type { JsonObject } from "../../protocol/json.ts"
import type { MessagesUsage, NativeEvent, StopReason } from "../../protocol/messages/messages.ts"
import type { Texts } from "../../protocol/texts.ts"

/** What a provider gives with its reasoning, cannot be read, and wants back unchanged. */
export type Opaque =
  /** Pieces of OpenRouter's or MiniMax's `reasoning_details`; those of one index and type are one item. */
  | { readonly kind: "details"; readonly items: readonly JsonObject[] }
  /** Gemini's signature: of a call, by the id the client knows it by, or of the text (undefined). */
  | { readonly kind: "signature"; readonly toolId: string | undefined; readonly value: string }
  /** The encrypted content of one reasoning item of the Responses API. */
  | { readonly kind: "item"; readonly value: string }
  /** The `phase` of the message that follows: commentary, or the final answer (Responses API). */
  | { readonly kind: "phase"; readonly value: string }
  /** A text in a field of its own. */
  | {
      readonly kind: "encrypted"
      readonly field: "encrypted_content" | "reasoning_opaque"
      readonly value: string
    }

/** One page a provider's own web search found. */
export interface SearchResult {
  readonly url: string
  readonly title: string
}

/** A search that the upstream runs by itself; what it found comes with the reply. */
export interface Search {
  readonly query: string
  /** The client asked for nothing else: it waits for a result, even an empty one. */
  readonly forced: boolean
}

/** What comes in pieces. */
export type Piece =
  /** `field` is the reply field the text came in, so that it can be sent back in the same one. */
  | { readonly kind: "reasoning"; readonly text: string; readonly field: string }
  | { readonly kind: "text"; readonly text: string }
  /**
   * A piece of one tool call. `key` tells calls apart, `id` and `name` are final and repeated on every piece,
   * `complete` says that the arguments so far are one whole JSON value.
   */
  | {
      readonly kind: "tool"
      readonly key: number
      readonly id: string
      readonly name: string
      readonly args: string
      readonly complete: boolean
    }

export type Delta =
  | Piece
  /** Pieces in a row, each like this one but for its text (or arguments). */
  | ({ readonly kind: "run"; readonly like: Piece } & Texts)
  | { readonly kind: "opaque"; readonly opaque: Opaque }
  /** A web search that was run upstream: what for, and what it found; undefined: it could not be run. */
  | {
      readonly kind: "search"
      readonly query: string
      readonly results: readonly SearchResult[] | undefined
    }
  /** An event of an upstream that speaks Messages itself: it is written as it is. */
  | { readonly kind: "native"; readonly event: NativeEvent }
  /** The whole reply is a summary of the conversation, as it was asked for. */
  | { readonly kind: "compaction"; readonly text: string; readonly toolChanges: readonly JsonObject[] }
  /** What was done to the reply on its way, for the log. */
  | { readonly kind: "note"; readonly note: Note }
  /** `costUsd` is what the provider says it charged, where it does. */
  | { readonly kind: "usage"; readonly usage: MessagesUsage; readonly costUsd?: number }
  /** `odd`: it is not known to be the end that the model itself came to. */
  | {
      readonly kind: "finish"
      readonly reason: StopReason
      readonly stopSequence: string | null
      readonly odd?: true
    }
  /** `clean`: the provider said that this is all, by `[DONE]` or by a finish reason before. */
  | { readonly kind: "end"; readonly clean: boolean }
  | { readonly kind: "fault"; readonly fault: Fault }
