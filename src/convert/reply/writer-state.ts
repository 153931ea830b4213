// The writer's memory of one message.
import type { Note } from "../../protocol/fault.ts"
import type { MessagesUsage, StopReason } from "../../protocol/messages.ts"
import { type Cargo, noCargo } from "../carrier.ts"
import type { Delta } from "../delta.ts"

export interface WriterOptions {
  readonly id: string
  /** The client's own model string, echoed. */
  readonly model: string
  /** Written into the signature of thinking blocks, so that we know our own when they come back. */
  readonly provider: string
  readonly upstreamModel: string
  /** Estimate for message_start, and the final number where the upstream reports none. */
  readonly inputTokens: number
  /** Estimates output where the upstream reports none; null leaves such numbers out. */
  readonly estimate: ((text: string) => number) | null
}

/** What becomes of blocks. */
export type Content = Extract<Delta, { kind: "tool" | "text" | "reasoning" | "search" | "compaction" }>

export type Open =
  | { readonly kind: "none" }
  | { readonly kind: "text" }
  | { readonly kind: "reasoning"; readonly field: string }
  | { readonly kind: "tool"; readonly key: number; readonly complete: boolean }

export interface WriterState {
  readonly options: WriterOptions
  readonly phase: "new" | "started" | "ended"
  /** Index of the open block, or of the next one when none is open. */
  readonly index: number
  readonly open: Open
  /** What came while a call was open whose arguments are not complete, in order of arrival. */
  readonly queue: readonly Content[]
  /** The text of the thinking block that is open. */
  readonly thinking: string
  /** Opaque data for the signature of the thinking block that is open, or of the next one. */
  readonly cargo: Cargo
  /** Keys of the calls that are over. */
  readonly closed: readonly number[]
  readonly finish: StopReason | undefined
  readonly stopSequence: string | null
  readonly usage: MessagesUsage | undefined
  /** Everything written so far, for the estimate of output tokens. */
  readonly written: string
  readonly lastToolComplete: boolean
  readonly sawTool: boolean
  /** Web searches that were run upstream. */
  readonly searches: number
  /** What was done to the reply on its way. */
  readonly notes: readonly Note[]
}

/** The state before anything has been written. */
export function initialWriter(options: WriterOptions): WriterState {
  return {
    options,
    phase: "new",
    index: 0,
    open: { kind: "none" },
    queue: [],
    thinking: "",
    cargo: noCargo,
    closed: [],
    finish: undefined,
    stopSequence: null,
    usage: undefined,
    written: "",
    lastToolComplete: true,
    sawTool: false,
    searches: 0,
    notes: [],
  }
}

/** Has anything of substance (a block) been written? Until then a failed attempt may be repeated. */
export function hasContent(state: WriterState): boolean {
  return state.index > 0 || state.open.kind !== "none"
}
