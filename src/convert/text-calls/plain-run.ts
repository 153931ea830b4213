// The short cut for pieces of text in which no call can begin: they pass as they are, and what is known of the text
// is put together once for all of them.
import { addToLine } from "./line.ts"
import { followAll } from "./markdown.ts"
import type { TextCallState } from "./reading.ts"
import { isWaiting } from "./waiting.ts"

// What every opener begins with.
const mayOpen = /[<[]/

/** How many of the texts from `from` on would each come out at once and as they are. */
export function countPlain(state: TextCallState, texts: readonly string[], from: number): number {
  const { rest, section, waiting, layout, off } = state
  if (off) return texts.length - from
  if (rest !== "" || section !== undefined || layout !== "text" || isWaiting(waiting)) return 0
  let at = from
  for (let text = texts[at]; text !== undefined && !mayOpen.test(text); text = texts[++at]);
  return at - from
}

/** The state behind texts that countPlain() found to pass, put together. */
export function passPlain(state: TextCallState, text: string): TextCallState {
  if (state.off) return state
  const markdown = { ...state.markdown }
  followAll(markdown, text)
  return { ...state, markdown, line: addToLine(state.line, text) }
}
