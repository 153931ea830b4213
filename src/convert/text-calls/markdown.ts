// Is a place in a text inside Markdown code? Fences and code spans, followed one character at a time. Where a
// span is never closed, a short one ends with its paragraph; a long run of backticks in mid-line is taken for a
// fence badly placed, and lasts until another one.

export interface Markdown {
  /** `line`: a fence's first line; `shut`: behind what will be a closing fence, if its line ends there. */
  readonly code: "none" | "span" | "line" | "fence" | "shut"
  /** The character and number that opened the code. */
  readonly mark: number
  readonly length: number
  /** The run of marks that the text ends with; none: 0. */
  readonly run: number
  readonly runMark: number
  readonly runFirst: boolean
  /** Nothing but white space and quote marks stand in the line so far. */
  readonly blank: boolean
}

export type MarkdownWalk = { -readonly [Key in keyof Markdown]: Markdown[Key] }

const noCode = { code: "none", mark: 0, length: 0 } as const

export const lineStart: Markdown = { ...noCode, run: 0, runMark: 0, runFirst: false, blank: true }

const [newline, space, greater, backtick, tilde] = [10, 32, 62, 96, 126]
const fenceLength = 3

/** The next character of the text. */
export function follow(walk: MarkdownWalk, code: number): void {
  if (walk.run > 0 && code === walk.runMark) {
    walk.run++
    return
  }
  if (walk.run > 0) endRun(walk)
  if (code === newline) endLine(walk)
  else if (code === backtick || (code === tilde && walk.blank)) startRun(walk, code)
  else if (code > space && code !== greater) word(walk)
}

// What more can be said of than that it stands there; and words, by which a line is not blank.
const telling = /[\n`~]/
const wordy = /[^\0- >]/

/** All of the text, as if it were followed one character at a time. */
export function followAll(walk: MarkdownWalk, text: string): void {
  if (telling.test(text)) {
    for (let at = 0; at < text.length; at++) follow(walk, text.charCodeAt(at))
    return
  }
  if (text !== "" && walk.run > 0) endRun(walk)
  if (wordy.test(text)) word(walk)
}

/** Whether what comes next, which is no mark, stands in code. */
export function isCode(walk: MarkdownWalk): boolean {
  if (walk.run > 0) endRun(walk)
  return walk.code !== "none"
}

function startRun(walk: MarkdownWalk, code: number): void {
  const first = walk.blank
  word(walk)
  walk.run = 1
  walk.runMark = code
  walk.runFirst = first
}

function word(walk: MarkdownWalk): void {
  walk.blank = false
  if (walk.code === "shut") walk.code = "fence"
}

function endLine(walk: MarkdownWalk): void {
  if (walk.code === "line") walk.code = "fence"
  else if (walk.code === "shut") walk.code = "none"
  else if (walk.code === "span" && walk.length < fenceLength && walk.blank) walk.code = "none"
  walk.blank = true
}

function endRun(walk: MarkdownWalk): void {
  const { run, runMark, runFirst } = walk
  const fences = run >= fenceLength && runFirst
  const matches = runMark === walk.mark && closes(walk.length, run)
  walk.run = 0
  if (walk.code === "fence") {
    if (matches && fences) walk.code = "shut"
  } else if (walk.code !== "none" && matches) walk.code = "none"
  else if (walk.code === "none" || (walk.code === "span" && fences)) begin(walk, fences, run, runMark)
}

function closes(length: number, run: number): boolean {
  return length >= fenceLength ? run >= length : run === length
}

function begin(walk: MarkdownWalk, fences: boolean, run: number, mark: number): void {
  if (!fences && mark === tilde) return
  walk.code = fences ? "line" : "span"
  walk.mark = mark
  walk.length = run
}
