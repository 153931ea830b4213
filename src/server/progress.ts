// What is known of a reply while it grows: the writer's state, and what it came to for the record at the end.
import type { Delta } from "../convert/delta.ts"
import { begin, keepAlive } from "../convert/reply/blocks.ts"
import { finalUsage, isEstimated } from "../convert/reply/final.ts"
import { inputOf } from "../convert/reply/finish.ts"
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
  { config, memory, ratios }: Context,
  onContent: () => void,
): Progress {
  const { route, prompt, conversion } = prepared
  const record = createRecorder(memory, prepared.scope)
  const tally = createTally()
  let content = false
  let complete = false
  let state: WriterState = initialWriter({
    id: `msg_${randomId()}`,
    model: route.requestedModel,
    provider: route.provider,
    upstreamModel: route.model,
    // What a stream begins with is a forecast; a whole reply has no room for one beside what was reported.
    inputTokens: config.estimateTokens || prepared.stream ? prompt.tokens() : 0,
    estimate: config.estimateTokens ? (text) => ratios.correct(route, estimateText(text)) : null,
  })

  function step([next, events]: readonly [WriterState, readonly MessagesEvent[]]): readonly MessagesEvent[] {
    state = next
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
    const isUsed = state.usage !== undefined || (conversion.answer === undefined && (content || complete))
    return isUsed
      ? { usage: usageOf(state, complete), estimated: isEstimated(state, complete) }
      : { usage: noUsage, estimated: false }
  }

  /** A search adds what it found to the prompt. */
  function learn(): void {
    if (state.usage !== undefined && conversion.search === undefined) prompt.learn(inputOf(state.usage))
  }

  return {
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

const noUsage: MessagesUsage = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
}

function usageOf(state: WriterState, isWhole: boolean): MessagesUsage {
  return { ...noUsage, ...finalUsage(state, isWhole) }
}
