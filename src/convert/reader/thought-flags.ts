// Text that Gemini, and relays before it, mark as a thought with a flag beside it. There may be tags in it as
// well, which are taken off. Where the flag stands on the first piece alone (its own servers; fixtures
// streams/gemini/thoughts), only the closing tag says where the thought ends.
import type { JsonObject } from "../../protocol/json.ts"
import { googleFields } from "../common/google-fields.ts"
import { after, type ReaderState, reasoning, releaseHeld, type Step, tagged } from "./reader-text.ts"
import { initialFlagged, initialTags, type TagState } from "./think-tags.ts"

/** Does a delta, message or part say that its text is a thought? */
export function isFlagged(given: JsonObject): boolean {
  if (given["extra_content"] === undefined) return false
  return googleFields(given)["thought"] === true
}

/** A piece of text with the flag or without it, where the flag may stand. */
export function flaggedText(state: ReaderState, text: string, flagged: boolean): Step {
  if (flagged) return thought(state, text)
  return state.thoughts === "none" ? tagged(state, text) : behindThought(state, text)
}

function thought(state: ReaderState, text: string): Step {
  if (state.thoughts !== "none" && isOpen(state.tags)) {
    state.thoughts = "several"
    return tagged(state, text)
  }
  const before = releaseHeld(state, "more")
  state.thoughts = "one"
  state.tags = initialFlagged
  if (state.last !== "reasoning") return after(before, tagged(state, text))
  // White space is layout before a thought, but not where one goes on.
  const [lead, first = "", tag = "", second = ""] = /^(\s*)(<thought>)?(\s*)/.exec(text) ?? [""]
  const space = reasoning(state, first + second, "content")
  return after([...before, ...space], tagged(state, tag + text.slice(lead.length)))
}

const isOpen = ({ mode }: TagState): boolean => mode !== "text" && mode !== "after"

/** Text without the flag behind text that had it. */
function behindThought(state: ReaderState, text: string): Step {
  const { tags, thoughts } = state
  if (!isOpen(tags)) {
    state.thoughts = "none"
    return tagged(state, text)
  }
  const rest = (tags.held + text).trimStart()
  if (rest.startsWith(tags.close) || tags.close.startsWith(rest)) return tagged(state, text)
  // Should the closing tag never come, this was the answer.
  if (tags.opened && thoughts === "one") {
    state.thoughts = "none"
    state.tags = { ...tags, unproved: "" }
    return tagged(state, text)
  }
  const before = releaseHeld(state, "more")
  state.thoughts = "none"
  state.tags = initialTags("never")
  return after(before, tagged(state, text))
}
