// Relays that say things more than once: all arguments so far in every chunk, or every chunk twice. Both show in
// the first fragment that begins with everything before it, because in arguments that are sent in pieces an
// object hardly ever stands there. Where one could, the next fragment decides, and until then this one waits.
import { awaitsValue } from "./json-end.ts"
import {
  type Arguments,
  isWhole,
  noArguments,
  quiet,
  repaired,
  type Taken,
  takeArguments,
} from "./json-scan.ts"
import { addRepairs, repair } from "./repairs.ts"

export type Repeats =
  /** No sign yet; `came` is the length of all fragments, `count` their number. */
  | { readonly kind: "watched"; readonly came: number; readonly count: number }
  /** A fragment that may be a repetition, and what came after it. */
  | {
      readonly kind: "doubt"
      readonly came: number
      readonly count: number
      readonly waiting: readonly string[]
    }
  /** Every fragment comes twice; `expected` is the one whose second time is due. */
  | { readonly kind: "doubled"; readonly came: number; readonly expected: string }
  | { readonly kind: "cumulative" }
  /** What looked like a habit was none. */
  | { readonly kind: "plain" }

export const noRepeats: Repeats = { kind: "watched", came: 0, count: 0 }

export interface Received extends Taken {
  readonly repeats: Repeats
}

/** One more fragment of a call's arguments: what of it is new goes on to takeArguments. Linear in the fragment. */
export function receive(repeats: Repeats, args: Arguments, text: string): Received {
  if (text === "") return { ...quiet(args), repeats }
  switch (repeats.kind) {
    case "watched":
      return watch(repeats, args, text)
    case "doubt":
      return settle(repeats, args, text)
    case "doubled":
      return pair(repeats, args, text)
    case "cumulative":
      return grow(args, text)
    case "plain":
      return plainly(args, text)
    default:
      return repeats satisfies never
  }
}

/** The reply is over while a fragment waits: the reading that makes the arguments complete is the right one. */
export function endReceive(repeats: Repeats, args: Arguments): Taken {
  if (repeats.kind !== "doubt") return quiet(args)
  const [second = "", third = ""] = repeats.waiting
  const asPieces = takeArguments(args, second + third)
  if (asPieces.args.done) return asPieces
  const isFirst = second.length === repeats.came
  const asRepeats = isFirst ? takeArguments(args, third) : grown(args, second)
  return asRepeats?.args.done === true ? asRepeats : asPieces
}

/** Does a relay that repeats itself say this again, so that it is no new call? */
export function isExpected(repeats: Repeats, args: Arguments, text: string): boolean {
  if (repeats.kind === "doubled") return repeats.expected === text
  return repeats.kind === "doubt" || (repeats.kind === "cumulative" && restart(args, text) !== undefined)
}

/** Does it begin with all that came so far? */
export function isRestart(args: Arguments, text: string): boolean {
  return restart(args, text) !== undefined
}

/** Are these the arguments that are complete already? */
export function isSame(args: Arguments, other: Taken): boolean {
  return isWhole(args) && isWhole(other.args) && other.rest === "" && other.args.passed === args.passed
}

function plainly(args: Arguments, text: string): Received {
  return { ...takeArguments(args, text), repeats: { kind: "plain" } }
}

