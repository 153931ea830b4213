// What a scripted upstream can be told to do, as data.
import type { JsonObject } from "../../src/protocol/json.ts"

/**
 * One step of a body: JSON to send as a `data:` line, text to send as it is, bytes, or a wait: for a time, or
 * until something has happened.
 */
export type Step =
  | JsonObject
  | string
  | Uint8Array
  | { readonly pauseMs: number }
  | { readonly until: Promise<unknown> }

export type Turn =
  | {
      readonly kind: "stream"
      readonly chunks: readonly Step[]
      /** Between the steps. */
      readonly delayMs?: number
      /** Before the status line. */
      readonly headersDelayMs?: number
      readonly headers?: Readonly<Record<string, string>>
      /** `[DONE]` at the end; the default unless the stream is cut. */
      readonly done?: boolean
      /** How the body stops: as if it were complete, or with the connection reset. */
      readonly cut?: "clean" | "reset"
    }
  | {
      readonly kind: "json"
      readonly body: unknown
      readonly status?: number
      readonly headers?: Readonly<Record<string, string>>
      readonly headersDelayMs?: number
    }
  | {
      readonly kind: "text"
      readonly body: string
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
    }
  | {
      readonly kind: "raw"
      readonly steps: readonly Step[]
      readonly headers?: Readonly<Record<string, string>>
      readonly cut?: "reset"
    }
  /** Takes the request and never answers. */
  | { readonly kind: "stall" }

export type Script = readonly Turn[] | ((body: JsonObject, turn: number) => Turn)
