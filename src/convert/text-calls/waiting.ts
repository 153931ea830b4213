// Calls that can be read and wait for what follows them. All that stands on one line shares its fate, and what
// stands behind text waits for the end of the reply.
import { jsonOf } from "../../protocol/json.ts"
import { inOrder, type Link } from "../common/links.ts"
import { closers, openerAt, openers } from "./grammar.ts"
import { endsWithin, type Option } from "./steps.ts"
import type { TextCall } from "./values.ts"

/** Calls of one line, and all of its text from the first one's tag on. */
interface Group {
  /** `alone`: in a fence, so that they are calls only where nothing else is said, not even another call. */
  readonly place: "own" | "glued" | "alone"
  readonly raw: string
  readonly calls: Link<readonly TextCall[]>
}

export interface Waiting {
  /** The calls of the line that is being read. */
  readonly line: Group | undefined
  /** Those of the lines before it, since one of them waits for the end of the reply. */
  readonly earlier: Link<Group> | undefined
}

export const nothingWaits: Waiting = { line: undefined, earlier: undefined }

export const isWaiting = ({ line, earlier }: Waiting): boolean => line !== undefined || earlier !== undefined

/** Further calls on the line. */
export function addCalls(
  { line, earlier }: Waiting,
  raw: string,
  item: readonly TextCall[],
  place: Group["place"],
): Waiting {
  if (line === undefined) return { line: { place, raw, calls: { item, before: undefined } }, earlier }
  return { line: { ...line, raw: line.raw + raw, calls: { item, before: line.calls } }, earlier }
}

/** Text that says nothing, behind what waits. */
export function addRaw({ line, earlier }: Waiting, raw: string): Waiting {
  if (line !== undefined) return { line: { ...line, raw: line.raw + raw }, earlier }
  if (earlier === undefined) return nothingWaits
  const { item, before } = earlier
  return { line, earlier: { item: { ...item, raw: item.raw + raw }, before } }
}

/** The line is over; what stood on it waits on. */
export function endWaitingLine({ line, earlier }: Waiting): Waiting {
  return line === undefined
    ? { line, earlier }
    : { line: undefined, earlier: { item: line, before: earlier } }
}

/** Does a call wait that has to be the whole reply? None stands behind another. */
export const waitsAlone = ({ line, earlier }: Waiting): boolean =>
  line?.place === "alone" || earlier?.item.place === "alone"

/** Everything that waits, in order. */
export function groupsOf({ line, earlier }: Waiting): readonly Group[] {
  const groups = inOrder(earlier)
  return line === undefined ? groups : [...groups, line]
}

/** Does a call begin it all that nothing but its place makes one? */
export const beginsBare = ([first]: readonly Group[]): boolean => first?.raw.startsWith("{") === true

/** Are such calls there once more, in tags? */
export function saysTwice(groups: readonly Group[]): boolean {
  const [first, ...others] = groups
  if (first === undefined || others.length === 0 || !beginsBare(groups)) return false
  const tagged = new Set(others.flatMap(callsOfGroup).map(keyOf))
  return callsOfGroup(first).every((call) => tagged.has(keyOf(call)))
}

/** The same for all ways to write the call. */
const keyOf = ({ name, args }: TextCall): string => `${name} ${JSON.stringify(jsonOf(args))}`

export const callsOfGroup = ({ calls }: Group): readonly TextCall[] => inOrder(calls).flat()

type Next =
  | { readonly kind: "line" | "prose" | "cut" }
  | { readonly kind: "opener"; readonly opener: Option }
  /** Tags that close something, and special tokens, say nothing. */
  | { readonly kind: "noise"; readonly length: number }

const token = /<([|｜])[^\s<>|｜]{1,64}\1>/y
const cutToken = /<(?:([|｜])(?:[^\s<>|｜]{1,64}\1?)?)?$/y

/** What stands at this place of the text, which is no blank; `cut`: only the rest of it can tell. */
export function nextOf(text: string, at: number): Next {
  const char = text.charAt(at)
  if (char === "\n") return { kind: "line" }
  if (char !== "<" && char !== "[" && char !== "]") return { kind: "prose" }
  const opener = openerAt(text, at)
  if (opener !== undefined) return { kind: "opener", opener }
  const closer = closers.find((literal) => text.startsWith(literal, at))
  if (closer !== undefined) return { kind: "noise", length: closer.length }
  token.lastIndex = at
  const found = token.exec(text)?.[0]
  // A token may be the beginning of an opener.
  const cut = isCut(text, at)
  if (found !== undefined && !cut) return { kind: "noise", length: found.length }
  cutToken.lastIndex = at
  return { kind: cut || cutToken.test(text) ? "cut" : "prose" }
}

const isCut = endsWithin([...openers.map(({ literal }) => literal), ...closers])
