// Which of several usages in one chunk counts.
import type { MessagesUsage } from "../../protocol/messages/messages.ts"
import { inputOf } from "../../protocol/messages/usage.ts"
import { convertUsage } from "./finish.ts"

/** A usage as it came, and what it says by itself. */
export interface FoundUsage {
  readonly raw: unknown
  readonly usage: MessagesUsage
}

/**
 * What was found, or else this one: of several usages the first that counts anything stands; where none does, the
 * first that is one.
 */
export function orUsage(found: FoundUsage | undefined, raw: unknown): FoundUsage | undefined {
  if (found !== undefined && countsAnything(found)) return found
  const usage = convertUsage(raw)
  if (usage === undefined) return found
  const next = { raw, usage }
  return found === undefined || countsAnything(next) ? next : found
}

const countsAnything = ({ usage }: FoundUsage): boolean => inputOf(usage) + usage.output_tokens > 0
