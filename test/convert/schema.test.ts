// Schemas of tools and of answers, as each provider takes them.
import { describe, expect, test } from "bun:test"
import { convertFormat, prepareParameters } from "../../src/convert/schema/schema.ts"
import { arrayOf, isObject, type JsonObject, objectOf } from "../../src/protocol/json.ts"
import type { ProfileDelta, SchemaRules } from "../../src/providers/profile.ts"
import { ask, gpt4o, parse, readFixture, routeTo, text, user } from "./request-support.ts"
import { allRules, complaints } from "./schema-checkers.ts"

const string = { type: "string" }
const any = { type: ["object", "array", "string", "number", "boolean", "null"] }
const closed = { type: "object", properties: {}, additionalProperties: false }
const draft = "https://json-schema.org/draft/2020-12/schema"

const prepare = (schema: JsonObject | undefined, rules: SchemaRules = "openai") =>
  prepareParameters(schema, rules, "tools.0.input_schema")

/** What one property becomes, and the notes on it. */
function inside(schema: unknown, rules: SchemaRules, $defs?: object) {
  const root = { type: "object", properties: { p: schema }, ...($defs === undefined ? {} : { $defs }) }
  const { schema: cleaned, notes } = prepare(root, rules)
  const lines = notes.map(
    ({ kind, path }) => `${kind} ${path.replace("tools.0.input_schema.properties.p", "")}`,
  )
  return { schema: objectOf(cleaned["properties"])["p"], notes: lines }
}

describe("OpenAI's rules", () => {
  test.each<[string, object | undefined, object]>([
    ["no schema", undefined, { type: "object", properties: {} }],
    ["an empty one", {}, { type: "object", properties: {} }],
    ["$schema and $id", { $schema: draft, $id: "x", ...closed }, closed],
    ["another type", { type: "string" }, { type: "object", properties: {} }],
    ["properties that are none", { type: "object", properties: [] }, { type: "object", properties: {} }],
    [
      "an object inside",
      { type: "object", properties: { a: { type: "object", propertyNames: string } } },
      { type: "object", properties: { a: { type: "object", propertyNames: string, properties: {} } } },
    ],
    [
      "a list without items",
      { type: "object", properties: { a: { type: ["array", "null"] }, b: { type: "array", items: string } } },
      {
        type: "object",
        properties: { a: { type: ["array", "null"], items: {} }, b: { type: "array", items: string } },
      },
    ],
    [
      "null for what is not said",
      {
        ...{ type: "object", description: null, required: null, additionalProperties: null },
        properties: { a: { type: "string", enum: null, default: null }, b: { const: null, items: null } },
      },
      { type: "object", properties: { a: { type: "string", default: null }, b: { const: null } } },
    ],
    ["null alone", { type: "object", properties: null, required: null }, { type: "object", properties: {} }],
    [
      "a list of no values",
      {
        type: "object",
        properties: { a: { type: "string", enum: [] }, b: { items: { enum: [] } }, enum: string },
      },
      { type: "object", properties: { a: string, b: { items: {} }, enum: string } },
    ],
    [
      "objects under every keyword that holds schemas",
      {
        type: "object",
        properties: { a: { anyOf: [{ type: "object" }] } },
        $defs: { a: { not: { type: "object" } } },
      },
      {
        ...{ type: "object", properties: { a: { anyOf: [{ type: "object", properties: {} }] } } },
        $defs: { a: { not: { type: "object", properties: {} } } },
      },
    ],
    [
      "data that looks like a schema",
      { type: "object", properties: { type: { const: { type: "object" }, default: { type: "array" } } } },
      { type: "object", properties: { type: { const: { type: "object" }, default: { type: "array" } } } },
    ],
    [
      "keywords other providers refuse, tuples and booleans",
      {
        ...closed,
        $defs: { x: string },
        properties: {
          a: { type: "integer", exclusiveMinimum: 0, format: "uri", $ref: "#/$defs/x" },
          b: { type: "array", items: [string, true] },
          c: true,
          d: false,
        },
      },
      {
        ...closed,
        $defs: { x: string },
        properties: {
          a: { type: "integer", exclusiveMinimum: 0, format: "uri", $ref: "#/$defs/x" },
          b: { type: "array", items: [string, true] },
          c: true,
          d: false,
        },
      },
    ],
    [
      "a reference to nothing",
      { ...closed, properties: { a: { $ref: "#/$defs/gone", description: "d" } } },
      { ...closed, properties: { a: { description: "d" } } },
    ],
    [
      "a choice at the root: all properties, required what all require",
      {
        type: "object",
        properties: { a: string },
        required: ["a"],
        oneOf: [
          { properties: { kind: { const: "x" }, x: string }, required: ["kind", "x"] },
          { properties: { kind: { const: "y" }, y: string }, required: ["kind"] },
        ],
      },
      {
        type: "object",
        properties: { a: string, kind: { anyOf: [{ const: "x" }, { const: "y" }] }, x: string, y: string },
        required: ["a", "kind"],
      },
    ],
    [
      "parts at the root: everything of all of them",
      {
        allOf: [
          { type: "object", properties: { a: string, b: { minLength: 1 } }, required: ["a"] },
          { $ref: "#/$defs/more" },
        ],
        $defs: { more: { properties: { b: string }, required: ["b"], additionalProperties: false } },
      },
      {
        type: "object",
        properties: { a: string, b: { allOf: [{ minLength: 1 }, string] } },
        required: ["a", "b"],
        additionalProperties: false,
        $defs: { more: { properties: { b: string }, required: ["b"], additionalProperties: false } },
      },
    ],
    [
      "a reference at the root that comes back to itself",
      {
        $ref: "#/$defs/node",
        $defs: { node: { type: "object", properties: { next: { $ref: "#/$defs/node" } } } },
      },
      {
        type: "object",
        properties: { next: { $ref: "#/$defs/node" } },
        $defs: { node: { type: "object", properties: { next: { $ref: "#/$defs/node" } } } },
      },
    ],
    ["enum and not at the root", { ...closed, enum: [{}], not: { required: ["a"] } }, closed],
  ])("%s", (_, schema, expected) => {
    const before = JSON.stringify(schema)
    expect(prepare(schema === undefined ? undefined : { ...schema }).schema).toEqual({ ...expected })
    expect(JSON.stringify(schema)).toBe(before)
  })

  test("the alternatives of a choice at the root are told in a note", () => {
    const branch = (name: string) => ({ properties: { [name]: string }, required: [name] })
    const { notes } = prepare({
      type: "object",
      anyOf: [branch("a"), branch("b"), { properties: { c: string } }],
    })
    const why = "one object with all properties instead of: a | b | c (optional)"
    expect(notes).toEqual([{ kind: "changed", path: "tools.0.input_schema.anyOf", why }])
  })
})

