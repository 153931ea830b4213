// Cuts a text for js-tiktoken, whose time grows with the square of one word's length: a word of 8000 letters takes
// it four seconds. The cuts fall where its splitting rule cuts anyway, or inside runs that no language has.

export interface Slice {
  readonly text: string
  /** False: too long a run for the tokenizer; to be estimated. */
  readonly exact: boolean
}

/** Bytes of UTF-8 of one word the tokenizer may see at once: 120 Latin letters, 40 Han characters. */
const wordBytes = 120
/** A run longer than this is not text. */
const pathological = 1000
/** So many characters of long runs are counted exactly; in a text with more of them the rest is estimated. */
const longRunBudget = 20_000
/** How much is handed over at once, so that the caller can breathe in between. */
const sliceLength = 4096

const groups = { any: 0, letter: 1, sign: 2, blank: 3, digit: 4 } as const

/** Full-width commas and stops end a word of Han characters as surely as ASCII signs do. */
const fullWidthStops: ReadonlySet<number> = new Set([0x3001, 0x3002, 0xff01, 0xff0c, 0xff1a, 0xff1b, 0xff1f])

const isHan = (code: number): boolean => code >= 0x4e00 && code <= 0x9fff
const isHangul = (code: number): boolean => code >= 0xac00 && code <= 0xd7a3
const isRussian = (code: number): boolean => code >= 0x410 && code <= 0x44f

/** Only characters that are surely letters or signs may end a run; what any other does is left open. */
function groupOf(code: number): number {
  if (code >= 0x80) {
    if (isHan(code) || isHangul(code) || isRussian(code)) return groups.letter
    return fullWidthStops.has(code) ? groups.sign : groups.any
  }
  if (code >= 0x30 && code <= 0x39) return groups.digit
  if ((code | 32) >= 0x61 && (code | 32) <= 0x7a) return groups.letter
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) ? groups.blank : groups.sign
}

const bytesOf = (code: number): number => (code < 0x80 ? 1 : code < 0x800 ? 2 : 3)

interface Run {
  readonly end: number
  readonly bytes: number
  readonly group: number
}

/** Blanks keep to themselves; of the rest, two groups that are both known do not mix. */
function endsRun(group: number, next: number): boolean {
  if (group === groups.blank || next === groups.blank) return true
  return group !== groups.any && next !== groups.any
}

function runAt(text: string, start: number): Run {
  let group: number = groups.any
  let bytes = 0
  let end = start
  while (end < text.length) {
    const code = text.charCodeAt(end)
    const next = groupOf(code)
    if (end > start && next !== group && endsRun(group, next)) break
    if (group === groups.any) group = next
    bytes += bytesOf(code)
    end++
  }
  return { end, bytes, group }
}

/** The run cut into pieces of at most `wordBytes`, surrogate pairs kept whole. */
function* piecesOfRun(text: string, start: number, end: number): Generator<Slice> {
  let from = start
  let bytes = 0
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    const insidePair = code >= 0xdc00 && code <= 0xdfff
    if (bytes >= wordBytes && !insidePair) {
      yield { text: text.slice(from, at), exact: true }
      from = at
      bytes = 0
    }
    bytes += bytesOf(code)
  }
  yield { text: text.slice(from, end), exact: true }
}

/** Numbers are cut by three before they are looked up, so their length does no harm. */
const isLong = (run: Run): boolean => run.bytes > wordBytes && run.group !== groups.digit

/** Whether what has been collected is enough; before a blank is the best place to cut. */
const isFull = (length: number, run: Run): boolean =>
  length > (run.group === groups.blank ? sliceLength : 2 * sliceLength)

/** The text in order, in slices that the tokenizer takes in a few milliseconds each. */
export function* slicesOf(text: string): Generator<Slice> {
  let from = 0
  let budget = longRunBudget
  for (let at = 0; at < text.length; ) {
    const run = runAt(text, at)
    const long = isLong(run)
    if (at > from && (long || isFull(at - from, run))) {
      yield { text: text.slice(from, at), exact: true }
      from = at
    }
    if (long) {
      const length = run.end - at
      budget -= length
      if (budget < 0 || length > pathological) yield { text: text.slice(at, run.end), exact: false }
      else yield* piecesOfRun(text, at, run.end)
      from = run.end
    }
    at = run.end
  }
  if (from < text.length) yield { text: text.slice(from), exact: true }
}
