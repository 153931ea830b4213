// What deltas pass through between the reader and the writer, because of what the client asked for: a fence
// around JSON, a repeated beginning, stop sequences that the provider does not know, a summary.
import type { JsonObject } from "../../protocol/json.ts"
import type { Delta } from "../common/delta.ts"
import { spreadRuns } from "../common/pieces.ts"
import { applyFence, type FenceDeltas, initialFenceDeltas } from "./fence-deltas.ts"
import { applyPrefill, initialPrefill, type PrefillState } from "./prefill.ts"
import { applyStops, initialStops, type StopState } from "./stops.ts"
import { applySummary, initialSummary, type SummaryState } from "./summary.ts"

export interface Filters {
  readonly fence: FenceDeltas
  readonly prefill: PrefillState
  readonly stops: StopState
  readonly summary: SummaryState
}

/** What of a request the reply has to be filtered for. */
export interface Wishes {
  readonly json: boolean
  readonly repeats: string
  readonly watchedStops: readonly string[]
  readonly summary: boolean
  readonly toolChanges?: readonly JsonObject[]
}

/** The filters of one reply, before its first delta. */
export function initialFilters(wishes: Wishes): Filters {
  const { json, repeats, watchedStops, summary } = wishes
  const isIdle = !json && repeats === "" && watchedStops.length === 0 && !summary
  return isIdle ? idle : filtersFor(wishes)
}

function filtersFor({ json, repeats, watchedStops, summary, toolChanges }: Wishes): Filters {
  return {
    fence: initialFenceDeltas(json),
    prefill: initialPrefill(repeats),
    stops: initialStops(watchedStops),
    summary: initialSummary(summary, toolChanges),
  }
}

/** Most clients wish for nothing. */
const idle = filtersFor({ json: false, repeats: "", watchedStops: [], summary: false })

/** Deltas through all of them, in order. */
export function applyFilters(state: Filters, deltas: readonly Delta[]): readonly [Filters, readonly Delta[]] {
  if (!isActive(state)) return [state, deltas]
  const [fence, unfenced] = applyFence(state.fence, spreadRuns(deltas))
  const [prefill, begun] = applyPrefill(state.prefill, unfenced)
  const [stops, stopped] = applyStops(state.stops, begun)
  const [summary, given] = applySummary(state.summary, stopped)
  return [{ fence, prefill, stops, summary }, given]
}

/** Is there anything to be done? */
export function isActive({ fence, prefill, stops, summary }: Filters): boolean {
  return fence.active || prefill.expected !== "" || stops.sequences.length > 0 || summary.active
}
