// From one converted request to a stream of deltas: the upstream is asked, its reply read by the dialect's
// reader, and failures before the first content repeated.

import { initialChatReader, readChat } from "../convert/chat-stream.ts"
import type { ReaderOptions } from "../convert/chat-text.ts"
import type { Delta } from "../convert/delta.ts"
import { readReply } from "../convert/reply.ts"
import type { Conversion } from "../convert/request.ts"
import type { StreamInput } from "../protocol/chat.ts"
import type { Fault } from "../protocol/fault.ts"
import type { ErrorContext } from "../protocol/upstream-error.ts"
import type { Route } from "../providers/route.ts"
import { type Attempted, attempt, type Opening } from "../upstream/attempts.ts"
import { type SendOptions, send } from "../upstream/client.ts"
import type { Clock } from "../upstream/deadline.ts"

export interface PipelineOptions {
  readonly route: Route
  readonly conversion: Conversion
  readonly errors: ErrorContext
  readonly idSeed: string
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly maxRetries: number
  readonly clock: Clock
  readonly userAgent: string
  readonly onRetry: (fault: Fault, attempt: number, waitMs: number) => void
}

// Usage may follow the finish reason, but some servers never close: this long it is waited for.
const graceAfterFinishMs = 5_000

/** The reply as batches of deltas, from the attempt that got as far as content. Never throws. */
export function openReply(options: PipelineOptions): Promise<Attempted<Delta>> {
  return attempt<Delta>({
    open: () => openOnce(options),
    weigh,
    maxRetries: options.maxRetries,
    signal: options.signal,
    clock: options.clock,
    random: Math.random,
    onRetry: options.onRetry,
  })
}

async function openOnce(options: PipelineOptions): Promise<Opening<Delta>> {
  const { route, conversion, errors, timeoutMs, clock, userAgent } = options
  const own = new AbortController()
  const signal = AbortSignal.any([options.signal, own.signal])
  const sendOptions: SendOptions = { signal, timeoutMs, clock, userAgent, errors }
  const sent = await send(route, conversion.body, sendOptions)
  if (!sent.ok) return sent
  const reader: ReaderOptions = {
    profile: route.profile,
    tools: {
      toolNames: conversion.toolNames,
      offered: conversion.offered,
      seenIds: conversion.seenIds,
      idSeed: options.idSeed,
    },
    stopSequences: conversion.stopSequences,
    showReasoning: conversion.showReasoning,
    errors,
  }
  if (sent.reply.kind === "whole") return { ok: true, batches: single(readReply(sent.reply.reply, reader)) }
  const inputs = sent.reply.batches[Symbol.asyncIterator]()
  return { ok: true, batches: readBatches(inputs, reader, clock, () => own.abort()) }
}

async function* single(batch: readonly Delta[]): AsyncGenerator<readonly Delta[]> {
  yield batch
}

/** Content or a clean end: go. A failure before either is worth another attempt. */
function weigh(batch: readonly Delta[]): "wait" | "go" | Fault {
  for (const delta of batch) {
    if (delta.kind === "fault") return delta.fault
    if (delta.kind === "end") return delta.clean ? "go" : cutBeforeContent
    if (delta.kind !== "usage" && delta.kind !== "finish") return "go"
  }
  return "wait"
}

const cutBeforeContent: Fault = {
  kind: "api_error",
  source: "upstream",
  status: 502,
  retry: "before-first-byte",
  cut: true,
  message: "the upstream closed the connection before its reply began",
}

async function* readBatches(
  inputs: AsyncIterator<readonly StreamInput[]>,
  options: ReaderOptions,
  clock: Clock,
  giveUp: () => void,
): AsyncGenerator<readonly Delta[]> {
  let state = initialChatReader(options)
  let finished = false
  try {
    while (!state.ended) {
      const next = state.finish === undefined ? await inputs.next() : await withGrace(inputs.next(), clock)
      const batch: readonly StreamInput[] =
        next?.done === false ? next.value : [{ kind: "end", clean: false }]
      finished = next !== undefined && batch.at(-1)?.kind !== "chunk"
      const deltas: Delta[] = []
      for (const input of batch) {
        const [after, more] = readChat(state, input)
        state = after
        for (const delta of more) deltas.push(delta)
      }
      if (deltas.length > 0) yield deltas
    }
  } finally {
    // A generator that waits for a silent upstream cannot be told to return: the request itself is ended.
    if (!finished) giveUp()
  }
}

/** The next batch, or undefined when it takes longer than is reasonable after a finish reason. */
async function withGrace<T>(next: Promise<T>, clock: Clock): Promise<T | undefined> {
  let cancel: () => void = () => {}
  const timeout = new Promise<undefined>((resolve) => {
    cancel = clock.setTimer(() => resolve(undefined), graceAfterFinishMs)
  })
  try {
    return await Promise.race([next, timeout])
  } finally {
    cancel()
  }
}
