// The text of a call's arguments, arriving in pieces: where it ends, what of it may be passed on at once, and
// what has to be seen whole first.
import { type JsonObject, parseJson } from "../../protocol/json.ts"
import { apostrophe, backslash, isClosing, openBrace, openBracket, quote, space } from "./json-characters.ts"
import { endJson } from "./json-end.ts"
import { repairJson } from "./json-repair.ts"
import { emptyFilter, filterJson, type JsonFilter } from "./json-stream.ts"
import { addRepairs, repair } from "./repairs.ts"
import { bareText, readInput } from "./tool-input.ts"

interface Scan {
  readonly depth: number
  readonly inString: boolean
  readonly escaped: boolean
  /** The quote that ends the string. */
  readonly quote: number
  /** One whole object, array or string has been seen. */
  readonly done: boolean
}

const emptyScan: Scan = { depth: 0, inString: false, escaped: false, quote: 0, done: false }

/** The scan after `text`, and where in it something follows the end of the value (-1: nothing does). */
function scanJson(scan: Scan, text: string): { readonly scan: Scan; readonly rest: number } {
  const state = { ...scan }
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (state.inString) advanceString(state, code)
    else if (!state.done) advance(state, code)
    else if (code > space) return { scan: state, rest: index }
  }
  return { scan: state, rest: -1 }
}

type Mutable = { -readonly [Key in keyof Scan]: Scan[Key] }

function advanceString(state: Mutable, code: number): void {
  if (state.escaped) state.escaped = false
  else if (code === backslash) state.escaped = true
  else if (code === state.quote) {
    state.inString = false
    state.done = state.depth === 0
  }
}

function advance(state: Mutable, code: number): void {
  if (code === quote || code === apostrophe) {
    state.inString = true
    state.quote = code
  } else if (code === openBrace || code === openBracket) state.depth++
  else if (isClosing(code)) {
    state.depth--
    state.done = state.depth <= 0
  }
}

export interface Arguments {
  /**
   * `head`: too little to tell, a lone `{}` included, which may be all there is or a place holder; `object`:
   * passed on as it comes; `other`: no object, or one in quotes that JSON does not know, so kept until it can
   * be read as a whole; `kept`: that has failed, so kept to the end.
   */
  readonly mode: "head" | "object" | "other" | "kept"
  /** What is not passed on yet; of an object, the filter holds it. */
  readonly held: string
  /** What was passed on. */
  readonly passed: string
  /** One whole value has been seen: nothing more belongs to it. */
  readonly done: boolean
  readonly scan: Scan
  readonly filter: JsonFilter
  /** What was done to the text so far, each thing once. */
  readonly repairs: readonly string[]
}

export const noArguments: Arguments = {
  mode: "head",
  held: "",
  passed: "",
  done: false,
  scan: emptyScan,
  filter: emptyFilter,
  repairs: [],
}

export interface Taken {
  readonly args: Arguments
  /** May be passed on now. */
  readonly out: string
  /** A further object behind a complete one; it belongs to another call. */
  readonly rest: string
}

/** Nothing to pass on. */
export const quiet = (args: Arguments): Taken => ({ args, out: "", rest: "" })

/** The same arguments, with one more thing done to them. */
export function repaired(args: Arguments, ...done: readonly string[]): Arguments {
  const repairs = addRepairs(args.repairs, done)
  return repairs === args.repairs ? args : { ...args, repairs }
}

/** One more piece of the text. */
export function takeArguments(args: Arguments, text: string): Taken {
  if (text === "") return quiet(args)
  if (args.done) return behind(args, text)
  if (args.mode === "object") return passOn(args, text)
  if (args.mode === "other") return keep(args, text)
  if (args.mode === "kept") return quiet({ ...args, held: args.held + text })
  // White space says nothing here, and some models never stop sending it.
  return text.trim() === "" ? quiet(args) : takeHead(args, args.held + text)
}

const emptyObjects = /^(?:\{\s*\}\s*)+/

