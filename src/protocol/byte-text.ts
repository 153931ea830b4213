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
