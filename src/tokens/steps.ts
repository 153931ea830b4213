// The estimate of a request in steps, between which whoever asked for it may do something else: a megabyte takes
// milliseconds, and many more of them the first time, when nothing of it is compiled yet.
import { countUpTo, estimateText, startTally, tokensOf } from "./estimate.ts"
import type { KnownTexts, Steps } from "./known-texts.ts"
import { type Countable, type Piece, piecesInTurn } from "./pieces.ts"

/** Characters of one step. A millisecond or less, compiled or not. */
const stepLength = 8_192
/** What a piece takes besides its characters, in characters. */
const perPiece = 32

/** As `estimateRequest` makes it of the same texts; never throws. */
export function* estimateInSteps(request: Countable, texts: KnownTexts): Steps {
  let tokens = 0
  let sinceStep = 0
  for (const pieces of piecesInTurn(request)) {
    for (const piece of pieces) {
      const work = workOf(piece)
      if (sinceStep + work > stepLength) {
        yield
        sinceStep = 0
      }
      sinceStep += work
      if (typeof piece === "number") tokens += piece
      else if (piece.length <= stepLength) tokens += texts.tokensOf(piece, estimateText)
      else tokens += yield* texts.tokensInSteps(piece, estimateLong)
    }
  }
  return tokens
}

/** In characters. */
function workOf(piece: Piece): number {
  return perPiece + (typeof piece === "number" ? 0 : Math.min(piece.length, stepLength))
}

function* estimateLong(text: string): Steps {
  const tally = startTally()
  for (let at = 0; at < text.length; ) {
    at = countUpTo(text, at, Math.min(text.length, at + stepLength), tally)
    yield
  }
  return tokensOf(text, tally)
}
