// Reasoning that open models write into their text, between tags at its very beginning. A tag may be cut
// anywhere by the stream, so what could still become one is held back, never more than a tag's length.

const tags: readonly (readonly [string, string])[] = [
  ["<think>", "</think>"],
  ["<thinking>", "</thinking>"],
  ["<thought>", "</thought>"],
  ["<mm:think>", "</mm:think>"],
]

export interface TagState {
  /** `start`: nothing but white space yet; `after`: just behind the closing tag; `text`: tags mean nothing. */
  readonly mode: "start" | "thinking" | "after" | "text"
  readonly held: string
  readonly close: string
}

export interface Piece {
  readonly kind: "reasoning" | "text"
  readonly text: string
}

type Split = readonly [TagState, readonly Piece[]]

const plain: TagState = { mode: "text", held: "", close: "" }

/** `implicit`: the provider's template opens the tag itself, so only the closing one will come. */
export function initialTags(style: "start" | "implicit" | "never"): TagState {
  if (style === "never") return plain
  if (style === "implicit") return { mode: "thinking", held: "", close: "</think>" }
  return { mode: "start", held: "", close: "" }
}

/** One piece of text in; what is certain comes out, the rest waits in the state. */
export function splitTags(state: TagState, text: string): Split {
  switch (state.mode) {
    case "text":
      return [state, text === "" ? [] : [{ kind: "text", text }]]
    case "start":
      return atStart(state.held + text)
    case "thinking":
      return inThinking(state, state.held + text)
    case "after": {
      const rest = text.trimStart()
      return rest === "" ? [state, []] : [plain, [{ kind: "text", text: rest }]]
    }
    default:
      return state.mode satisfies never
  }
}

/** End of the text: what was held back is released as what it then is. */
export function flushTags(state: TagState): readonly Piece[] {
  if (state.held === "") return []
  return [{ kind: state.mode === "thinking" ? "reasoning" : "text", text: state.held }]
}

function atStart(held: string): Split {
  const trimmed = held.trimStart()
  const found = tags.find(([open]) => trimmed.startsWith(open))
  if (found !== undefined) {
    const [open, close] = found
    const inner = trimmed.slice(open.length).replace(/^\r?\n/, "")
    return inThinking({ mode: "thinking", held: "", close }, inner)
  }
  if (trimmed === "" || tags.some(([open]) => open.startsWith(trimmed))) {
    return [{ mode: "start", held, close: "" }, []]
  }
  return [plain, [{ kind: "text", text: held }]]
}

function inThinking(state: TagState, text: string): Split {
  const end = text.indexOf(state.close)
  if (end >= 0) {
    const inner: readonly Piece[] = end === 0 ? [] : [{ kind: "reasoning", text: text.slice(0, end) }]
    const after = text.slice(end + state.close.length)
    const [next, pieces] = splitTags({ mode: "after", held: "", close: "" }, after)
    return [next, [...inner, ...pieces]]
  }
  const keep = partialTail(text, state.close)
  const sure = text.slice(0, text.length - keep)
  const next: TagState = { ...state, held: text.slice(text.length - keep) }
  return [next, sure === "" ? [] : [{ kind: "reasoning", text: sure }]]
}

/** Length of the longest end of `text` that is a beginning of `tag`. */
function partialTail(text: string, tag: string): number {
  for (let length = Math.min(text.length, tag.length - 1); length > 0; length--) {
    if (tag.startsWith(text.slice(text.length - length))) return length
  }
  return 0
}
