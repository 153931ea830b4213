// The keys of a fuzzed proxy: one in every place that takes a key, each with the same mark in it, which is looked for
// wherever the proxy says or writes something.

/** In every key, and in nothing else. Letters alone: it looks the same in a URL, in JSON and in a log. */
export const mark = "qZjCANARYjZq"

/** A key of one of the shapes that keys have: what is redacted must not depend on it. */
export function keyFor(place: string, shape: 0 | 1 | 2): string {
  const name = place.toLowerCase().replaceAll("_", "-")
  if (shape === 0) return `sk-${name}-${mark}-0123456789abcdef`
  return shape === 1 ? `${mark}.${name}.x` : `${name}${mark}+5/==`
}

/** What a client sends as its key although it is none of this proxy's. */
export const strangersKeys: readonly string[] = [
  keyFor("stranger", 0),
  keyFor("stranger", 1),
  keyFor("stranger", 2),
]

const needles: readonly string[] = [mark, Buffer.from(mark).toString("hex"), ...[0, 1, 2].map(base64At)]

/** The part of a Base64 text that is the mark's alone, when so many bytes stand before the mark. */
function base64At(before: number): string {
  const text = Buffer.from(`${" ".repeat(before)}${mark}`).toString("base64")
  const last = Math.floor(((before + mark.length) * 8) / 6)
  return text.slice(Math.ceil((before * 8) / 6), last)
}

/** Does this hold a key, as it is, in hexadecimal or in Base64? */
export const tellsKey = (bytes: Buffer | string): boolean => needles.some((needle) => bytes.includes(needle))
