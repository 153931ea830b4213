// Where does a JSON value end, when it arrives in pieces? Depth and strings are followed; nothing is parsed.

export interface Scan {
  readonly depth: number
  readonly inString: boolean
  readonly escaped: boolean
  /** One whole object, array or string has been seen. */
  readonly done: boolean
}

export const emptyScan: Scan = { depth: 0, inString: false, escaped: false, done: false }

/** The scan after `text`, and where in it something follows the end of the value (-1: nothing does). */
export function scanJson(scan: Scan, text: string): { readonly scan: Scan; readonly rest: number } {
  const state = { ...scan }
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (state.done && code > space) return { scan: state, rest: index }
    if (state.inString) advanceString(state, code)
    else if (!state.done) advance(state, code)
  }
  return { scan: state, rest: -1 }
}

type Mutable = { -readonly [Key in keyof Scan]: Scan[Key] }

const [space, quote, backslash] = [32, 34, 92]
const [openBrace, closeBrace, openBracket, closeBracket] = [123, 125, 91, 93]

function advanceString(state: Mutable, code: number): void {
  if (state.escaped) state.escaped = false
  else if (code === backslash) state.escaped = true
  else if (code === quote) {
    state.inString = false
    state.done = state.depth === 0
  }
}

function advance(state: Mutable, code: number): void {
  if (code === quote) state.inString = true
  else if (code === openBrace || code === openBracket) state.depth++
  else if (code === closeBrace || code === closeBracket) {
    state.depth--
    state.done = state.depth <= 0
  }
}
