// Where in its line does something stand? Only the line's beginning and end are kept, however long it is.

export interface Line {
  readonly head: string
  readonly tail: string
}

/**
 * `own`: nothing but white space, or the end of thinking, stands before it; `glued`: it follows text that a call
 * may follow; `quoted`: in a quotation, in a table, behind nothing but a list's mark, or in mid-sentence.
 */
export type Place = "own" | "glued" | "quoted"

export const newLine: Line = { head: "", tail: "" }

const kept = 64

/** The line that the text ends in, with `text` behind it. */
export function addToLine(line: Line, text: string): Line {
  const from = text.lastIndexOf("\n") + 1
  const { head, tail } = from > 0 ? newLine : line
  const more = from > 0 ? text.slice(from) : text
  if (more === "") return from > 0 ? newLine : line
  return {
    head: head.length < kept ? (head + more.slice(0, kept)).slice(0, kept) : head,
    tail: (tail + more.slice(-kept)).slice(-kept),
  }
}

/** Nothing but white space so far? */
export const isBlank = ({ head, tail }: Line): boolean => head.trim() === "" && tail.trim() === ""

/** The place behind this line. */
export function placeBehind(line: Line): Place {
  const { head, tail } = line
  if (isBlank(line) || /<\/think>\s*$/.test(tail)) return "own"
  if (/^\s*[>|]/.test(head) || !/\p{L}/u.test(head + tail)) return "quoted"
  return /[\p{L}\p{M}\p{N},]\s+$|["'([{“‘«「（]\s*$/u.test(tail) ? "quoted" : "glued"
}
