// The Markdown fence around JSON that was asked for, taken off the text of a stream of deltas.
import type { Delta } from "../common/delta.ts"
import { type FenceState, flushFence, initialFence, readFence } from "./format-fence.ts"

export interface FenceDeltas {
  readonly active: boolean
  readonly fence: FenceState
}

/** The state before any text; without a wish for JSON everything passes. */
export function initialFenceDeltas(active: boolean): FenceDeltas {
  return { active, fence: initialFence(active) }
}

/** Deltas in; the same out, their text without the fence. */
export function applyFence(
  state: FenceDeltas,
  deltas: readonly Delta[],
): readonly [FenceDeltas, readonly Delta[]] {
  if (!state.active) return [state, deltas]
  let { fence } = state
  const out: Delta[] = []
  for (const delta of deltas) {
    const isText = delta.kind === "text"
    const ends = delta.kind === "tool" || delta.kind === "finish" || delta.kind === "end"
    if (isText || ends) {
      const [next, text] = isText ? readFence(fence, delta.text) : flushFence(fence)
      fence = next
      if (text !== "") out.push({ kind: "text", text })
    }
    if (!isText) out.push(delta)
  }
  return [{ active: true, fence }, out]
}
