// Content blocks of a request, as they are once they were read.
import type { JsonObject } from "../json.ts"

export type MediaSource =
  | { readonly type: "base64"; readonly media_type: string; readonly data: string }
  | { readonly type: "url"; readonly url: string }
  | { readonly type: "file"; readonly file_id: string }

export type DocumentSource =
  | MediaSource
  | { readonly type: "text"; readonly data: string }
  | { readonly type: "content"; readonly content: readonly ContentBlock[] }

export type ContentBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly source: MediaSource }
  | {
      readonly type: "document"
      readonly source: DocumentSource
      readonly title: string | undefined
      readonly context: string | undefined
    }
  | {
      readonly type: "search_result"
      readonly source: string
      readonly title: string
      readonly content: readonly ContentBlock[]
    }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown }
  | {
      readonly type: "tool_result"
      readonly tool_use_id: string
      readonly content: readonly ContentBlock[]
      readonly is_error: boolean
    }
  | { readonly type: "tool_reference"; readonly tool_name: string }
  | { readonly type: "other"; readonly original: JsonObject }
