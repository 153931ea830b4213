// Values that are not written as JSON: Python's literals, in calls like `[Bash(command='ls')]`, and Gemma's, with
// bare keys and strings between tokens, as in `{command:<|"|>ls<|"|>}`. What is not wholly such a text is none.
import { type JsonObject, lookUp } from "../../protocol/json.ts"

interface WrittenCall {
  readonly name: string
  readonly args: JsonObject
}

interface Walk {
  readonly text: string
  at: number
}

type Found = { readonly value: unknown } | undefined

const deepest = 64

/** A list of calls as Python writes them; undefined: it is something else. */
export function readPythonCalls(text: string): readonly WrittenCall[] | undefined {
  const walk: Walk = { text, at: 0 }
  if (!skip(walk, "[")) return undefined
  const calls: WrittenCall[] = []
  do {
    const call = readCall(walk)
    if (call === undefined) return undefined
    calls.push(call)
  } while (skip(walk, ",") && !startsWith(walk, "]"))
  return skip(walk, "]") && isOver(walk) ? calls : undefined
}

/** Arguments as Python writes them, with the brackets around them. */
export function readPythonArgs(text: string): JsonObject | undefined {
  const walk: Walk = { text, at: 0 }
  const found = skip(walk, "(") ? readMembers(walk, ")", "=", 0) : undefined
  return isOver(walk) ? found : undefined
}

/** An object as Gemma writes it, in round brackets too. */
export function readBraced(text: string): JsonObject | undefined {
  const walk: Walk = { text, at: 0 }
  const close = skip(walk, "{") ? "}" : ")"
  const found = close === "}" || skip(walk, "(") ? readMembers(walk, close, ":", 0) : undefined
  return found !== undefined && isOver(walk) ? found : readPythonArgs(text)
}

function readCall(walk: Walk): WrittenCall | undefined {
  const name = readWord(walk)
  if (name === undefined || !skip(walk, "(")) return undefined
  const args = readMembers(walk, ")", "=", 0)
  return args === undefined ? undefined : { name, args }
}

/** Keys and values up to `close`. */
function readMembers(walk: Walk, close: string, between: string, depth: number): JsonObject | undefined {
  const members: (readonly [string, unknown])[] = []
  while (!skip(walk, close)) {
    const key = between === "=" ? readWord(walk) : readKey(walk)
    const found = key !== undefined && skip(walk, between) ? readValue(walk, depth + 1) : undefined
    if (key === undefined || found === undefined) return undefined
    members.push([key, found.value])
    if (!skip(walk, ",") && !startsWith(walk, close)) return undefined
  }
  const keys = new Set(members.map(([key]) => key))
  return keys.size === members.length ? Object.fromEntries(members) : undefined
}

function readKey(walk: Walk): string | undefined {
  return readString(walk) ?? readWord(walk)
}

function readValue(walk: Walk, depth: number): Found {
  if (depth > deepest) return undefined
  if (skip(walk, "[")) return readItems(walk, depth)
  if (skip(walk, "{")) {
    const value = readMembers(walk, "}", ":", depth)
    return value && { value }
  }
  const text = readString(walk)
  return text === undefined ? readPlain(walk) : { value: text }
}

function readItems(walk: Walk, depth: number): Found {
  const items: unknown[] = []
  while (!skip(walk, "]")) {
    const item = readValue(walk, depth + 1)
    if (item === undefined) return undefined
    items.push(item.value)
    if (!skip(walk, ",") && !startsWith(walk, "]")) return undefined
  }
  return { value: items }
}

const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["True", true],
  ["true", true],
  ["False", false],
  ["false", false],
  ["None", null],
  ["null", null],
])

const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y
const word = /[\p{L}_$][\p{L}\p{N}_.$:-]*/uy
const key = /[\p{L}_$][\p{L}\p{N}_.$-]*/uy

function readPlain(walk: Walk): Found {
  const digits = match(walk, number)
  if (digits !== undefined) return { value: Number(digits) }
  const named = match(walk, word)
  return named !== undefined && words.has(named) ? { value: words.get(named) } : undefined
}

function readWord(walk: Walk): string | undefined {
  return match(walk, key)
}

const quotes = ['<|"|>', "<escape>", '"""', "'''", '"', "'"] as const

/** A string in any of the quotes; only between tokens a backslash means itself. */
function readString(walk: Walk): string | undefined {
  skipSpace(walk)
  const quote = quotes.find((one) => walk.text.startsWith(one, walk.at))
  if (quote === undefined) return undefined
  const start = walk.at + quote.length
  const isRaw = quote.startsWith("<")
  let end = start
  while (end < walk.text.length && !walk.text.startsWith(quote, end)) {
    end += !isRaw && walk.text.charAt(end) === "\\" ? 2 : 1
  }
  if (end >= walk.text.length) return undefined
  walk.at = end + quote.length
  const inner = walk.text.slice(start, end)
  return isRaw ? inner : inner.replace(escaped, (whole, code: string) => unescaped(whole, code))
}

const escaped = /\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|[\s\S])/g
const named: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", "\n": "" }

/** An escape that means nothing is left as it is, as Python does. */
function unescaped(whole: string, code: string): string {
  if (code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
  if ("\"'\\/".includes(code)) return code
  return lookUp(named, code) ?? whole
}

function match(walk: Walk, pattern: RegExp): string | undefined {
  skipSpace(walk)
  pattern.lastIndex = walk.at
  const found = pattern.exec(walk.text)?.[0]
  if (found !== undefined) walk.at += found.length
  return found
}

function skipSpace(walk: Walk): void {
  while (/\s/.test(walk.text.charAt(walk.at))) walk.at++
}

function startsWith(walk: Walk, text: string): boolean {
  skipSpace(walk)
  return walk.text.startsWith(text, walk.at)
}

function skip(walk: Walk, text: string): boolean {
  const found = startsWith(walk, text)
  if (found) walk.at += text.length
  return found
}

function isOver(walk: Walk): boolean {
  skipSpace(walk)
  return walk.at === walk.text.length
}
