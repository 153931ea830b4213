// Texts in a row as JSON writes them, between quotes: so they come, and so they are passed on. What they say is read
// out of that where somebody has to know.
import { decodeText } from "./byte-text.ts"
import { parseJson } from "./json.ts"

export interface Texts {
  /** Each as it stands between the quotes of a JSON string. None is empty. */
  readonly quoted: readonly string[]
  /** All of them in a row. */
  readonly joined: string
  /** Their characters are bytes of UTF-8 (byte-text.ts), and not all of them ASCII. */
  readonly wide: boolean
  /** What they say together, where that had to be read already. */
  readonly whole: string | undefined
}

// What stands in a JSON string in another form, half a surrogate pair among it; and some more, which does no harm.
const special = /["\\\p{Cc}\p{Cs}]/u

/** A text as it stands between the quotes of a JSON string; most of it stands there as it is. */
export function quote(text: string): string {
  return special.test(text) ? JSON.stringify(text).slice(1, -1) : text
}

/** What a text says that stands between the quotes of a JSON string. */
export function unquote(quoted: string): string {
  return quoted.includes("\\") ? (unquoted(quoted) ?? "") : quoted
}

/** The same; undefined where it is more than the inside of a JSON string. */
export function unquoted(raw: string): string | undefined {
  const parsed = parseJson(`"${raw}"`)
  return parsed.ok && typeof parsed.value === "string" ? parsed.value : undefined
}

/** Texts in a row, of which none may be empty. */
export function quoteAll(texts: readonly string[]): Texts {
  const quoted = texts.map(quote)
  return { quoted, joined: joinTexts(quoted), wide: false, whole: undefined }
}

/** Those from `from` up to `to`. */
export function someOf(texts: Texts, from: number, to: number): Texts {
  if (from === 0 && to === texts.quoted.length) return texts
  const quoted = texts.quoted.slice(from, to)
  return { quoted, joined: joinTexts(quoted), wide: texts.wide, whole: undefined }
}

/** All of them together, still quoted. */
export function quotedWhole({ joined, wide }: Texts): string {
  return wide ? decodeText(joined) : joined
}

/** What they say together. */
export function wholeOf(texts: Texts): string {
  return texts.whole ?? unquote(quotedWhole(texts))
}

/** What one of them says. */
export function textAt({ quoted, wide }: Texts, at: number): string {
  const one = quoted[at] ?? ""
  return unquote(wide ? decodeText(one) : one)
}

// A character that JSON writes as it is, and that stands in no escape sequence.
const between = "\u007f"
const few = 4

/** Each of them, still quoted, as text. */
export function quotedTexts({ quoted, joined, wide }: Texts): readonly string[] {
  if (!wide) return quoted
  const texts = joined.includes(between) ? undefined : decodeText(quoted.join(between)).split(between)
  return texts?.length === quoted.length ? texts : quoted.map(decodeText)
}

/** What each of them says. */
export function textsOf(texts: Texts): readonly string[] {
  const quoted = quotedTexts(texts)
  if (!texts.joined.includes("\\")) return quoted
  const all = quoted.length < few ? undefined : unquoted(quoted.join(between))?.split(between)
  return all?.length === quoted.length ? all : quoted.map(unquote)
}

/** Are these the insides of JSON strings, each by itself? As one they are read faster than each. */
export function areQuoted(raws: readonly string[]): boolean {
  return unquoted(raws.join(between)) !== undefined
}

/** In a row; one alone is itself. */
export function joinTexts(texts: readonly string[]): string {
  const [first = ""] = texts
  return texts.length === 1 ? first : texts.join("")
}
