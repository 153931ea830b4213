// What requests used, in words: the one line at the end of a run, and the head of the statistics.
import { renderDollars } from "../../observe/cost.ts"
import type { Tally } from "../../observe/stats.ts"

/** `5 requests, 12,345 input tokens (10,000 cached), 678 output tokens, cost $0.0123`. */
export function renderTotals(totals: Tally): string {
  if (totals.requests === 0) return "0 requests"
  const failures = totals.failures === 0 ? "" : ` (${grouped(totals.failures)} failed)`
  const cached = totals.cacheReadTokens === 0 ? "" : ` (${grouped(totals.cacheReadTokens)} cached)`
  const estimated = totals.estimated === 0 ? "" : " (partly estimated)"
  const parts = [
    `${counted(totals.requests, "request")}${failures}`,
    `${counted(totals.inputTokens, "input token")}${cached}`,
    `${counted(totals.outputTokens, "output token")}${estimated}`,
    `cost ${renderCost(totals)}`,
  ]
  return parts.join(", ")
}

/** `$0.0123`, with `+ unknown` where it is not the whole; `unknown` where nothing is known. */
export function renderCost({ costKnown, costUnknown, costUsd }: Tally): string {
  if (costKnown === 0) return costUnknown === 0 ? renderDollars(0) : "unknown"
  return `${renderDollars(costUsd)}${costUnknown === 0 ? "" : " + unknown"}`
}

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`
}

/** `12,345`. */
export function grouped(count: number): string {
  return count.toLocaleString("en-US")
}
