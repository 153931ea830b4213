// A reply's body as text, read as it comes and decoded in slices.
import type { Deadline } from "./deadline.ts"

/** What we use of a body's reader. */
export interface ByteReader {
  readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
}

export interface BodyText {
  /** More text as soon as there is some; undefined at the end of the body. Throws when it breaks. */
  readonly read: () => Promise<string | undefined>
  /** More of what was read already, if it was not given yet. */
  readonly more: () => string | undefined
  /** After the end: what half a character at the end stands for. */
  readonly rest: () => string
  /** Reads to the end, and looks at nothing of it. Throws when the body breaks. */
  readonly skip: () => Promise<void>
}

// A read may hold half a megabyte. As one text that is memory fresh from the system, touched once and given back:
// slices of this length are cheaper.
const sliceLength = 16_384

const nothing: Uint8Array = new Uint8Array(0)
const streaming = { stream: true } as const
const lineFeed = 10

/** The text of a body that is UTF-8. While it is waited for, silence counts. */
export function createBodyText(reader: ByteReader, deadline: Deadline): BodyText {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  let unread = nothing

  function take(): string {
    const slice = sliceOf(unread)
    unread = slice === unread ? nothing : unread.subarray(slice.length)
    return decoder.decode(slice, streaming)
  }

  function received({ done, value = nothing }: Awaited<ReturnType<ByteReader["read"]>>): string | undefined {
    deadline.touch()
    unread = value
    return done ? undefined : take()
  }

  return {
    read: () => {
      if (unread.length > 0) return Promise.resolve(take())
      deadline.wait()
      return reader.read().then(received)
    },
    more: () => (unread.length > 0 ? take() : undefined),
    rest: () => decoder.decode(),
    skip: async () => {
      while (!(await reader.read()).done) {}
    },
  }
}

/** The next bytes, up to the end of an event where there is one among them: what is cut in two costs more. */
function sliceOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= sliceLength) return bytes
  let end = bytes.lastIndexOf(lineFeed, sliceLength - 1)
  while (end > 0 && bytes[end - 1] !== lineFeed) end = bytes.lastIndexOf(lineFeed, end - 1)
  return bytes.subarray(0, end > 0 ? end + 1 : sliceLength)
}
