// JSON Schema for providers that take a small part of it: one type for each schema, alternatives only in
// `anyOf`, nothing beside them. What a provider takes within a type is its dialect's.
import { arrayOf, isObject, type JsonObject, objectOf } from "../../protocol/json.ts"
import { type Cleaning, deepest, type Place, within } from "./cleaning.ts"
import { describe, hintFor } from "./hints.ts"
import { flatten, unionKeywords } from "./refs.ts"
import { alternativesOf, isOfType, type Shape, shapeOf, type TypeName } from "./types.ts"
import { unite } from "./unions.ts"

export interface Dialect {
  /** A reference that may stay one. */
  readonly keptRef: (schema: JsonObject, cleaning: Cleaning) => string | undefined
  /** `type` of a schema that takes any value. */
  readonly anyType: string | readonly string[]
  /** A schema that also takes null, or (without one) nothing else. */
  readonly nullable: (schema: JsonObject | undefined) => JsonObject
  /** May one schema have several types, when it says nothing else? */
  readonly typeLists: boolean
  /** Types whose values may be listed in `enum`. */
  readonly enumTypes: readonly TypeName[]
  /** The keywords of a schema of one type. */
  readonly keywords: (draft: Draft, type: TypeName) => JsonObject
}

/** One schema on its way: what was used of it, and what is to be told in words. */
export interface Draft {
  readonly schema: JsonObject
  readonly place: Place
  readonly used: Set<string>
  readonly hints: string[]
  readonly scope: Scope
}

interface Scope {
  readonly cleaning: Cleaning
  readonly dialect: Dialect
}

