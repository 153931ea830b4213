import { describe, expect, test } from "bun:test"
import { createLogger, type LogFields, type LoggerOptions } from "../../src/observe/log.ts"
import { secrecyOf } from "../../src/protocol/secrecy.ts"

const now = () => new Date(2025, 0, 1, 10, 30, 15)

function lines(format: "text" | "json", level: LoggerOptions["level"], secrets: readonly string[] = []) {
  const written: string[] = []
  const log = createLogger({ level, format, write: (line) => written.push(line), now, secrets })
  return { written, log }
}

function text(message: string, fields?: LogFields, secrets: readonly string[] = []): string {
  const { written, log } = lines("text", "DEBUG", secrets)
  log.info(message, fields)
  return written.join("\n").replace("2025-01-01 10:30:15 - INFO - ", "")
}

function json(message: string, fields?: LogFields, secrets: readonly string[] = []): unknown {
  const { written, log } = lines("json", "DEBUG", secrets)
  log.info(message, fields)
  expect(written).toHaveLength(1)
  return JSON.parse(written[0] ?? "")
}

describe("form", () => {
  test("text: local time, level, message, fields", () => {
    const { written, log } = lines("text", "INFO")
    log.warn("slow", () => ({ model: "gpt-4o", ms: 12, why: "two words", list: [1], none: undefined }))
    expect(written).toEqual([
      '2025-01-01 10:30:15 - WARNING - slow model=gpt-4o ms=12 why="two words" list=[1] none=undefined',
    ])
  })

  test("JSON: fields cannot pass for the head", () => {
    expect(json("hi", () => ({ level: "ERROR", n: 1 }))).toEqual({
      time: now().toISOString(),
      level: "INFO",
      message: "hi",
      n: 1,
    })
  })

  test("levels that are off cost nothing", () => {
    const { written, log } = lines("text", "WARNING")
    const fields = () => {
      throw new Error("was read")
    }
    log.debug("a", fields)
    log.info("b", fields)
    log.warn("c")
    log.error("d")
    expect(written.map((line) => line.slice(-1))).toEqual(["c", "d"])
  })
})

describe("secrets", () => {
  test.each([
    ["authorization", "yes"],
    ["Proxy-Authorization", "yes"],
    ["x-api-key", "maybe"],
    ["apiKey", "maybe"],
    ["APIKEY", "yes"],
    ["set-cookie", "yes"],
    ["clientSecret", "yes"],
    ["password", "yes"],
    ["access_token", "maybe"],
    ["clientKeys", "maybe"],
    ["input_tokens", "maybe"],
    ["keyName", "no"],
    ["tokenCount", "no"],
    ["monkey", "no"],
    ["tokenizer", "no"],
    ["model", "no"],
  ] as const)("by name: %s is %s", (name, expected) => {
    expect(secrecyOf(name)).toBe(expected)
  })

  test("a secret name hides everything under it; counters stay", () => {
    const fields = () => ({
      headers: { Authorization: "Bearer abc", "x-api-key": ["k1", "k2"], accept: "*/*" },
      input_tokens: 15,
      max_tokens: "8192",
      tokens: { input: 3, text: "hidden" },
      password: 1234,
      keyName: "OPENAI_API_KEY",
    })
    expect(json("m", fields)).toMatchObject({
      headers: { Authorization: "[redacted]", "x-api-key": ["[redacted]", "[redacted]"], accept: "*/*" },
      input_tokens: 15,
      max_tokens: "8192",
      tokens: { input: 3, text: "[redacted]" },
      password: "[redacted]",
      keyName: "OPENAI_API_KEY",
    })
  })

  test("by value and by shape, wherever they stand", () => {
    const secrets = ['my"odd\\value']
    const fields = () => ({
      url: 'http://x/?q=my"odd\\value',
      'my"odd\\value': 1,
      note: "sk-abcdefgh12345678",
    })
    const line = text('used my"odd\\value', fields, secrets)
    expect(line).toBe('used [redacted] url="http://x/?q=[redacted]" [redacted]=1 note="[redacted]"')
    expect(JSON.stringify(json('used my"odd\\value', fields, secrets))).not.toContain("odd")
  })

  test("a secret at the point where a long text is cut", () => {
    const line = text("m", () => ({ body: `${"a".repeat(1_990)} topsecretvalue` }), ["topsecretvalue"])
    expect(line).not.toContain("topsec")
  })
})