describe("Gemini's rules", () => {
  const node = { type: "object", properties: { next: { $ref: "#/$defs/node" } } }
  test.each<[unknown, object, readonly string[]]>([
    [
      { type: "integer", exclusiveMinimum: 0 },
      { type: "integer", minimum: 1 },
      ["changed .exclusiveMinimum"],
    ],
    [
      { type: "integer", minimum: 5, exclusiveMinimum: 0, exclusiveMaximum: 9.5 },
      { type: "integer", minimum: 5, maximum: 9 },
      ["changed .exclusiveMinimum", "changed .exclusiveMaximum"],
    ],
    [
      { type: "number", exclusiveMinimum: 0, description: "The price" },
      { type: "number", minimum: 0, description: "The price (more than 0)" },
      ["changed .exclusiveMinimum"],
    ],
    [
      { type: "integer", minimum: 1, exclusiveMinimum: true },
      { type: "integer", minimum: 2 },
      ["changed .exclusiveMinimum"],
    ],
    [{ const: "x" }, { type: "string", enum: ["x"] }, ["changed .const"]],
    [{ const: 5 }, { type: "integer", description: "always 5" }, ["dropped .const"]],
    [
      { enum: [1, "a"] },
      { anyOf: [{ type: "string" }, { type: "integer" }], description: 'one of 1, "a"' },
      ["dropped .enum"],
    ],
    [{ type: "string", enum: ["a", "", null] }, { type: "string", enum: ["a"], nullable: true }, []],
    [{ type: "string", enum: [] }, string, ["dropped .enum"]],
    [{ type: ["string", "null"], minLength: 1 }, { type: "string", minLength: 1, nullable: true }, []],
    [{ anyOf: [string, { type: "null" }], title: "T" }, { type: "string", title: "T", nullable: true }, []],
    [{ type: "null" }, { type: "string", nullable: true }, []],
    [
      { type: ["string", "integer"], maxLength: 3, maximum: 9 },
      {
        anyOf: [
          { type: "string", maxLength: 3 },
          { type: "integer", maximum: 9 },
        ],
      },
      [],
    ],
    [
      { oneOf: [string, { type: "boolean" }], description: "d" },
      { anyOf: [string, { type: "boolean" }], description: "d" },
      ["changed .oneOf"],
    ],
    [
      { type: "string", anyOf: [{ pattern: "^a" }, { format: "date-time" }] },
      {
        anyOf: [
          { type: "string", pattern: "^a" },
          { type: "string", format: "date-time" },
        ],
      },
      [],
    ],
    [
      {
        allOf: [
          { type: "object", properties: { a: string } },
          { properties: { b: string }, required: ["b"] },
        ],
      },
      { type: "object", properties: { a: string, b: string }, required: ["b"] },
      [],
    ],
    [{ type: "string", format: "uri" }, { type: "string", description: "format uri" }, ["dropped .format"]],
    [{ type: "integer", format: "int32" }, { type: "integer", format: "int32" }, []],
    [{ type: "array" }, { type: "array", items: string }, ["changed .items"]],
    [
      { type: "array", items: [string, { type: "number" }], minItems: 2 },
      { type: "array", items: { anyOf: [string, { type: "number" }] }, minItems: 2 },
      ["changed .items"],
    ],
    [
      { type: "array", prefixItems: [string, string] },
      { type: "array", items: string },
      ["changed .prefixItems"],
    ],
    [
      { type: "array", items: string, uniqueItems: true },
      { type: "array", items: string, description: "no item twice" },
      ["dropped .uniqueItems"],
    ],
    [{}, string, ["changed "]],
    [true, string, ["changed "]],
    [{ type: "object", required: ["a"] }, { type: "object", properties: {} }, ["changed .required"]],
    [
      { type: "object", propertyNames: string, additionalProperties: {} },
      { type: "object", properties: {}, description: "any names" },
      ["dropped .propertyNames"],
    ],
    [
      { $ref: "#/$defs/node", description: "d" },
      { type: "object", properties: { next: { type: "object", properties: {} } }, description: "d" },
      ["changed .properties.next.$ref"],
    ],
    [{ $ref: "#/$defs/nothing", type: "string" }, string, ["dropped .$ref"]],
    [
      {
        type: "string",
        not: { const: "x" },
        if: {},
        contentEncoding: "base64",
        examples: ["a"],
        $comment: "c",
      },
      string,
      ["dropped .not", "dropped .if", "dropped .contentEncoding", "dropped .examples"],
    ],
    [
      { type: "number", minLength: 3, default: 1 },
      { type: "number", description: "default 1" },
      ["dropped .minLength", "dropped .default"],
    ],
    [{ type: "STRING", nullable: false }, string, []],
  ])("%j", (schema, expected, notes) => {
    expect(inside(schema, "gemini", { node })).toEqual({ schema: { ...expected }, notes: [...notes] })
  })

  test("a property for which nothing is valid is left out", () => {
    const { schema, notes } = prepare({ type: "object", properties: { a: false }, required: ["a"] }, "gemini")
    expect(schema).toEqual({ type: "object", properties: {} })
    expect(notes.map(({ path }) => path)).toEqual([
      "tools.0.input_schema.properties.a",
      "tools.0.input_schema.required",
    ])
  })
})

