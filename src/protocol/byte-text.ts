// Text whose characters are bytes of UTF-8, one each. What cuts an event stream into pieces is ASCII and looks the same
// there, and most of what lies between is never looked at: only what is, becomes the text that it stands for.

const wide = /[\x80-\xff]/

/** Is there more than ASCII? */
export const isWide = (bytes: string): boolean => wide.test(bytes)

/** The text that the bytes stand for. What is no UTF-8 becomes U+FFFD, as with any decoder. */
export function decodeText(bytes: string): string {
  return isWide(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes
}

/** A text as such bytes. */
export function encodeText(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1")
}

// What trimStart() takes away, byte order marks among it.
const blank = String.raw`[\t-\r ]|\xc2\xa0|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80|\xef\xbb\xbf`
const blanks = new RegExp(`^(?:${blank})+`)
const cutBlank = /^(?:\xc2|\xe1\x9a?|\xe2[\x80\x81]?|\xe3\x80?|\xef\xbb?)?$/

/** Without the white space that such a text begins with. */
export const trimBytes = (bytes: string): string => bytes.replace(blanks, "")

/** Is there nothing in it yet but what may be the beginning of white space? */
export const isBlankSoFar = (trimmed: string): boolean => cutBlank.test(trimmed)
