// What is known of a reply while it grows: the writer's state, and what it came to for the record at the end.
import type { Delta } from "../convert/delta.ts"
import { growText, noText, textOf } from "../convert/grown-text.ts"
import { noUsage } from "../convert/messages-usage.ts"
import { begin, keepAlive } from "../convert/reply/blocks.ts"
import { finalUsage, isEstimated } from "../convert/reply/final.ts"
import { inputOf } from "../convert/reply/finish.ts"
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
import { randomId } from "./ids.ts"
import { createRecorder } from "./memory.ts"
import type { Prepared } from "./prepare.ts"
import type { MeasuredPrompt } from "./prompt.ts"
import { createTally } from "./tally.ts"

/** Who answers, as far as the record of the reply depends on it. */
export interface Answering {
  readonly route: Route
  readonly prompt: MeasuredPrompt
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
  readonly account: () => Account
}

// A reply may go on for hours.
const longestKept = 65_536

/** The progress of one reply that has not begun. `onContent` hears once of the first block. */
export function createProgress(
  prepared: Prepared,
  { config, memory, ratios }: Context,
  onContent: () => void,
): Progress {
  let answering = answeringOf(prepared)
  const record = createRecorder(memory, prepared.scope)
  const tally = createTally()
  let content = false
  let complete = false
  let estimated = 0
  const id = `msg_${randomId()}`
  let state: WriterState = initialWriter(optionsFor(answering))

  function optionsFor({ route, prompt }: Answering): WriterOptions {
    return {
      id,
      model: route.requestedModel,
      provider: route.provider,
      upstreamModel: route.model,
      // What a stream begins with is a forecast; a whole reply has no room for one beside what was reported.
      inputTokens: config.estimateTokens || prepared.stream ? prompt.tokens() : 0,
      estimate: config.estimateTokens
        ? (text) => ratios.correct(route, estimated + estimateText(text))
        : null,
    }
  }

  /** The text is kept for its estimate alone, which can be made of parts: of each its last character is left. */
  function fold(): void {
    const { written, options } = state
    if (written.whole.length < longestKept) return
    const text = textOf(written)
    if (options.estimate !== null) estimated += estimateText(text.slice(0, -1))
    state = { ...state, written: growText(noText, [text.slice(-1)]) }
  }

  function step([next, events]: readonly [WriterState, readonly MessagesEvent[]]): readonly MessagesEvent[] {
    state = next
    fold()
    record(events)
    tally.count(events)
    complete ||= events.some(({ type }) => type === "message_stop")
    if (content || !hasContent(state)) return events
    content = true
    onContent()
    return events
  }

  /** Where nothing came that says otherwise, nothing was used: nobody was asked, or nobody answered. */
  function usage(): Pick<Account, "usage" | "estimated"> {
    const isUsed = state.usage !== undefined || (!answering.isOwn && (content || complete))
    return isUsed
      ? { usage: usageOf(state, complete), estimated: isEstimated(state, complete) }
      : { usage: noUsage, estimated: false }
  }

  function learn(): void {
    const { prompt, countsMore } = answering
    if (state.usage !== undefined && !countsMore) prompt.learn(inputOf(state.usage))
  }

  return {
    move: (next) => {
      answering = next
      state = { ...state, options: optionsFor(next) }
    },
    begin: () => step(begin(state)),
    write: (deltas) => step(writeAll(state, deltas)),
    keepAlive: () => keepAlive(state),
    ended: () => state.phase === "ended",
    account: () => {
      const account = {
        ...usage(),
        repairs: state.notes,
        reply: tally.facts(),
        reportedCostUsd: state.costUsd,
      }
      learn()
      return account
    },
  }
}

function usageOf(state: WriterState, isWhole: boolean): MessagesUsage {
  return { ...noUsage, ...finalUsage(state, isWhole) }
}