describe("Moonshot's rules", () => {
  const node = { type: "object", properties: { next: { $ref: "#/definitions/node" } } }
  test.each<[unknown, object, readonly string[]]>([
    [
      { type: "object", anyOf: [{ properties: { a: string } }, { properties: { b: string } }] },
      {
        anyOf: [
          { type: "object", properties: { a: string } },
          { type: "object", properties: { b: string } },
        ],
      },
      [],
    ],
    [
      { type: "array", items: [string, { type: "number" }] },
      { type: "array", prefixItems: [string, { type: "number" }] },
      ["changed .items"],
    ],
    [{ type: "array", items: {} }, { type: "array" }, []],
    [{ oneOf: [string, { type: "null" }] }, { type: ["string", "null"] }, ["changed .oneOf"]],
    [{ type: ["string", "null"], description: "d" }, { type: ["string", "null"], description: "d" }, []],
    [
      { type: ["string", "null"], minLength: 1 },
      { anyOf: [{ type: "string", minLength: 1 }, { type: "null" }] },
      [],
    ],
    [{ enum: ["a", null] }, { anyOf: [{ type: "string", enum: ["a"] }, { type: "null" }] }, []],
    [{ const: 5 }, { type: "integer", enum: [5] }, ["changed .const"]],
    [
      { enum: ["a", true] },
      { type: ["string", "boolean"], description: 'one of "a", true' },
      ["dropped .enum"],
    ],
    [
      { type: "integer", exclusiveMinimum: 0, default: 3 },
      { type: "integer", exclusiveMinimum: 0, default: 3 },
      [],
    ],
    [{}, any, []],
    [
      { type: "object", additionalProperties: {} },
      { type: "object", properties: {}, additionalProperties: {} },
      [],
    ],
    [
      { $ref: "#/$defs/x", type: "string", minLength: 1 },
      { type: "string", minLength: 1, format: "uuid" },
      [],
    ],
    [
      { $ref: "#/properties/p/items", type: "array", items: string },
      { type: "array", items: string },
      ["dropped .type"],
    ],
  ])("%j", (schema, expected, notes) => {
    const found = inside(schema, "moonshot", { x: { type: "string", format: "uuid" } })
    expect(found).toEqual({ schema: { ...expected }, notes: [...notes] })
  })

  test("references stay, with the definitions they need, all of them in $defs", () => {
    const schema = {
      $schema: draft,
      type: "object",
      properties: { a: { $ref: "#/definitions/node", description: "d" }, b: { $ref: "#/$defs/x" } },
      definitions: { node, unused: string },
      $defs: { x: string },
    }
    expect(prepare(schema, "moonshot")).toEqual({
      schema: {
        type: "object",
        properties: { a: { $ref: "#/$defs/node", description: "d" }, b: { $ref: "#/$defs/x" } },
        $defs: { node: { type: "object", properties: { next: { $ref: "#/$defs/node" } } }, x: string },
      },
      notes: [],
    })
  })
})

