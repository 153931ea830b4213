// Schemas of every kind, by every provider's rules: what comes out is taken, what went in is untouched.
import { describe, expect, test } from "bun:test"
import { parametersAsSent } from "../../src/convert/schema/as-sent.ts"
import { createCleaning, rootPlace } from "../../src/convert/schema/cleaning.ts"
import { copySchema, isUnsaid } from "../../src/convert/schema/copy.ts"
import { prepareParameters } from "../../src/convert/schema/schema.ts"
import { arrayOf, isObject, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import type { SchemaRules } from "../../src/providers/profile.ts"
import { property, type Random } from "../support/random.ts"
import { allRules, complaints } from "./schema-checkers.ts"

const names = [
  ...[
    "a",
    "b",
    "c",
    "const",
    "default",
    "$ref",
    "type",
    "items",
    "anyOf",
    "properties",
    "required",
    "$schema",
  ],
  ...["enum", "not", "additionalProperties", "__proto__", "constructor", "\ud800", "pattern"],
]
const refs = [
  "#/$defs/a",
  "#/$defs/b",
  "#/definitions/c",
  "#",
  "#/properties/a",
  "#/$defs/missing",
  "http://x",
  5,
]
const types = ["object", "array", "string", "number", "integer", "boolean", "null", "STRING", "any", 7]
const kept: readonly (readonly [string, (random: Random, depth: number) => unknown])[] = [
  ["type", (random) => (random.chance(0.7) ? random.pick(types) : [random.pick(types), random.pick(types)])],
  ["properties", propertiesOf],
  ["required", (random) => [random.pick(names), random.pick(names), random.pick(["a", "a", 3])]],
  ["items", (random, depth) => (random.chance(0.7) ? schemaOf(random, depth) : schemasOf(random, depth))],
  ["prefixItems", schemasOf],
  ["anyOf", schemasOf],
  ["oneOf", schemasOf],
  ["allOf", schemasOf],
  ["not", schemaOf],
  ["if", schemaOf],
  ["propertyNames", schemaOf],
  ["contains", schemaOf],
  ["additionalProperties", (random, depth) => (random.chance(0.5) ? false : schemaOf(random, depth))],
  ["patternProperties", propertiesOf],
  ["dependentSchemas", propertiesOf],
  ["$ref", (random) => random.pick(refs)],
  [
    "enum",
    (random) => random.pick([[], ["x", "y"], ["x", ""], [1, 2], ["x", 1, null], [null], [true, {}], "x"]),
  ],
  ["const", (random) => random.pick(["x", "", 5, null, false, { type: "object", $ref: "#" }])],
  ["format", (random) => random.pick(["uri", "date-time", "date", "uuid", "int32", "double", "enum", 1])],
  ["pattern", (random) => random.pick(["^x$", "(", 1])],
  ["default", (random) => random.pick([null, "x", 3, [1], { type: "array" }])],
  ["nullable", (random) => random.chance(0.5)],
  ["description", (random) => random.pick(["words", "half \udc00", 1])],
  ["title", (random) => random.text(4)],
  ["$schema", () => "https://json-schema.org/draft/2020-12/schema"],
  ["$id", () => "x"],
  ["deprecated", () => true],
  ["uniqueItems", () => true],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"].map(
    (key) => [key, (random: Random) => random.pick([0, 0.5, -3, 9007199254740991, true, "1"])] as const,
  ),
  ...["minLength", "maxLength", "minItems", "maxItems", "minProperties"].map(
    (key) => [key, (random: Random) => random.pick([0, 1, 499, 524288, -1, 1.5, "1"])] as const,
  ),
]

function schemaOf(random: Random, depth: number): unknown {
  if (random.chance(0.1)) return random.pick<unknown>([true, false, {}, null, "string", 3])
  const count = depth <= 0 ? 2 : random.integer(0, 5)
  const entries = Array.from({ length: count }, () => {
    const [key, make] = random.pick(kept)
    return [key, make(random, depth - 1)] as const
  })
  return Object.fromEntries(depth <= 0 ? entries.filter(([, value]) => !isObject(value)) : entries)
}

function schemasOf(random: Random, depth: number): readonly unknown[] {
  return Array.from({ length: random.integer(0, 3) }, () => schemaOf(random, depth))
}

function propertiesOf(random: Random, depth: number): unknown {
  return Object.fromEntries(schemasOf(random, depth).map((schema) => [random.pick(names), schema]))
}

