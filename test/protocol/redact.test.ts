// No key in any text; no word torn apart that is none.
import { expect, test } from "bun:test"
import { longestFirst, redact, redactCut, redactJson } from "../../src/protocol/redact.ts"

const hidden = "[redacted]"

test.each([
  ["key sk-abcdefgh12345678 refused", `key ${hidden} refused`],
  ["sk-proj-Ab_c-12345678.", `${hidden}.`],
  ["sk-ant-api03-xxxx-yyyy", hidden],
  ["Incorrect API key provided: sk-ab****wxyz.", `Incorrect API key provided: ${hidden}.`],
  ["gsk_0123456789abcdefghij0123", hidden],
  ["xai-0123456789abcdefghij0123", hidden],
  ["AIzaSyA-0123456789abcdefghijklmnop", hidden],
  ["Authorization: Bearer abcdef0123456789", "Authorization: Bearer [redacted]"],
  ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln", hidden],
  ["api-key: 0123456789abcdef0123456789abcdef", "api-key: [redacted]"],
  ['{"api_key":"0123456789abcdef"}', '{"api_key":"[redacted]"}'],
  ["https://h/v1?key=AbC&x=1", "https://h/v1?key=[redacted]&x=1"],
])("%s", (text, expected) => {
  expect(redact(text, [])).toBe(expected)
})

test.each([
  "Missing bearer or basic authentication in header",
  "The model xai-grok-4-fast does not exist",
  "risk-free task-list disk-usage",
  "max_tokens: 64000 is too large",
  "Invalid API key: none given",
  "fw-configuration hf-model pk_user_id",
])("%s stays", (text) => {
  expect(redact(text, [])).toBe(text)
})

test("the order of secrets changes nothing, and the list stays as it was", () => {
  const given = ["abc", "my-secret", "my-secret-longer", "secret-long"]
  expect(longestFirst(given)).toEqual(["my-secret-longer", "secret-long", "my-secret"])
  expect(given).toEqual(["abc", "my-secret", "my-secret-longer", "secret-long"])
  for (const secrets of [given, given.toReversed(), longestFirst(given)]) {
    expect(redact("my-secret-longer, my-secret and abc", secrets)).toBe(`${hidden}, ${hidden} and abc`)
  }
})

test("known secrets go first, the longest before its own beginning, and short ones are left alone", () => {
  expect(redact("my-secret-long and my-secret and abc", ["my-secret", "my-secret-long", "abc"])).toBe(
    `${hidden} and ${hidden} and abc`,
  )
})

test("a secret with signs of a regular expression", () => {
  expect(redact("a p.*(ss b", ["p.*(ss"])).toBe(`a ${hidden} b`)
})

test.each([
  ["the key ab-0123456789 is wrong", `the key ${hidden} is wrong`],
  ["the key ab-0123456", `the key ${hidden}`],
  ["ab-01234", hidden],
  ["the key ab-0123", "the key ab-0123"],
  ["the key ab-0123456 is", "the key ab-0123456 is"],
  ["no key", "no key"],
  ["", ""],
])("a text that breaks off: %j", (text, expected) => {
  expect(redactCut(text, ["ab-0123456789", "another-one"])).toBe(expected)
})

test.each([
  [String.raw`{"m":"key a\/b+c12 "}`, `{"m":"key ${hidden} "}`],
  [
    String.raw`{"m":"key \u0061\u002Fb\u002bc12","n":"\"\u00e9\n\u0022\u005c"}`,
    String.raw`{"m":"key ${hidden}","n":"\"\u00e9\n\u0022\u005c"}`,
  ],
  [String.raw`{"m":"a\\/b+c12"}`, String.raw`{"m":"a\\/b+c12"}`],
  [String.raw`{"m":"a\/c \u0061"}`, String.raw`{"m":"a\/c \u0061"}`],
])("in JSON with escape sequences: %s", (json, expected) => {
  expect(redactJson(json, ["a/b+c12"])).toBe(expected)
})
