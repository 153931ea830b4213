// What is kept of thoughts, for a call that the model wrote into them before it ended: servers that take the thoughts
// out of the text look for calls in the rest alone (vllm-project/vllm#39056: Qwen3.5, Nemotron).
import { quotedWhole, type Texts } from "../../protocol/texts.ts"
import { addQuoted, addText, type GrownText } from "../common/grown-text.ts"
import type { TextCallState } from "../text-calls/reading.ts"

const mostKept = 1_048_576

/** What a reader knows of calls in what the model writes. */
export interface WrittenCalls {
  /** Calls that are written into the text; undefined: none are looked for (any more). */
  textCalls: TextCallState | undefined
  /**
   * The thoughts so far, from the beginning: only what stands before a call tells whether it is an example. Undefined:
   * no call is looked for in them, since something else came or they are too long.
   */
  thought: GrownText | undefined
}

/** A piece of thoughts. */
export function keepThought(state: WrittenCalls, text: string): void {
  if (isKept(state)) state.thought = addText(state.thought, text)
}

/** Pieces of thoughts as JSON writes them. */
export function keepThoughts(state: WrittenCalls, texts: Texts): void {
  if (isKept(state)) state.thought = addQuoted(state.thought, quotedWhole(texts))
}

function isKept(state: WrittenCalls): state is WrittenCalls & { thought: GrownText } {
  if (state.textCalls === undefined || state.thought === undefined) return false
  if (state.thought.whole.length > mostKept) state.thought = undefined
  return state.thought !== undefined
}
