// Ids must be unique for every reply: Claude Code 2.1.329 merges two messages that share one.

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// 256 is no multiple of 62: the slight preference for some letters costs less than a bit.
const letters = Buffer.from(alphabet.repeat(5).slice(0, 256), "latin1")

/** `length` random characters of base 62, from the system's own source of randomness. */
export function randomId(length = 24): string {
  const bytes = Buffer.allocUnsafe(length)
  crypto.getRandomValues(bytes)
  for (let at = 0; at < length; at++) bytes[at] = letters[bytes[at] ?? 0] ?? 0
  return bytes.toString("latin1")
}
