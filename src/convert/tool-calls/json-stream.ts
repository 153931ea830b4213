// JSON that is passed on while it comes, corrected on the way where only one meaning is possible. Valid JSON
// passes byte for byte; held back are no more than a comma, a bare word or an escape sequence, until the
// character that decides about them.
import {
  apostrophe,
  backslash,
  comma,
  escaped,
  isClosing,
  isDigit,
  isHex,
  isNumber,
  isSpace,
  isWord,
  literals,
  minus,
  newline,
  openBrace,
  openBracket,
  quote,
  slash,
  space,
  star,
} from "./json-characters.ts"
import { addRepairs, repair } from "./repairs.ts"

type Mode =
  | "between"
  /** Behind a comma, which waits with the white space after it. */
  | "comma"
  | "string"
  | "escape"
  | "word"
  | "number"
  /** Behind a `/` outside strings, which may begin a comment. */
  | "slash"
  | "line"
  | "block"
  | "star"
  | "done"

/** The brackets that are open, the innermost first. A list of links, so that no depth makes a step dear. */
export interface Open {
  readonly bracket: number
  readonly below: Open | undefined
}

export interface JsonFilter {
  readonly mode: Mode
  /** What came and is not passed on yet. */
  readonly held: string
  readonly open: Open | undefined
  readonly repairs: readonly string[]
}

export const emptyFilter: JsonFilter = { mode: "between", held: "", open: undefined, repairs: [] }

interface Filtered {
  readonly filter: JsonFilter
  /** May be passed on now. */
  readonly out: string
  /** Where in the text something follows the end of the object or array; -1: nothing does. */
  readonly rest: number
}

interface Run {
  mode: Mode
  held: string
  open: Open | undefined
  repairs: readonly string[]
  readonly text: string
  /** Everything before this position is in `out`, is held or is left out. */
  from: number
  out: string
}

/** Does this piece of the text pass as it is, and leave the filter as it was? So most of a long string does. */
export function passes({ mode }: JsonFilter, text: string): boolean {
  return mode === "string" && endOfPlain(text, 0) === text.length
}

/** One more piece of the text; state in, state out. Linear in the piece. */
export function filterJson(filter: JsonFilter, text: string): Filtered {
  if (passes(filter, text)) return { filter, out: text, rest: -1 }
  const { mode, held, open, repairs } = filter
  const run: Run = { mode, held, open, repairs, text, from: 0, out: "" }
  for (let at = 0; at < text.length; at++) {
    if (run.mode === "string") at = endOfPlain(text, at)
    if (at === text.length) break
    const code = text.charCodeAt(at)
    if (run.mode === "done" && code > space) return end(run, at, at)
    while (step(run, code, at)) {
      // The mode has changed: the same character again.
    }
  }
  return end(run, text.length, -1)
}

// What a string of JSON is made of, whole escape sequences among it.
const plain = /[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\uffff]*)*/y

/** Where in the text, from this place in a string on, something stands that has to be looked at. */
function endOfPlain(text: string, at: number): number {
  plain.lastIndex = at
  return plain.test(text) ? plain.lastIndex : at
}

function end(run: Run, to: number, rest: number): Filtered {
  const { mode, held, open, repairs, text, from } = run
  const last = from === 0 && to === text.length ? text : text.slice(from, to)
  return { filter: { mode, held, open, repairs }, out: run.out + last, rest }
}

/** Handles one character; true: it is to be looked at again, in the mode that is set now. */
function step(run: Run, code: number, at: number): boolean {
  switch (run.mode) {
    case "string":
      return inString(run, code, at)
    case "between":
      return between(run, code, at)
    case "number":
      return !isNumber(code) && turn(run, "between")
    case "comma":
      return behindComma(run, code, at)
    case "escape":
      return behindBackslash(run, code, at)
    case "word":
      return inWord(run, code, at)
    case "done":
      return false
    default:
      return inComment(run, code, at)
  }
}

/** The character belongs to another mode. */
function turn(run: Run, mode: Mode): true {
  run.mode = mode
  return true
}

/** Everything before `at` is passed on, the character itself is not. */
function takeOut(run: Run, at: number, mode: Mode): false {
  run.out += run.text.slice(run.from, at)
  run.from = at + 1
  run.mode = mode
  return false
}

function hold(run: Run, at: number, mode: Mode): false {
  takeOut(run, at, mode)
  run.held += run.text.charAt(at)
  return false
}

/** What was held is decided: it goes on as `text`. */
function release(run: Run, text: string, done?: string): void {
  run.out += text
  run.held = ""
  if (done !== undefined) run.repairs = addRepairs(run.repairs, [done])
}

function between(run: Run, code: number, at: number): boolean {
  if (code === comma) return hold(run, at, "comma")
  if (code === slash) return takeOut(run, at, "slash")
  if (isDigit(code)) run.mode = "number"
  else if (isWord(code) || code === minus) return hold(run, at, "word")
  else if (code === quote) run.mode = "string"
  else if (code === openBrace || code === openBracket) run.open = { bracket: code, below: run.open }
  else if (isClosing(code)) {
    run.open = run.open?.below
    if (run.open === undefined) run.mode = "done"
  }
  return false
}

function behindComma(run: Run, code: number, at: number): boolean {
  if (isSpace(code)) return hold(run, at, "comma")
  if (code === slash) return takeOut(run, at, "slash")
  if (isClosing(code)) release(run, run.held.slice(1), repair.comma)
  else release(run, run.held)
  return turn(run, "between")
}

function inComment(run: Run, code: number, at: number): boolean {
  if (run.mode === "slash" && code !== slash && code !== star) {
    release(run, `${run.held}/`)
    return turn(run, "between")
  }
  if (run.mode === "line" && code === newline) return turn(run, afterComment(run))
  run.from = at + 1
  run.mode = nextOfComment(run, code)
  run.repairs = addRepairs(run.repairs, [repair.comment])
  return false
}

function nextOfComment(run: Run, code: number): Mode {
  if (run.mode === "line") return "line"
  if (run.mode === "slash") return code === slash ? "line" : "block"
  if (code === star) return "star"
  return run.mode === "star" && code === slash ? afterComment(run) : "block"
}

const afterComment = (run: Run): Mode => (run.held === "" ? "between" : "comma")

function inString(run: Run, code: number, at: number): boolean {
  if (code === quote) run.mode = "between"
  else if (code === backslash) hold(run, at, "escape")
  else if (code < space) {
    takeOut(run, at, "string")
    release(run, escaped(code), repair.control)
  }
  return false
}

const hexEscape = "\\u0000".length

/** One that begins no escape sequence of JSON was meant as a backslash. */
function behindBackslash(run: Run, code: number, at: number): boolean {
  const isFirst = run.held === "\\"
  const char = String.fromCharCode(code)
  const isUnicode = isFirst ? char === "u" : isHex(code)
  if (isUnicode) hold(run, at, "escape")
  if (isUnicode && run.held.length < hexEscape) return false
  run.mode = "string"
  if (isUnicode || (isFirst && '"\\/bfnrt'.includes(char))) {
    release(run, run.held)
    return false
  }
  release(run, isFirst && code === apostrophe ? "" : `\\${run.held}`, repair.escape)
  return true
}

function inWord(run: Run, code: number, at: number): boolean {
  if (run.held === "-" && isDigit(code)) {
    release(run, run.held)
    return turn(run, "number")
  }
  if (isWord(code)) return hold(run, at, "word")
  const literal = literals.get(run.held)
  if (literal === undefined) release(run, run.held)
  else release(run, literal, repair.word)
  return turn(run, "between")
}
