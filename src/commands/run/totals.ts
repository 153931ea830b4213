// What a whole run used, in one line.
import type { Exchange } from "../../observe/exchange.ts"
import { inputTokens } from "../../observe/usage-line.ts"

export interface Totals {
  readonly requests: number
  /** Requests answered with an error. One the client gave up is not a failure. */
  readonly failures: number
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  /** Some of the counts are our own estimate. */
  readonly estimated: boolean
  readonly costUsd: number
  /** Requests whose cost is in `costUsd`: those whose prices are known. */
  readonly priced: number
}

export const emptyTotals: Totals = {
  requests: 0,
  failures: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  estimated: false,
  costUsd: 0,
  priced: 0,
}

/** The totals with one more request. */
export function addExchange(totals: Totals, exchange: Exchange): Totals {
  return {
    requests: totals.requests + 1,
    failures: totals.failures + (exchange.outcome.kind === "failed" ? 1 : 0),
    inputTokens: totals.inputTokens + inputTokens(exchange),
    cachedTokens: totals.cachedTokens + exchange.usage.cache_read_input_tokens,
    outputTokens: totals.outputTokens + exchange.usage.output_tokens,
    estimated: totals.estimated || exchange.estimated,
    costUsd: totals.costUsd + (exchange.costUsd ?? 0),
    priced: totals.priced + (exchange.costUsd === undefined ? 0 : 1),
  }
}

/** `5 requests, 12,345 input tokens (10,000 cached), 678 output tokens, cost $0.0123`. */
export function renderTotals(totals: Totals): string {
  if (totals.requests === 0) return "0 requests"
  const failures = totals.failures === 0 ? "" : ` (${grouped(totals.failures)} failed)`
  const cached = totals.cachedTokens === 0 ? "" : ` (${grouped(totals.cachedTokens)} cached)`
  const parts = [
    `${counted(totals.requests, "request")}${failures}`,
    `${counted(totals.inputTokens, "input token")}${cached}`,
    `${counted(totals.outputTokens, "output token")}${totals.estimated ? " (partly estimated)" : ""}`,
    renderCost(totals),
  ]
  return parts.join(", ")
}

function renderCost({ requests, priced, costUsd }: Totals): string {
  if (priced === 0) return "cost unknown"
  const digits = { minimumFractionDigits: 4, maximumFractionDigits: 4 }
  const dollars =
    costUsd > 0 && costUsd < 0.0001 ? "under $0.0001" : `$${costUsd.toLocaleString("en-US", digits)}`
  return `cost ${dollars}${priced < requests ? " + unknown" : ""}`
}

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`
}

function grouped(count: number): string {
  return count.toLocaleString("en-US")
}
