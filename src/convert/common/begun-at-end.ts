// What is looked for in a text that comes in pieces may be cut anywhere.

/** Length of the longest end of the text that is a beginning of `sought`, and not all of it. */
export function begunAtEnd(text: string, sought: string): number {
  const first = sought.charAt(0)
  let at = text.indexOf(first, Math.max(0, text.length - sought.length + 1))
  while (at >= 0 && !sought.startsWith(text.slice(at))) at = text.indexOf(first, at + 1)
  return at < 0 ? 0 : text.length - at
}
