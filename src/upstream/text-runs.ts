// Texts of a stream that are looked for in one go: what stands in one place of messages that are alike but for that.
import { decodeText, isWide } from "../protocol/byte-text.ts"
import { areQuoted, joinTexts, type Texts, unquoted } from "../protocol/texts.ts"

/** A message as it is written, around the text that changes. */
export interface Frame {
  readonly head: string
  /** Up to the end of the message, or up to the padding where there is some. */
  readonly tail: string
  /** What follows the padding. */
  readonly rest: string | undefined
}

/** What was found. */
interface Found {
  /** What stands in place of the texts. */
  readonly raws: readonly string[]
  /** Which of them hold a quote or a backslash: they may be more than a text. */
  readonly doubtful: readonly number[]
  /** Does one of them end in a backslash, which may belong to what would follow? */
  readonly slashed: boolean
  /** Does one of them begin within a character? Behind another text it would make one that neither of them holds. */
  readonly torn: boolean
  /** Where the next message begins. */
  readonly end: number
}

/** Where a text is searched from left to right: the next backslash that is known. It changes in place. */
export interface Escapes {
  next: number
}

/** Of a text that was not searched yet. */
export const newEscapes = (): Escapes => ({ next: -1 })

/** The messages with this frame in a row, from `start` on and no more than `most` of them. */
export function findRun(frame: Frame, text: string, start: number, most: number, escapes: Escapes): Found {
  const { head, tail, rest } = frame
  const raws: string[] = []
  let doubtful: number[] | undefined
  let slashed = false
  let torn = false
  let end = start
  while (raws.length < most && text.startsWith(head, end)) {
    const at = end + head.length
    const quote = text.indexOf('"', at)
    const to = rest === undefined ? endOfText(tail, text, at, quote) : endBeforePadding(tail, rest, text, at)
    if (to <= at) break
    if (to !== quote || holdsEscape(escapes, text, at, to)) {
      doubtful ??= []
      doubtful.push(raws.length)
      slashed ||= text.charCodeAt(to - 1) === backslash
    }
    torn ||= isWithin(text.charCodeAt(at))
    raws.push(text.slice(at, to))
    end = rest === undefined ? to + tail.length : endOfMessage(text, to)
  }
  return { raws, doubtful: doubtful ?? none, slashed, torn, end }
}

/** A byte of a character that is not its first one. */
const isWithin = (byte: number): boolean => byte >= 0x80 && byte < 0xc0

const none: readonly number[] = []

/** A text is not searched again for what it does not hold, however many messages it is made of. */
function holdsEscape(escapes: Escapes, text: string, from: number, to: number): boolean {
  if (escapes.next < from) {
    const next = text.indexOf("\\", from)
    escapes.next = next < 0 ? Number.POSITIVE_INFINITY : next
  }
  return escapes.next < to
}

/** Behind the line that goes on at `at` and the empty one after it, which is for a tail to look for. */
export const endOfMessage = (text: string, at: number): number => text.indexOf("\n", at) + 2

/** Where the text that begins at `at` ends, if its message goes on from there as it should; -1: it does not. */
function endOfText(tail: string, text: string, at: number, quote: number): number {
  // In most texts stands no quote.
  if (text.startsWith(tail, quote)) return quote
  const to = endOfMessage(text, at) - tail.length
  return to > at && text.startsWith(tail, to) ? to : -1
}

/** The same where something stands between `tail` and `rest` that means nothing. */
function endBeforePadding(tail: string, rest: string, text: string, at: number): number {
  const last = endOfMessage(text, at) - rest.length
  const to = text.indexOf(tail, at)
  const padding = to + tail.length
  const isRest = to > at && padding <= last && text.startsWith(rest, last)
  return isRest && !special.test(text.slice(padding, last)) ? to : -1
}

// What a JSON string holds in another form only, or not at all.
const special = /["\\[\p{Cc}--[\x7f-\x9f]]]/v
const control = /[\p{Cc}--[\x7f-\x9f]]/v

/** The texts that stand between the quotes of JSON strings, up to the first that is none. */
export function readTexts(found: Found): Texts {
  const joined = joinTexts(found.raws)
  const wide = isWide(joined)
  if (!wide || !found.torn) return readJoined(found, joined, wide)
  const raws = found.raws.map(decodeText)
  return readJoined({ ...found, raws }, joinTexts(raws), false)
}

function readJoined({ raws, doubtful, slashed }: Found, joined: string, wide: boolean): Texts {
  const hasControl = control.test(joined)
  // Arguments are full of quotes, and servers that write all but ASCII as escape sequences do it everywhere: such texts
  // are read faster together than one by one.
  const isMostly = doubtful.length > 2 && doubtful.length * 2 > raws.length
  const read = isMostly && !hasControl ? readTogether(raws, joined, wide, slashed) : undefined
  if (read !== undefined) return read
  const end = hasControl || isMostly ? firstOdd(raws) : firstBroken(raws, doubtful)
  if (end < 0) return { quoted: raws, joined, wide, whole: undefined }
  const quoted = raws.slice(0, end)
  return { quoted, joined: joinTexts(quoted), wide, whole: undefined }
}

/** Undefined: one of them is no text. */
function readTogether(
  quoted: readonly string[],
  joined: string,
  wide: boolean,
  slashed: boolean,
): Texts | undefined {
  const isCoded = joined.includes("\\u")
  // What such an escape sequence stands for is no byte.
  const said = unquoted(wide && isCoded ? decodeText(joined) : joined)
  if (said === undefined || (isCoded ? !areQuoted(quoted) : slashed && quoted.some(endsInEscape)))
    return undefined
  return { quoted, joined, wide, whole: wide && !isCoded ? decodeText(said) : said }
}

const isBroken = (raw: string): boolean => unquoted(raw) === undefined

function firstBroken(raws: readonly string[], doubtful: readonly number[]): number {
  return doubtful.find((at) => isBroken(raws[at] ?? "")) ?? -1
}

function firstOdd(raws: readonly string[]): number {
  return raws.findIndex((raw) => special.test(raw) && isBroken(raw))
}

const backslash = 92

/** An odd number of backslashes: the last one belongs to what would follow. */
function endsInEscape(raw: string): boolean {
  let at = raw.length
  while (raw.charCodeAt(at - 1) === backslash) at--
  return (raw.length - at) % 2 === 1
}