function rootOf(random: Random): JsonObject {
  const definitions = Object.fromEntries(["a", "b"].map((name) => [name, schemaOf(random, 2)]))
  return {
    ...objectOf(schemaOf(random, 3)),
    ...(random.chance(0.7) ? { type: "object" } : {}),
    ...(random.chance(0.7) ? { properties: propertiesOf(random, 3) } : {}),
    ...(random.chance(0.7) ? { $defs: definitions, definitions: { c: schemaOf(random, 2) } } : {}),
  }
}

describe.each([...allRules])("random schemas by the rules of %s", (rules) => {
  property("what comes out is taken", 1_000, (random) => {
    const { schema } = prepareParameters(rootOf(random), rules, "t")
    expect(complaints(schema, rules)).toEqual([])
    expect(isObject(schema["properties"])).toBe(true)
    expect(JSON.stringify(schema)).not.toMatch(/(?<!\\)(\\\\)*\\ud[89a-f]/)
  })

  property("what went in is untouched, and the same comes out again", 500, (random) => {
    const given = rootOf(random)
    const before = JSON.stringify(given)
    const first = prepareParameters(given, rules, "t")
    expect(JSON.stringify(given)).toBe(before)
    expect(prepareParameters(given, rules, "t")).toEqual(first)
  })

  property("cleaning a clean schema changes nothing", 1_000, (random) => {
    const { schema } = prepareParameters(rootOf(random), rules, "t")
    const again = prepareParameters(schema, rules, "t")
    expect(again.schema).toEqual(schema)
    expect(again.notes).toEqual([])
  })

  property("every property keeps its name, whatever it is", 300, (random) => {
    const properties = Object.fromEntries(
      names.map((name) => [name, { type: random.pick(["string", "object"]) }]),
    )
    const { schema } = prepareParameters({ type: "object", properties, required: names }, rules, "t")
    expect(Object.keys(objectOf(schema["properties"]))).toEqual(names.map((name) => name.toWellFormed()))
    expect(arrayOf(schema["required"])).toEqual(names.map((name) => name.toWellFormed()))
  })
})

/** A schema that OpenAI takes as it is. */
function taken(schema: unknown, isRoot: boolean): unknown {
  if (!isObject(schema)) return schema
  const {
    $schema: _schema,
    $id: _id,
    $ref,
    anyOf,
    oneOf,
    allOf,
    not,
    enum: values,
    const: value,
    ...rest
  } = schema
  const root = { ...rest, type: "object", properties: objectOf(rest["properties"]) }
  const inner: JsonObject = isRoot
    ? root
    : { ...rest, $ref: $ref === "#" ? $ref : undefined, anyOf, oneOf, allOf, not, enum: values, const: value }
  return Object.fromEntries(
    Object.entries({
      ...inner,
      ...([inner["type"]].flat().includes("object") ? { properties: objectOf(inner["properties"]) } : {}),
      ...([inner["type"]].flat().includes("array") ? { items: inner["items"] ?? {} } : {}),
    }).flatMap(([key, value]) =>
      value === undefined || isUnsaid(key, value) ? [] : [[key, takenKeyword(key, value)]],
    ),
  )
}

function takenKeyword(key: string, value: unknown): unknown {
  const maps = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]
  const others = ["items", "prefixItems", "anyOf", "oneOf", "allOf", "not", "if", "contains"]
  if (maps.includes(key)) {
    return Object.fromEntries(
      Object.entries(objectOf(value)).map(([name, inner]) => [name, taken(inner, false)]),
    )
  }
  if (![...others, "additionalProperties", "propertyNames"].includes(key)) return value
  return Array.isArray(value) ? value.map((inner) => taken(inner, false)) : taken(value, false)
}

property("a schema that OpenAI takes is sent as it is", 1_000, (random) => {
  const given = objectOf(taken(rootOf(random), true))
  const clean = JSON.parse(JSON.stringify(given).replaceAll(/\\ud[89a-f][\da-f]{2}/gi, "?"))
  const { nullable: _nullable, ...schema } = clean
  expect(prepareParameters(schema, "openai", "t")).toEqual({ schema, notes: [] })
})

