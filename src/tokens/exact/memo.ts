// Counts that are known already. A conversation comes whole with every request, so all but its last turn has been
// counted before. What is kept is a text's digest and its count, never the text itself: nobody's words stay in
// memory, and an entry is as large for a megabyte as for a line.

interface Memo {
  /** Undefined when it is not known. */
  readonly get: (key: string) => number | undefined
  readonly set: (key: string, tokens: number) => void
}

/** A key of some thirty characters, its place in the map, and the number. */
const bytesPerEntry = 128

/** Keeps what was used last, in about so many bytes. */
export function createMemo(bytes: number): Memo {
  const most = Math.max(1, Math.floor(bytes / bytesPerEntry))
  const known = new Map<string, number>()
  return {
    get: (key) => {
      const tokens = known.get(key)
      if (tokens === undefined) return undefined
      known.delete(key)
      known.set(key, tokens)
      return tokens
    },
    set: (key, tokens) => {
      known.set(key, tokens)
      if (known.size <= most) return
      for (const oldest of known.keys()) {
        known.delete(oldest)
        break
      }
    },
  }
}

/** Characters digested at a time; each is three bytes at most. */
const blockLength = 16_384

/**
 * The length and two hashes of 32 bits, of every other four bytes each. Every step can be undone, so two texts that
 * differ in one place never have the same; others do once in 2^64 times.
 */
export function createDigest(): (text: string) => string {
  const encoder = new TextEncoder()
  const words = new Uint32Array((blockLength * 3) / 4 + 2)
  const bytes = new Uint8Array(words.buffer)
  return (text) => {
    let even = 0x811c9dc5 | 0
    let odd = 0x9747b28c | 0
    for (let from = 0; from < text.length; from += blockLength) {
      const { written } = encoder.encodeInto(text.slice(from, from + blockLength), bytes)
      bytes.fill(0, written, written + 7)
      for (let at = 0; at * 4 < written; at += 2) {
        even = Math.imul(even ^ (words[at] ?? 0), 0x01000193)
        even ^= even >>> 15
        odd = Math.imul(odd ^ (words[at + 1] ?? 0), 0x27d4eb2f)
        odd ^= odd >>> 15
      }
    }
    return `${text.length.toString(36)}.${(even >>> 0).toString(36)}.${(odd >>> 0).toString(36)}`
  }
}
