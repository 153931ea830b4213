// Walks the table of dialects over one section of text that may be a tool call. Each character is looked at once
// (a tag or a word that is cut waits for its rest); what is captured goes into a log, which is read when the
// section is over.
import { inOrder, type Link } from "../common/links.ts"
import { steps } from "./grammar.ts"
import { end, type Option, type Step, type Take } from "./steps.ts"

export interface Entry {
  readonly take: Take | "close"
  readonly text: string
}

export interface Section {
  readonly opener: string
  readonly step: string
  /** All text consumed so far, opener included. */
  readonly raw: string
  /** The captured text so far. */
  readonly value: string
  readonly depth: number
  /** The quote of the string that the text ends in; 0: in none. */
  readonly quote: number
  readonly escaped: boolean
  readonly log: Link<Entry> | undefined
  /** Something of a call's arguments has been read: what stands here is no mention of a tag any more. */
  readonly committed: boolean
}

interface Walk {
  readonly text: string
  at: number
  step: string
  value: string
  depth: number
  quote: number
  escaped: boolean
  log: Link<Entry> | undefined
  committed: boolean
  readonly isOffered: (name: string) => boolean
}

/** What became of the section, and how far into the text it got. */
interface Advance {
  readonly kind: "waits" | "ends" | "breaks"
  readonly section: Section
  readonly at: number
}

/** A section of which nothing is read but its opener. */
export function openSection({ literal, next }: Option): Section {
  const json = { depth: 0, quote: 0, escaped: false }
  return { opener: literal, step: next, raw: literal, value: "", ...json, log: undefined, committed: false }
}

/** Reads `text` from `start` on, as far as the section goes. */
export function advance(
  section: Section,
  text: string,
  start: number,
  isOffered: (name: string) => boolean,
): Advance {
  const { opener, raw } = section
  const walk: Walk = {
    text,
    at: start,
    step: section.step,
    value: section.value,
    depth: section.depth,
    quote: section.quote,
    escaped: section.escaped,
    log: section.log,
    committed: section.committed,
    isOffered,
  }
  let kind: Advance["kind"] | "goes" = "goes"
  while (kind === "goes") {
    const step = steps.get(walk.step)
    kind = walk.step === end ? "ends" : step === undefined ? "breaks" : take(walk, step)
  }
  const { at, step, value, depth, quote, escaped, log, committed } = walk
  const read = raw + text.slice(start, at)
  return { kind, at, section: { opener, step, raw: read, value, depth, quote, escaped, log, committed } }
}

type Progress = "goes" | "waits" | "breaks"

function take(walk: Walk, step: Step): Progress {
  switch (step.kind) {
    case "choice":
      return takeChoice(walk, step.options, step.otherwise)
    case "word":
      return takeWord(walk, step)
    case "value":
      return takeValue(walk, step)
    case "json":
      return takeJson(walk, step)
    default:
      return step satisfies never
  }
}

const [space, quote, apostrophe, backslash] = [32, 34, 39, 92]
const [openBrace, closeBrace, openBracket, closeBracket, openParen, closeParen] = [123, 125, 91, 93, 40, 41]

function skipSpace(walk: Walk): void {
  while (walk.at < walk.text.length && walk.text.charCodeAt(walk.at) <= space) walk.at++
}

function takeChoice(walk: Walk, options: readonly Option[], otherwise: string | undefined): Progress {
  skipSpace(walk)
  const { text, at } = walk
  if (at === text.length || options.some(({ literal }) => isCut(text, at, literal))) return "waits"
  const found = options.find(({ literal }) => text.startsWith(literal, at))
  const next = found?.next ?? otherwise
  if (next === undefined) return "breaks"
  if (found?.closes) walk.log = { item: { take: "close", text: "" }, before: walk.log }
  if (found !== undefined && !found.keep) walk.at += found.literal.length
  walk.step = next
  return "goes"
}

/** Does the text end within `literal`? */
function isCut(text: string, at: number, literal: string): boolean {
  return text.length - at < literal.length && literal.startsWith(text.slice(at))
}

const longestWord = 256
const wordPart = /[\w.:$@/-]*/y

function takeWord(walk: Walk, step: Step & { readonly kind: "word" }): Progress {
  skipSpace(walk)
  wordPart.lastIndex = walk.at
  const word = wordPart.exec(walk.text)?.[0] ?? ""
  if (word.length > longestWord) return "breaks"
  if (walk.at + word.length === walk.text.length) return "waits"
  if (word === "" || (step.offered && !walk.isOffered(word))) return "breaks"
  walk.at += word.length
  return captured(walk, step, word)
}

function captured(walk: Walk, step: { readonly take: Take; readonly next: string }, text: string): Progress {
  walk.log = { item: { take: step.take, text }, before: walk.log }
  walk.value = ""
  walk.step = step.next
  return "goes"
}

function takeValue(walk: Walk, step: Step & { readonly kind: "value" }): Progress {
  const { text, at } = walk
  const { until, forbid } = step
  walk.committed = true
  const found = text.indexOf(until, at)
  if (found < 0) {
    // A closing tag has one such character only, its first: nothing before the last one can be its beginning.
    const last = text.lastIndexOf(until.charAt(0))
    walk.at = last >= at && isCut(text, last, until) ? last : text.length
    walk.value += text.slice(at, walk.at)
    return "waits"
  }
  walk.at = found + until.length
  const value = walk.value + text.slice(at, found)
  if (forbid !== undefined && value.includes(forbid)) return "breaks"
  return captured(walk, step, value)
}

/** The beginning of arguments as Python has them, however much of it is there. */
const firstArgument = /^\(\s*(?:$|\)|[\p{L}_$][\p{L}\p{N}_.$-]*\s*(?:$|=))/u

function takeJson(walk: Walk, step: Step & { readonly kind: "json" }): Progress {
  const { text, at } = walk
  walk.committed = true
  let done = false
  while (walk.at < text.length && !done) {
    const code = text.charCodeAt(walk.at++)
    if (walk.quote !== 0) scanString(walk, code)
    else if (code === quote || (step.python && code === apostrophe)) walk.quote = code
    else if (isOpening(code, step.python)) walk.depth++
    else if (isClosing(code, step.python)) done = --walk.depth === 0
  }
  const value = walk.value + text.slice(at, walk.at)
  if (done) return captured(walk, step, value)
  // A remark in brackets is not held to the end of the reply.
  const isYoung = walk.value.length <= longestWord
  if (step.python && isYoung && !firstArgument.test(value.slice(0, 2 * longestWord))) return "breaks"
  walk.value = value
  return "waits"
}

const isOpening = (code: number, python?: true): boolean =>
  code === openBrace || code === openBracket || (python === true && code === openParen)
const isClosing = (code: number, python?: true): boolean =>
  code === closeBrace || code === closeBracket || (python === true && code === closeParen)

function scanString(walk: Walk, code: number): void {
  if (walk.escaped) walk.escaped = false
  else if (code === backslash) walk.escaped = true
  else if (code === walk.quote) walk.quote = 0
}

/** What was captured, in order. */
export function entriesOf({ log }: Section): readonly Entry[] {
  return inOrder(log)
}

/**
 * The reply ends with `rest` unread: are all calls of the section complete? Only a closing tag may be missing;
 * `undefined` says no, otherwise it is what of `rest` is not part of the section.
 */
export function restOf(section: Section, rest: string): string | undefined {
  const step = steps.get(section.step)
  if (step?.kind !== "choice" || !step.whole) return undefined
  const bare = rest.trimStart()
  if (step.otherwise === end) return bare
  return step.options[0]?.literal.startsWith(bare) ? "" : undefined
}
