// The neutral form between the two halves of the machine: every dialect's reader makes these, the one writer
// (blocks.ts) turns them into Anthropic's events.
import type { Fault } from "../protocol/fault.ts"
import type { MessagesUsage, StopReason } from "../protocol/messages.ts"

export type Delta =
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
  | { readonly kind: "usage"; readonly usage: MessagesUsage }
  | { readonly kind: "finish"; readonly reason: StopReason; readonly stopSequence: string | null }
  /** `clean`: the provider said that this is all, by `[DONE]` or by a finish reason before. */
  | { readonly kind: "end"; readonly clean: boolean }
  | { readonly kind: "fault"; readonly fault: Fault }
