// Ids must be unique for every reply: Claude Code 2.1.329 merges two messages that share one.

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// 256 is no multiple of 62: the slight preference for some letters costs less than a bit.
const letters = Buffer.from(alphabet.repeat(5).slice(0, 256), "latin1")

const length = 24

/** Random characters of base 62, from the system's own source of randomness. */
export function randomId(): string {
  const bytes = Buffer.allocUnsafe(length)
  crypto.getRandomValues(bytes)
  for (let at = 0; at < length; at++) bytes[at] = letters[bytes[at] ?? 0] ?? 0
  return bytes.toString("latin1")
}

const requestMark = "req_"

/** A new id for a request. */
export const newRequestId = (): string => `${requestMark}${randomId()}`

/** The id of the one message that answers a request: it tells it apart as well as new random characters would. */
export const messageIdOf = (requestId: string): string => `msg_${requestId.slice(requestMark.length)}`

/** What the ids of calls begin with that have none of their own. */
export const seedOf = (requestId: string): string =>
  requestId.slice(requestMark.length, requestMark.length + 20)
