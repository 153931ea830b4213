// A text that grows piece by piece over a long time. A piece is a view into the chunk it came in, and would keep all
// of that in memory: so pieces are put together now and then, which makes a copy of their own characters alone.

export interface GrownText {
  readonly whole: string
  /** The latest pieces. */
  readonly loose: readonly string[]
}

export const noText: GrownText = { whole: "", loose: [] }

const mostLoose = 16

/** With these pieces behind it. Linear in the pieces, however long the text is. */
export function growText({ whole, loose }: GrownText, pieces: readonly string[]): GrownText {
  const latest = loose.length === 0 ? pieces : [...loose, ...pieces]
  return latest.length < mostLoose ? { whole, loose: latest } : { whole: whole + latest.join(""), loose: [] }
}

/** With this one piece behind it. */
export function addText(text: GrownText, piece: string): GrownText {
  return piece === "" ? text : growText(text, [piece])
}

export function textOf({ whole, loose }: GrownText): string {
  return whole + loose.join("")
}

export function isNoText({ whole, loose }: GrownText): boolean {
  return whole === "" && loose.every((piece) => piece === "")
}
