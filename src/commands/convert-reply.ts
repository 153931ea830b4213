// `convert` for OpenAI's replies and streams: the same reader and writer as a live reply.

import type { Delta } from "../convert/delta.ts"
import { readChat } from "../convert/reply/chat-stream.ts"
import { initialReader } from "../convert/reply/reader.ts"
import type { ReaderOptions } from "../convert/reply/reader-text.ts"
import { foldEvents, readReply, writeAll } from "../convert/reply/reply.ts"
import { initialWriter, type WriterOptions } from "../convert/reply/writer-state.ts"
import { encodeEvent } from "../protocol/encode.ts"
import { type Note, toErrorBody } from "../protocol/fault.ts"
import type { Route } from "../providers/route.ts"
import { estimateText } from "../tokens/estimate.ts"
import type { Known } from "./convert-input.ts"

export interface Converted {
  /** What is printed. */
  readonly text: string
  readonly notes: readonly Note[]
}

/** Anthropic's message or events for a reply or stream of `route`'s provider. */
export function convertChatReply(
  input: Extract<Known, { kind: "chat-reply" | "chat-stream" }>,
  route: Route,
  secrets: readonly string[],
): Converted {
  const options = readerOptions(route, secrets)
  const deltas =
    input.kind === "chat-reply" ? readReply(input.reply, options) : readStream(input.chunks, options)
  const notes = deltas.flatMap((delta) => (delta.kind === "note" ? [delta.note] : []))
  const [, events] = writeAll(initialWriter(writerOptions(route)), deltas)
  if (input.kind === "chat-stream") {
    return { text: events.map((event) => encodeEvent(event, "req_converted")).join(""), notes }
  }
  const { reply, fault } = foldEvents(events)
  const value = fault === undefined ? reply : toErrorBody(fault, "req_converted")
  return { text: `${JSON.stringify(value, null, 2)}\n`, notes }
}

function readStream(
  inputs: Extract<Known, { kind: "chat-stream" }>["chunks"],
  options: ReaderOptions,
): readonly Delta[] {
  let reader = initialReader(options)
  const deltas: Delta[] = []
  for (const input of inputs) {
    const [next, more] = readChat(reader, input)
    reader = next
    for (const delta of more) deltas.push(delta)
  }
  return deltas
}

// Fixed ids: the same input gives the same output, which a diff can then compare.
function writerOptions(route: Route): WriterOptions {
  return {
    id: "msg_converted",
    model: route.requestedModel,
    provider: route.provider,
    upstreamModel: route.model,
    inputTokens: 0,
    estimate: estimateText,
  }
}

function readerOptions(route: Route, secrets: readonly string[]): ReaderOptions {
  return {
    profile: route.profile,
    tools: { toolNames: new Map(), offered: new Set(), seenIds: new Set(), idSeed: "converted" },
    stopSequences: [],
    showReasoning: true,
    errors: {
      provider: route.provider,
      model: route.model,
      url: route.url,
      inputTokens: 0,
      contextWindow: route.profile.contextWindow,
      keyName: route.keyName,
      secrets,
    },
  }
}
