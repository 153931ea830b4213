// Which of several usages in one chunk counts.
import type { MessagesUsage } from "../../protocol/messages.ts"
import { convertUsage, inputOf } from "./finish.ts"

/** A usage as it came, and what it says by itself. */
export interface FoundUsage {
  readonly raw: unknown
  readonly usage: MessagesUsage
}

/** The first usage that counts anything; where none does, the first that is one. */
export function firstUsage(candidates: readonly unknown[]): FoundUsage | undefined {
  let first: FoundUsage | undefined
  for (const raw of candidates) {
    const usage = convertUsage(raw)
    if (usage === undefined) continue
    if (inputOf(usage) + usage.output_tokens > 0) return { raw, usage }
    first ??= { raw, usage }
  }
  return first
}
