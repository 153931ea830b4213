// OpenAI's open models say each thing in a message of its own, between special tokens: a thought, an answer, a call
// (cookbook.openai.com, harmony). A server that does not read them leaves all of it in the text (mlxcel#654,
// llama.cpp#15158). A call is left in it, in one form, for those who look for calls written as text.

export interface Harmony {
  /** What the message being read is; `header`: that is not known yet. */
  readonly part: "header" | "reasoning" | "text" | "call"
  readonly held: string
  /** A message has been read: what begins now is no text that merely looks like one. */
  readonly sure: boolean
}

interface Piece {
  readonly kind: "reasoning" | "text"
  readonly text: string
}

/** What a message begins with: a text that only speaks of such tokens does not. */
export const harmonyOpeners: readonly string[] = [
  "<|start|>assistant",
  "<|channel|>analysis",
  "<|channel|>commentary",
  "<|channel|>final",
]

const mayBegin = (held: string): boolean =>
  harmonyOpeners.some((opener) => held.startsWith(opener) || opener.startsWith(held))

/** Nothing has been read yet. */
export const initialHarmony: Harmony = { part: "header", held: "", sure: false }

const bodyBegins = "<|message|>"
const bodyEnds = /<\|(?:end|return|call|start|channel)\|>/
const cutEnd = /<(?:\|[a-z]{0,7}\|?)?$/
const longestHeader = 256
const header =
  /^(?:<\|start\|>assistant)?\s*(?:to=([\w.$-]+))?\s*<\|channel\|>(analysis|commentary|final)\b\s*(?:to=([\w.$-]+))?\s*(?:(?:<\|constrain\|>)?\s*\w+)?\s*$/

/** One piece of text in. `undefined` in place of a state: no message comes any more, all further text is text. */
export function splitHarmony(state: Harmony, text: string): readonly [Harmony | undefined, readonly Piece[]] {
  const out: Piece[] = []
  let now: Harmony | undefined = { ...state, held: state.held + text }
  let before: Harmony | undefined
  while (now !== undefined && now !== before) {
    before = now
    now = now.part === "header" ? readHeader(now, out) : readBody(now, now.part, out)
  }
  return [now, out]
}

/** The reply ends, or other content follows: what was held is what it then is. A header alone says nothing. */
export function flushHarmony({ part, held, sure }: Harmony): readonly Piece[] {
  if (held === "" || (part === "header" && sure && mayBegin(held))) return []
  return [{ kind: part === "reasoning" ? "reasoning" : "text", text: held }]
}

/** The same state: more has to come. */
function readHeader(state: Harmony, out: Piece[]): Harmony | undefined {
  const held = state.held.trimStart()
  if (held === "" && state.sure) return state.held === "" ? state : { ...state, held }
  const isOne = mayBegin(held)
  const end = isOne ? held.indexOf(bodyBegins) : -1
  if (isOne && end < 0 && held.length <= longestHeader) return state
  const found = end < 0 ? null : header.exec(held.slice(0, end))
  if (found !== null) return beginBody(found, held.slice(end + bodyBegins.length), out)
  out.push({ kind: "text", text: state.sure ? held : state.held })
  return undefined
}

function beginBody([, early, channel, late]: RegExpExecArray, held: string, out: Piece[]): Harmony {
  const recipient = early ?? late
  if (recipient === undefined) {
    return { part: channel === "analysis" ? "reasoning" : "text", held, sure: true }
  }
  out.push({ kind: "text", text: `<|channel|>commentary to=${recipient}${bodyBegins}` })
  return { part: "call", held, sure: true }
}

function readBody(state: Harmony, part: "reasoning" | "text" | "call", out: Piece[]): Harmony {
  const { held } = state
  const found = bodyEnds.exec(held)
  const to = found?.index ?? cutEnd.exec(held)?.index ?? held.length
  if (to > 0) out.push({ kind: part === "reasoning" ? "reasoning" : "text", text: held.slice(0, to) })
  if (found === null) return to === 0 ? state : { ...state, held: held.slice(to) }
  if (part === "call") out.push({ kind: "text", text: "<|call|>" })
  const [token] = found
  const begins = token === "<|start|>" || token === "<|channel|>"
  return { part: "header", held: held.slice(begins ? to : to + token.length), sure: true }
}
