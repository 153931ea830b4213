// Text that Gemini, and relays before it, mark as a thought with a flag beside it. There may be tags in it as
// well, which are taken off. Where the flag stands on the first piece alone (its own servers; fixtures
// streams/gemini/thoughts), only the closing tag says where the thought ends.
import { type JsonObject, objectOf } from "../../protocol/json.ts"
import { after, type ReaderState, reasoning, releaseHeld, type Step, tagged } from "./reader-text.ts"
import { initialFlagged, initialTags, type TagState } from "./think-tags.ts"

/** Does a delta, message or part say that its text is a thought? */
export function isFlagged(given: JsonObject): boolean {
  if (given["extra_content"] === undefined) return false
  return objectOf(objectOf(given["extra_content"])["google"])["thought"] === true
}

/** A piece of text with the flag or without it, where the flag may stand. */
export function flaggedText(state: ReaderState, text: string, flagged: boolean): Step {
  if (flagged) return thought(state, text)
  return state.thoughts === "none" ? tagged(state, text) : behindThought(state, text)
}

function thought(state: ReaderState, text: string): Step {
  if (state.thoughts !== "none" && isOpen(state.tags)) return tagged({ ...state, thoughts: "several" }, text)
  const [ready, before] = releaseHeld(state)
  const begun: ReaderState = { ...ready, thoughts: "one", tags: initialFlagged }
  if (ready.last !== "reasoning") return after(before, tagged(begun, text))
  // White space is layout before a thought, but not where one goes on.
  const [lead, first = "", tag = "", second = ""] = /^(\s*)(<thought>)?(\s*)/.exec(text) ?? [""]
  const [spaced, space] = reasoning(begun, first + second, "content")
  return after([...before, ...space], tagged(spaced, tag + text.slice(lead.length)))
}

const isOpen = ({ mode }: TagState): boolean => mode !== "text" && mode !== "after"

/** Text without the flag behind text that had it. */
function behindThought(state: ReaderState, text: string): Step {
  const { tags, thoughts } = state
  if (!isOpen(tags)) return tagged({ ...state, thoughts: "none" }, text)
  const rest = (tags.held + text).trimStart()
  if (rest.startsWith(tags.close) || tags.close.startsWith(rest)) return tagged(state, text)
  // Should the closing tag never come, this was the answer.
  if (tags.opened && thoughts === "one")
    return tagged({ ...state, thoughts: "none", tags: { ...tags, unproved: "" } }, text)
  const [ready, before] = releaseHeld(state)
  return after(before, tagged({ ...ready, thoughts: "none", tags: initialTags("never") }, text))
}
