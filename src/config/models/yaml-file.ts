// A YAML file with the place of everything in it: what load.ts makes of the text, and file.ts reads.
import { arrayOf, isObject, lookUp, objectOf, textOf } from "../../protocol/json.ts"

interface Position {
  readonly line: number
  readonly column: number
}

export interface YamlFile {
  /** Plain values; null for an empty file. */
  readonly value: unknown
  /** Where the key or the value at this path stands; of what is not there: where the next thing around it does. */
  readonly placeOf: (path: readonly PropertyKey[], part: "key" | "value") => Position
}

export type YamlRead =
  | { readonly ok: true; readonly file: YamlFile }
  | { readonly ok: false; readonly at: Position; readonly why: string }

/** How often one anchor may be followed, those within it included: more would fill the memory. */
export const mostAliases = 1_000

// By the parser's codes. Its own messages may quote the text, and the text may hold a key.
const words: Readonly<Record<string, string>> = {
  BAD_ALIAS: "an alias (*name) needs its anchor (&name) before it.",
  BAD_DQ_ESCAPE: 'a backslash within "..." must be doubled: or use single quotes.',
  BAD_INDENT: "the indentation does not fit the lines around it, or a bracket before it is not closed.",
  BAD_SCALAR_START: "a text that begins with this sign needs quotes.",
  BLOCK_AS_IMPLICIT_KEY:
    "a value stands here, and then another key: indent the next line like this one, or put quotes around the value.",
  ALIAS_BOMB: `aliases (*name) stand for too much from here on, more than ${mostAliases} times the same: write out what they mean.`,
  DUPLICATE_KEY: "this key stands twice in the same mapping: take one out.",
  MISSING_CHAR: "a colon, a comma, a quote or a bracket is missing here.",
  OPEN_QUOTE: "this quote is not closed: put the same one behind the text.",
  OPEN_BRACKET: "this bracket is not closed: put the other one behind what it holds.",
  MULTILINE_IMPLICIT_KEY: "a key has no colon behind it.",
  MISSING_SPACE: "a space is missing behind the colon.",
  MULTIPLE_DOCS: "a second document begins here (---): take it out, only one is read.",
  NON_STRING_KEY: "a key must be a plain text.",
  TAB_AS_INDENT: "a tab stands in the indentation: use spaces.",
  TAG_RESOLVE_FAILED: "a tag (!name) means nothing here: take it out, or put quotes around the text.",
  UNEXPECTED_TOKEN: "this does not belong here: is a quote or a bracket missing before it?",
}

/**
 * The parser complains where an open quote or bracket should have been closed at the latest; who has to correct
 * it looks for where it was opened. Undefined: nothing is open at `end`.
 */
export function unclosedAt(
  root: unknown,
  text: string,
  end: number,
): { code: string; offset: number } | undefined {
  const node = objectOf(root)
  for (const item of arrayOf(node["items"])) {
    const pair = objectOf(item)
    const found = ["key", "value"].flatMap((part) => unclosedAt(pair[part], text, end) ?? [])[0]
    const inside = found ?? unclosedAt(item, text, end)
    if (inside !== undefined) return inside
  }
  const [start, stop] = arrayOf(node["range"])
  if (typeof start !== "number" || stop !== end) return undefined
  const opened = text[start] ?? ""
  const closing = { '"': '"', "'": "'", "[": "]", "{": "}" }[opened]
  if (closing === undefined || (end - start > 1 && text[end - 1] === closing)) return undefined
  return { code: /["']/.test(opened) ? "OPEN_QUOTE" : "OPEN_BRACKET", offset: start }
}

/** What is wrong at this place of the text, for the code of a parser's error. */
export function explainYaml(code: string, text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1
  const line = text.slice(start)
  const known = /^ *\t/.test(line) ? "TAB_AS_INDENT" : slipIn(code, line, line.slice(0, offset - start))
  return lookUp(words, known) ?? "this is not YAML: correct the line."
}

/** To the parser a sign is missing, or a whole line behind a key: mostly it is only blanks. */
function slipIn(code: string, line: string, before: string): string {
  if (code !== "MISSING_CHAR" && code !== "MULTILINE_IMPLICIT_KEY") return code
  if (/^ *(?:- +)*[\w-]+:[^\s/]/.test(line)) return "MISSING_SPACE"
  return code === "MISSING_CHAR" && before.trim() === "" && /^ *[\w-]+:\s/.test(line) ? "BAD_INDENT" : code
}

/**
 * Where in the text the key or value at a path begins, found in the parser's tree: lists and mappings have
 * `items`, mappings pairs of `key` and `value`, and every node its `range`.
 */
export function offsetOf(root: unknown, path: readonly PropertyKey[], part: "key" | "value"): number {
  let node = root
  let offset = startOf(root) ?? 0
  for (const [index, step] of path.entries()) {
    const items = arrayOf(objectOf(node)["items"])
    const isIn = (item: unknown): boolean => objectOf(objectOf(item)["key"])["value"] === step
    const pair = typeof step === "number" ? {} : objectOf(items.find(isIn))
    node = typeof step === "number" ? items[step] : pair["value"]
    const isKey = part === "key" && index === path.length - 1
    const start = (isKey ? undefined : startOf(node)) ?? startOf(pair["key"])
    if (start === undefined) return offset
    offset = start
  }
  return offset
}

function startOf(node: unknown): number | undefined {
  const [start] = arrayOf(objectOf(node)["range"])
  return typeof start === "number" ? start : undefined
}

/** What an alias was, and where. */
type BrokenAlias = readonly [code: "BAD_ALIAS" | "ALIAS_BOMB", offset: number]

/** The first alias without an anchor before it; if all have one, the first with which they stand for too much. */
export function brokenAlias(root: unknown): BrokenAlias {
  const uses = new Map<string, number>()
  const weights = new Map<string, number>()
  let last = 0

  /** One more use of an anchor: it weighs what the aliases within it stand for. */
  function follow(source: string, above: readonly string[]): BrokenAlias | undefined {
    const weight = weights.get(source)
    if (weight === undefined) return ["BAD_ALIAS", last]
    const own = Math.max(1, weight)
    const used = (uses.get(source) ?? 0) + 1
    uses.set(source, used)
    for (const anchor of above) weights.set(anchor, (weights.get(anchor) ?? 0) + own)
    return used * own > mostAliases ? ["ALIAS_BOMB", last] : undefined
  }

  function walk(node: unknown, above: readonly string[]): BrokenAlias | undefined {
    const alias = aliasOf(node)
    if (alias !== undefined) {
      last = startOf(node) ?? last
      return follow(alias, above)
    }
    const anchor = textOf(objectOf(node)["anchor"])
    const within = anchor === undefined ? above : [...above, anchor]
    if (anchor !== undefined) weights.set(anchor, 0)
    for (const part of partsOf(node)) {
      const found = walk(part, within)
      if (found !== undefined) return found
    }
    return undefined
  }

  return walk(root, []) ?? ["ALIAS_BOMB", last]
}

/** The anchor that an alias names: of all nodes it alone has a source and neither parts nor a value. */
function aliasOf(node: unknown): string | undefined {
  const { source, items, value } = objectOf(node)
  return items === undefined && value === undefined ? textOf(source) : undefined
}

function partsOf(node: unknown): readonly unknown[] {
  const { items, key, value } = objectOf(node)
  return Array.isArray(items) ? items : [key, value].filter(isObject)
}
