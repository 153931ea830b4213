// When JSON was asked for, some models wrap it in a Markdown fence, which a client that parses the answer does
// not expect. The fence around an answer is taken off: the opening one only as the very first thing, the closing
// one only as the very last. An opening fence that has gone out of the stream cannot be put back, so words
// behind the closing one keep that one alone. Only what could still be a fence is held back.

export interface FenceState {
  /** `start`: nothing but white space yet; `inside`: behind an opening fence; `text`: fences mean nothing. */
  readonly mode: "start" | "inside" | "text"
  /** What is not decided: inside, white space, backticks and white space again. */
  readonly held: string
  /** Backticks in what is held, inside. */
  readonly ticks: number
}

type Step = readonly [FenceState, string]

const text: FenceState = { mode: "text", held: "", ticks: 0 }
const fenceLength = 3
// The opening line is looked at whole, so that code of another language is not taken for JSON.
const opening = /^\s*```(?:json[c5]?)?[ \t]*(?:\r?\n|(?=[[{"]))/i
const openingPart = /^\s*(?:`{0,2}|```(?:j|js|jso|json|json[c5])?[ \t]*\r?)$/i
// More white space than this is passed on: it belongs to no fence worth waiting for.
const mostHeld = 1_024

/** `active`: JSON was asked for. Otherwise everything passes. */
export function initialFence(active: boolean): FenceState {
  return active ? { mode: "start", held: "", ticks: 0 } : text
}

/** One piece of text in; what is certain comes out, the rest waits in the state. */
export function readFence(state: FenceState, piece: string): Step {
  switch (state.mode) {
    case "text":
      return [state, piece]
    case "start":
      return atStart(state.held + piece)
    case "inside":
      return inside(state, piece)
    default:
      return state.mode satisfies never
  }
}

/** The text has ended: a closing fence that was held back is left out, anything else comes out. */
export function flushFence({ held, ticks }: FenceState): Step {
  return [text, ticks === fenceLength ? "" : held]
}

function atStart(held: string): Step {
  if (held.length <= mostHeld && openingPart.test(held)) return [{ mode: "start", held, ticks: 0 }, ""]
  const opened = opening.exec(held)
  if (opened === null) return [text, held]
  return inside({ mode: "inside", held: "", ticks: 0 }, held.slice(opened[0].length))
}

/** Every character is looked at once: it goes on with what may be the end of the answer, or releases it. */
function inside(state: FenceState, piece: string): Step {
  let { held, ticks } = state
  let sure = ""
  for (const character of piece) {
    const joins =
      character === "`" ? joinsTicks(held, ticks) : /\s/.test(character) && ticks % fenceLength === 0
    if (!joins || held.length > mostHeld) {
      sure += held
      held = ""
      ticks = 0
    }
    if (character === "`") ticks++
    if (character === "`" || /\s/.test(character)) held += character
    else sure += character
  }
  return [{ mode: "inside", held, ticks }, sure]
}

/** Does one more backtick make a fence, or go on with one? */
function joinsTicks(held: string, ticks: number): boolean {
  return ticks < fenceLength && (ticks === 0 || held.endsWith("`"))
}
