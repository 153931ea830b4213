// A text that grows piece by piece over a long time. A piece is a view into the chunk it came in, and would keep all
// of that in memory: so it is joined at once with those before it, which makes a copy of their own characters alone. It
// is kept as it stands in JSON, between quotes: most of it comes like that, and of few replies it is ever asked for.
import { quote, unquote } from "../../protocol/texts.ts"

export interface GrownText {
  readonly whole: string
  /** The latest pieces. */
  readonly loose: string
}

export const noText: GrownText = { whole: "", loose: "" }

// In characters: no more than this is copied once more with each piece.
const mostLoose = 256

/** With this piece behind it. Linear in the pieces, however long the text is. */
export function addText(text: GrownText, piece: string): GrownText {
  return addQuoted(text, quote(piece))
}

/** The same of a piece as it stands between the quotes of a JSON string. */
export function addQuoted(text: GrownText, piece: string): GrownText {
  if (piece === "") return text
  const both = [text.loose, piece].join("")
  if (both.length < mostLoose) return { whole: text.whole, loose: both }
  return { whole: text.whole + both, loose: "" }
}

export function textOf({ whole, loose }: GrownText): string {
  return unquote(whole + loose)
}

export function isNoText({ whole, loose }: GrownText): boolean {
  return whole === "" && loose === ""
}
