// A text that grows piece by piece over a long time. A piece is a view into the chunk it came in, and would keep all
// of that in memory: so pieces are put together now and then, which makes a copy of their own characters alone. It is
// kept as it stands in JSON, between quotes: most of it comes like that, and of few replies the text is ever asked for.
import { quote, unquote } from "../protocol/texts.ts"

export interface GrownText {
  readonly whole: string
  /** The latest pieces, and how many they are. */
  readonly loose: string
  readonly pieces: number
}

export const noText: GrownText = { whole: "", loose: "", pieces: 0 }

const mostLoose = 16

/** With these pieces behind it. Linear in the pieces, however long the text is. */
export function growText(text: GrownText, pieces: readonly string[]): GrownText {
  return addText(text, pieces.join(""))
}

/** With this one piece behind it. */
export function addText(text: GrownText, piece: string): GrownText {
  return addQuoted(text, quote(piece))
}

/** The same of a piece as it stands between the quotes of a JSON string. */
export function addQuoted(text: GrownText, piece: string): GrownText {
  if (piece === "") return text
  const { whole, loose, pieces } = text
  if (pieces < mostLoose) return { whole, loose: loose + piece, pieces: pieces + 1 }
  return { whole: whole + [loose, piece].join(""), loose: "", pieces: 0 }
}

export function textOf({ whole, loose }: GrownText): string {
  return unquote(whole + loose)
}

export function isNoText({ whole, loose }: GrownText): boolean {
  return whole === "" && loose === ""
}
