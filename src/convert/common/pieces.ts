// Pieces in a row as one delta, for those who look at each by itself.
import { textsOf } from "../../protocol/texts.ts"
import type { Delta, Piece } from "./delta.ts"

export type Run = Extract<Delta, { kind: "run" }>

export type Single = Exclude<Delta, Run>

/** A piece like this one with another text. */
export function withText(like: Piece, text: string): Piece {
  return like.kind === "tool" ? { ...like, args: text } : { ...like, text }
}

/** The same deltas without runs. */
export function spreadRuns(deltas: readonly Delta[]): readonly Delta[] {
  if (!deltas.some(({ kind }) => kind === "run")) return deltas
  return deltas.flatMap((delta): readonly Delta[] =>
    delta.kind === "run" ? textsOf(delta).map((text) => withText(delta.like, text)) : [delta],
  )
}