function watch(repeats: Extract<Repeats, { kind: "watched" }>, args: Arguments, text: string): Received {
  const { came, count } = repeats
  switch (signOf(args, came, text)) {
    case "none": {
      const taken = takeArguments(args, text)
      // What may still turn out to be a place holder does not count.
      const counts = taken.args.mode !== "head" || /^\{\s*$/.test(taken.args.held)
      const next = counts ? { came: came + text.length, count: count + 1 } : { came: 0, count: 0 }
      return { ...taken, repeats: { kind: "watched", ...next } }
    }
    case "doubt":
      return { ...quiet(args), repeats: { kind: "doubt", came, count, waiting: [text] } }
    case "repeat":
      return begin(args, came, count, text)
  }
}

/** The sign was there: the first fragment a second time, or more. */
function begin(args: Arguments, came: number, count: number, text: string): Received {
  if (count > 1 || text.length > came) return grow(args, text)
  const known = repaired(args, args.done ? repair.repeated : repair.doubled)
  return { ...quiet(known), repeats: { kind: "doubled", came, expected: "" } }
}

type Sign = "none" | "doubt" | "repeat"

function signOf(args: Arguments, came: number, text: string): Sign {
  if (came === 0 || text.length < came || restart(args, text) === undefined) return "none"
  const { mode, filter, passed, held, scan, done } = args
  if (passed + held === "") return "none"
  if (done || mode === "head") return "repeat"
  if (mode === "object" && filter.mode === "string") return quoteSign(text.charAt(text.indexOf('"') + 1))
  const open = mode === "object" ? awaitsValue(filter, passed) : !scan.inString && /[:[,]\s*$/.test(held)
  return open ? "doubt" : "repeat"
}

/** Inside a string, `{"` would be the string's end, and only these could follow. */
function quoteSign(next: string): Sign {
  if (next === "") return "doubt"
  return /[\s:,}\]]/.test(next) ? "none" : "repeat"
}

/** The fragment read as everything so far and more; undefined when it is not. */
function restart(args: Arguments, text: string): Taken | undefined {
  if (!text.trimStart().startsWith("{")) return undefined
  const again = takeArguments(noArguments, text)
  const goesOn =
    args.passed === "" ? text.trimStart().startsWith(args.held) : again.args.passed.startsWith(args.passed)
  return goesOn ? again : undefined
}

function grown(args: Arguments, text: string): Taken | undefined {
  const again = restart(args, text)
  if (again === undefined) return undefined
  const repairs = addRepairs(addRepairs(args.repairs, [repair.cumulative]), again.args.repairs)
  const out = again.args.passed.slice(args.passed.length)
  return { args: { ...again.args, repairs }, out, rest: again.rest }
}

function grow(args: Arguments, text: string): Received {
  const taken = grown(args, text)
  if (taken !== undefined) return { ...taken, repeats: { kind: "cumulative" } }
  // Something from before, once more.
  if (args.passed.startsWith(text)) return { ...quiet(args), repeats: { kind: "cumulative" } }
  return plainly(args, text)
}

function pair(repeats: Extract<Repeats, { kind: "doubled" }>, args: Arguments, text: string): Received {
  const { came, expected } = repeats
  if (expected !== "") {
    if (text !== expected) return plainly(args, text)
    return { ...quiet(args), repeats: { kind: "doubled", came, expected: "" } }
  }
  if (text.length > came && signOf(args, came, text) === "repeat") return grow(args, text)
  const next = { kind: "doubled", came: came + text.length, expected: text } as const
  return { ...takeArguments(args, text), repeats: next }
}

function settle(repeats: Extract<Repeats, { kind: "doubt" }>, args: Arguments, text: string): Received {
  const { came, count, waiting } = repeats
  const [second = "", third] = waiting
  const isFirst = second.length === came
  if (text.startsWith(second) && !(isFirst && text === second)) return grow(args, text)
  if (args.mode === "object" && args.filter.mode === "string") {
    if (quoteSign(text.charAt(0)) === "none") return plainly(args, second + text)
    const known = begin(args, came, count, second)
    return receive(known.repeats, known.args, text)
  }
  if (!isFirst || text === second) return plainly(args, waiting.join("") + text)
  if (third === undefined) return { ...quiet(args), repeats: { ...repeats, waiting: [second, text] } }
  if (text !== third) return plainly(args, second + third + text)
  const known = repaired(args, repair.doubled)
  return { ...takeArguments(known, third), repeats: { kind: "doubled", came, expected: "" } }
}