describe("nothing logged can forge a line", () => {
  const evil = "gpt\n2025-01-01 10:30:15 - ERROR - forged\r\u001b[2K\u2028\u0085\u202e"

  test("text", () => {
    const line = text(evil, () => ({ model: evil, [evil]: 1 }))
    expect(line.match(/[\p{Cc}\u2028\u2029\u202e]/gu)).toBeNull()
    expect(
      line.startsWith("gpt\\n2025-01-01 10:30:15 - ERROR - forged\\r\\u001b[2K\\u2028\\u0085\\u202e"),
    ).toBe(true)
  })

  test("JSON", () => {
    const { written, log } = lines("json", "INFO")
    log.info(evil, () => ({ model: evil }))
    expect(written[0]?.match(/[\p{Cc}\u2028\u2029\u202e]/gu)).toBeNull()
    expect(JSON.parse(written[0] ?? "")).toMatchObject({ message: evil, model: evil })
  })
})

describe("whatever is logged, nothing is thrown", () => {
  const circle: Record<string, unknown> = { name: "a" }
  circle["self"] = circle
  const getter = Object.defineProperty({}, "bad", {
    enumerable: true,
    get: () => {
      throw new Error("no")
    },
  })
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  let deep: unknown = "bottom"
  for (let level = 0; level < 20; level += 1) deep = [deep]

  test.each([
    ["a circle", circle, { name: "a", self: "[circular]" }],
    ["a getter that throws", getter, { bad: "[unreadable]" }],
    ["a revoked proxy", revoked.proxy, "[unreadable]"],
    ["a deep value", deep, [[[[[["[deep]"]]]]]]],
    ["an error", new TypeError("bad"), "TypeError: bad"],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["no date", new Date(Number.NaN), "[invalid date]"],
    ["bytes", new Uint8Array(3), "[3 bytes]"],
    ["a map", new Map([["a", 1]]), { a: 1 }],
    ["headers", new Headers({ "x-api-key": "k" }), { "x-api-key": "[redacted]" }],
    ["a bigint", 10n, "10"],
    ["a function", () => 1, "[function]"],
    ["a symbol", Symbol("s"), "[symbol]"],
    ["infinity", Number.POSITIVE_INFINITY, "Infinity"],
    ["null", null, null],
    ["a long text", "x".repeat(3_000), `${"x".repeat(2_000)}… (3000 characters)`],
  ])("%s", (_name, value, expected) => {
    expect(json("m", () => ({ value }))).toMatchObject({ value: expected })
  })

  test("fields that cannot be made", () => {
    const fields = () => {
      throw new Error("no fields")
    }
    expect(text("m", fields)).toBe('m fieldsFailed="Error: no fields"')
  })

  test("a sink that throws", () => {
    const write = () => {
      throw new Error("EPIPE")
    }
    const log = createLogger({ level: "INFO", format: "text", write, now, secrets: [] })
    expect(() => log.info("m")).not.toThrow()
  })

  test("very long lines are cut, and JSON stays JSON", () => {
    const fields = () =>
      Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, "x".repeat(1_900)]))
    expect(text("m", fields).length).toBeLessThan(16_500)
    expect(json("m", fields)).toEqual({
      time: now().toISOString(),
      level: "INFO",
      message: "m",
      truncated: true,
    })
  })
})

test.each([[text], [json]])("a message that is too long is not cut within a secret", (render) => {
  const secret = "0123456789abcdefghij-secret"
  const shown = JSON.stringify(render("x".repeat(8_192 - 20) + secret, undefined, [secret]))
  expect(shown).toContain("x[redacted]…")
  expect(shown).not.toContain("0123456789")
})
