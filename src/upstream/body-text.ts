// A reply's body as text, read as it comes and in slices. Its characters are bytes, one each: see protocol/byte-text.ts.
import type { ByteReader, Read } from "./byte-reader.ts"
import { countSilence, type Deadline, endSilence } from "./deadline.ts"

/** A body as far as it was read. It changes in place, by the functions below. */
export interface BodyText {
  readonly reader: Pick<ByteReader, "read">
  readonly deadline: Deadline
  unread: Uint8Array
  /** How much of `unread` was given. */
  given: number
  /** Bytes that have come. */
  received: number
}

// A read may hold half a megabyte. As one text that is memory fresh from the system, touched once and given back:
// slices of this length are cheaper.
const sliceLength = 16_384

const nothing = new Uint8Array(0)
const lineFeed = 10

/** The text of a body of which nothing was read yet. */
export function createBodyText(reader: BodyText["reader"], deadline: Deadline): BodyText {
  return { reader, deadline, unread: nothing, given: 0, received: 0 }
}

/** What comes next of the body, for `receive`. Rejects when it breaks. While it is waited for, silence counts. */
export function nextRead({ reader, deadline }: BodyText): Promise<Read> {
  countSilence(deadline)
  return reader.read()
}

/** The text that a read begins with; undefined at the end of the body. */
export function receive(body: BodyText, { done, value = nothing }: Read): string | undefined {
  endSilence(body.deadline)
  body.received += value.length
  body.unread = value
  body.given = 0
  return done ? undefined : take(body)
}

/** More of what was read already, if it was not given yet. */
export function moreText(body: BodyText): string | undefined {
  return body.given < body.unread.length ? take(body) : undefined
}

/** Works with any array of bytes: a Buffer for each read would be another two objects. */
const textIn = Buffer.prototype.toString

function take(body: BodyText): string {
  const { unread, given } = body
  const end = endOfSlice(unread, given)
  const isAll = end === unread.length
  // What was read is let go of: a stream may wait for the next of it for long.
  body.unread = isAll ? nothing : unread
  body.given = isAll ? 0 : end
  return textIn.call(unread, "latin1", given, end)
}

/** Up to the end of an event where there is one among the next bytes: what is cut in two costs more. */
function endOfSlice(bytes: Uint8Array, from: number): number {
  if (bytes.length - from <= sliceLength) return bytes.length
  // Of no more than a slice: behind it is nothing to be found.
  const slice = bytes.subarray(from, from + sliceLength)
  let end = slice.lastIndexOf(lineFeed)
  while (end > 0 && slice[end - 1] !== lineFeed) end = slice.lastIndexOf(lineFeed, end - 1)
  return from + (end > 0 ? end + 1 : sliceLength)
}
