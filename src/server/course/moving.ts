// When a request goes on to another model, and whose failure the client hears of when all of them have failed.
import type { Fault, Note } from "../../protocol/fault.ts"
import type { Route } from "../../providers/route.ts"
import type { FailedOpening } from "../../upstream/attempts.ts"

/** A model that failed. */
export interface FailedModel {
  readonly route: Route
  readonly fault: Fault
  readonly notes: readonly Note[]
}

const accountLimit = /\btokens per (?:min|day)/i

/**
 * It was the request that was refused: another model would be given the same, and above all a prompt that is too
 * long has to be heard of by the client, which makes it shorter. A 404 is about the model, whatever its words.
 */
export function isRefusal({ fault, refused }: FailedOpening): boolean {
  // A limit of an account says nothing of what another one takes.
  if (accountLimit.test(refused?.body ?? "")) return false
  if (fault.kind === "request_too_large") return true
  return fault.kind === "invalid_request_error" && fault.retry === "no" && refused?.status !== 404
}

/**
 * Is another model asked after this failure? `isFinal`: the model that the request is meant for has refused it.
 * What a fallback cannot take, the next one may.
 */
export function mayMove({ fault }: FailedOpening, isFinal: boolean): boolean {
  return !isFinal && fault.status !== 499
}

/**
 * The failure that the client can do most about: one that it can wait out (a limit of the first model rather than
 * the wrong key of its fallback), else a prompt that it can make shorter, and of several the last one.
 */
export function toldOf(tried: readonly FailedModel[]): FailedModel {
  const last = tried.findLast(({ fault }) => passes(fault)) ?? tried.findLast(isTooLong) ?? tried.at(-1)
  if (last === undefined) throw new Error("nothing was tried")
  return last
}

/** What clients repeat by themselves. */
function passes({ status, finalForClient, source }: Fault): boolean {
  if (finalForClient === true || source === "client") return false
  return status === 408 || status === 409 || status === 429 || status >= 500
}

const isTooLong = ({ fault }: FailedModel): boolean =>
  /prompt is too long|exceed context limit/i.test(fault.message)
