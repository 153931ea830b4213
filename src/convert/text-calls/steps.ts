// What a dialect of tool calls in text is made of: small steps, each saying what may come next. White space between
// the parts means nothing, only a value keeps its own.

export interface Option {
  readonly literal: string
  readonly next: string
  /** The literal is the beginning of what the next step reads. */
  readonly keep?: true
  /** The call with its parameters is complete here. */
  readonly closes?: true
}

/**
 * What a captured piece of text is. `written`: calls as JSON or as Python has them; `python`, `braced`, `marked` and
 * `flags`: arguments of Python, of Gemma, and of two MiniMax models.
 */
export type Take =
  | "name"
  | "key"
  | "id"
  | "value"
  | "lines"
  | "string"
  | "literal"
  | "args"
  | "calls"
  | "written"
  | "python"
  | "braced"
  | "marked"
  | "flags"
  | "junk"

export type Step =
  | {
      readonly kind: "choice"
      readonly options: readonly Option[]
      /** Where to go when none of the options comes; undefined: the section is malformed. */
      readonly otherwise?: string
      /** All that was begun is complete: the reply may end here, or within the first option. */
      readonly whole?: true
    }
  /** `offered`: nothing but the name of a tool will do. */
  | { readonly kind: "word"; readonly take: Take; readonly next: string; readonly offered?: true }
  /** Raw text up to `until`; text with `forbid` in it could be read in two ways. */
  | {
      readonly kind: "value"
      readonly take: Take
      readonly until: string
      readonly forbid?: string
      readonly next: string
    }
  /** Up to the bracket that closes the first one; `python`: brackets and quotes of any kind count. */
  | { readonly kind: "json"; readonly take: Take; readonly next: string; readonly python?: true }

/** The token that MiniMax-M3 writes before every tag. */
export const minimaxMark = "]<]minimax[>["

/** Where a section is over. */
export const end = "end"

export type Steps = readonly (readonly [string, Step])[]

/** A tag that leads on. */
export const option = (literal: string, next: string): Option => ({ literal, next })
/** A tag that ends a call with parameters. */
export const closing = (literal: string, next: string): Option => ({ literal, next, closes: true })
/** A JSON object, which the next step reads. */
export const object = (next: string): Option => ({ literal: "{", next, keep: true })
/** A JSON list, which the next step reads. */
export const list = (next: string): Option => ({ literal: "[", next, keep: true })
/** Something in round brackets, which the next step reads. */
export const bracket = (next: string): Option => ({ literal: "(", next, keep: true })

/** One of the options, and nothing else. */
export const choice = (...options: readonly Option[]): Step => ({ kind: "choice", options })
/** One of the options, or whatever another step reads. */
export const choiceOr = (otherwise: string, ...options: readonly Option[]): Step => ({
  kind: "choice",
  options,
  otherwise,
})
/** The same choice where the reply may end too. */
export const whole = (step: Step): Step => (step.kind === "choice" ? { ...step, whole: true } : step)
/** A name or a key. */
export const word = (take: Take, next: string): Step => ({ kind: "word", take, next })
/** The name of a tool that was offered. */
export const offeredName = (next: string): Step => ({ kind: "word", take: "name", next, offered: true })
/** One JSON object or list. */
export const json = (take: Take, next: string): Step => ({ kind: "json", take, next })
/** Arguments as Python writes them, between brackets. */
export const python = (take: Take, next: string): Step => ({ kind: "json", take, next, python: true })
/** Raw text up to a closing tag. */
export const value = (take: Take, until: string, next: string, forbid?: string): Step =>
  forbid === undefined ? { kind: "value", take, until, next } : { kind: "value", take, until, next, forbid }

/** A check: does the text end, from a place on, within one of these words? */
export function endsWithin(words: readonly string[]): (text: string, at: number) => boolean {
  const longest = Math.max(...words.map(({ length }) => length))
  return (text, at) => {
    if (text.length - at >= longest) return false
    const tail = text.slice(at)
    return words.some((word) => word.startsWith(tail))
  }
}
