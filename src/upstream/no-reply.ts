// Bodies that came with a 200 and are no reply, in words that say what they are.

import { type ErrorContext, faultFromWords } from "../protocol/errors/upstream-error.ts"
import { brokenUpstream, endedEarly, type Fault } from "../protocol/fault.ts"

/** The Fault for a 200 whose body is not what was asked for: `what` says what it is instead. */
export function noReply(what: string, { provider }: ErrorContext): Fault {
  return brokenUpstream(
    `[${provider}] the upstream answered with ${what} instead of a reply; check the base URL`,
  )
}

/**
 * The Fault for a page where a reply should be. Gateways show their front page at every path that they do not serve, and
 * a base URL without its /v1 leads there (songquanpeng/one-api#1473): the client's patience would change nothing.
 */
export function noReplyButPage(errors: ErrorContext): Fault {
  return { ...noReply("an HTML page", errors), finalForClient: true }
}

/** The Fault for a connection that ends too early: before its reply `began`, or `was complete`. */
export function closedEarly({ provider }: ErrorContext, before: "began" | "was complete"): Fault {
  return brokenUpstream(`[${provider}] ${endedEarly(before)}`)
}

/** So much of a body is enough to tell words from events. */
export const wordsLimit = 1_000

const eventBegins = /^(?::|(?:data|event|id|retry)(?::|\r|\n|$))/

/**
 * The Fault for a body that should have been an event stream and never came to an event: gateways say there in plain
 * words what is wrong. `start` is what it begins with; undefined where that may be events, or is nothing at all.
 */
export function inWords(start: string, errors: ErrorContext): Fault | undefined {
  const said = start.trim().slice(0, wordsLimit)
  if (said === "" || eventBegins.test(said)) return undefined
  const strange = said.split("\uFFFD").length - 1
  if (strange * 4 > said.length) return noReply("bytes that are no text", errors)
  return faultFromWords(said, errors)
}
