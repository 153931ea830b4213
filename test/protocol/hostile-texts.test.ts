// Texts that clients and upstreams may send in any length: what is done with them must stay linear, and must
// not let half a secret through.
import { describe, expect, test } from "bun:test"
import { createLogger } from "../../src/observe/log.ts"
import { type ErrorContext, faultFromError, isErrorJson } from "../../src/protocol/errors/upstream-error.ts"
import { parseJson } from "../../src/protocol/json.ts"
import { redact } from "../../src/protocol/redact.ts"

const context: ErrorContext = {
  provider: "generic",
  model: "m",
  url: "http://upstream",
  inputTokens: () => 10,
  contextWindow: null,
  keyName: "OPENAI_API_KEY",
  secrets: ["zq9-K7fK7f-secret-value-of-a-test"],
}

describe("redaction takes time in proportion", () => {
  test.each(["api_key=", "eyJabcdefghij.", "Bearer aaaaaaaaaa", "?key=", "sk-", " authorization: "])(
    "%s",
    (piece) => {
      const started = performance.now()
      redact(piece.repeat(Math.ceil(400_000 / piece.length)), context.secrets)
      expect(performance.now() - started).toBeLessThan(1_500)
    },
  )
})

test("an error in the form of a page that is never closed", () => {
  const body = "<".repeat(16_384)
  const started = performance.now()
  for (let count = 0; count < 20; count++) faultFromError({ status: 502, header: () => null, body }, context)
  expect(performance.now() - started).toBeLessThan(300)
})

test("an error whose code is said again and again", () => {
  const code = "json_validate_failed ".repeat(12_000)
  const body = JSON.stringify({ error: { message: "max completion tokens reached", code } })
  const started = performance.now()
  faultFromError({ status: 400, header: () => null, body }, context)
  expect(performance.now() - started).toBeLessThan(300)
})

test.each(['{"a":', "[", '{"b":1,"a":[0,'])("JSON that could not be written again is none: %s", (open) => {
  const close = [...open].flatMap((sign) => (sign === "{" ? ["}"] : sign === "[" ? ["]"] : [])).toReversed()
  const nested = (levels: number) =>
    `${open.repeat(levels / close.length)}1${close.join("").repeat(levels / close.length)}`
  expect(parseJson(nested(20_000)).ok).toBe(true)
  const started = performance.now()
  expect(parseJson(nested(40_000))).toEqual({ ok: false, why: "it is nested too deeply" })
  expect(performance.now() - started).toBeLessThan(500)
})

describe("a secret that lies across the place where a message is cut", () => {
  const [secret = ""] = context.secrets
  test.each([
    ["JSON", (pad: string) => JSON.stringify({ error: { message: `${pad}${secret} tail` } }), 2_000],
    ["HTML", (pad: string) => `<html><body>${pad}${secret} tail</body></html>`, 500],
  ] as const)("%s", (_name, body, limit) => {
    for (let length = limit - secret.length - 1; length <= limit + 1; length++) {
      const fault = faultFromError(
        { status: 400, header: () => null, body: body("x".repeat(length)) },
        context,
      )
      expect(fault.message).not.toContain(secret.slice(0, 6))
    }
  })
})

test("a line of JSON stays JSON when something in it is redacted", () => {
  const lines: string[] = []
  const log = createLogger({
    level: "INFO",
    format: "json",
    write: (line) => lines.push(line),
    now: () => new Date(0),
    secrets: context.secrets,
  })
  log.info('{"url":"https://x?token=zz12345678901"}', () => ({ why: 'GET "https://x?key=abc123" failed' }))
  log.info(`model ${"m".repeat(100_000)}`)
  expect(lines.map((line) => Object.keys(JSON.parse(line)).slice(0, 3))).toEqual([
    ["time", "level", "message"],
    ["time", "level", "message"],
  ])
  expect(lines.join("")).not.toContain("abc123")
})

test.each([
  [{ choices: [{}], error: null }, false],
  [{ choices: [{}], error: {} }, false],
  [{ choices: [{}], error: { code: null, message: null } }, false],
  [{ choices: [{}], error: { code: 0, message: "" } }, false],
  [{ choices: [{}], error: { message: "no" } }, true],
  [{ error: "no" }, true],
] as const)("%j is an error: %p", (value, expected) => {
  expect(isErrorJson(value)).toBe(expected)
})
