// Reasoning that open models write into their text, between tags at its very beginning. A tag may be cut
// anywhere by the stream, so what could still become one is held back, never more than a tag's length.
// White space around the reasoning is layout: what stands before its first word, before the opening tag, and
// up to the last line break behind the closing tag is dropped.
import { begunAtEnd } from "../common/begun-at-end.ts"
import { flushHarmony, type Harmony, harmonyOpeners, initialHarmony, splitHarmony } from "./harmony.ts"

// The chat templates of Qwen, DeepSeek and most others; Bedrock before gpt-oss; MiniMax M3; Seed-OSS; Kimi-VL;
// Magistral; Cohere; Gemma 4.
const tags: readonly (readonly [string, string])[] = [
  ["<think>", "</think>"],
  ["<thinking>", "</thinking>"],
  ["<thought>", "</thought>"],
  ["<reasoning>", "</reasoning>"],
  ["<mm:think>", "</mm:think>"],
  ["<seed:think>", "</seed:think>"],
  ["◁think▷", "◁/think▷"],
  ["[THINK]", "[/THINK]"],
  ["<|START_THINKING|>", "<|END_THINKING|>"],
  ["<|channel>thought", "<channel|>"],
]

// Words that an answer may begin with as well.
const wordTags: ReadonlySet<string> = new Set(["<reasoning>", "[THINK]"])

