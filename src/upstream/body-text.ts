// A reply's body as text, read as it comes and decoded in slices.
import { countSilence, type Deadline, endSilence } from "./deadline.ts"

/** What we use of a body's reader. */
export interface ByteReader {
  readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
}

/** What a read brought. */
export type Read = Awaited<ReturnType<ByteReader["read"]>>

/** A body as far as it was read. It changes in place, by the functions below. */
export interface BodyText {
  readonly reader: ByteReader
  readonly deadline: Deadline
  readonly decoder: TextDecoder
  unread: Uint8Array
  /** Bytes that have come. */
  received: number
}

// A read may hold half a megabyte. As one text that is memory fresh from the system, touched once and given back:
// slices of this length are cheaper.
const sliceLength = 16_384

const nothing: Uint8Array = new Uint8Array(0)
const streaming = { stream: true } as const
const lineFeed = 10

/** The text of a body that is UTF-8, of which nothing was read yet. */
export function createBodyText(reader: ByteReader, deadline: Deadline): BodyText {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  return { reader, deadline, decoder, unread: nothing, received: 0 }
}

/** What comes next of the body, for `receive`. Rejects when it breaks. While it is waited for, silence counts. */
export function nextRead({ reader, deadline }: BodyText): Promise<Read> {
  countSilence(deadline)
  return reader.read()
}

/** The text that a read begins with; undefined at the end of the body. */
export function receive(body: BodyText, { done, value = nothing }: Read): string | undefined {
  endSilence(body.deadline)
  body.unread = value
  body.received += value.length
  return done ? undefined : take(body)
}

/** More of what was read already, if it was not given yet. */
export function moreText(body: BodyText): string | undefined {
  return body.unread.length > 0 ? take(body) : undefined
}

/** After the end: what half a character at the end stands for. */
export function restOfText({ decoder }: BodyText): string {
  return decoder.decode()
}

function take(body: BodyText): string {
  const { unread, decoder } = body
  const slice = sliceOf(unread)
  body.unread = slice === unread ? nothing : unread.subarray(slice.length)
  return decoder.decode(slice, streaming)
}

/** The next bytes, up to the end of an event where there is one among them: what is cut in two costs more. */
function sliceOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= sliceLength) return bytes
  let end = bytes.lastIndexOf(lineFeed, sliceLength - 1)
  while (end > 0 && bytes[end - 1] !== lineFeed) end = bytes.lastIndexOf(lineFeed, end - 1)
  return bytes.subarray(0, end > 0 ? end + 1 : sliceLength)
}
