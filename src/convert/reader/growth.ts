// Some servers send, in place of what is new, all of a text so far. Whether a stream does shows only in its
// pieces, and never at once: a piece may begin like the one before it by chance. So the first piece is given (it
// stands in front either way), and while every further one begins with the whole of the piece before it, the
// text is held back until the pieces have told which it is.

export interface Growth {
  /** Not known yet; pieces that follow each other; or pieces that repeat all that was said. */
  readonly mode: "open" | "plain" | "repeating"
  /** The last piece: if they repeat, all of the text. */
  readonly last: string
  /** The length of what was given of it. */
  readonly given: number
  /** What was not given, if they do not repeat. */
  readonly held: string
  /** How many pieces spoke for repetition. */
  readonly signs: number
}

/** The next state, and what of the text is certain now. */
export type Grown = readonly [Growth, string]

// A beginning of this length is not alike by chance.
const longEnough = 8
const enoughSigns = 2
// More characters than this are not held back.
const mostHeld = 8 * 1024 * 1024

/** The state after the first piece, which is given. */
export function firstPiece(piece: string): Growth {
  return { mode: "open", last: piece, given: piece.length, held: "", signs: 0 }
}

/** One more piece. `expected`: the server is known to repeat; of any other it takes more to believe it. */
export function addPiece(state: Growth, piece: string, expected: boolean): Grown {
  if (piece === "" || state.mode === "plain") return [state, piece]
  const { last } = state
  const continues = piece.startsWith(last)
  if (state.mode === "repeating") return continues ? release(state, piece) : another(state, piece)
  if (!continues) return plain(state, state.held + piece)
  const signs = state.signs + (speaksForIt(last, piece) ? 1 : 0)
  const isLong = signs > 0 && last.length >= longEnough
  const isSure = expected ? isLong || signs >= enoughSigns : isLong && signs >= enoughSigns
  if (isSure) return release(state, piece)
  const next = { ...state, last: piece, held: state.held + piece, signs }
  return next.held.length > mostHeld ? settle(next, expected) : [next, ""]
}

/** Something else follows, or nothing: what is held is given as what it most likely is. */
export function settle(state: Growth, expected: boolean): Grown {
  if (state.held === "") return [state, ""]
  return expected && state.signs > 0 ? release(state, state.last) : plain(state, state.held)
}

function plain(state: Growth, text: string): Grown {
  return [{ ...state, mode: "plain", last: "", held: "" }, text]
}

function release({ given, signs }: Growth, piece: string): Grown {
  const next: Growth = { mode: "repeating", last: piece, given: piece.length, held: "", signs }
  return [next, piece.slice(given)]
}

/** Behind a repeating text a piece that does not repeat it begins another, unless it only says less. */
function another(state: Growth, piece: string): Grown {
  if (piece.length >= longEnough && state.last.startsWith(piece)) return [state, ""]
  return [firstPiece(piece), piece]
}

/** White space, and one sign or word over and over, look the same in either kind of stream. */
function speaksForIt(before: string, piece: string): boolean {
  const rest = piece.slice(before.length)
  return before.trim() !== "" && !before.startsWith(rest) && !rest.startsWith(before)
}