describe.each([true, false])(
  "parameters that are sent as they came (closed objects are taken: %s)",
  (closed) => {
    const copyOf = (schema: JsonObject) => {
      const cleaning = createCleaning(schema, "t")
      return { copy: copySchema(schema, rootPlace("t"), cleaning, { closed }), notes: cleaning.notes() }
    }

    property("say what a copy of them would", 2_000, (random) => {
      const root = rootOf(random)
      const mild = { type: "object", properties: propertiesOf(random, 1), $schema: "x" }
      const taken = objectOf(copyOf(root).copy)
      for (const given of [root, mild, taken, { ...mild, $defs: root["properties"] }]) {
        const asSent = parametersAsSent(given, { closed })
        if (asSent === undefined) continue
        const { copy, notes } = copyOf(given)
        expect(JSON.stringify(asSent)).toBe(JSON.stringify(copy))
        expect(notes).toEqual([])
      }
    })

    test("are the very same where nothing is to be left out", () => {
      const inner = { type: "array", items: { type: "object", properties: {}, additionalProperties: true } }
      const given = { type: "object", properties: { $ref: inner, $id: { enum: ["é"] } }, required: ["$ref"] }
      expect(parametersAsSent(given, { closed })).toBe(given)
      const named = parametersAsSent({ $schema: "x", ...given, $id: "y" }, { closed })
      expect(named).toEqual(given)
      expect(named?.["properties"]).toBe(given.properties)
    })

    test.each<[string, object]>([
      ["another type", { type: ["object"] }],
      ["no properties", { properties: [] }],
      ["a choice", { anyOf: [] }],
      ["a reference", { properties: { a: { $ref: "#" } } }],
      ["a schema's name inside", { properties: { a: { $id: "x" } } }],
      ["a list without items", { properties: { a: { type: "array" } } }],
      ["an object without properties", { properties: { a: { not: { type: "object" } } } }],
      ["null for what is not said", { required: null }],
      ["null inside", { properties: { a: { enum: null } } }],
      ["half a pair in a name", { properties: { "\ud800": {} } }],
      ["half a pair in a word", { properties: { a: { examples: [{ b: "\udc00" }] } } }],
      ["a prototype", { ["__proto__"]: {} }],
    ])("are copied: %s", (_name, more) => {
      expect(parametersAsSent({ type: "object", properties: {}, ...more }, { closed })).toBeUndefined()
    })

    test("a closed object is copied where it is refused", () => {
      const given = { type: "object", properties: {}, additionalProperties: false }
      expect(parametersAsSent(given, { closed })).toEqual(closed ? given : undefined)
    })
  },
)

describe("absurd schemas", () => {
  const nested = (key: string, wrap: (inner: unknown) => unknown): JsonObject => {
    let schema: unknown = { type: "string" }
    for (let depth = 0; depth < 10_000; depth++) schema = { [key]: wrap(schema) }
    return objectOf(schema)
  }
  const deep: readonly (readonly [string, JsonObject])[] = [
    ["properties", nested("properties", (inner) => ({ a: inner }))],
    ["items", nested("items", (inner) => inner)],
    ["anyOf", nested("anyOf", (inner) => [inner])],
    ["allOf", nested("allOf", (inner) => [inner])],
    ["not", nested("not", (inner) => inner)],
    ["const", nested("const", (inner) => inner)],
  ]
  test.each(deep.flatMap(([key, schema]) => allRules.map((rules) => [key, rules, schema] as const)))(
    "ten thousand levels of %s by the rules of %s",
    (_, rules, schema) => {
      const cleaned = prepareParameters(
        { type: "object", properties: { a: schema, b: { type: "object", ...schema } }, ...schema },
        rules,
        "t",
      )
      expect(complaints(cleaned.schema, rules)).toEqual([])
      expect(cleaned.notes.length).toBeLessThanOrEqual(21)
    },
  )

  test.each([...allRules])("definitions that double at every step stay small: %s", (rules) => {
    const double = (name: string) => ({
      type: "object",
      properties: { l: { $ref: name }, r: { $ref: name } },
    })
    const definitions = Array.from({ length: 60 }, (_, index) => [
      `d${index}`,
      double(`#/$defs/d${index + 1}`),
    ])
    const $defs = Object.fromEntries(definitions)
    const schema = { type: "object", properties: { x: { $ref: "#/$defs/d0" } }, $defs }
    const started = performance.now()
    const cleaned = prepareParameters(schema, rules, "t")
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(JSON.stringify(cleaned.schema).length).toBeLessThan(500_000)
    expect(complaints(cleaned.schema, rules)).toEqual([])
  })

  test.each([...allRules])("a large schema costs no more than its length: %s", (rules: SchemaRules) => {
    const many = Array.from({ length: 10_000 }, (_, index) => index)
    const branch = (index: number) => ({ properties: { [`p${index}`]: { type: "integer", minimum: index } } })
    const schema = {
      type: "object",
      properties: Object.fromEntries(many.map((index) => [`q${index}`, { type: "string", pattern: "x" }])),
      anyOf: many.map(branch),
      allOf: many.map((index) => ({ required: [`q${index}`] })),
    }
    const started = performance.now()
    const cleaned = prepareParameters(schema, rules, "t")
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(Object.keys(objectOf(cleaned.schema["properties"])).length).toBe(20_000)
    expect(cleaned.notes.length).toBeLessThanOrEqual(21)
  })
})
