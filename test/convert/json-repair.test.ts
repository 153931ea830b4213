// Arguments that are not quite JSON: what is repaired when the whole text is there, and what is left alone.
import { describe, expect, test } from "bun:test"
import { checkArguments } from "../../src/convert/tool-calls/argument-check.ts"
import { repairJson } from "../../src/convert/tool-calls/json-repair.ts"
import { toolInput } from "../../src/convert/tool-calls/json-scan.ts"
import { repair } from "../../src/convert/tool-calls/repairs.ts"
import { isObject, type JsonObject, parseJson } from "../../src/protocol/json.ts"
import { property, type Random } from "../support/random.ts"

const what = (text: string) => {
  const repaired = repairJson(text)
  return repaired.ok ? [repaired.text, repaired.what] : undefined
}

describe("repairJson", () => {
  const { closed, comma, comment, control, escape: escapes, key, quote, word } = repair
  const cases: readonly (readonly [string, string, string, readonly string[]])[] = [
    ["valid JSON", '{ "a" : [1, "\\u00e9"] }', '{ "a" : [1, "\\u00e9"] }', []],
    ["a large number", '{"a":12345678901234567890,}', '{"a":12345678901234567890}', [comma]],
    ["trailing commas", '{"a":[1,2, ],}', '{"a":[1,2 ]}', [comma]],
    ["raw line breaks", '{"a":"1\n2\t3\r"}', '{"a":"1\\n2\\t3\\r"}', [control]],
    ["other control characters", '{"a":"\u0001\u001f"}', '{"a":"\\u0001\\u001f"}', [control]],
    ["a quote that needs no backslash", '{"a":"it\\\'s"}', '{"a":"it\'s"}', [escapes]],
    ["a path of Windows", '{"a":"C:\\Users\\x"}', '{"a":"C:\\\\Users\\\\x"}', [escapes]],
    ["half an escape", '{"a":"\\u12","b":"\\users"}', '{"a":"\\\\u12","b":"\\\\users"}', [escapes]],
    ["a backslash at the end of a line", '{"a":"b \\\n c"}', '{"a":"b \\\\\\n c"}', [escapes, control]],
    ["single quotes", "{'a': 'b', 'c': ['d']}", '{"a": "b", "c": ["d"]}', [quote]],
    [
      "quotes inside the other ones",
      `{'a': 'say "hi"', "b": "it's"}`,
      `{"a": "say \\"hi\\"", "b": "it's"}`,
      [quote],
    ],
    ["an escaped quote", "{'a': 'it\\'s'}", '{"a": "it\'s"}', [quote]],
    ["an empty string", "{'a': ''}", '{"a": ""}', [quote]],
    ["a line break in single quotes", "{'a': 'b\nc'}", '{"a": "b\\nc"}', [quote, control]],
    ["names without quotes", '{a: 1, b_2 : {$c-d: "e"}}', '{"a": 1, "b_2" : {"$c-d": "e"}}', [key]],
    ["Python", "{'a': True, 'b': False, 'c': None}", '{"a": true, "b": false, "c": null}', [quote, word]],
    ["numbers that are none", "[NaN,Infinity,-Infinity,undefined,-1]", "[null,null,null,null,-1]", [word]],
    ["comments", '{"a":1, // don\'t\n /* {" */ "b":2 /**/}', '{"a":1, \n  "b":2 }', [comment]],
    ["a comment behind a trailing comma", '{"a":1, // x\n}', '{"a":1 \n}', [comment, comma]],
    ["brackets that are missing", '{"a":[{"b":1', '{"a":[{"b":1}]}', [closed]],
    ["a bracket and what follows a comma", '{"a":1, ', '{"a":1 }', [comma, closed]],
    ["an end behind a word", '{"a":True', '{"a":true}', [word, closed]],
    ["an object that only begins", "{", "{}", [closed]],
  ]
  test.each(cases)("%s", (_name, text, expected, done) => {
    const found = what(text)
    expect(found?.[0]).toBe(expected)
    expect([...(found?.[1] ?? [])].toSorted()).toEqual([...done].toSorted())
    const repaired = repairJson(text)
    expect(repaired.ok && repaired.value).toEqual(JSON.parse(expected))
  })

  test.each([
    "",
    "read it",
    '{"a":',
    '{"a"',
    '{"a":"b',
    "{'a': 'it's'}",
    "{'a': 'b",
    '{"a":1 "b":2}',
    '{"a":1}{"b":2}',
    '{"a":1}}',
    '{"a":1]',
    '{"a":tru',
    '{"a":yes}',
    '{"a":01}',
    "{'a': u'b'}",
    '{"a":(1,2)}',
    '{"a":1,,}',
    '{"a":1 /* b',
    "{1: 2}",
  ])("%p has no certain meaning", (text) => {
    expect(repairJson(text)).toEqual({ ok: false })
    expect(toolInput(text, true)).toEqual(text === "" ? {} : { _raw_arguments: text })
  })

  test("a name like __proto__ is a property like any other", () => {
    const repaired = repairJson("{'__proto__': {'a': 1}}")
    expect(repaired.ok && isObject(repaired.value) && Object.keys(repaired.value)).toEqual(["__proto__"])
  })

  test("hostile text costs no more than its length", () => {
    const many = 100_000
    const texts = ["[", "{'a':", "'", "\\'", "a ", "{a", ",", "/*", "//", "`", "{}", "\n", '{"a":"\\'].map(
      (part) => part.repeat(many),
    )
    const started = performance.now()
    for (const text of texts) expect(isObject(toolInput(text, true))).toBe(true)
    expect(performance.now() - started).toBeLessThan(3000)
  })
})

