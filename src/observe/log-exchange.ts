// What the log says of one request once it is over.
import type { Exchange } from "./exchange.ts"
import type { Logger } from "./log.ts"
import { usageLine } from "./usage-line.ts"

/**
 * The usage of a completed request at INFO, a failure at ERROR, repairs at WARNING; the circumstances at DEBUG.
 * Where the content of a request decided the model, the route comes first, at INFO too.
 */
export function logExchange(exchange: Exchange, log: Logger): void {
  const { requestId, outcome } = exchange
  const sayRoute = exchange.routed === true ? log.info : log.debug
  sayRoute(routeLine(exchange))
  if (outcome.kind === "completed") log.info(usageLine(exchange))
  else if (outcome.kind === "cancelled") log.info("the client closed the connection", () => ({ requestId }))
  else {
    const { status, message } = outcome.fault
    log.error("request failed", () => ({ requestId, status, why: message }))
  }
  if (exchange.repairs.length > 0) {
    const repairs = exchange.repairs.map(({ path, why }) => `${path}: ${why}`)
    log.warn("the model's reply was repaired", () => ({ requestId, model: exchange.model, repairs }))
  }
  log.debug("request", () => ({
    requestId,
    provider: exchange.provider,
    route: exchange.reason,
    attempts: exchange.attempts,
    fallbackFrom: exchange.fallbackFrom,
    firstContentMs: exchange.firstContentMs === undefined ? undefined : Math.round(exchange.firstContentMs),
    durationMs: Math.round(exchange.durationMs),
    notes: exchange.notes.map((note) => `${note.kind} ${note.path}: ${note.why}`),
  }))
}

/** `🔀 Route | claude-haiku-4-5 → gpt-4o-mini | openai | haiku → ROUTER_BACKGROUND` */
export function routeLine({ requestedModel, model, provider, reason }: Exchange): string {
  const requested = requestedModel === "" ? "" : `${requestedModel} → `
  return `🔀 Route | ${requested}${model} | ${provider} | ${reason}`
}