describe("the rules of xAI and llama.cpp", () => {
  test("xAI: only false is refused, wherever it stands; a property of that name stays", () => {
    const open = {
      type: "object",
      properties: { additionalProperties: { const: false } },
      additionalProperties: string,
    }
    const schema = {
      ...closed,
      properties: { a: closed, b: { anyOf: [closed, open] } },
      $defs: { c: closed },
    }
    const { additionalProperties: _closed, ...opened } = closed
    expect(prepare(schema, "xai").schema).toEqual({
      ...opened,
      properties: { a: opened, b: { anyOf: [opened, open] } },
      $defs: { c: opened },
    })
    expect(prepare(schema, "xai").notes.length).toBe(4)
  })

  test.each<[unknown, object, readonly string[]]>([
    [
      { type: "string", pattern: "^a", maxLength: 524_288, minLength: 1 },
      { type: "string", minLength: 1 },
      ["dropped .pattern", "dropped .maxLength"],
    ],
    [{ type: "string", format: "uri" }, string, ["dropped .format"]],
    [{ type: "string", format: "date-time" }, { type: "string", format: "date-time" }, []],
    [
      { type: "integer", minimum: -9007199254740991, maximum: 9007199254740991, exclusiveMinimum: 0 },
      { type: "integer", exclusiveMinimum: 0 },
      ["dropped .minimum", "dropped .maximum"],
    ],
    [{ type: "object" }, { type: "object" }, []],
    [
      { type: "object", propertyNames: string, additionalProperties: {} },
      { type: "object", additionalProperties: true },
      ["dropped .propertyNames"],
    ],
    [{ description: "d" }, { ...any, description: "d" }, []],
    [true, any, []],
    [{ minLength: 1 }, { type: "string", minLength: 1 }, []],
    [{ $ref: "#/$defs/list" }, { type: "array", items: { type: "object" } }, ["changed .items.$ref"]],
    [{ allOf: [{ $ref: "#/$defs/x" }], not: {} }, { type: "string", format: "uuid" }, ["dropped .not"]],
    [
      {
        type: "object",
        properties: { a: string },
        anyOf: [{ required: ["a"] }, { properties: { b: string } }],
      },
      { type: "object", properties: { a: string, b: string } },
      ["changed .anyOf"],
    ],
  ])("llama.cpp: %j", (schema, expected, notes) => {
    const list = { type: "array", items: { $ref: "#/$defs/list" } }
    const found = inside(schema, "llama", { list, x: { type: "string", format: "uuid" } })
    expect(found).toEqual({ schema: { ...expected }, notes: [...notes] })
  })
})

