// The reply to a request for a summary: its text becomes one compaction block, and there is nothing else in it.
import type { JsonObject } from "../../protocol/json.ts"
import type { Delta } from "../common/delta.ts"

export interface SummaryState {
  readonly active: boolean
  readonly text: string
  readonly toolChanges: readonly JsonObject[]
}

/** The state before any text; everything passes when no summary was asked for. */
export function initialSummary(active: boolean, toolChanges: readonly JsonObject[] = []): SummaryState {
  return { active, text: "", toolChanges }
}

/** Deltas in; text is kept to the end, thoughts and calls are left out, the rest passes. */
export function applySummary(
  state: SummaryState,
  deltas: readonly Delta[],
): readonly [SummaryState, readonly Delta[]] {
  if (!state.active) return [state, deltas]
  let { text } = state
  const out: Delta[] = []
  for (const delta of deltas) {
    if (delta.kind === "text") text += delta.text
    else if (delta.kind === "end" && delta.clean && text.trim() !== "") {
      out.push({ kind: "compaction", text: text.trim(), toolChanges: state.toolChanges })
      out.push({ kind: "finish", reason: "compaction", stopSequence: null }, delta)
    } else if (passes(delta)) out.push(delta)
  }
  return [{ ...state, text }, out]
}

function passes({ kind }: Delta): boolean {
  return kind === "usage" || kind === "note" || kind === "finish" || kind === "end" || kind === "fault"
}
