// What the log files of one subject each say of a request once it is over: streams, thinking, tools. Never what
// was said in it, only what it was made of.

import type { Note } from "../protocol/fault.ts"
import { inputOf } from "../protocol/messages/usage.ts"
import type { Exchange } from "./exchange.ts"
import type { Logger } from "./log.ts"

/** A log for each subject. */
export interface Topics {
  readonly streaming: Logger
  readonly thinking: Logger
  readonly tools: Logger
}

/** At most one line at INFO in each; none where the request has nothing to do with the subject. */
export function logTopics(exchange: Exchange, topics: Topics, now: () => Date): void {
  if (exchange.stream) logStream(exchange, topics.streaming, now)
  logThinking(exchange, topics.thinking)
  logTools(exchange, topics.tools)
}

type Fields = Readonly<Record<string, unknown>>

function logStream(exchange: Exchange, log: Logger, now: () => Date): void {
  const { outcome, firstContentMs, durationMs } = exchange
  log.info(`stream ${outcome.kind}`, () =>
    present({
      ...about(exchange),
      started: new Date(now().getTime() - Math.round(durationMs)).toISOString(),
      firstContentMs: firstContentMs === undefined ? undefined : Math.round(firstContentMs),
      durationMs: Math.round(durationMs),
      events: exchange.reply?.events,
      inputTokens: inputOf(exchange.usage),
      outputTokens: exchange.usage.output_tokens,
      estimated: exchange.estimated || undefined,
      ...(outcome.kind === "failed" ? { status: outcome.fault.status, why: outcome.fault.message } : {}),
    }),
  )
}

/** What was decided about thinking, by us or for us, and whether the model then thought. */
function logThinking(exchange: Exchange, log: Logger): void {
  const decisions = exchange.notes.filter(({ path }) => /^thinking\b|(?:^|[._])effort$/.test(path))
  const reasoningTokens = exchange.usage.output_tokens_details?.thinking_tokens
  const thought = exchange.reply?.thought ?? (reasoningTokens ?? 0) > 0
  if (decisions.length === 0 && !thought && !reasoningTokens) return
  log.info("thinking", () =>
    present({
      ...about(exchange),
      decisions: decisions.length === 0 ? undefined : decisions.map(renderNote),
      thought,
      reasoningTokens,
    }),
  )
}

/** Which tools the reply called, and what had to be done so that it did. */
function logTools(exchange: Exchange, log: Logger): void {
  const calls = Object.entries(exchange.reply?.calls ?? {})
  const repairs = exchange.repairs.filter((note) => /\b(?:call|tool|argument)/i.test(renderNote(note)))
  if (calls.length === 0 && repairs.length === 0) return
  log.info("tool calls", () =>
    present({
      ...about(exchange),
      calls: calls.reduce((sum, [, count]) => sum + count, 0),
      // As texts: a tool's name as the name of a field would be judged as one, and its count be hidden.
      tools: calls.map(([name, count]) => (count === 1 ? name : `${name} ×${count}`)),
      repairs: repairs.length === 0 ? undefined : repairs.map(renderNote),
    }),
  )
}

function about({ requestId, requestedModel, model, provider }: Exchange): Fields {
  return { requestId, requested: requestedModel === "" ? undefined : requestedModel, model, provider }
}

function renderNote({ path, why }: Note): string {
  return `${path}: ${why}`
}

function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