test.each<[string, unknown]>([
  ["#/$defs/a~1b~0", "number"],
  ["#/%24defs/a~1b~0", "number"],
  ["#/properties/list/items/1", "boolean"],
  ["#/properties/list/items/x", "string"],
  ["#/$defs/constructor", "string"],
  ["#/$defs/%E6%BC%A2", "string"],
  [`#/${"a".repeat(2_000)}`, "string"],
])("a reference to %j is a %s", (ref, type) => {
  const properties = { list: { type: "array", items: [string, { type: "boolean" }] }, p: { $ref: ref } }
  const schema = { type: "object", properties, $defs: { "a/b~": { type: "number" } } }
  const cleaned = objectOf(prepare(schema, "gemini").schema["properties"])["p"]
  expect(objectOf(cleaned)["type"]).toBe(type)
})

test("no more than twenty notes and one on the others", () => {
  const properties = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`p${index}`, { not: {} }]))
  const { notes } = prepare({ type: "object", properties }, "llama")
  expect(notes.length).toBe(21)
  expect(notes[0]).toMatchObject({ kind: "dropped", path: "tools.0.input_schema.properties.p0.not" })
  expect(notes[20]).toMatchObject({ path: "tools.0.input_schema", why: "and 10 more changes like these" })
})

describe("the tools of Claude Code", async () => {
  const names = ["first", "haiku", "media", "subagent", "tool-search"]
  const requests = await Promise.all(names.map((name) => readFixture(`claude-code-${name}`)))
  const tools = requests.flatMap((request) => arrayOf(objectOf(request)["tools"])).map(objectOf)
  const named = (name: string) => objectOf(tools.find((tool) => tool["name"] === name)?.["input_schema"])

  test.each([...allRules])("20: all of them are taken by the rules of %s", (rules) => {
    expect(tools.length).toBeGreaterThan(20)
    for (const tool of tools) {
      const given = objectOf(tool["input_schema"])
      const before = JSON.stringify(given)
      const { schema } = prepare(given, rules)
      expect(complaints(schema, rules)).toEqual([])
      expect(Object.keys(objectOf(schema["properties"]))).toEqual(Object.keys(objectOf(given["properties"])))
      expect(JSON.stringify(given)).toBe(before)
    }
  })

  test("20: what Gemini refuses is rewritten for Gemini alone", () => {
    const url = objectOf(named("WebFetch")["properties"])["url"]
    const limit = objectOf(named("Read")["properties"])["limit"]
    expect([url, limit]).toMatchObject([{ format: "uri" }, { exclusiveMinimum: 0 }])
    const { $schema: _schema, ...read } = named("Read")
    expect(prepare(named("Read"))).toEqual({ schema: read, notes: [] })
    expect(prepare(named("Read"), "gemini").schema).toMatchObject({
      properties: { limit: { type: "integer", minimum: 1, maximum: 9007199254740991 } },
    })
    expect(prepare(named("TaskUpdate"), "gemini").schema).toEqual({
      type: "object",
      properties: {
        status: {
          anyOf: [
            { type: "string", enum: ["pending", "done"] },
            { type: "string", enum: ["deleted"] },
          ],
        },
        metadata: { type: "object", properties: {}, description: "any names" },
      },
    })
  })

  test.each([...allRules])("21: an object schema without properties gets empty ones: %s", (rules) => {
    expect(prepare({ type: "object" }, rules).schema).toEqual({ type: "object", properties: {} })
  })
})

test.each([
  ["gemini", { type: "string", exclusiveMinimum: 1, propertyNames: {}, const: "a", oneOf: [{}] }],
  ["gemini", { type: ["string", "null"] }],
  ["gemini", { type: "array" }],
  ["moonshot", { type: "string", anyOf: [string] }],
  ["moonshot", { type: "array", items: [string] }],
  ["moonshot", { $ref: "#/$defs/nothing" }],
  ["xai", closed],
  ["llama", { type: "string", pattern: "x" }],
  ["llama", { type: "string", maxLength: 524_288 }],
  ["llama", true],
  ["openai", { type: "object" }],
] as const)("the checker of %s sees what is wrong with %j", (rules, schema) => {
  const root = { type: "object", properties: { p: schema } }
  expect(isObject(root) && complaints(root, rules).length).toBeGreaterThan(0)
})