function takeHead(before: Arguments, text: string): Taken {
  const trimmed = text.trimStart()
  const empties = emptyObjects.exec(trimmed)?.[0] ?? ""
  const head = trimmed.slice(empties.length)
  // An object that follows `{}` is what was meant; anything else behind it is noise.
  if (head === "") return quiet({ ...before, held: "{}" })
  const args = { ...(empties === "" ? before : repaired(before, repair.placeHolder)), held: "" }
  if (/^\{\s*$/.test(head)) return quiet({ ...args, held: head })
  // Single quotes, or none around a name: only the end shows how they were meant.
  if (/^\{\s*['\w$]/.test(head)) return keep({ ...args, mode: "other" }, head)
  if (head.startsWith("{")) return passOn({ ...args, mode: "object" }, head)
  if (empties === "") return keep({ ...args, mode: "other" }, head)
  return quiet(repaired({ ...before, mode: "object", held: "", done: true }, repair.behind))
}

function passOn(args: Arguments, text: string): Taken {
  const { filter, out, rest } = filterJson(args.filter, text)
  const done = filter.mode === "done"
  const next = { ...repaired(args, ...filter.repairs), passed: args.passed + out, done, filter }
  return rest < 0 ? { args: next, out, rest: "" } : { ...behind(next, text.slice(rest)), out }
}

function keep(args: Arguments, text: string): Taken {
  const { scan, rest } = scanJson(args.scan, text)
  const held = args.held + (rest < 0 ? text : text.slice(0, rest))
  if (!scan.done) return quiet({ ...args, held, scan })
  const read = readInput(held, false)
  if (!read.ok) return quiet({ ...args, mode: "kept", held: args.held + text })
  const about = { mode: "object", held: "", passed: read.json, done: true } as const
  const next = { ...repaired(args, ...read.what), ...about }
  return { ...(rest < 0 ? quiet(next) : behind(next, text.slice(rest))), out: read.json }
}

/** Behind a complete object: another one, unless it is empty or says the same again. */
function behind(args: Arguments, text: string): Taken {
  const rest = text.trimStart().replace(emptyObjects, "")
  if (rest === "") return quiet(args)
  if (!rest.startsWith("{")) {
    const endOfFence = args.repairs.includes(repair.fence) && /^`+\s*$/.test(rest)
    return quiet(endOfFence ? args : repaired(args, repair.behind))
  }
  const same = filterJson(emptyFilter, rest)
  if (same.rest < 0 && same.out.trimEnd() === args.passed.trimEnd())
    return quiet(repaired(args, repair.repeated))
  return { args: repaired(args, repair.second), out: "", rest }
}

/**
 * All of the text at once, as a whole reply has it: what cannot be corrected while it streams is corrected here,
 * but for an end that is missing.
 */
export function takeWhole(text: string): Taken {
  const bare = bareText(text)
  const whole = repairJson(bare)
  if (!whole.ok || whole.what.length === 0 || whole.what.includes(repair.closed)) {
    return takeArguments(noArguments, text)
  }
  const fence = bare.length < text.trim().length ? [repair.fence] : []
  return takeArguments(repaired(noArguments, ...fence, ...whole.what), whole.text)
}

/** Are the arguments complete as they are? A lone `{}` and scalars are, if nothing more comes. */
export function isWhole({ mode, held, done }: Arguments): boolean {
  if (done || held === "{}") return true
  return mode === "other" && held.length <= 32 && parseJson(held).ok
}

interface Ended {
  /** What is left to pass on. */
  readonly out: string
  readonly complete: boolean
  readonly repairs: readonly string[]
}

/** The reply is over. `cut`: by the length limit, so that what is missing at the end is really missing. */
export function endArguments(args: Arguments, cut: boolean): Ended {
  const { mode, held, passed, filter, repairs } = args
  if (mode === "other" || mode === "kept") {
    const read = readInput(held, !cut)
    return { out: read.json, complete: read.ok, repairs: addRepairs(repairs, read.what) }
  }
  if (isWhole(args)) return { out: "", complete: true, repairs }
  if (held.startsWith("{") && !cut)
    return { out: "{}", complete: true, repairs: addRepairs(repairs, [repair.closed]) }
  if (mode === "head") return { out: held, complete: false, repairs }
  const ended = endJson(filter, passed, !cut)
  return { ...ended, repairs: addRepairs(repairs, ended.repairs) }
}

/**
 * The object that a call's argument text stands for. Nothing, `null`, scalars and lists become `{}`; text
 * encoded twice is decoded twice, a Markdown fence is taken off, and what repairJson knows is repaired; the
 * rest is kept under `_raw_arguments`, so that the client's own check of the input fails visibly instead of
 * running the tool on a guess. Brackets that are still open are closed only with `mayClose`: the caller has to
 * know that no limit cut the text.
 */
export function toolInput(json: string, mayClose = false): JsonObject {
  return readInput(json, mayClose).input
}
