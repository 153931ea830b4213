// What pictures and documents cost. Sizes are read from the first bytes; nothing is decoded further than that.

/** Anthropic scales a picture down until its longer side has so many pixels and it costs no more than this. */
const imageSide = 1568
const imageCap = 1600
/** Enough for the metadata (EXIF, colour profile, thumbnail) that may stand before a JPEG's frame header. */
const prefixCharacters = 350_000
const headerCharacters = 64

const pdfBytesPerPage = 50_000
const pdfTokensPerPage = 2000
const pdfPageCap = 600

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
const sextets: Uint8Array = new Uint8Array(128)
for (let value = 0; value < alphabet.length; value++) sextets[alphabet.charCodeAt(value)] = value
// The alphabet for URLs, which some clients use here too.
sextets[0x2d] = 62
sextets[0x5f] = 63

interface PixelSize {
  readonly width: number
  readonly height: number
}

/** The byte at `index` of base64 data, without decoding the rest; -1 behind the end. */
function byteAt(data: string, index: number): number {
  const group = Math.floor(index / 3) * 4
  const within = index % 3
  if (group + within + 1 >= data.length) return -1
  const left = sextets[data.charCodeAt(group + within) & 127] ?? 0
  const right = sextets[data.charCodeAt(group + within + 1) & 127] ?? 0
  return ((left << (2 + within * 2)) | (right >> (4 - within * 2))) & 255
}

function bigEndian(data: string, index: number, bytes: number): number {
  let value = 0
  for (let at = 0; at < bytes; at++) value = value * 256 + Math.max(0, byteAt(data, index + at))
  return value
}

function littleEndian(data: string, index: number, bytes: number): number {
  let value = 0
  for (let at = bytes - 1; at >= 0; at--) value = value * 256 + Math.max(0, byteAt(data, index + at))
  return value
}

const startsWith = (data: string, index: number, bytes: readonly number[]): boolean =>
  bytes.every((byte, offset) => byteAt(data, index + offset) === byte)

/** Frame headers are C0 to CF, except the tables C4 and CC and the extension C8 (ITU T.81, table B.1). */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc

/** Walks the segments of a JPEG up to the frame header, within a bounded prefix. */
function jpegSize(data: string): PixelSize | undefined {
  const limit = (Math.min(data.length, prefixCharacters) / 4) * 3
  let at = 2
  while (at + 9 < limit && byteAt(data, at) === 0xff) {
    const marker = byteAt(data, at + 1)
    if (isFrame(marker)) return { width: bigEndian(data, at + 7, 2), height: bigEndian(data, at + 5, 2) }
    // A marker may be preceded by any number of fill bytes.
    at += marker === 0xff ? 1 : 2 + Math.max(2, bigEndian(data, at + 2, 2))
  }
  return undefined
}

/** The three kinds of WebP say their size in three ways (RFC 9649). */
function webpSize(data: string): PixelSize | undefined {
  if (startsWith(data, 12, [0x56, 0x50, 0x38, 0x58]))
    return { width: littleEndian(data, 24, 3) + 1, height: littleEndian(data, 27, 3) + 1 }
  if (startsWith(data, 12, [0x56, 0x50, 0x38, 0x4c])) {
    const bits = littleEndian(data, 21, 4)
    return { width: (bits % 16384) + 1, height: (Math.floor(bits / 16384) % 16384) + 1 }
  }
  if (startsWith(data, 12, [0x56, 0x50, 0x38, 0x20]))
    return { width: littleEndian(data, 26, 2) % 16384, height: littleEndian(data, 28, 2) % 16384 }
  return undefined
}

function headerSize(data: string): PixelSize | undefined {
  const head = data.slice(0, headerCharacters)
  if (startsWith(head, 0, [0x89, 0x50, 0x4e, 0x47]))
    return { width: bigEndian(head, 16, 4), height: bigEndian(head, 20, 4) }
  if (startsWith(head, 0, [0x47, 0x49, 0x46, 0x38]))
    return { width: littleEndian(head, 6, 2), height: littleEndian(head, 8, 2) }
  if (startsWith(head, 0, [0x52, 0x49, 0x46, 0x46])) return webpSize(head)
  return startsWith(head, 0, [0xff, 0xd8]) ? jpegSize(data) : undefined
}

/** Without the beginning of a `data:` URL, and without the line breaks that some encoders put in. */
function bare(data: string): string {
  const start = data.startsWith("data:") ? data.indexOf(",") + 1 : 0
  const head = data.slice(start, start + 2 * headerCharacters)
  if (/\s/.test(head)) return data.slice(start, start + prefixCharacters).replace(/\s+/g, "")
  return start === 0 ? data : data.slice(start)
}

/**
 * Width and height of a PNG, JPEG, GIF or WebP given as base64, which may be cut off behind its header; undefined
 * when the bytes do not say.
 */
export function pixelSize(data: string): PixelSize | undefined {
  const size = headerSize(bare(data))
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined
}

/** Tokens of a picture: a 750th of its pixels once it is scaled, at most 1600; 1600 when the size is unknown. */
export function imageTokens(data: string | undefined): number {
  const size = data === undefined ? undefined : pixelSize(data)
  if (size === undefined) return imageCap
  const scale = Math.min(1, imageSide / Math.max(size.width, size.height))
  return Math.min(imageCap, Math.ceil((size.width * size.height * scale * scale) / 750))
}

const bytesOf = (data: string): number => Math.floor((data.length * 3) / 4)

/** Tokens of a PDF: 2000 a page, a page for every 50 KB begun, 1 to 600 pages (the API's limit). */
export function pdfTokens(data: string): number {
  const pages = Math.min(pdfPageCap, Math.max(1, Math.ceil(bytesOf(data) / pdfBytesPerPage)))
  return pages * pdfTokensPerPage
}

/** Tokens of base64 data that stands for text: four bytes each. */
export function encodedTextTokens(data: string): number {
  return Math.ceil(bytesOf(data) / 4)
}
