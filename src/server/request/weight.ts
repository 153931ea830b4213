// How long a body may be at most, found without counting any of its words.
import { isObject, type JsonObject } from "../../protocol/json.ts"

export interface Weight {
  /**
   * Half its bytes, which is more than its tokens in every language and in source code. Where it is nothing but
   * digits or base64 it may be a third less: such a prompt is left to the upstream.
   */
  readonly atMost: number
  /** It holds pictures or documents, which no two models count in the same way. */
  readonly hasMedia: boolean
}

/** Weighs a request's body without counting it: a megabyte takes a fraction of a millisecond. */
export function weighBody(body: object): Weight {
  let bytes = 0
  let hasMedia = false
  // A list and no recursion: a body may be nested deeper than the stack.
  const waiting: unknown[] = [body]
  while (waiting.length > 0) {
    const value = waiting.pop()
    bytes += around
    if (typeof value === "string") bytes += Buffer.byteLength(value)
    else if (Array.isArray(value)) for (const item of value) waiting.push(item)
    else if (isObject(value)) {
      const isMedia = value["type"] === "image" || value["type"] === "document"
      hasMedia ||= isMedia
      bytes += isMedia ? mostPicture : 0
      bytes += encodedBytes(value) ?? pushMembers(value, waiting)
    }
  }
  return { atMost: Math.ceil(bytes / 2), hasMedia }
}

// Punctuation around a value, and what is said around a message or a tool.
const around = 4

/** Puts an object's values on the list; the bytes of their names. */
function pushMembers(value: JsonObject, waiting: unknown[]): number {
  let bytes = 0
  for (const key in value) {
    bytes += key.length
    waiting.push(value[key])
  }
  return bytes
}

// As tokens/media.ts counts them, in bytes of text: 1,600 tokens for a picture, 2,000 for 50 kB of a document and for
// the rest of them.
const mostPicture = 4_000
const documentShare = 0.06

/** A picture or a document in base64, without what it counts for anyway; undefined for everything else. */
function encodedBytes({ type, data, media_type: mediaType }: JsonObject): number | undefined {
  if (type !== "base64" || typeof data !== "string" || typeof mediaType !== "string") return undefined
  if (mediaType.startsWith("image/")) return 0
  return mediaType.startsWith("text/") ? undefined : data.length * documentShare
}
