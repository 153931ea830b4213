// Reading JSON that other programs wrote: total functions, no exceptions, no trust.

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

/** JSON.parse as a value: `{ ok: false, why }` instead of an exception. */
export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly why: string }

export function parseJson(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) }
  }
}
