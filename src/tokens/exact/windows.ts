// Cuts a long text so that others can work in between. The cuts fall where every encoding's splitting rule cuts
// anyway, before a blank that ends a word; a text that has none for long is cut wherever it must be.

/** About two milliseconds' counting; ten for the worst of texts. */
const windowLength = 16_384

const isBlank = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0

/** Where the window that starts at `from` ends. */
function windowEnd(text: string, from: number): number {
  const furthest = from + windowLength
  if (furthest >= text.length) return text.length
  for (let at = furthest; at > from + windowLength / 2; at--) {
    if (text.charCodeAt(at) === 0x20 && !isBlank(text.charCodeAt(at - 1))) return at
  }
  const code = text.charCodeAt(furthest)
  return code >= 0xdc00 && code <= 0xdfff ? furthest - 1 : furthest
}

/** The text in order, in parts of at most 16,384 characters. */
export function* windowsOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const end = windowEnd(text, from)
    yield from === 0 && end === text.length ? text : text.slice(from, end)
    from = end
  }
}
