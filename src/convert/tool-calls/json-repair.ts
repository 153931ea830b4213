// Text that should be JSON and is not quite, read as a whole: what JavaScript and Python would write, and no
// more. The result has to pass JSON.parse, so whatever is not one of the known deviations is refused there.
import { parseJson } from "../../protocol/json.ts"
import { endJson } from "./json-end.ts"
import { emptyFilter, filterJson } from "./json-stream.ts"
import { repair } from "./repairs.ts"

type Repaired =
  | {
      readonly ok: true
      readonly value: unknown
      /** The value as JSON, every token that needed no repair unchanged. */
      readonly text: string
      /** What was done, in words; empty for valid JSON. */
      readonly what: readonly string[]
    }
  | { readonly ok: false }

/**
 * Reads JSON with trailing commas, comments, single quotes, property names without quotes, Python's literals,
 * raw control characters and unknown escapes in strings, and brackets that are not closed at the end. Anything
 * else, and anything behind the value, is not ok. Never throws; linear in the text.
 */
export function repairJson(text: string): Repaired {
  const plain = parseJson(text)
  if (plain.ok) return { ok: true, value: plain.value, text, what: [] }
  const quoted = requote(text)
  const { filter, out, rest } = filterJson(emptyFilter, quoted.text)
  if (rest >= 0) return { ok: false }
  const ended = endJson(filter, out, true)
  const parsed = parseJson(out + ended.out)
  if (!ended.complete || !parsed.ok) return { ok: false }
  return {
    ok: true,
    value: parsed.value,
    text: out + ended.out,
    what: [...quoted.what, ...ended.repairs],
  }
}

interface Token {
  readonly end: number
  /** What it becomes; undefined: it stays. */
  readonly text?: string
  readonly what?: string
}

/** The same text with every string and every property name in double quotes. */
function requote(text: string): { readonly text: string; readonly what: readonly string[] } {
  const what = new Set<string>()
  let [out, from, before] = ["", 0, ""]
  for (let at = 0; at < text.length; ) {
    const char = text.charAt(at)
    const token = tokenAt(text, at, before)
    if (token.text !== undefined) {
      out += text.slice(from, at) + token.text
      from = token.end
    }
    if (token.what !== undefined) what.add(token.what)
    if (char.trim() !== "" && char !== "/") before = char
    at = token.end
  }
  return { text: out + text.slice(from), what: [...what] }
}

/** `before` is the last character of substance. */
function tokenAt(text: string, at: number, before: string): Token {
  const char = text.charAt(at)
  if (char === '"') return { end: endOfString(text, at) }
  if (char === "'") {
    const end = endOfString(text, at)
    const closed = end <= text.length
    const body = text.slice(at + 1, closed ? end - 1 : end)
    return { end, text: `"${escapeQuotes(body)}${closed ? '"' : ""}`, what: repair.quote }
  }
  if (char === "/") return { end: endOfComment(text, at) }
  const name = before === "{" || before === "," ? nameAt(text, at) : ""
  return name === "" ? { end: at + 1 } : { end: at + name.length, text: `"${name}"`, what: repair.key }
}

/** Behind the closing quote; behind the end of the text where there is none. */
function endOfString(text: string, at: number): number {
  const quote = text.charAt(at)
  for (let end = at + 1; end < text.length; end++) {
    const char = text.charAt(end)
    if (char === "\\") end++
    else if (char === quote) return end + 1
  }
  return text.length + 1
}

function escapeQuotes(body: string): string {
  return body.replace(/\\[\s\S]|"/g, (found) => {
    if (found === '"') return '\\"'
    return found === "\\'" ? "'" : found
  })
}

function endOfComment(text: string, at: number): number {
  const isLine = text.startsWith("//", at)
  if (!isLine && !text.startsWith("/*", at)) return at + 1
  const end = text.indexOf(isLine ? "\n" : "*/", at + 2)
  if (end < 0) return text.length
  return isLine ? end : end + 2
}

/** A name that a colon follows. */
function nameAt(text: string, at: number): string {
  const pattern = /[A-Za-z_$][\w$-]*(?=\s*:)/y
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ""
}
