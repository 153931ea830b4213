// What is looked for in a text that comes in pieces may be cut anywhere.

/** Length of the longest end of the text that is a beginning of `sought`, and not all of it. */
export function begunAtEnd(text: string, sought: string): number {
  for (let length = Math.min(text.length, sought.length - 1); length > 0; length--) {
    if (text.endsWith(sought.slice(0, length))) return length
  }
  return 0
}
