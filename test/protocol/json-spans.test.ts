// Where the parts of a JSON text stand, held against what JSON.parse says of the same text.
import { expect, test } from "bun:test"
import { isObject } from "../../src/protocol/json.ts"
import { elementsOf, memberOf, membersOf, removalsOf, type Span } from "../../src/protocol/json-spans.ts"
import { property, type Random } from "../support/random.ts"

const cut = (text: string, { start, end }: Span) => text.slice(start, end)

function without(text: string, spans: readonly Span[]): string {
  return spans.toReversed().reduce((left, { start, end }) => left.slice(0, start) + left.slice(end), text)
}

test.each([
  ['{"model":"a","n":1}', "model", '"a"'],
  ['{"mod\\u0065l":"a"}', "model", '"a"'],
  ['{"model":"a","model":"b"}', "model", '"b"'],
  ['{"model":"a","mod\\u0065l":"b"}', "model", '"b"'],
  ['{"x":{"model":"a"},"model":"b"}', "model", '"b"'],
  ['{"x":["{\\"model\\":1}"],"model" \n:\t"b" }', "model", '"b"'],
  [' \n{ "a\\"b" : [1, {"c":"]}"}] , "model":null}', 'a"b', '[1, {"c":"]}"}]'],
  ['{"a":"\\\\","model":"b"}', "model", '"b"'],
  ['{"a":"\\\\\\"","model":"b"}', "model", '"b"'],
  ['{"model":9007199254740993}', "model", "9007199254740993"],
  ['{"model":-1.50e+3 }', "model", "-1.50e+3"],
  ['{"__proto__":{"model":1},"model":true}', "model", "true"],
])("%s: the value of %j", (text, key, expected) => {
  const member = memberOf(membersOf(text, 0), key)
  expect(member === undefined ? undefined : cut(text, member.value)).toBe(expected)
})

test.each([
  ["[]", []],
  ["[ ]", []],
  ['[1 , "a,b" ,[2,3],{"c":[4]}, null ]', ["1", '"a,b"', "[2,3]", '{"c":[4]}', "null"]],
  ['{"a":1}', []],
  ['"[1]"', []],
])("the elements of %s", (text, expected) => {
  expect(elementsOf(text, 0).map((span) => cut(text, span))).toEqual([...expected])
})

test("what is no object has no members", () => {
  for (const text of ["", " ", "[]", '"{}"', "1", "{}", "{ }"]) expect(membersOf(text, 0)).toEqual([])
})

test.each([
  ["[a , b , c]", [0], "[b , c]"],
  ["[a , b , c]", [1], "[a , c]"],
  ["[a , b , c]", [2], "[a , b]"],
  ["[ a , b , c ]", [0, 1], "[ c ]"],
  ["[ a , b , c ]", [1, 2], "[ a ]"],
  ["[ a , b , c ]", [0, 2], "[ b ]"],
  ["[ a , b , c ]", [0, 1, 2], "[  ]"],
  ["[ a , b , c ]", [], "[ a , b , c ]"],
])("%s without %j", (text, gone, expected) => {
  expect(without(text, removalsOf(elementsOf(text, 0), new Set(gone)))).toBe(expected)
})

test("nothing that is no JSON hangs it", () => {
  for (const text of [
    "{",
    '{"',
    '{"a',
    '{"a"',
    '{"a":',
    '{"a":[',
    "[",
    "[,",
    "[:",
    "[1",
    '["',
    '["\\',
    "[}",
  ]) {
    expect(membersOf(text, 0).length + elementsOf(text, 0).length).toBeLessThan(3)
  }
})

test("nesting costs no stack, and long strings of backslashes and quotes no more than their length", () => {
  const deep = `{"a":${"[".repeat(200_000)}${"]".repeat(200_000)},"model":"x"}`
  const quotes = `{"a":"${'\\"'.repeat(500_000)}","b":"${"\\\\".repeat(500_000)}","model":"x"}`
  const many = `[${"1,".repeat(500_000)}1]`
  const from = performance.now()
  for (const text of [deep, quotes]) {
    const start = text.length - '"x"}'.length
    expect(memberOf(membersOf(text, 0), "model")?.value).toEqual({ start, end: start + 3 })
  }
  expect(elementsOf(many, 0).length).toBe(500_001)
  expect(performance.now() - from).toBeLessThan(2000)
})

/** JSON text with white space, escapes and keys that come twice, as any client might write it. */
function write(random: Random, depth: number): string {
  const space = () => random.pick(["", "", "", " ", "\n  ", "\t", "\r\n"])
  const around = (text: string) => space() + text + space()
  const many = <T>(make: () => T) => Array.from({ length: random.integer(0, 4) }, make)
  switch (random.pick(depth > 0 ? ["array", "object", "object", "word"] : ["word"])) {
    case "array":
      return `[${many(() => around(write(random, depth - 1))).join(",") || space()}]`
    case "object": {
      const member = () => `${around(writeText(random, 1))}:${around(write(random, depth - 1))}`
      return `{${many(member).join(",") || space()}}`
    }
    default:
      return random.pick([
        ...["null", "true", "false", "0", "-1.5e+10", "9007199254740993", "1E5"],
        writeText(random, 8),
        writeText(random, 8),
      ])
  }
}

function writeText(random: Random, length: number): string {
  const escaped = [...random.text(length)].map((character) => {
    const unit = character.charCodeAt(0)
    const plain = JSON.stringify(character).slice(1, -1)
    return character.length === 1 && random.chance(0.3)
      ? `\\u${unit.toString(16).padStart(4, "0")}`
      : random.chance(0.1)
        ? `${plain}\\\\\\/`
        : plain
  })
  return `"${escaped.join("")}"`
}

/** Every value below `from` stands where it is said to. */
function check(text: string, from: number, value: unknown): void {
  const elements = elementsOf(text, from)
  const members = membersOf(text, from)
  if (Array.isArray(value)) {
    expect(elements.length).toBe(value.length)
    for (const [position, span] of elements.entries()) {
      expect(JSON.parse(cut(text, span))).toEqual(value[position])
      check(text, span.start, value[position])
    }
  } else expect(elements).toEqual([])
  if (!isObject(value)) {
    expect(members).toEqual([])
    return
  }
  expect([...new Set(members.map(({ key }) => key))].toSorted()).toEqual(Object.keys(value).toSorted())
  for (const [key, inner] of Object.entries(value)) {
    const member = memberOf(members, key)
    expect(member === undefined ? undefined : JSON.parse(cut(text, member.value))).toEqual(inner)
    expect(JSON.parse(`{${member === undefined ? "" : cut(text, member.span)}}`)).toEqual({ [key]: inner })
    if (member !== undefined) check(text, member.value.start, inner)
  }
}

property("members and elements are those of JSON.parse", 2000, (random) => {
  const text = random.pick(["", " ", "\n"]) + write(random, 4)
  check(text, 0, JSON.parse(text))
})

property("what is left after a removal is the rest", 1000, (random) => {
  const text = write(random, 2)
  const value: unknown = JSON.parse(text)
  const spans = Array.isArray(value) ? elementsOf(text, 0) : membersOf(text, 0).map(({ span }) => span)
  const gone = new Set(spans.keys().filter(() => random.chance(0.5)))
  const left = without(text, removalsOf(spans, gone))
  const kept = spans.filter((_, position) => !gone.has(position)).map((span) => cut(text, span))
  const sign = Array.isArray(value) ? "[]" : "{}"
  if (spans.length === 0) expect(left).toBe(text)
  else expect(JSON.parse(left)).toEqual(JSON.parse(`${sign[0]}${kept.join(",")}${sign[1]}`))
})
