// What is known of a reply while it grows: the writer's state, and what it came to for the record at the end.
import type { Config } from "../../config/config.ts"
import type { Delta } from "../../convert/common/delta.ts"
import { addText, noText, textOf } from "../../convert/common/grown-text.ts"
import { writeAll } from "../../convert/reply/reply.ts"
import { begin } from "../../convert/writer/blocks.ts"
import { finalUsage, isEstimated } from "../../convert/writer/final.ts"
import { keepAlive } from "../../convert/writer/keep-alive.ts"
import {
  hasContent,
  initialWriter,
  type WriterOptions,
  type WriterState,
} from "../../convert/writer/writer-state.ts"
import type { MessagesEvent, MessagesUsage } from "../../protocol/messages/messages.ts"
import { inputOf, noUsage } from "../../protocol/messages/usage.ts"
import type { Route } from "../../providers/route.ts"
import { estimateText } from "../../tokens/estimate.ts"
import type { Batches } from "../../upstream/batches.ts"
import { messageIdOf } from "../common/ids.ts"
import { type ReasoningMemory, type Recording, recordEvent, startRecording } from "../learned/memory.ts"
import type { Ratios } from "../learned/ratios.ts"
import type { Account } from "../outcome/exchange-of.ts"
import { beginsToCome, type RequestOutcome } from "../outcome/outcome.ts"
import { type Counting, countEvent, factsOf, startCounting } from "../outcome/tally.ts"
import { learnPrompt, type MeasuredPrompt, promptTokens, settlePrompt } from "../request/prompt.ts"

/** Who answers, as far as the record of the reply depends on it. */
export interface Answerer {
  readonly route: Route
  readonly prompt: MeasuredPrompt
  /** Nobody has to be asked for the answer. */
  readonly isOwn: boolean
  /** More than the prompt is counted with it, or nothing can be learnt from its count. */
  readonly countsMore: boolean
}

// A reply may go on for hours.
const longestKept = 65_536

/** What of the server a reply is measured and remembered by. */
interface ProgressContext {
  readonly config: Pick<Config, "estimateTokens">
  readonly ratios: Pick<Ratios, "correct">
  readonly memory: ReasoningMemory
}

/** The request that is replied to; nothing else of it is kept for the reply. */
interface Replied {
  readonly requestId: string
  readonly stream: boolean
  /** Tells the clients of this proxy apart. */
  readonly scope: string
}

/** What is known of one reply so far. It changes in place, by the functions below. */
export interface Progress {
  readonly context: ProgressContext
  readonly outcome: RequestOutcome
  readonly stream: boolean
  answerer: Answerer
  /** What it is made of, from its first content on; undefined: it has not begun. */
  batches: Batches<Delta> | undefined
  readonly state: WriterState
  readonly recording: Recording
  readonly counting: Counting
  content: boolean
  settled: boolean
  complete: boolean
  /** Tokens of text that is not kept any more. */
  estimated: number
}

/** The progress of one reply that has not begun, its prompt not counted. The outcome hears once of the first block. */
export function createProgress(
  { requestId, stream, scope }: Replied,
  answerer: Answerer,
  outcome: RequestOutcome,
  context: ProgressContext,
): Progress {
  const estimate = context.config.estimateTokens ? (text: string) => estimateOf(progress, text) : null
  const progress: Progress = {
    context,
    outcome,
    stream,
    answerer,
    batches: undefined,
    state: initialWriter(writerOptions(messageIdOf(requestId), answerer.route, 0, estimate)),
    recording: startRecording(context.memory, scope),
    counting: startCounting(),
    content: false,
    settled: false,
    complete: false,
    estimated: 0,
  }
  return progress
}

function writerOptions(
  id: string,
  { requestedModel, provider, model }: Route,
  inputTokens: number,
  estimate: WriterOptions["estimate"],
): WriterOptions {
  return { id, model: requestedModel, provider, upstreamModel: model, inputTokens, estimate }
}

/** Counts the prompt, before anything of an answer has come. */
export function countPrompt({ state, stream, answerer: { route, prompt } }: Progress): void {
  const { id, estimate } = state.options
  // What a stream begins with is a forecast; a whole reply has no room for one beside what was reported.
  const inputTokens = estimate !== null || stream ? promptTokens(prompt) : 0
  state.options = writerOptions(id, route, inputTokens, estimate)
}

/** The tokens of all that was written; `text` is what is kept of it. */
function estimateOf({ context, answerer, estimated }: Progress, text: string): number {
  return context.ratios.correct(answerer.route, estimated + estimateText(text))
}

/** Another model answers, before anything of an answer has come. */
export function moveTo(progress: Progress, next: Answerer): void {
  progress.answerer = next
  countPrompt(progress)
}

/** What a stream can begin with before anything has come. */
export function beginReply(progress: Progress): readonly MessagesEvent[] {
  return step(progress, begin(progress.state))
}

/** The events that these deltas make. */
export function writeDeltas(progress: Progress, deltas: readonly Delta[]): readonly MessagesEvent[] {
  return step(progress, writeAll(progress.state, deltas))
}

/** Real but empty events. */
export function keepReplyAlive({ state }: Progress): readonly MessagesEvent[] {
  return keepAlive(state)
}

/** Nothing follows. */
export function hasEnded({ state }: Progress): boolean {
  return state.phase === "ended"
}

function step(progress: Progress, events: readonly MessagesEvent[]): readonly MessagesEvent[] {
  shorten(progress)
  for (const event of events) note(progress, event)
  if (progress.content || !hasContent(progress.state)) return events
  progress.content = true
  beginsToCome(progress.outcome)
  return events
}

/**
 * The answer has begun, and the rest of it may take hours: no more is kept of the request than is needed for it. What
 * is not streamed is soon over.
 */
export function settleReply(progress: Progress): void {
  if (progress.settled || !progress.stream) return
  progress.settled = true
  settlePrompt(progress.answerer.prompt)
}

function note(progress: Progress, event: MessagesEvent): void {
  recordEvent(progress.recording, event)
  countEvent(progress.counting, event)
  if (event.type === "message_stop") progress.complete = true
}

/** The text is kept for its estimate alone, which can be made of parts: of each its last character is left. */
function shorten(progress: Progress): void {
  const { written, options } = progress.state
  if (written.whole.length < longestKept) return
  const text = textOf(written)
  if (options.estimate !== null) progress.estimated += estimateText(text.slice(0, -1))
  progress.state.written = addText(noText, text.slice(-1))
}

/**
 * What the reply came to; the prompt's length is learnt of it. Where nothing came that says otherwise, nothing was used:
 * nobody was asked, or nobody answered.
 */
export function accountOf(progress: Progress): Account {
  const { state, answerer, content, complete, counting } = progress
  const isUsed = state.usage !== undefined || (!answerer.isOwn && (content || complete))
  const account = {
    usage: isUsed ? usageOf(state, complete) : noUsage,
    estimated: isUsed && isEstimated(state, complete),
    repairs: state.notes,
    reply: factsOf(counting),
    reportedCostUsd: state.costUsd,
  }
  learn(progress)
  return account
}

/** As it was reported, where nothing is to be filled in. */
function usageOf(state: WriterState, complete: boolean): MessagesUsage {
  const final = finalUsage(state, complete)
  return state.usage !== undefined && final === state.usage ? state.usage : { ...noUsage, ...final }
}

function learn({ answerer: { prompt, countsMore }, state }: Progress): void {
  if (state.usage !== undefined && !countsMore) learnPrompt(prompt, inputOf(state.usage))
}
