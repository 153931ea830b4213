// Reading JSON that other programs wrote: total functions, no exceptions, no trust.
import { errorMessage } from "./fault.ts"

/** Any JSON object whose keys we have not checked. */
export interface JsonObject {
  readonly [key: string]: unknown
}

/** Narrows to a plain JSON object (arrays and null are not objects here). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

// One for all that is not there: most of what is looked for in a reply is not.
const noFields: JsonObject = Object.freeze({})
const noItems: readonly unknown[] = Object.freeze([])

/** The object itself, or an empty one when the value is anything else. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : noFields
}

/** The array itself, or an empty one when the value is anything else. */
export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : noItems
}

/** The string, or undefined when the value is not a string or is empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined
}

/** A finite number ≥ 0, also from a numeric string; undefined otherwise. Counters only. */
export function countOf(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : undefined
}

/** What a table holds by itself: a provider may say "constructor". */
export function lookUp<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

/** JSON.parse as a value: `{ ok: false, why }` instead of an exception. */
export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly why: string }

export function parseJson(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text)
    return isTooDeep(value, text.length) ? tooDeep : { ok: true, value }
  } catch (error) {
    return { ok: false, why: errorMessage(error) }
  }
}

/** The value that a JSON text stands for; undefined where it is none. */
export function jsonOf(text: string): unknown {
  const parsed = parseJson(text)
  return parsed.ok ? parsed.value : undefined
}

// JSON.parse takes any depth. From some twenty thousand levels on JSON.stringify takes seconds for what takes it no time
// below, and at fifty thousand it breaks the stack.
const deepest = 20_100
/** What is said of JSON that is nested deeper than that. */
export const tooDeep: Parsed = { ok: false, why: "it is nested too deeply" }

/** Is the value, of a text of this length, nested deeper than can be worked with? Shorter texts cannot be. */
export function isTooDeep(value: unknown, length: number): boolean {
  if (length <= 2 * deepest || !isNested(value)) return false
  let level: readonly Nested[] = [value]
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > deepest) return true
    level = insideOf(level)
  }
  return false
}

type Nested = JsonObject | readonly unknown[]

const isNested = (value: unknown): value is Nested => typeof value === "object" && value !== null

/** Level by level: a function for each level would break the stack itself. */
function insideOf(level: readonly Nested[]): readonly Nested[] {
  const found: Nested[] = []
  const add = (value: unknown) => void (isNested(value) && found.push(value))
  for (const value of level) {
    if (Array.isArray(value)) value.forEach(add)
    else if (isObject(value)) for (const key in value) add(value[key])
  }
  return found
}