// Left out without a word: they say nothing to a model or were read before.
const silent = new Set([
  ...["$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "$vocabulary", "$dynamicAnchor"],
  ...["type", "nullable", "description", "title"],
])

/** A schema in the dialect; undefined where nothing is valid (`false`). */
export function narrow(value: unknown, place: Place, scope: Scope): JsonObject | undefined {
  const { cleaning, dialect } = scope
  if (value === false) return undefined
  if (!isObject(value)) return anything(place, scope)
  if (place.depth > deepest) {
    cleaning.change(place, "", "nested too deeply: anything is taken here")
    return { type: dialect.anyType }
  }
  const $ref = dialect.keptRef(value, cleaning)
  if ($ref !== undefined) return { $ref, ...headOf(draftOf(value, place, scope)) }
  const flat = flatten(value, place, cleaning)
  if (alternativesOf(flat.schema) === undefined) return narrowTyped(draftOf(flat.schema, flat.place, scope))
  if (isObject(flat.schema["properties"])) {
    const united = unite(flat.schema, flat.place, cleaning)
    return narrowTyped(draftOf(united.schema, united.place, scope))
  }
  return narrowUnion(draftOf(flat.schema, flat.place, scope))
}

/** A schema for any value, as far as the provider has one. */
function anything(place: Place, { cleaning, dialect }: Scope): JsonObject {
  if (typeof dialect.anyType === "string") cleaning.change(place, "", `any value: sent as ${dialect.anyType}`)
  return { type: dialect.anyType }
}

/** Like `narrow`, with a schema for anything where nothing would be valid. */
export function narrowed(value: unknown, place: Place, scope: Scope): JsonObject {
  return narrow(value, place, scope) ?? anything(place, scope)
}

const draftOf = (schema: JsonObject, place: Place, scope: Scope): Draft => ({
  ...{ schema, place, scope },
  used: new Set(),
  hints: [],
})

// What may stand beside alternatives and is the same in each of them.
const shared = [
  ...["type", "format", "pattern", "minLength", "maxLength", "minItems", "maxItems"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
]

function narrowUnion(draft: Draft): JsonObject {
  const { schema, place, scope } = draft
  const { keyword, branches } = alternativesOf(schema) ?? { keyword: "anyOf", branches: [] }
  if (["const", "enum", "items", "prefixItems"].some((other) => schema[other] !== undefined)) {
    scope.cleaning.drop(place, keyword, "it cannot stand beside the other keywords here")
    const { anyOf: _any, oneOf: _one, ...rest } = schema
    return narrowTyped({ ...draft, schema: rest })
  }
  if (keyword === "oneOf") scope.cleaning.change(place, keyword, "sent as anyOf")
  const base = Object.fromEntries(
    Object.entries(schema).filter(([key, value]) => shared.includes(key) && value !== undefined),
  )
  for (const key of [keyword, ...Object.keys(base)]) draft.used.add(key)
  const valid = branches.filter((branch) => branch !== false && !isNull(branch))
  const schemas = valid.flatMap((branch, index): readonly JsonObject[] => {
    const kept = isObject(branch) && scope.dialect.keptRef(branch, scope.cleaning) !== undefined
    const full = kept || Object.keys(base).length === 0 ? branch : { allOf: [branch, base] }
    const branchSchema = narrow(full, within(place, keyword, String(index)), scope)
    return branchSchema === undefined ? [] : [branchSchema]
  })
  const several = withoutRepeats(schemas)
  const [only] = several
  const head = headOf(draft)
  const nullable = branches.some(isNull) || schema["nullable"] === true
  if (only === undefined) {
    return nullable
      ? { ...scope.dialect.nullable(undefined), ...head }
      : { ...anything(place, scope), ...head }
  }
  const whole = several.length === 1 ? { ...only, ...head } : { ...head, anyOf: several }
  return nullable ? scope.dialect.nullable(whole) : whole
}

const isNull = (schema: unknown): boolean =>
  isObject(schema) && alternativesOf(schema) === undefined && shapeOf(schema).onlyNull

/** Alternatives that say nothing but a type are said once. */
function withoutRepeats(schemas: readonly JsonObject[]): readonly JsonObject[] {
  const plain = new Set<unknown>()
  return schemas.filter((schema) => {
    if (typeof schema["type"] !== "string" || Object.keys(schema).length > 1) return true
    if (plain.has(schema["type"])) return false
    plain.add(schema["type"])
    return true
  })
}

function narrowTyped(draft: Draft): JsonObject {
  const { dialect } = draft.scope
  const shape = shapeOf(draft.schema)
  if (shape.onlyNull) {
    for (const key of ["const", "enum"]) draft.used.add(key)
    return { ...dialect.nullable(undefined), ...headOf(draft) }
  }
  const pieces = piecesOf(draft, shape)
  const head = headOf(draft)
  const [only] = pieces
  if (only === undefined) return { ...anything(draft.place, draft.scope), ...head }
  const plain = pieces.every(saysOnlyType)
  const types = pieces.map((piece) => piece["type"])
  const whole =
    pieces.length === 1
      ? { ...only, ...head }
      : plain && dialect.typeLists
        ? { type: types, ...head }
        : { ...head, anyOf: pieces }
  return shape.nullable ? dialect.nullable(whole) : whole
}

/** No more than its type, and the empty `properties` that every object gets. */
function saysOnlyType(schema: JsonObject): boolean {
  const { type, properties, ...rest } = schema
  return (
    type !== undefined && Object.keys(rest).length === 0 && Object.keys(objectOf(properties)).length === 0
  )
}

/** One schema for each type, with what there is to say of that type. */
function piecesOf(draft: Draft, shape: Shape): readonly JsonObject[] {
  const values = listedValues(draft, shape)
  return shape.types.flatMap((type) => {
    const own = values?.filter((value) => isOfType(value, type))
    if (own?.length === 0) return []
    return [
      { type, ...draft.scope.dialect.keywords(draft, type), ...(own === undefined ? {} : { enum: own }) },
    ]
  })
}

/** The values that `enum` will list; undefined when it cannot list them. */
function listedValues(draft: Draft, { literals, types }: Shape): readonly unknown[] | undefined {
  const { enumTypes } = draft.scope.dialect
  if (literals === undefined || literals.length === 0) return undefined
  const listable = literals.every((value) => enumTypes.some((type) => isOfType(value, type)))
  const values = literals.filter((value) => value !== "" && types.some((type) => isOfType(value, type)))
  if (!listable || values.length === 0) return undefined
  draft.used.add("const").add("enum")
  if (draft.schema["const"] !== undefined) draft.scope.cleaning.change(draft.place, "const", "sent as enum")
  return values
}

/** Description and title, with hints for what else the schema said; what was not used is noted. */
function headOf(draft: Draft): JsonObject {
  const { schema, place, used, hints, scope } = draft
  for (const [key, value] of Object.entries(schema)) {
    if (used.has(key) || silent.has(key) || key === "$ref") continue
    const hint = hintFor(key, value)
    if (hint !== undefined) hints.push(hint)
    if (unionKeywords.some((keyword) => keyword === key) && arrayOf(value).length === 0) continue
    scope.cleaning.drop(
      place,
      key,
      hint === undefined ? "not taken by this provider" : "told in the description",
    )
  }
  const { title } = schema
  return { ...describe(schema["description"], hints), ...(typeof title === "string" ? { title } : {}) }
}
