// What comes out of a text: its pieces in order, without the white space that is only layout around calls.
import type { TextCall } from "./values.ts"

export type TextPiece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "call"; readonly call: TextCall }

export interface Output {
  readonly pieces: TextPiece[]
  /** Nothing but white space since the beginning (`start`) or since a call (`after`); it may be layout. */
  layout: "start" | "after" | "text"
  space: string
}

const mostSpace = 4_096

/** White space before all else waits, because a call may follow it; behind a call it is dropped. */
export function emit(output: Output, text: string): void {
  const trimmed = output.layout === "after" ? text.trimStart() : text
  if (trimmed === "") return
  const whole = output.space + trimmed
  if (output.layout === "start" && whole.length <= mostSpace && whole.trim() === "") {
    output.space = whole
    return
  }
  output.space = ""
  output.layout = "text"
  const last = output.pieces.at(-1)
  if (last?.kind === "text")
    output.pieces[output.pieces.length - 1] = { kind: "text", text: last.text + whole }
  else output.pieces.push({ kind: "text", text: whole })
}

export function emitCalls(output: Output, calls: readonly TextCall[]): void {
  output.layout = "after"
  output.space = ""
  for (const call of calls) output.pieces.push({ kind: "call", call })
}
