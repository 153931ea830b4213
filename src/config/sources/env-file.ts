// Dotenv files. A parser of our own: Node's cuts an unquoted value at any "#", and keys may hold one; and
// messages need line numbers.

interface EnvEntry {
  readonly name: string
  readonly value: string
  readonly line: number
}

interface EnvIssue {
  readonly line: number
  /** Undefined when the line does not even hold a name. */
  readonly name: string | undefined
  /** Never quotes the line: it may be a key. */
  readonly why: string
}

export interface EnvFile {
  readonly entries: readonly EnvEntry[]
  readonly issues: readonly EnvIssue[]
}

type Value =
  | { readonly ok: true; readonly value: string; readonly lines: number }
  | { readonly ok: false; readonly why: string }

const assignment = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=(.*)$/
const nothingToRead = /^\s*(#.*|export(\s+\w+)+\s*)?$/
const onlyComment = /^\s*(#.*)?$/s

/**
 * Reads a dotenv file: `export`, spaces round `=`, three kinds of quotes (over several lines too), comments.
 * In an unquoted value only white space followed by `#` begins a comment. A line that cannot be read becomes
 * an issue and the rest is still read. When a name comes twice both entries are given; the later one counts.
 */
export function parseEnvFile(text: string): EnvFile {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/)
  const entries: EnvEntry[] = []
  const issues: EnvIssue[] = []
  let index = 0
  while (index < lines.length) {
    const line = index + 1
    const current = lines[index] ?? ""
    const found = assignment.exec(current)
    if (found === null) {
      if (!nothingToRead.test(current))
        issues.push({ line, name: undefined, why: "is not of the form NAME=value" })
      index += 1
      continue
    }
    const name = found[1] ?? ""
    const read = readValue(found[2] ?? "", lines.slice(index + 1))
    if (read.ok) entries.push({ name, value: read.value, line })
    else issues.push({ line, name, why: read.why })
    index += read.ok ? read.lines : 1
  }
  return { entries, issues }
}

function readValue(rest: string, following: readonly string[]): Value {
  const start = rest.trimStart()
  const quote = start.charAt(0)
  if (!isQuote(quote)) return { ok: true, value: withoutComment(rest).trim(), lines: 1 }
  const body = [start.slice(1), ...following].join("\n")
  const close = closingQuote(body, quote)
  if (close < 0) return { ok: false, why: `has an opening ${quote} and no closing one` }
  const end = body.indexOf("\n", close)
  const tail = body.slice(close + 1, end < 0 ? undefined : end)
  if (!onlyComment.test(tail)) return { ok: false, why: `has text after its closing ${quote}` }
  const inner = body.slice(0, close)
  return { ok: true, value: quote === '"' ? withEscapes(inner) : inner, lines: inner.split("\n").length }
}

function isQuote(character: string): boolean {
  return character === '"' || character === "'" || character === "`"
}

function closingQuote(body: string, quote: string): number {
  if (quote !== '"') return body.indexOf(quote)
  const whole = /^(?:\\.|[^"\\])*"/s.exec(body)
  return whole === null ? -1 : whole[0].length - 1
}

function withEscapes(text: string): string {
  return text.replace(/\\([nr"\\])/g, (_, letter: string) =>
    letter === "n" ? "\n" : letter === "r" ? "\r" : letter,
  )
}

function withoutComment(text: string): string {
  return text.replace(/\s#.*$/s, "")
}

/**
 * A value as it came through the process environment, where `docker --env-file` leaves what dotenv takes off:
 * matching outer quotes, a comment at the end, white space around.
 */
export function normaliseValue(raw: string): string {
  const text = raw.trim()
  const quote = text.charAt(0)
  const close = isQuote(quote) ? text.indexOf(quote, 1) : -1
  if (close > 0 && onlyComment.test(text.slice(close + 1))) return text.slice(1, close).trim()
  return withoutComment(raw).trim()
}
