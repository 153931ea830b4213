import { describe, expect, test } from "bun:test"
import { normaliseValue, parseEnvFile } from "../../src/config/sources/env-file.ts"

describe("one line of a dotenv file", () => {
  test.each([
    ["A=b", "b"],
    ["export A=b", "b"],
    ["  export   A = b  ", "b"],
    ["A=a#b", "a#b"],
    ["A=a #b", "a"],
    ["A=a\t# b", "a"],
    ["A=#b", "#b"],
    ["A= # nothing", ""],
    ["A=", ""],
    ["A=a=b==", "a=b=="],
    ['A="a # b" # c', "a # b"],
    ["A='a # b'", "a # b"],
    ["A=`a \"b\" 'c'`", "a \"b\" 'c'"],
    ['A="a\\nb\\"c\\\\d"', 'a\nb"c\\d'],
    ["A='a\\nb'", "a\\nb"],
    ['A=""', ""],
    ["A=it's", "it's"],
    ["A=two words", "two words"],
    ["\uFEFFA=b", "b"],
    ["A=b\r", "b"],
    ["A=$HOME", "$HOME"],
  ])("%j gives %j", (line, value) => {
    expect(parseEnvFile(line)).toEqual({ entries: [{ name: "A", value, line: 1 }], issues: [] })
  })
})

describe("a whole dotenv file", () => {
  test("comments and empty lines count as lines", () => {
    const { entries, issues } = parseEnvFile("# one\r\n\r\nA=1\n  # two\nexport A\nB=2\n")
    expect(entries).toEqual([
      { name: "A", value: "1", line: 3 },
      { name: "B", value: "2", line: 6 },
    ])
    expect(issues).toEqual([])
  })

  test("a quoted value may have several lines", () => {
    const { entries } = parseEnvFile('A="one\ntwo"\nB=3')
    expect(entries).toEqual([
      { name: "A", value: "one\ntwo", line: 1 },
      { name: "B", value: "3", line: 3 },
    ])
  })

  test("what cannot be read is an issue that does not quote the line, and the rest is read", () => {
    const { entries, issues } = parseEnvFile('sk-secret\nA="open\nB="b" c\nC=3')
    expect(entries).toEqual([{ name: "C", value: "3", line: 4 }])
    expect(issues).toEqual([
      { line: 1, name: undefined, why: "is not of the form NAME=value" },
      { line: 2, name: "A", why: 'has text after its closing "' },
      { line: 3, name: "B", why: 'has text after its closing "' },
    ])
    expect(parseEnvFile("A='open\nB=1").issues).toEqual([
      { line: 1, name: "A", why: "has an opening ' and no closing one" },
    ])
  })
})

test.each([
  ['"abc"', "abc"],
  ["'abc'", "abc"],
  ["abc # mine", "abc"],
  ['"abc" # mine', "abc"],
  ['"a # b"', "a # b"],
  ["a#b", "a#b"],
  [" abc\r\n", "abc"],
  [" # nothing", ""],
  ['""', ""],
  ['"', '"'],
  ["\"abc'", "\"abc'"],
  ['say "hi"', 'say "hi"'],
])("%j from the environment means %j", (raw, value) => {
  expect(normaliseValue(raw)).toBe(value)
})
