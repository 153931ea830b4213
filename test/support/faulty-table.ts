// All faults by their names.
import { refusals } from "./faulty-refusals.ts"
import { faultyReplies } from "./faulty-replies.ts"
import type { FaultRow } from "./faulty-rows.ts"

export const faultRows: Readonly<Record<string, FaultRow>> = { ...faultyReplies, ...refusals }
