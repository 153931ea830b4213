// What Gemini takes: the fields of its own `Schema` message (Gemini API reference, 2026-11). Any other keyword
// fails the whole request with "Unknown name", a keyword of another type with "field predicate failed".
import { type JsonObject, objectOf } from "../../protocol/json.ts"
import { within } from "./cleaning.ts"
import { constrains, takeKeywords, takeProperties, tupleOf } from "./keywords.ts"
import { type Dialect, type Draft, narrowed } from "./narrow.ts"
import type { TypeName } from "./types.ts"

/**
 * References are written out, null becomes `nullable`, values are listed only when they are strings. A schema
 * that takes anything becomes a string: Gemini wants a type, and a string is valid wherever anything is.
 */
export const gemini: Dialect = {
  keptRef: () => undefined,
  anyType: "string",
  nullable: (schema) => ({ ...(schema ?? { type: "string" }), nullable: true }),
  typeLists: false,
  enumTypes: ["string"],
  keywords,
}

function keywords(draft: Draft, type: TypeName): JsonObject {
  switch (type) {
    case "string":
      return {
        ...takeKeywords(draft, ["minLength", "maxLength", "pattern"]),
        ...formatOf(draft, ["date-time"]),
      }
    case "integer":
      return { ...boundsOf(draft, true), ...formatOf(draft, ["int32", "int64"]) }
    case "number":
      return { ...boundsOf(draft, false), ...formatOf(draft, ["float", "double"]) }
    case "array":
      return { ...itemsOf(draft), ...takeKeywords(draft, ["minItems", "maxItems"]) }
    case "object":
      return objectKeywords(draft)
    case "boolean":
      return {}
    default:
      return type satisfies never
  }
}

/** `format: "enum"` is taken too, and says nothing that `enum` does not. */
function formatOf({ schema, used }: Draft, known: readonly string[]): JsonObject {
  const { format } = schema
  if (format === "enum") used.add("format")
  if (typeof format !== "string" || !known.includes(format)) return {}
  used.add("format")
  return { format }
}

function objectKeywords(draft: Draft): JsonObject {
  const { schema, hints, used } = draft
  const taken = { ...takeProperties(draft), ...takeKeywords(draft, ["minProperties", "maxProperties"]) }
  const open = schema["additionalProperties"] ?? schema["patternProperties"]
  const isFree = open !== undefined && open !== false
  if (isFree && Object.keys(objectOf(taken["properties"])).length === 0) hints.push("any names")
  // Without it an object is as open as with it.
  if (isFree && !constrains(open)) used.add("additionalProperties")
  return taken
}

/** Gemini refuses an array without `items`. A tuple becomes a list of any of its items. */
function itemsOf({ schema, place, used, scope }: Draft): JsonObject {
  for (const keyword of ["items", "prefixItems", "additionalItems"]) used.add(keyword)
  const tuple = tupleOf(schema)
  if (tuple === undefined) return { items: narrowed(schema["items"], within(place, "items"), scope) }
  scope.cleaning.change(place, tuple.keyword, "a list of any of its items, in any order")
  const branches = constrains(tuple.rest) ? [...tuple.items, tuple.rest] : tuple.items
  return { items: narrowed({ anyOf: branches }, within(place, tuple.keyword), scope) }
}

/** Exclusive bounds as inclusive ones: exact for integers, and told in words for other numbers. */
function boundsOf(draft: Draft, whole: boolean): JsonObject {
  const lower = boundOf(draft, ["minimum", "exclusiveMinimum"], whole, 1)
  const upper = boundOf(draft, ["maximum", "exclusiveMaximum"], whole, -1)
  return {
    ...(lower === undefined ? {} : { minimum: lower }),
    ...(upper === undefined ? {} : { maximum: upper }),
  }
}

function boundOf(
  draft: Draft,
  [keyword, exclusive]: readonly ["minimum" | "maximum", "exclusiveMinimum" | "exclusiveMaximum"],
  whole: boolean,
  inwards: 1 | -1,
): number | undefined {
  const { schema, place, used, hints, scope } = draft
  const { [keyword]: bound } = takeKeywords(draft, [keyword])
  const inclusive = typeof bound === "number" ? bound : undefined
  // In draft 4 the exclusive keyword is a boolean that says how the other is meant.
  const given = schema[exclusive] === true ? inclusive : schema[exclusive]
  if (schema[exclusive] === false) used.add(exclusive)
  if (typeof given !== "number" || !Number.isFinite(given)) return inclusive
  const next = inwards === 1 ? Math.floor(given) + 1 : Math.ceil(given) - 1
  const sent = whole ? next : given
  if (!used.has(exclusive)) scope.cleaning.change(place, exclusive, `sent as ${keyword} ${sent}`)
  used.add(exclusive)
  if (!whole) hints.push(`${inwards === 1 ? "more" : "less"} than ${given}`)
  if (inclusive === undefined || schema[exclusive] === true) return sent
  return inwards === 1 ? Math.max(inclusive, sent) : Math.min(inclusive, sent)
}
