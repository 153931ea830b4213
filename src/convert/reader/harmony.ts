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

const begins = (held: string): boolean => harmonyOpeners.some((opener) => held.startsWith(opener))
const mayBegin = (held: string): boolean =>
  begins(held) || harmonyOpeners.some((opener) => opener.startsWith(held))

/** Nothing has been read yet. */
export const initialHarmony: Harmony = { part: "header", held: "", sure: false }

const bodyBegins = "<|message|>"
const bodyEnds = /<\|(?:end|return|call|start|channel)\|>/g
const cutEnd = /<(?:\|[a-z]{0,7}\|?)?$/
const longestHeader = 256
// White space can be read in one way only: else a long gap takes time by the cube of its length.
const header =
  /^(?:<\|start\|>assistant)?\s*(?:to=([\w.$-]+)\s*)?<\|channel\|>(analysis|commentary|final)\b\s*(?:to=([\w.$-]+)\s*)?(?:<\|constrain\|>\s*)?(?:\w+\s*)?$/

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
  // Nothing came behind the token that was waited at: it was the end.
  if (part !== "header" && endOf(held, part) !== undefined) return part === "call" ? [callEnds] : []
  return [{ kind: part === "reasoning" ? "reasoning" : "text", text: held }]
}

const callEnds: Piece = { kind: "text", text: "<|call|>" }

/** The same state: more has to come. */
function readHeader(state: Harmony, out: Piece[]): Harmony | undefined {
  const held = state.held.trimStart()
  if (held === "" && state.sure) return state.held === "" ? state : { ...state, held }
  const isOne = mayBegin(held)
  const end = isOne ? held.slice(0, longestHeader).indexOf(bodyBegins) : -1
  if (isOne && end < 0 && held.length < longestHeader) return state
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

function readBody(state: Harmony, part: Body, out: Piece[]): Harmony {
  const { held } = state
  const found = endOf(held, part)
  const to = found?.at ?? cutEnd.exec(held)?.index ?? held.length
  if (to > 0) out.push({ kind: part === "reasoning" ? "reasoning" : "text", text: held.slice(0, to) })
  if (found?.next === undefined) return to === 0 ? state : { ...state, held: held.slice(to) }
  if (part === "call") out.push(callEnds)
  return { part: "header", held: held.slice(found.next), sure: true }
}

type Body = Exclude<Harmony["part"], "header">

interface End {
  readonly at: number
  /** Where the next message begins; undefined: it has to come first. */
  readonly next: number | undefined
}

/**
 * The token that a message ends with. A text may speak of such tokens: another message follows the one that is meant,
 * or nothing. Behind a thought it may be the bare answer.
 */
function endOf(held: string, part: Body): End | undefined {
  for (const { index: at, 0: token } of held.matchAll(bodyEnds)) {
    const isNext = token === "<|start|>" || token === "<|channel|>"
    const next = isNext ? at : at + token.length
    const follows = messageAt(held, next)
    if (follows === "yes" || (follows === "no" && part === "reasoning" && !isNext)) return { at, next }
    if (follows === "cut") return { at, next: undefined }
  }
  return undefined
}

function messageAt(held: string, at: number): "yes" | "no" | "cut" {
  const gap = held.slice(at, at + longestHeader)
  const first = gap.search(/\S/)
  if (first < 0) return gap.length < longestHeader ? "cut" : "no"
  const rest = held.slice(at + first)
  return begins(rest) ? "yes" : mayBegin(rest) ? "cut" : "no"
}
