// Reader and writer of the Responses dialect over lists of inputs, as the server runs them.

import type { Delta } from "../../../src/convert/common/delta.ts"
import type { ReaderOptions } from "../../../src/convert/reader/reader-text.ts"
import {
  initialResponses,
  readResponses,
  readResponsesReply,
} from "../../../src/convert/reader/responses-stream.ts"
import { foldEvents } from "../../../src/convert/reply/fold.ts"
import { initialWriter } from "../../../src/convert/writer/writer-state.ts"
import type { StreamInput } from "../../../src/protocol/chat/chat.ts"
import type { MessagesEvent } from "../../../src/protocol/messages/messages.ts"
import { inDialect } from "../../../src/providers/dialect.ts"
import { findProvider, resolveProfile } from "../../../src/providers/table.ts"
import { inputs, readerOptions, writerOptions } from "../fixtures.ts"
import { writeEach } from "../write-each.ts"

/** The profile of OpenAI's reasoning models where the Responses API is spoken. */
export const responsesProfile = profileOf("openai", "gpt-5.6")

function profileOf(provider: string, model: string) {
  const row = findProvider(provider)
  if (row === undefined) throw new Error(`no provider ${provider}`)
  return inDialect({ ...resolveProfile(row, model), dialect: "responses" })
}

/** What a reader is told when the client offered the usual tools; `more` is laid over it. */
export function responsesOptions(more: Partial<ReaderOptions> = {}): ReaderOptions {
  return { ...readerOptions({ profile: responsesProfile }), ...more }
}

/** The events of a stream as inputs, and the end of its bytes: it says no `[DONE]`. */
export const streamed = (events: readonly unknown[]): readonly StreamInput[] => inputs(events, false)

export function deltasOf(given: readonly StreamInput[], options = responsesOptions()): readonly Delta[] {
  let state = initialResponses(options)
  const out: Delta[] = []
  for (const input of given) {
    if (input.kind === "run") throw new Error("runs are Chat's alone")
    const [next, deltas] = readResponses(state, input)
    state = next
    for (const delta of deltas) out.push(delta)
  }
  return out
}

const written = (deltas: readonly Delta[]): readonly MessagesEvent[] =>
  writeEach(initialWriter(writerOptions), deltas)[1]

/** Anthropic's events of a stream. */
export function playStream(
  given: readonly StreamInput[],
  options = responsesOptions(),
): readonly MessagesEvent[] {
  return written(deltasOf(given, options))
}

/** Anthropic's events of a whole reply. */
export function playReply(reply: unknown, options = responsesOptions()): readonly MessagesEvent[] {
  return written(readResponsesReply(options, reply))
}

/** The message, or the fault, of a list of Anthropic's events. */
export const foldStream = (events: readonly unknown[], options = responsesOptions()) =>
  foldEvents(playStream(streamed(events), options))
