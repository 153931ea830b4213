// Values on their way into a log line: plain, shallow, short, and without secrets. Total: whatever comes in,
// something printable comes out.
import { redact } from "../protocol/redact.ts"
import { type Secrecy, secrecyOf } from "../protocol/secrecy.ts"

const deepest = 6
const mostItems = 50
const longestText = 2_000

/** The fields as plain JSON values. */
export function cleanFields(
  fields: Readonly<Record<string, unknown>>,
  secrets: readonly string[],
): Readonly<Record<string, unknown>> {
  return cleanObject(fields, { secrets, secrecy: "no", depth: 0, above: [] })
}

interface Place {
  readonly secrets: readonly string[]
  readonly secrecy: Secrecy
  readonly depth: number
  /** The objects this one lies in, to notice a circle. */
  readonly above: readonly object[]
}

function cleanValue(value: unknown, place: Place): unknown {
  switch (typeof value) {
    case "string":
      return cleanText(value, place)
    case "number":
      if (place.secrecy === "yes") return "[redacted]"
      return Number.isFinite(value) ? value : String(value)
    case "boolean":
      return value
    case "bigint":
      return place.secrecy === "yes" ? "[redacted]" : String(value)
    case "undefined":
      return undefined
    case "object":
      return value === null ? null : cleanThing(value, place)
    default:
      return `[${typeof value}]`
  }
}

function cleanText(text: string, { secrecy, secrets }: Place): string {
  if (secrecy === "yes" || (secrecy === "maybe" && !/^\d{1,9}$/.test(text))) return "[redacted]"
  // Redacted before it is cut: half a key is no longer recognised.
  const clean = redact(text, secrets)
  return clean.length <= longestText ? clean : `${clean.slice(0, longestText)}… (${clean.length} characters)`
}

function cleanThing(value: object, place: Place): unknown {
  if (place.above.includes(value)) return "[circular]"
  if (place.depth >= deepest) return "[deep]"
  const inside = { ...place, depth: place.depth + 1, above: [...place.above, value] }
  try {
    if (value instanceof Error)
      return cleanText(`${value.name}: ${value.message}`, { ...place, secrecy: "no" })
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "[invalid date]" : value.toISOString()
    if (value instanceof URL) return cleanText(value.href, inside)
    if (value instanceof Headers || value instanceof Map)
      return cleanObject(Object.fromEntries(value), inside)
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
    if (Array.isArray(value) || value instanceof Set) return cleanList([...value], inside)
    return cleanObject(value, inside)
  } catch {
    return "[unreadable]"
  }
}

function cleanList(items: readonly unknown[], place: Place): readonly unknown[] {
  const shown = items.slice(0, mostItems).map((item) => cleanValue(item, place) ?? null)
  return items.length <= mostItems ? shown : [...shown, `… ${items.length - mostItems} more`]
}

function cleanObject(value: object, place: Place): Readonly<Record<string, unknown>> {
  const names = Object.keys(value)
  const pairs = names.slice(0, mostItems).map((name) => {
    const own = secrecyOf(name)
    const secrecy = own === "no" ? place.secrecy : own
    return [redact(name, place.secrets), readProperty(value, name, { ...place, secrecy })] as const
  })
  const more = names.length - mostItems
  return Object.fromEntries(more > 0 ? [...pairs, ["…", `${more} more`] as const] : pairs)
}

function readProperty(value: object, name: string, place: Place): unknown {
  try {
    return cleanValue(Reflect.get(value, name), place)
  } catch {
    return "[unreadable]"
  }
}

// Newlines would begin a line that nobody logged, escape sequences would move the cursor, and the marks for
// writing direction would show a line in another order than it has.
const controls = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** The text with its control characters written out (`\n`, `\u001b`). */
export function escapeControls(text: string): string {
  return text.replace(controls, escaped)
}

const shortEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

function escaped(character: string): string {
  return shortEscapes[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`
}
