// What the log says of one request once it is over.
import { inputOf } from "../protocol/messages/usage.ts"
import { renderDollars } from "./cost.ts"
import type { Exchange, Outcome } from "./exchange.ts"
import type { Logger } from "./log.ts"

/**
 * The usage of a completed request at INFO, a failure at ERROR, repairs at WARNING; the circumstances at DEBUG.
 * Where the content of a request decided the model, the route comes first, at INFO too. `details`: DEBUG is on.
 */
export function logExchange(exchange: Exchange, log: Logger, details = true): void {
  if (exchange.routed === true) log.info(routeLine(exchange))
  else if (details) log.debug(routeLine(exchange))
  if (exchange.outcome.kind === "completed") log.info(usageLine(exchange))
  else logEnd(exchange, exchange.outcome, log)
  if (exchange.repairs.length > 0) logRepairs(exchange, log)
  if (details) log.debug("request", () => circumstances(exchange))
}

function logEnd(
  { requestId }: Exchange,
  outcome: Exclude<Outcome, { readonly kind: "completed" }>,
  log: Logger,
): void {
  if (outcome.kind === "cancelled") {
    log.info("the client closed the connection", () => ({ requestId }))
    return
  }
  const { status, message } = outcome.fault
  log.error("request failed", () => ({ requestId, status, why: message }))
}

function logRepairs({ requestId, model, repairs: given }: Exchange, log: Logger): void {
  const repairs = given.map(({ path, why }) => `${path}: ${why}`)
  log.warn("the model's reply was repaired", () => ({ requestId, model, repairs }))
}

function circumstances(exchange: Exchange) {
  const { firstContentMs } = exchange
  return {
    requestId: exchange.requestId,
    provider: exchange.provider,
    route: exchange.reason,
    attempts: exchange.attempts,
    fallbackFrom: exchange.fallbackFrom,
    firstContentMs: firstContentMs === undefined ? undefined : Math.round(firstContentMs),
    durationMs: Math.round(exchange.durationMs),
    notes: exchange.notes.map((note) => `${note.kind} ${note.path}: ${note.why}`),
  }
}

/** `🔀 Route | claude-haiku-4-5 → gpt-4o-mini | openai | haiku → ROUTER_BACKGROUND` */
function routeLine({ requestedModel, model, provider, reason }: Exchange): string {
  const requested = requestedModel === "" ? "" : `${requestedModel} → `
  return `🔀 Route | ${requested}${model} | ${provider} | ${reason}`
}

/**
 * What one request used. Its wording is promised to users: scripts read it.
 * `🎯 Token Usage | Model: claude-3-haiku → gpt-4o-mini | Input: 15 | Output: 42 | Total: 57`; streams say
 * `[Stream]`, tokens read from the cache are named, estimates are marked, and a known cost comes last. Input
 * counts cached tokens too. A reply that the response cache had, or that came from an equal request under way, used
 * nothing, and says so.
 */
export function usageLine(exchange: Exchange): string {
  const { usage } = exchange
  const input = inputOf(usage)
  const requested = exchange.requestedModel === "" ? "" : `${exchange.requestedModel} → `
  let line = `🎯 Token Usage${exchange.stream ? " [Stream]" : ""} | Model: ${requested}${exchange.model}`
  line += ` | Input: ${input}`
  if (usage.cache_read_input_tokens > 0) line += ` | Cached: ${usage.cache_read_input_tokens}`
  line += ` | Output: ${usage.output_tokens} | Total: ${input + usage.output_tokens}`
  if (exchange.costUsd !== undefined) line += ` | Cost: ${renderDollars(exchange.costUsd)}`
  if (exchange.cache === "hit") line += ` | Cache: ${exchange.shared === true ? "shared" : "hit"}`
  return exchange.estimated ? `${line} | 📊 Using estimated tokens` : line
}