// The name and the first word of the thought stand together, as no sentence has it.
const thoughtChannel = "analysis"
const isThoughtChannel = /^analysis[\p{Lu}"]/u
const answerChannel = "assistantfinal"

const openers: readonly string[] = [...tags.map(([open]) => open), ...harmonyOpeners]
const firstCharacters: ReadonlySet<string> = new Set(openers.map((open) => open.charAt(0)))

export interface TagState {
  /**
   * `start`: nothing but white space yet; `opened`: just behind the opening tag; `thinking`: between the tags;
   * `after`: just behind the closing tag; `harmony`: in messages; `text`: tags mean nothing any more.
   */
  readonly mode: "start" | "opened" | "thinking" | "after" | "harmony" | "text"
  readonly held: string
  readonly close: string
  /** The opening tag was there. */
  readonly opened: boolean
  /** Text that was taken for reasoning by no tag that is sure; undefined once a tag has proved it right. */
  readonly unproved: string | undefined
  /** The channels' names may come without the tokens around them. */
  readonly channels: boolean
  /** How far the messages are read. */
  readonly harmony: Harmony | undefined
}

export interface Piece {
  readonly kind: "reasoning" | "text"
  readonly text: string
}

// Some models never stop sending blank lines: more of them than this is not kept.
const mostHeld = 4_096

type Split = readonly [TagState, readonly Piece[]]

const plain: TagState = {
  mode: "text",
  held: "",
  close: "",
  opened: false,
  unproved: undefined,
  channels: false,
  harmony: undefined,
}
const start: TagState = { ...plain, mode: "start" }
const after: TagState = { ...plain, mode: "after" }

/** The text is known to be a thought: an opening tag may come, and a closing one would end it. */
export const initialFlagged: TagState = { ...start, close: "</thought>" }

/**
 * `implicit`: the provider's template opens the tag itself, so only the closing one will come. `channels`: servers
 * that drop the special tokens of OpenAI's open models leave "analysisI must look.assistantfinalFound."
 */
export function initialTags(style: "start" | "implicit" | "channels" | "never"): TagState {
  if (style === "never") return plain
  if (style === "channels") return { ...start, channels: true }
  return style === "implicit" ? { ...start, unproved: "" } : start
}

/** Does its first character show that no tag stands before this text? So nearly all replies begin: with a word. */
export function beginsWithWord({ mode, held, close, unproved, channels }: TagState, text: string): boolean {
  if (mode !== "start" || channels || held !== "" || close !== "" || unproved !== undefined) return false
  const first = text.charCodeAt(0)
  return first > space && first <= lastVisible && first !== lessThan && first !== bracket
}

const space = 32
const lessThan = 60
const bracket = 91
const lastVisible = 126

/** One piece of text in; what is certain comes out, the rest waits in the state. */
export function splitTags(state: TagState, text: string): Split {
  switch (state.mode) {
    case "text":
      return [state, text === "" ? [] : [{ kind: "text", text }]]
    case "start":
      return atStart(state, state.held + text)
    case "opened":
      return behindOpening(state, state.held + text)
    case "thinking":
      return inThinking(state, state.held + text)
    case "after":
      return behind(state.held + text)
    case "harmony":
      return inHarmony(state.harmony ?? initialHarmony, text)
    default:
      return state.mode satisfies never
  }
}

/**
 * Something other than text follows, or nothing: what was held back is released as what it then is. Tags are
 * looked for only before everything else.
 */
export function flushTags(state: TagState): Split {
  if (state.harmony !== undefined) return [plain, flushHarmony(state.harmony)]
  const unproved = state.unproved === undefined ? undefined : state.unproved + state.held
  const released: TagState = state.mode === "start" ? plain : { ...state, held: "", unproved }
  if (state.held === "" || state.mode === "after") return [released, []]
  const isText = state.mode === "start" && state.close === ""
  return [released, [{ kind: isText ? "text" : "reasoning", text: state.held }]]
}

function atStart(state: TagState, held: string): Split {
  const trimmed = held.trimStart()
  if (state.channels && trimmed !== "") {
    if (thoughtChannel.startsWith(trimmed)) return [{ ...state, held }, []]
    if (isThoughtChannel.test(trimmed)) {
      const opened: TagState = { ...start, mode: "opened", close: answerChannel, opened: true }
      return splitTags({ ...opened, unproved: thoughtChannel }, trimmed.slice(thoughtChannel.length))
    }
  }
  if (trimmed !== "" && !firstCharacters.has(trimmed.charAt(0))) return withoutTag(state, held, trimmed)
  const found = tags.find(([open]) => trimmed.startsWith(open))
  if (found !== undefined) {
    const [open, close] = found
    const unproved = wordTags.has(open) ? open : undefined
    return splitTags({ ...start, mode: "opened", close, opened: true, unproved }, trimmed.slice(open.length))
  }
  if (harmonyOpeners.some((open) => trimmed.startsWith(open))) return inHarmony(initialHarmony, held)
  if (trimmed === "" || openers.some((open) => open.startsWith(trimmed))) {
    return [{ ...state, held: held.slice(-mostHeld) }, []]
  }
  return withoutTag(state, held, trimmed)
}

function behindOpening(state: TagState, text: string): Split {
  const inner = text.trimStart()
  const lead = text.slice(0, text.length - inner.length)
  const unproved = state.unproved === undefined ? undefined : state.unproved + lead
  return inner === ""
    ? [{ ...state, held: "", unproved }, []]
    : inThinking({ ...state, held: "", unproved }, inner)
}

function inHarmony(before: Harmony, text: string): Split {
  const [harmony, pieces] = splitHarmony(before, text)
  return [harmony === undefined ? plain : { ...plain, mode: "harmony", harmony }, pieces]
}

function withoutTag(state: TagState, held: string, trimmed: string): Split {
  if (state.unproved === undefined && state.close === "") return [plain, [{ kind: "text", text: held }]]
  return inThinking({ ...state, mode: "thinking", close: state.close || "</think>" }, trimmed)
}

function inThinking(state: TagState, text: string): Split {
  const end = text.indexOf(state.close)
  if (end >= 0) {
    const inner: readonly Piece[] = end === 0 ? [] : [{ kind: "reasoning", text: text.slice(0, end) }]
    const [next, pieces] = splitTags(after, text.slice(end + state.close.length))
    return [next, [...inner, ...pieces]]
  }
  const length = text.length - begunAtEnd(text, state.close)
  const sure = text.slice(0, length)
  const unproved = state.unproved === undefined ? undefined : state.unproved + sure
  // A closing tag may follow the opening one at once: nothing has been said until there is something sure.
  const mode = sure === "" ? state.mode : "thinking"
  return [
    { ...state, mode, held: text.slice(length), unproved },
    sure === "" ? [] : [{ kind: "reasoning", text: sure }],
  ]
}

function behind(text: string): Split {
  const rest = text.trimStart()
  if (rest === "") return [{ ...after, held: text.slice(-mostHeld) }, []]
  const lead = text.slice(0, text.length - rest.length)
  return [plain, [{ kind: "text", text: lead.slice(lead.lastIndexOf("\n") + 1) + rest }]]
}
