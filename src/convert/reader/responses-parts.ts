// What the parts of one item say: in pieces, as a whole, or both, and each thing once.
import type { JsonObject } from "../../protocol/json.ts"
import { addText, type GrownText, noText, textOf } from "../common/grown-text.ts"
import { called } from "./reader.ts"
import {
  after,
  none,
  otherText,
  type ReaderState,
  reasoning,
  releaseHeld,
  type Step,
  tagged,
} from "./reader-text.ts"

export interface Item {
  readonly index: number
  /** The last part of each kind of which something has come. */
  readonly seen: Readonly<Partial<Record<Kind, Part>>>
  /** It was added, so that a call is known by name. */
  readonly added: boolean
  /** Arguments that came before that. */
  readonly early: string
}

export type ItemStep = readonly [Item, Step]

/** The item at an output_index, before any of its events. */
export function initialItem(index: number): Item {
  return { index, seen: {}, added: false, early: "" }
}

/** What an event can bring text of. */
export type Kind = "summary" | "reasoning" | "text" | "refusal" | "arguments"

/** It changes in place with every piece. */
interface Part {
  position: number
  text: GrownText
  /** It was told as a whole. */
  ended: boolean
}

export interface Said {
  readonly kind: Kind
  readonly position: number
  readonly text: string | undefined
  /** All of a part, which may have come in pieces before. */
  readonly isWhole: boolean
}

/** One text of an item: as much of it as has not come before. */
export function say(reader: ReaderState, item: Item, given: Said): ItemStep {
  const { kind, position, text, isWhole } = given
  // A summary and the reasoning itself are one thing told twice: the first to come is shown.
  const other = kind === "summary" ? "reasoning" : kind === "reasoning" ? "summary" : undefined
  if (text === undefined || (other !== undefined && item.seen[other] !== undefined)) return [item, none]
  const part = item.seen[kind]
  if (part !== undefined && isOfPart(part, given)) {
    const news = isWhole ? restOf(part, position, text) : text
    part.position = Math.max(part.position, position)
    part.ended ||= isWhole
    part.text = addText(part.text, news)
    return [item, news === "" ? none : pass(reader, item, kind, news, false)]
  }
  const begun: Part = { position, text: addText(noText, text), ended: isWhole }
  return [{ ...item, seen: { ...item.seen, [kind]: begun } }, pass(reader, item, kind, text, true)]
}

/** vLLM gives every piece, and then the whole, the next content_index: only behind a part's end another one begins. */
function isOfPart(part: Part, { kind, position, text = "", isWhole }: Said): boolean {
  if (position <= part.position) return true
  if (part.ended || kind === "summary") return false
  return !isWhole || text.startsWith(textOf(part.text))
}

/** What a whole text adds to its pieces, some of which servers lose (opencode#44862, BerriAI/litellm#20711). */
function restOf(part: Part, position: number, text: string): string {
  const told = position < part.position ? undefined : textOf(part.text)
  return told !== undefined && text.startsWith(told) ? text.slice(told.length) : ""
}

function pass(reader: ReaderState, item: Item, kind: Kind, text: string, isNew: boolean): Step {
  switch (kind) {
    case "summary":
    case "reasoning": {
      // Parts are paragraphs.
      const gap = isNew && reader.last === "reasoning" ? "\n\n" : ""
      return reasoning(reader, gap + text, kind)
    }
    case "text":
      return tagged(reader, between(reader, item) + text)
    case "refusal":
      return otherText(reader, between(reader, item) + text)
    case "arguments":
      return callWith(reader, { index: item.index, function: { arguments: text } })
    default:
      return kind satisfies never
  }
}

/** Messages in a row are paragraphs of one text; the parts of one message belong together. */
function between({ last }: ReaderState, { seen }: Item): string {
  return last === "text" && seen.text === undefined && seen.refusal === undefined ? "\n\n" : ""
}

/** An entry of a call, behind what was held back of the text. */
export function callWith(reader: ReaderState, entry: JsonObject): Step {
  return after(releaseHeld(reader, "call"), called(reader, [entry], false))
}
