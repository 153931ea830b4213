// Ids must be unique for every reply: Claude Code 2.1.329 merges two messages that share one.

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/** `length` random characters of base 62, from the system's own source of randomness. */
export function randomId(length = 24): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length))
  let id = ""
  // 256 is no multiple of 62: the slight preference for some letters costs less than a bit.
  for (const byte of bytes) id += alphabet[byte % alphabet.length]
  return id
}
