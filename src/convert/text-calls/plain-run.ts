// The short cut for pieces of text in which no call can begin: they pass as they are, and what is known of the text
// is put together once for all of them.
import { type Texts, wholeOf } from "../../protocol/texts.ts"
import { addToLine } from "./line.ts"
import { followAll } from "./markdown.ts"
import { isHolding, type TextCallState } from "./reading.ts"

// What every opener begins with.
const mayOpen = /[<[\]]|\\u00(?:3c|5[bd])/i

/** How many of the texts from `from` on would each come out at once and as they are. */
export function countPlain(state: TextCallState, texts: Texts, from: number): number {
  const { layout, off } = state
  const { quoted, joined } = texts
  if (off) return quoted.length - from
  if (layout !== "text" || isHolding(state)) return 0
  if (from === 0 && !mayOpen.test(joined)) return quoted.length
  let at = from
  while (at < quoted.length && !mayOpen.test(quoted[at] ?? "")) at++
  return at - from
}

/** The state behind texts that countPlain() found to pass. */
export function passPlain(state: TextCallState, texts: Texts): TextCallState {
  if (state.off) return state
  const text = wholeOf(texts)
  const markdown = { ...state.markdown }
  followAll(markdown, text)
  return { ...state, markdown, line: addToLine(state.line, text) }
}
