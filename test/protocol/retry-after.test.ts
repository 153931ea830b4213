// When to come back, wherever the upstream says it.
import { describe, expect, test } from "bun:test"
import { durationMs, retryAfterMs } from "../../src/protocol/errors/retry-after.ts"

test.each([
  ["34s", 34_000],
  ["34.074824224s", 34_075],
  ["6m0s", 360_000],
  ["1.2 seconds", 1200],
  ["120ms", 120],
  ["1h2m3s", 3_723_000],
  ["2 days", 172_800_000],
  ["5 messages", undefined],
  ["soon", undefined],
  ["", undefined],
])("%s is %p ms", (text, expected) => {
  expect(durationMs(text)).toBe(expected)
})

const headers = (given: Readonly<Record<string, string>>) => (name: string) => given[name] ?? null
const noHeaders = headers({})
const retryInfo = { error: { details: [{}, "x", { retryDelay: "no" }, { retryDelay: "34s" }] } }

describe("sources", () => {
  test.each([
    [{ "retry-after": "20" }, 20_000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after-ms": "1500", "retry-after": "9" }, 1500],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "never" }, undefined],
    [{ "retry-after": "Infinity" }, undefined],
    [{ "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s" }, 360_000],
    [{ "x-ratelimit-remaining-tokens": "12", "x-ratelimit-reset-tokens": "6m0s" }, undefined],
    [{ "x-ratelimit-remaining-tokens-minute": "0", "x-ratelimit-reset-tokens-minute": "31.5" }, 31_500],
    [{ "x-ratelimit-remaining-tokens-minute": "7", "x-ratelimit-reset-tokens-minute": "31.5" }, undefined],
    [{ "x-ratelimit-remaining-requests-day": "0", "x-ratelimit-reset-requests-day": "3600" }, 3_600_000],
  ])("headers %j", (given, expected) => {
    expect(retryAfterMs(headers(given), undefined, "")).toBe(expected)
  })

  test("case 77: Google's RetryInfo, also in an array", () => {
    expect(retryAfterMs(noHeaders, retryInfo, "")).toBe(34_000)
    expect(retryAfterMs(noHeaders, [retryInfo], "")).toBe(34_000)
  })

  test.each([
    ["Please try again in 1.2s.", 1200],
    ["Please retry after 20 seconds. Visit us", 20_000],
    ["try again in 6m0s", 360_000],
    ["available again in 2 minutes", 120_000],
    ["Please wait 42 seconds before retrying.", 42_000],
    ["Too many tokens, please wait before trying again.", undefined],
    ["You have exhausted your capacity. Your quota will reset after 161h39m41s.", 581_981_000],
    ["Please retry in 5 requests", undefined],
    ["try again later", undefined],
    ["retry in 3 more messages", undefined],
  ])("text %s", (message, expected) => {
    expect(retryAfterMs(noHeaders, undefined, message)).toBe(expected)
  })

  test("the seconds of a plan (openai/codex, usage_limit_reached)", () => {
    const body = { error: { type: "usage_limit_reached", resets_in_seconds: 3600 } }
    expect(retryAfterMs(noHeaders, body, "The usage limit has been reached")).toBe(3_600_000)
  })

  const now = 1_741_305_590_000
  const reset = (headers: unknown) => ({ error: { code: 429, message: "x", metadata: { headers } } })
  test.each<[unknown, number | undefined, number | undefined]>([
    [reset({ "X-RateLimit-Reset": "1741305600000" }), now, 10_000],
    [reset({ "x-ratelimit-reset": 1_741_305_600_000 }), now, 10_000],
    [reset({ "X-RateLimit-Reset": "1741305500000" }), now, 0],
    [reset({ "X-RateLimit-Reset": "60" }), now, undefined],
    [reset({ "X-RateLimit-Reset": "soon" }), now, undefined],
    [reset({ "X-RateLimit-Limit": "1741305600000" }), now, undefined],
    [reset({ "X-RateLimit-Reset": "1741305600000" }), undefined, undefined],
    [reset(null), now, undefined],
  ])("OpenRouter's headers in the body: %j at %p", (body, at, expected) => {
    expect(retryAfterMs(noHeaders, body, "", at)).toBe(expected)
  })

  const glm = "Your limit will reset at 2026-09-12 00:35:41"
  test.each([
    // Both of GLM's houses tell it by Beijing's clock (can1357/oh-my-pi#11014).
    [`Usage limit reached for 5 hour. ${glm}`, "2026-09-11T16:35:41Z"],
    [`[1308][Usage limit reached for 5 hour. ${glm}][20260912001903]`, "2026-09-11T16:35:41Z"],
    ["已达到 5 小时的使用上限。您的限额将在 2026-08-25 07:41:44 重置。", "2026-08-24T23:41:44Z"],
    [`${glm} UTC`, "2026-09-12T00:35:41Z"],
    ["It will reset at 2028-02-29 21:46:42 +0800 CST.", "2028-02-29T13:46:42Z"],
    ["Quota resets; reset on 2028-03-01T00:00:00Z", "2028-03-01T00:00:00Z"],
    [
      "usage limit exceeded, 5-hour usage limit reached for Token Plan Starter (0/0 used), resets at 2028-05-15T15:00:00Z (2056)",
      "2028-05-15T15:00:00Z",
    ],
    ["reset at 2030-12-31 23:59:59.5 -05:30", "2031-01-01T05:29:59Z"],
    // Nobody's clock, and one that is over.
    ["The quota will reset at 2028-02-29 21:46:42.", undefined],
    ["Your limit will reset at 2024-02-29 21:46:42", undefined],
  ])("a day and a time: %s", (message, point) => {
    const wait = retryAfterMs(noHeaders, undefined, message, now)
    expect(wait === undefined ? undefined : now + wait).toBe(
      point === undefined ? undefined : new Date(point).getTime(),
    )
    expect(retryAfterMs(noHeaders, undefined, message)).toBeUndefined()
  })

  test("a header says it better than the body", () => {
    const body = reset({ "X-RateLimit-Reset": "1741305600000" })
    expect(retryAfterMs(headers({ "retry-after": "3" }), body, "", now)).toBe(3000)
  })
})
