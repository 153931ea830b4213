// One request from its first byte to its end, as the log, the totals and later the metrics read it.
import type { Fault, Note } from "../protocol/fault.ts"
import type { MessagesUsage } from "../protocol/messages.ts"

export type Outcome =
  | { readonly kind: "completed" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly fault: Fault }

export interface Exchange {
  readonly requestId: string
  readonly requestedModel: string
  readonly model: string
  readonly provider: string
  readonly reason: string
  readonly stream: boolean
  readonly attempts: number
  /** Milliseconds from the request's arrival. */
  readonly firstContentMs: number | undefined
  readonly durationMs: number
  readonly usage: MessagesUsage
  /** The upstream reported no usage, so the counts are our estimate. */
  readonly estimated: boolean
  /** What it cost, in US dollars. Undefined: the model's prices are not known. */
  readonly costUsd?: number | undefined
  /** What was dropped or changed of the request. */
  readonly notes: readonly Note[]
  /** What was repaired in the reply. */
  readonly repairs: readonly Note[]
  readonly outcome: Outcome
}
