// What is kept of thoughts, for a call that the model wrote into them before it ended: servers that take the thoughts
// out of the text look for calls in the rest alone (vllm-project/vllm#39056: Qwen3.5, Nemotron).
import { type Texts, wholeOf } from "../../protocol/texts.ts"
import type { TextCallState } from "../text-calls/reading.ts"

const mostKept = 1_048_576

/** What a reader knows of calls in what the model writes. */
export interface WrittenCalls {
  /** Calls that are written into the text; undefined: none are looked for (any more). */
  textCalls: TextCallState | undefined
  /** What may be a call in the thoughts that came last, and all behind it. */
  thought: string
}

/** Thoughts, of which nothing is kept before a character that may begin a call. */
export function keepThought(state: WrittenCalls, text: string): void {
  if (state.textCalls === undefined || (state.thought === "" && !mayBegin(text))) return
  state.thought = state.thought.length < mostKept ? state.thought + text : ""
}

/** The same of thoughts as JSON writes them, which may have an escape sequence for that character. */
export function keepThoughts(state: WrittenCalls, texts: Texts): void {
  const { joined } = texts
  if (state.textCalls === undefined) return
  if (state.thought === "" && !mayBegin(joined) && !joined.includes("\\u")) return
  keepThought(state, wholeOf(texts))
}

const mayBegin = (text: string): boolean => text.includes("<") || text.includes("[") || text.includes("]")
