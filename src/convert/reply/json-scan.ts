// The text of a call's arguments, arriving in pieces: where it ends, what of it may be passed on at once, and
// what has to be seen whole first. An object is followed by depth and strings alone; nothing is parsed.
import { isObject, type JsonObject, parseJson } from "../../protocol/json.ts"

export interface Scan {
  readonly depth: number
  readonly inString: boolean
  readonly escaped: boolean
  /** One whole object, array or string has been seen. */
  readonly done: boolean
}

export const emptyScan: Scan = { depth: 0, inString: false, escaped: false, done: false }

/** The scan after `text`, and where in it something follows the end of the value (-1: nothing does). */
export function scanJson(scan: Scan, text: string): { readonly scan: Scan; readonly rest: number } {
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

const [space, quote, backslash] = [32, 34, 92]
const [openBrace, closeBrace, openBracket, closeBracket] = [123, 125, 91, 93]

function advanceString(state: Mutable, code: number): void {
  if (state.escaped) state.escaped = false
  else if (code === backslash) state.escaped = true
  else if (code === quote) {
    state.inString = false
    state.done = state.depth === 0
  }
}

function advance(state: Mutable, code: number): void {
  if (code === quote) state.inString = true
  else if (code === openBrace || code === openBracket) state.depth++
  else if (code === closeBrace || code === closeBracket) {
    state.depth--
    state.done = state.depth <= 0
  }
}

export interface Arguments {
  /**
   * `head`: too little to tell, a lone `{}` included, which may be all there is or a place holder; `object`:
   * passed on as it comes; `other`: not an object, so kept until it can be read as a whole.
   */
  readonly mode: "head" | "object" | "other"
  /** What is not passed on yet. */
  readonly held: string
  /** What was passed on. */
  readonly passed: string
  readonly scan: Scan
}

export const noArguments: Arguments = { mode: "head", held: "", passed: "", scan: emptyScan }

interface Taken {
  readonly args: Arguments
  /** May be passed on now. */
  readonly out: string
  /** A further object behind a complete one; it belongs to another call. */
  readonly rest: string
}

/** One more piece of the text. */
export function takeArguments(args: Arguments, text: string): Taken {
  if (text === "") return { args, out: "", rest: "" }
  if (args.scan.done) return { args, out: "", rest: further(args, text) }
  // White space says nothing here, and some models never stop sending it.
  if (args.mode === "head" && text.trim() === "") return { args, out: "", rest: "" }
  if (args.mode === "head") return takeHead(args.held + text)
  const { scan, rest } = scanJson(args.scan, text)
  const own = rest < 0 ? text : text.slice(0, rest)
  const next = args.mode === "object" ? passOn(args, own, scan) : keep(args, own, scan)
  return rest < 0 ? next : { ...next, rest: further(next.args, text.slice(rest)) }
}

function takeHead(text: string): Taken {
  const trimmed = text.trimStart()
  const empties = /^(?:\{\s*\}\s*)+/.exec(trimmed)?.[0] ?? ""
  const head = trimmed.slice(empties.length)
  // An object that follows `{}` is what was meant; anything else behind it is noise.
  if (head === "" || /^\{\s*$/.test(head)) {
    return { args: { ...noArguments, held: empties === "" || head !== "" ? head : "{}" }, out: "", rest: "" }
  }
  if (head.startsWith("{")) return takeArguments({ ...noArguments, mode: "object" }, head)
  if (empties === "") return takeArguments({ ...noArguments, mode: "other" }, head)
  return { args: { ...noArguments, mode: "object", scan: { ...emptyScan, done: true } }, out: "", rest: "" }
}

function passOn(args: Arguments, own: string, scan: Scan): Taken {
  return { args: { ...args, passed: args.passed + own, scan }, out: own, rest: "" }
}

function keep(args: Arguments, own: string, scan: Scan): Taken {
  const held = args.held + own
  if (!scan.done) return { args: { ...args, held, scan }, out: "", rest: "" }
  const out = normalise(held)
  return { args: { mode: "object", held: "", passed: out, scan }, out, rest: "" }
}

/** Behind a complete object: another one, unless it is empty or says the same again. */
function further(args: Arguments, text: string): string {
  const rest = text.trimStart().replace(/^(?:\{\s*\}\s*)+/, "")
  return rest.startsWith("{") && rest.trimEnd() !== args.passed.trimEnd() ? rest : ""
}

/** Are the arguments complete as they are? A lone `{}` and scalars are, if nothing more comes. */
export function isWhole(args: Arguments): boolean {
  if (args.scan.done || args.held === "{}") return true
  return args.mode === "other" && parseJson(args.held).ok
}

/** The reply is over: what is left to pass on, and whether the arguments are complete. */
export function endArguments(args: Arguments): { readonly out: string; readonly complete: boolean } {
  const complete = isWhole(args)
  if (args.mode === "other") return { out: normalise(args.held), complete }
  return { out: complete ? "" : args.held, complete }
}

/** Arguments that are no object, as the text of one; nothing for an empty one. */
function normalise(text: string): string {
  const input = toolInput(text)
  return Object.keys(input).length === 0 ? "" : JSON.stringify(input)
}

/**
 * The object that a call's argument text stands for. Nothing, `null`, scalars and lists become `{}`; text
 * encoded twice is decoded twice, a Markdown fence is taken off; what is no JSON at all is kept under
 * `_raw_arguments`, so that the client's own check of the input fails visibly instead of running the tool on a
 * guess.
 */
export function toolInput(json: string): JsonObject {
  const bare = json.replace(/^\s*```\w*|```\s*$/g, "").trim()
  if (bare === "") return {}
  const parsed = parseJson(bare)
  if (!parsed.ok) return { _raw_arguments: json }
  if (typeof parsed.value !== "string") return isObject(parsed.value) ? parsed.value : {}
  if (parsed.value.trim() === "") return {}
  const inner = parseJson(parsed.value)
  return inner.ok && isObject(inner.value) ? inner.value : { _raw_arguments: parsed.value }
}