describe("toolInput", () => {
  const cases: readonly (readonly [string, string, JsonObject])[] = [
    ["a fence around what is not quite JSON", "```json\n{'a': 1,}\n```", { a: 1 }],
    ["encoded twice and not quite JSON", JSON.stringify("{'a': True}"), { a: true }],
    ["encoded twice, the inner end missing", JSON.stringify('{"a":[1'), { a: [1] }],
    ["a list with a trailing comma", "[1,]", {}],
    ["Python's null", "None", {}],
    ["an end that is missing, and may have been cut off", '{"a":[1', { _raw_arguments: '{"a":[1' }],
    ["prose with an object in it", 'Use {"a":1}.', { _raw_arguments: 'Use {"a":1}.' }],
  ]
  test.each(cases)("%s", (_name, text, expected) => {
    expect(toolInput(text)).toEqual(expected)
  })

  test("an end that is missing is added for who knows that nothing was cut off", () => {
    expect(toolInput('{"a":[1', true)).toEqual({ a: [1] })
    expect(toolInput('{"a":"b', true)).toEqual({ _raw_arguments: '{"a":"b' })
  })
})

/** Any object as Python or a hurried model would write it. */
function loosely(random: Random, value: unknown): string {
  const comma = (items: readonly string[]) =>
    items.join(", ") + (items.length > 0 && random.chance(0.3) ? "," : "")
  if (Array.isArray(value)) return `[${comma(value.map((item) => loosely(random, item)))}]`
  if (isObject(value)) {
    const fields = Object.entries(value).map(
      ([name, item]) => `${loosely(random, name)}: ${loosely(random, item)}`,
    )
    return `{${comma(fields)}}`
  }
  if (typeof value === "boolean") return value ? "True" : "False"
  if (value === null) return random.pick(["None", "null"])
  if (typeof value === "number") return JSON.stringify(value)
  const body = JSON.stringify(value).slice(1, -1).replaceAll("\\n", "\n").replaceAll("\\t", "\t")
  return random.chance(0.5) ? `"${body}"` : `'${body.replaceAll("'", "\\'").replaceAll('\\"', '"')}'`
}

property("what was written loosely is read as it was meant", 2000, (random) => {
  const value = { path: random.text(12), more: random.json(3) }
  expect(toolInput(loosely(random, value))).toEqual(value)
})

property("valid JSON is never changed", 1000, (random) => {
  const text = JSON.stringify(random.json(4), null, random.pick([0, 2]))
  expect(repairJson(text)).toEqual({ ok: true, value: JSON.parse(text), text, what: [] })
})

property("one mutation anywhere: the input is repaired, or kept as raw text", 3000, (random) => {
  const text = JSON.stringify({ path: random.text(12), more: random.json(3) })
  const at = random.integer(0, text.length)
  const put = random.pick(["", "", ",", "'", '"', "{", "}", "\\", "/", "\n", "x", "`", ":", " "])
  const mutated = text.slice(0, at) + put + text.slice(at + random.integer(0, 2))
  const input = toolInput(mutated)
  const bare = mutated.replaceAll("```", "").trim()
  const repaired = repairJson(bare)
  const read = repaired.ok && !repaired.what.includes(repair.closed) && isObject(repaired.value)
  expect(input).toEqual(
    read ? JSON.parse(repaired.text) : parseJson(bare).ok ? {} : { _raw_arguments: mutated },
  )
})

describe("checkArguments", () => {
  const schema: JsonObject = {
    type: "object",
    properties: {
      path: { type: "string" },
      count: { type: ["integer", "null"] },
      todos: { type: "array" },
      any: { anyOf: [{ type: "string" }] },
      odd: { type: "decimal" },
      free: true,
      size: { type: "number", nullable: true },
    },
    required: ["path"],
    additionalProperties: false,
  }
  const cases: readonly (readonly [string, JsonObject, JsonObject, string | undefined])[] = [
    [
      "all is well",
      schema,
      { path: "a", count: null, todos: [], any: 1, odd: 1, free: 1, size: null },
      undefined,
    ],
    ["nothing came", schema, {}, "path is missing"],
    ["an unknown property", schema, { path: "a", secret: 1 }, "a property is not in the schema"],
    [
      "an inherited name is no property",
      schema,
      { path: "a", toString: 1 },
      "a property is not in the schema",
    ],
    ["a wrong type", schema, { path: 1 }, "path is not of type string"],
    ["a wrong type of several", schema, { path: "a", count: 1.5 }, "count is not of type integer or null"],
    ["an object for a list", schema, { path: "a", todos: {} }, "todos is not of type array"],
    ["more is allowed", { ...schema, additionalProperties: true }, { path: "a", more: 1 }, undefined],
    ["no word about more", { properties: { a: { type: "boolean" } } }, { a: true, b: 1 }, undefined],
    ["a schema that combines others", { ...schema, anyOf: [] }, {}, undefined],
    ["an empty schema", {}, { a: 1 }, undefined],
    ["nonsense", { properties: 3, required: "path" }, { a: 1 }, undefined],
  ]
  test.each(cases)("%s", (_name, given, value, expected) => {
    expect(checkArguments(given, value)).toBe(expected)
  })
})
