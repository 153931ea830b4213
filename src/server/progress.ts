// What is known of a reply while it grows: the writer's state, and what it came to for the record at the end.
import type { Delta } from "../convert/delta.ts"
import { growText, noText, textOf } from "../convert/grown-text.ts"
import { noUsage } from "../convert/messages-usage.ts"
import { begin } from "../convert/reply/blocks.ts"
import { finalUsage, isEstimated } from "../convert/reply/final.ts"
import { inputOf } from "../convert/reply/finish.ts"
import { keepAlive } from "../convert/reply/keep-alive.ts"
import { writeAll } from "../convert/reply/reply.ts"
import {
  hasContent,
  initialWriter,
  type WriterOptions,
  type WriterState,
} from "../convert/reply/writer-state.ts"
import type { MessagesEvent, MessagesUsage } from "../protocol/messages.ts"
import type { Route } from "../providers/route.ts"
import { estimateText } from "../tokens/estimate.ts"
import type { Context } from "./context.ts"
import type { Account } from "./exchange-of.ts"
import { messageIdOf } from "./ids.ts"
import { type Recording, recordEvent, startRecording } from "./memory.ts"
import type { Prepared } from "./prepare.ts"
import type { RepliedPrompt } from "./prompt.ts"
import { type Counting, countEvent, factsOf, startCounting } from "./tally.ts"

/** Who answers, as far as the record of the reply depends on it. */
export interface Answering {
  readonly route: Route
  readonly prompt: RepliedPrompt
  /** Nobody has to be asked for the answer. */
  readonly isOwn: boolean
  /** More than the prompt is counted with it, or nothing can be learnt from its count. */
  readonly countsMore: boolean
}

export function answeringOf({ route, prompt, conversion }: Prepared): Answering {
  const isOwn = conversion.answer !== undefined
  // A search adds what it found to the prompt.
  return { route, prompt, isOwn, countsMore: conversion.search !== undefined }
}

export interface Progress {
  /** Another model answers, before anything of an answer has come. */
  readonly move: (next: Answering) => void
  readonly begin: () => readonly MessagesEvent[]
  readonly write: (deltas: readonly Delta[]) => readonly MessagesEvent[]
  readonly keepAlive: () => readonly MessagesEvent[]
  readonly ended: () => boolean
  /** The answer has begun, and the rest of it may take hours: no more is kept of the request than is needed for it. */
  readonly settle: () => void
  readonly account: () => Account
}

// A reply may go on for hours.
const longestKept = 65_536

/** What is known of one reply so far. It changes in place. */
interface Growing {
  answering: Answering
  readonly state: WriterState
  readonly recording: Recording
  readonly counting: Counting
  content: boolean
  settled: boolean
  complete: boolean
  /** Tokens of text that is not kept any more. */
  estimated: number
}

/** The progress of one reply that has not begun. `onContent` hears once of the first block. */
export function createProgress(prepared: Prepared, context: Context, onContent: () => void): Progress {
  const id = messageIdOf(prepared.requestId)
  const answering = answeringOf(prepared)
  const { stream } = prepared
  const optionsFor = ({ route, prompt }: Answering): WriterOptions => ({
    id,
    model: route.requestedModel,
    provider: route.provider,
    upstreamModel: route.model,
    // What a stream begins with is a forecast; a whole reply has no room for one beside what was reported.
    inputTokens: context.config.estimateTokens || stream ? prompt.tokens() : 0,
    estimate: context.config.estimateTokens
      ? (text) => context.ratios.correct(route, growing.estimated + estimateText(text))
      : null,
  })
  const growing: Growing = {
    answering,
    state: initialWriter(optionsFor(answering)),
    recording: startRecording(context.memory, prepared.scope),
    counting: startCounting(),
    content: false,
    settled: false,
    complete: false,
    estimated: 0,
  }

  function step(events: readonly MessagesEvent[]): readonly MessagesEvent[] {
    shorten(growing)
    for (const event of events) note(growing, event)
    if (growing.content || !hasContent(growing.state)) return events
    growing.content = true
    onContent()
    return events
  }

  return {
    move: (next) => {
      growing.answering = next
      growing.state.options = optionsFor(next)
    },
    begin: () => step(begin(growing.state)),
    write: (deltas) => step(writeAll(growing.state, deltas)),
    keepAlive: () => keepAlive(growing.state),
    ended: () => growing.state.phase === "ended",
    settle: () => {
      // What is not streamed is soon over.
      if (stream) settle(growing)
    },
    account: () => {
      const account = accountOf(growing)
      learn(growing)
      return account
    },
  }
}

function settle(growing: Growing): void {
  if (growing.settled) return
  growing.settled = true
  growing.answering.prompt.settle()
}

function note(growing: Growing, event: MessagesEvent): void {
  recordEvent(growing.recording, event)
  countEvent(growing.counting, event)
  if (event.type === "message_stop") growing.complete = true
}

/** The text is kept for its estimate alone, which can be made of parts: of each its last character is left. */
function shorten(growing: Growing): void {
  const { written, options } = growing.state
  if (written.whole.length < longestKept) return
  const text = textOf(written)
  if (options.estimate !== null) growing.estimated += estimateText(text.slice(0, -1))
  growing.state.written = growText(noText, [text.slice(-1)])
}

/** Where nothing came that says otherwise, nothing was used: nobody was asked, or nobody answered. */
function accountOf({ state, answering, content, complete, counting }: Growing): Account {
  const isUsed = state.usage !== undefined || (!answering.isOwn && (content || complete))
  return {
    usage: isUsed ? usageOf(state, complete) : noUsage,
    estimated: isUsed && isEstimated(state, complete),
    repairs: state.notes,
    reply: factsOf(counting),
    reportedCostUsd: state.costUsd,
  }
}

/** As it was reported, where nothing is to be filled in. */
function usageOf(state: WriterState, complete: boolean): MessagesUsage {
  const final = finalUsage(state, complete)
  return state.usage !== undefined && final === state.usage ? state.usage : { ...noUsage, ...final }
}

function learn({ answering: { prompt, countsMore }, state }: Growing): void {
  if (state.usage !== undefined && !countsMore) prompt.learn(inputOf(state.usage))
}
