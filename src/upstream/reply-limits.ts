// How much of a reply is believed to be one, and how much of it is looked at in one go.

import type { ErrorContext } from "../protocol/errors/upstream-error.ts"
import { type Fault, fault } from "../protocol/fault.ts"

/** In characters. A whole reply is a few hundred kilobytes; what is much more is something else. */
export const longestDocument = 64 * 1024 * 1024

/** In bytes. A line, or an event, may hold a whole file as tool arguments; more than this is no reply. */
export const longestLine = 16 * 1024 * 1024

/**
 * In bytes. Of a reply that comes faster than it is taken, a read holds half a megabyte: no more than about so much of
 * it is made into objects ahead of a client that may have stopped reading.
 */
export const mostAtOnce = 65_536

/** The Fault for a reply of which `what` is longer than `limit`. */
export function tooLong({ provider }: ErrorContext, what: string, limit: number): Fault {
  const message = `[${provider}] the upstream sent ${what} of more than ${limit / 1024 / 1024} MiB`
  return fault({ kind: "api_error", source: "upstream", status: 502, message })
}
