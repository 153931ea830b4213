// What is known of a reply while it grows: the writer's state, and what it came to for the record at the end.
import type { Delta } from "../convert/delta.ts"
import { begin, keepAlive } from "../convert/reply/blocks.ts"
import { finalUsage, isEstimated } from "../convert/reply/final.ts"
import { writeAll } from "../convert/reply/reply.ts"
import { hasContent, initialWriter, type WriterState } from "../convert/reply/writer-state.ts"
import type { MessagesEvent, MessagesUsage } from "../protocol/messages.ts"
import { estimateText } from "../tokens/estimate.ts"
import type { Context } from "./context.ts"
import { randomId } from "./ids.ts"
import { createRecorder } from "./memory.ts"
import type { Account } from "./outcome.ts"
import type { Prepared } from "./prepare.ts"
import { createTally } from "./tally.ts"

export interface Progress {
  readonly begin: () => readonly MessagesEvent[]
  readonly write: (deltas: readonly Delta[]) => readonly MessagesEvent[]
  readonly keepAlive: () => readonly MessagesEvent[]
  readonly ended: () => boolean
  readonly account: () => Account
}

/** The progress of one reply that has not begun. `onContent` hears once of the first block. */
export function createProgress(
  prepared: Prepared,
  { config, memory }: Context,
  onContent: () => void,
): Progress {
  const { route } = prepared
  const record = createRecorder(memory, prepared.scope)
  const tally = createTally()
  let content = false
  let state: WriterState = initialWriter({
    id: `msg_${randomId()}`,
    model: route.requestedModel,
    provider: route.provider,
    upstreamModel: route.model,
    inputTokens: prepared.errors.inputTokens,
    estimate: config.estimateTokens ? estimateText : null,
  })

  function step([next, events]: readonly [WriterState, readonly MessagesEvent[]]): readonly MessagesEvent[] {
    state = next
    record(events)
    tally.count(events)
    if (content || !hasContent(state)) return events
    content = true
    onContent()
    return events
  }

  return {
    begin: () => step(begin(state)),
    write: (deltas) => step(writeAll(state, deltas)),
    keepAlive: () => keepAlive(state),
    ended: () => state.phase === "ended",
    account: () => ({
      usage: usageOf(state),
      estimated: isEstimated(state),
      repairs: state.notes,
      reply: tally.facts(),
    }),
  }
}

function usageOf(state: WriterState): MessagesUsage {
  const none = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
  return { ...none, ...finalUsage(state) }
}
