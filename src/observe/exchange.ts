// One request from its first byte to its end, as the log, the totals and the metrics read it.
import type { Fault, FaultKind, Note } from "../protocol/fault.ts"
import type { MessagesUsage } from "../protocol/messages/messages.ts"

export type Outcome =
  | { readonly kind: "completed" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly fault: Fault }

/** What a reply was made of, without any of its content. */
export interface ReplyFacts {
  readonly events: number
  /** Each tool that was called, by name, and how often. Beyond a hundred names they are not told apart. */
  readonly calls: Readonly<Record<string, number>>
  readonly thought: boolean
}

/** An attempt that an upstream failed. */
export interface Failure {
  readonly provider: string
  readonly kind: FaultKind
  /** Another model was asked after it, and not this one again. */
  readonly moved?: true
}

type CostSource = "provider" | "prices"

/** Who sent a request, as far as it says so. Nothing of it can be used as a key. */
export interface Caller {
  /** The conversation it belongs to. */
  readonly session?: string | undefined
  /** The agent within the conversation; the main one has no name. */
  readonly agent?: string | undefined
  /** `key-2`: the second of the client keys. Undefined: none is asked for. */
  readonly client?: string | undefined
}

export interface Exchange extends Caller {
  readonly requestId: string
  readonly requestedModel: string
  readonly model: string
  readonly provider: string
  readonly reason: string
  /** The content of the request decided where it went, and not its model's name alone. */
  readonly routed?: boolean | undefined
  readonly stream: boolean
  /** Tries; what was sent again at once, with another key or without what was refused, belongs to the same one. */
  readonly attempts: number
  /** What those attempts failed of that were followed by another one, in turn. */
  readonly failures?: readonly Failure[] | undefined
  /** The model that was to answer, where another one did in its place. */
  readonly fallbackFrom?: string | undefined
  /** Whether the response cache had the answer; undefined: it was not asked. */
  readonly cache?: "hit" | "miss" | undefined
  /** The reply came from an equal request that was under way. */
  readonly shared?: boolean | undefined
  /** Milliseconds from sending the request that was answered to its upstream's first content. */
  readonly upstreamWaitMs?: number | undefined
  /** Milliseconds from the request's arrival. */
  readonly firstContentMs: number | undefined
  readonly durationMs: number
  /** When it ended, in milliseconds since 1970. */
  readonly endedAt?: number | undefined
  readonly usage: MessagesUsage
  /** Counts that the upstream left out are our estimate. */
  readonly estimated: boolean
  /** What it cost, in US dollars. Undefined: not known, which is not the same as nothing. */
  readonly costUsd?: number | undefined
  /** Who says so: the provider, with the reply, or the prices of the configuration. */
  readonly costFrom?: CostSource | undefined
  /** What was dropped or changed of the request. */
  readonly notes: readonly Note[]
  /** What was repaired in the reply. */
  readonly repairs: readonly Note[]
  /** Undefined: the reply came from elsewhere, and no model made it for this request. */
  readonly reply?: ReplyFacts | undefined
  readonly outcome: Outcome
}
