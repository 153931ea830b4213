// The writer's memory of one message.
import { type Note, noNotes } from "../../protocol/fault.ts"
import type { MessagesUsage, StopReason } from "../../protocol/messages/messages.ts"
import { type Cargo, noCargo } from "../common/carrier.ts"
import type { Piece } from "../common/delta.ts"
import { addQuoted, type GrownText, noText } from "../common/grown-text.ts"
import { type Content, emptyQueue, type Queue } from "./writer-queue.ts"

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

/** Content that comes in pieces. */
export type Growing = Extract<Content, { kind: "tool" | "text" | "reasoning" }>

export type Open =
  | { readonly kind: "none" }
  | { readonly kind: "text" }
  | { readonly kind: "reasoning"; readonly field: string }
  | { readonly kind: "tool"; readonly key: number; readonly complete: boolean }
  /** A block of an upstream that speaks Messages itself, of a kind that is not known here. */
  | { readonly kind: "other" }

/** The message as far as it is written. It changes in place: what is in it never does. */
export interface WriterState {
  options: WriterOptions
  phase: "new" | "started" | "ended"
  /** Index of the open block, or of the next one when none is open. */
  index: number
  open: Open
  /** The first half of a surrogate pair that the text of the open block ends in, unwritten. */
  half: string
  /** What came while a call was open whose arguments are not complete. */
  queue: Queue
  /** The text of the thinking block that is open. */
  thinking: GrownText
  /** Opaque data for the signature of the thinking block that is open, or of the next one. */
  cargo: Cargo
  /** Keys of the calls that are over: no more than a reply may have calls. */
  closed: ReadonlySet<number>
  finish: StopReason | undefined
  stopSequence: string | null
  usage: MessagesUsage | undefined
  /** What the provider says it charged, in US dollars. */
  costUsd: number | undefined
  /** Everything written so far, for the estimate of output tokens. */
  written: GrownText
  lastToolComplete: boolean
  sawTool: boolean
  /** Web searches that were run upstream. */
  searches: number
  /** What was done to the reply on its way. */
  notes: readonly Note[]
}

export const nothingOpen: Open = { kind: "none" }
const nothingClosed: ReadonlySet<number> = new Set()

/** The state before anything has been written. */
export function initialWriter(options: WriterOptions): WriterState {
  return {
    options,
    phase: "new",
    index: 0,
    open: nothingOpen,
    half: "",
    queue: emptyQueue,
    thinking: noText,
    cargo: noCargo,
    closed: nothingClosed,
    finish: undefined,
    stopSequence: null,
    usage: undefined,
    costUsd: undefined,
    written: noText,
    lastToolComplete: true,
    sawTool: false,
    searches: 0,
    notes: noNotes,
  }
}

/** Has anything of substance (a block) been written? Until then a failed attempt may be repeated. */
export function hasContent(state: WriterState): boolean {
  return state.index > 0 || state.open.kind !== "none"
}

/** The item, if it is a further piece of the block that is open. */
export function continues(open: Open, item: Content): Growing | undefined {
  if (item.kind === "tool") return open.kind === "tool" && open.key === item.key ? item : undefined
  if (item.kind !== "text" && item.kind !== "reasoning") return undefined
  return open.kind === item.kind ? item : undefined
}

/** Only when its arguments are complete is a call over: until then all else waits, so that none is torn. */
export function isBusy(open: Open): boolean {
  return open.kind === "tool" && !open.complete
}

export const deltaTypes = {
  text: "text_delta",
  reasoning: "thinking_delta",
  tool: "input_json_delta",
} as const

/** The open block has grown by this text, as it stands in JSON; `last` is the last piece of it. */
export function grew(state: WriterState, last: Piece, quoted: string): void {
  state.written = addQuoted(state.written, quoted)
  if (last.kind === "reasoning") state.thinking = addQuoted(state.thinking, quoted)
  if (last.kind !== "tool") return
  const { key, complete } = last
  state.open = { kind: "tool", key, complete }
  state.sawTool = true
  state.lastToolComplete = complete
}
