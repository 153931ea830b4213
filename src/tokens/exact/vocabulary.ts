// The words of an encoding, to be looked up by their bytes. js-tiktoken ships each encoding's words as one long text;
// its own reader takes a second and 130 MB to make strings of them, in one go. Here they lie side by side in one
// array of bytes, found by a hash: a tenth of the memory, and read in steps between which others can work.

export interface Vocabulary {
  /** The rank of the word that `bytes` holds in [from, to); -1 when they are no word. Lower ranks are joined first. */
  readonly rankOf: (bytes: Uint8Array, from: number, to: number) => number
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
const sextets: Int8Array = new Int8Array(128).fill(-1)
for (let value = 0; value < alphabet.length; value++) sextets[alphabet.charCodeAt(value)] = value

/** So many characters are read, or words entered, in one step: a few milliseconds' work before it is compiled. */
const stepLength = 16_384
const stepWords = 4096
const hashSeed = 0x811c9dc5 | 0
const hashStep = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193)
const spread = (hash: number): number => Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)

interface Words {
  readonly bytes: Uint8Array
  /** Where each word begins, and at the end where the last one ends. */
  readonly starts: Int32Array
}

/**
 * Reads lines of the form `! 256 aGVsbG8= d29ybGQ=`: the rank of the first word, and the words in base64, by rank.
 * Yields between steps; the last value is the vocabulary.
 */
export function* readVocabulary(text: string): Generator<undefined, Vocabulary> {
  // Measured first: to make room for the most it could be costs more time than the measuring.
  const size = yield* measure(text)
  const bytes = new Uint8Array(size.bytes)
  yield
  const starts = new Int32Array(size.words + 1)
  yield
  let word = 0
  let until = stepLength
  for (let at = wordStart(text, 0); at < text.length; ) {
    const end = wordEnd(text, at)
    starts[word + 1] = decode(text, at, end, bytes, starts[word] ?? 0)
    word++
    at = wordStart(text, end)
    if (at < until) continue
    until = at + stepLength
    yield
  }
  return yield* indexWords({ bytes, starts })
}

interface Size {
  readonly words: number
  /** At most. */
  readonly bytes: number
}

function* measure(text: string): Generator<undefined, Size> {
  let words = 0
  let bytes = 0
  let until = stepLength
  for (let at = wordStart(text, 0); at < text.length; ) {
    const end = wordEnd(text, at)
    words++
    bytes += ((end - at) * 3) >> 2
    at = wordStart(text, end)
    if (at < until) continue
    until = at + stepLength
    yield
  }
  return { words, bytes }
}

/** The next word: behind blanks, and behind the mark and the number that begin a line. */
function wordStart(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code > 0x21) return at
    at = code === 0x21 ? wordEnd(text, at + 2) : at + 1
  }
  return text.length
}

/** The next blank or line break. */
function wordEnd(text: string, from: number): number {
  let end = from
  while (end < text.length && text.charCodeAt(end) > 0x20) end++
  return end
}

/** Writes the bytes that base64 stands for at `to`; returns the place behind them. */
function decode(text: string, from: number, end: number, bytes: Uint8Array, to: number): number {
  let bits = 0
  let held = 0
  let place = to
  for (let at = from; at < end; at++) {
    const sextet = sextets[text.charCodeAt(at) & 127] ?? -1
    if (sextet < 0) break
    bits = ((bits << 6) | sextet) & 0xffff
    held += 6
    if (held < 8) continue
    held -= 8
    bytes[place++] = bits >> held
  }
  return place
}

/** Open addressing, at most half full. */
function* indexWords(words: Words): Generator<undefined, Vocabulary> {
  const count = words.starts.length - 1
  const slots = new Int32Array(2 ** (33 - Math.clz32(Math.max(1, count))))
  const mask = slots.length - 1
  yield
  for (let word = 0; word < count; word++) {
    let hash = hashSeed
    const end = words.starts[word + 1] ?? 0
    for (let at = words.starts[word] ?? 0; at < end; at++) hash = hashStep(hash, words.bytes[at] ?? 0)
    let slot = spread(hash) & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = word + 1
    if (word % stepWords === stepWords - 1) yield
  }
  return { rankOf: (bytes, from, to) => find(words, slots, mask, bytes, from, to) }
}

function find(
  words: Words,
  slots: Int32Array,
  mask: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  let hash = hashSeed
  for (let at = from; at < to; at++) hash = hashStep(hash, bytes[at] ?? 0)
  let slot = spread(hash) & mask
  for (;;) {
    const word = (slots[slot] ?? 0) - 1
    if (word < 0) return -1
    if (isWord(words, word, bytes, from, to)) return word
    slot = (slot + 1) & mask
  }
}

function isWord(
  { bytes: own, starts }: Words,
  word: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): boolean {
  const start = starts[word] ?? 0
  if ((starts[word + 1] ?? 0) - start !== to - from) return false
  for (let at = from; at < to; at++) if (own[start + at - from] !== bytes[at]) return false
  return true
}
