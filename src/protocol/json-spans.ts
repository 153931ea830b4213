// Where the parts of a JSON text stand in it, for changing one of them and leaving every other character as it
// was. Nothing is parsed but keys; the texts are ones that JSON.parse has taken.

/** From `start` up to, but without, `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

export interface Member {
  readonly key: string
  /** Key, colon and value. */
  readonly span: Span
  readonly value: Span
}

const quote = 34
const comma = 44
const colon = 58
const openBracket = 91
const backslash = 92
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

/**
 * The members of the object that begins at `from` (white space may come first), in their order, a key that
 * stands there twice included; empty when there is no object. Nested values cost no stack.
 */
export function membersOf(text: string, from: number): readonly Member[] {
  const members: Member[] = []
  const open = skipSpace(text, from)
  if (text.charCodeAt(open) !== openBrace) return members
  let at = skipSpace(text, open + 1)
  while (text.charCodeAt(at) === quote) {
    const keyEnd = skipString(text, at)
    const start = skipSpace(text, afterSign(text, skipSpace(text, keyEnd), colon))
    const end = skipValue(text, start)
    members.push({ key: readKey(text.slice(at, keyEnd)), span: { start: at, end }, value: { start, end } })
    at = skipSpace(text, afterSign(text, skipSpace(text, end), comma))
  }
  return members
}

/** The elements of the array that begins at `from` (white space may come first); empty when there is none. */
export function elementsOf(text: string, from: number): readonly Span[] {
  const elements: Span[] = []
  const open = skipSpace(text, from)
  if (text.charCodeAt(open) !== openBracket) return elements
  let start = skipSpace(text, open + 1)
  while (start < text.length && text.charCodeAt(start) !== closeBracket) {
    const end = Math.max(skipValue(text, start), start + 1)
    elements.push({ start, end })
    start = skipSpace(text, afterSign(text, skipSpace(text, end), comma))
  }
  return elements
}

/** The member that JSON.parse keeps: of two with the same key, the last one. */
export function memberOf(members: readonly Member[], key: string): Member | undefined {
  return members.findLast((member) => member.key === key)
}

/**
 * What has to go so that the items at these positions are gone, with the commas that were theirs. `items` are
 * the elements of one array or the members of one object, all of them, in order.
 */
export function removalsOf(items: readonly Span[], gone: ReadonlySet<number>): readonly Span[] {
  const removals: Span[] = []
  let kept: Span | undefined
  let first: Span | undefined
  for (const [position, item] of items.entries()) {
    if (!gone.has(position)) {
      if (kept === undefined && first !== undefined) removals.push({ start: first.start, end: item.start })
      kept = item
      continue
    }
    first ??= item
    // The comma before it goes too, unless nothing stays before it.
    if (kept !== undefined) removals.push({ start: (items[position - 1] ?? item).end, end: item.end })
  }
  if (kept === undefined && first !== undefined)
    removals.push({ start: first.start, end: (items.at(-1) ?? first).end })
  return removals
}

function afterSign(text: string, at: number, sign: number): number {
  return text.charCodeAt(at) === sign ? at + 1 : at
}

function readKey(raw: string): string {
  return raw.includes("\\") ? String(JSON.parse(raw)) : raw.slice(1, -1)
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (isSpace(text.charCodeAt(at))) at += 1
  return at
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9
}

/** The end of the value that begins at `from`. */
function skipValue(text: string, from: number): number {
  const first = text.charCodeAt(from)
  if (first === quote) return skipString(text, from)
  if (first !== openBrace && first !== openBracket) return skipWord(text, from)
  let depth = 0
  let at = from
  do {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = skipString(text, at)
      continue
    }
    if (code === openBrace || code === openBracket) depth += 1
    else if (code === closeBrace || code === closeBracket) depth -= 1
    at += 1
  } while (depth > 0 && at < text.length)
  return at
}

/** Numbers, true, false and null. */
function skipWord(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === comma || code === closeBrace || code === closeBracket || isSpace(code)) break
    at += 1
  }
  return at
}

/** The end of the string whose opening quote stands at `from`. */
function skipString(text: string, from: number): number {
  let end = text.indexOf('"', from + 1)
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end < 0 ? text.length : end + 1
}

/** Does an odd number of backslashes stand before it? */
export function isEscaped(text: string, at: number): boolean {
  let before = at
  while (text.charCodeAt(before - 1) === backslash) before -= 1
  return (at - before) % 2 === 1
}
