// A reply that its limit cut before the first word, where the upstream tells of it by a refusal.
import type { Delta } from "../../convert/common/delta.ts"
import type { FailedOpening, OpenedReply } from "../../upstream/attempts.ts"
import { oneBatch } from "../../upstream/batches.ts"

// OpenAI's reasoning models say so, with status 400, once all of max_completion_tokens was thought away; Claude Code
// asks for one token to learn whether a model is there (2.1.332, /model and setModel of the Agent SDK).
const outOfTokens = /could not finish the message because max_tokens/i

const cut: readonly Delta[] = [
  { kind: "finish", reason: "max_tokens", stopSequence: null },
  { kind: "end", clean: true },
]

/** Such a refusal as the reply it is: nothing, stopped by `max_tokens`. Undefined: it is another failure. */
export function cutUnsaid({ fault, refused }: FailedOpening): OpenedReply<Delta> | undefined {
  if (refused?.status !== 400 || !outOfTokens.test(fault.message)) return undefined
  return { ok: true, batches: oneBatch(cut) }
}