describe("the schema of an answer", () => {
  const schema = {
    $schema: draft,
    ...{ type: "object", properties: { title: { type: "string", minLength: 1 } }, required: ["title"] },
    additionalProperties: false,
  }
  const { $schema: _schema, ...clean } = schema
  const format = { type: "json_schema", schema }
  const ofFormat = (given: unknown, delta: ProfileDelta, hasTools = false) =>
    convertFormat(
      parse(ask([user(text("hi"))], { output_config: { format: given } })),
      routeTo(gpt4o, delta).profile,
      hasTools,
    )
  const sent = (given: unknown, delta: ProfileDelta) =>
    ofFormat({ type: "json_schema", schema: given }, delta).fields

  test.each<[ProfileDelta, boolean, unknown, boolean]>([
    [{}, false, { type: "json_schema", json_schema: { name: "response", schema: clean } }, false],
    [{}, true, { type: "json_schema", json_schema: { name: "response", schema: clean } }, false],
    [
      { formatWithTools: false },
      false,
      { type: "json_schema", json_schema: { name: "response", schema: clean } },
      false,
    ],
    [{ formatWithTools: false }, true, undefined, true],
    [{ responseFormat: "json_object" }, false, { type: "json_object" }, true],
    [{ responseFormat: "json_object", formatWithTools: false }, true, undefined, true],
    [{ responseFormat: "none" }, false, undefined, true],
  ])("%j, with tools: %p", (delta, hasTools, field, instructed) => {
    const { fields, instruction, notes } = ofFormat(format, delta, hasTools)
    expect<unknown>(fields.response_format).toEqual(field)
    expect(instruction !== undefined).toBe(instructed)
    expect(notes.map(({ path }) => path)).toEqual(instructed ? ["output_config.format"] : [])
    if (instruction !== undefined) expect(instruction).toEndWith(JSON.stringify(clean))
  })

  test("strict needs a provider that knows it and a schema that keeps its rules", () => {
    const strictly = {
      type: "object",
      properties: { a: string },
      required: ["a"],
      additionalProperties: false,
    }
    const strict = (given: unknown, delta: ProfileDelta) =>
      objectOf(objectOf(sent(given, delta).response_format)["json_schema"])["strict"]
    expect(strict(strictly, { strictTools: true })).toBe(true)
    expect(strict(strictly, { strictTools: false })).toBe(undefined)
    expect(strict({ ...strictly, required: [] }, { strictTools: true })).toBe(undefined)
    expect(strict(strictly, { strictTools: true, schema: "xai" })).toBe(undefined)
  })

  test.each<[SchemaRules, unknown, unknown]>([
    ["gemini", schema, { ...clean, additionalProperties: undefined }],
    ["moonshot", schema, clean],
    ["xai", schema, { ...clean, additionalProperties: undefined }],
    [
      "gemini",
      { type: "array", items: { const: "a" } },
      { type: "array", items: { type: "string", enum: ["a"] } },
    ],
    ["openai", { type: "string", enum: ["a", "b"] }, { type: "string", enum: ["a", "b"] }],
    ["openai", { anyOf: [string, { type: "null" }] }, { anyOf: [string, { type: "null" }] }],
    [
      "openai",
      { anyOf: [{ $ref: "#/$defs/a" }, { type: "object", properties: { b: string } }], $defs: { a: closed } },
      { type: "object", properties: { b: string }, $defs: { a: closed } },
    ],
  ])("by the rules of %s: %j", (rules, given, expected) => {
    const json_schema = objectOf(objectOf(sent(given, { schema: rules }).response_format)["json_schema"])
    expect<unknown>(json_schema["schema"]).toEqual(expected)
  })

  test("the older field is read too, and named in notes", () => {
    const request = parse(ask([user(text("hi"))], { output_format: format }))
    const { notes, instruction } = convertFormat(request, routeTo(gpt4o, { responseFormat: "none" }).profile)
    expect(notes.map(({ path }) => path)).toEqual(["output_format"])
    expect(instruction).toContain("JSON")
    const other = parse(ask([user(text("hi"))], { output_format: { type: "xml" } }))
    expect(convertFormat(other, routeTo(gpt4o).profile)).toMatchObject({
      fields: {},
      notes: [{ kind: "dropped" }],
    })
  })
})
