// When may the upstream be asked again? Told in headers, in Google's RetryInfo, or in the text of the error.
import { arrayOf, countOf, isObject, type JsonObject, objectOf, textOf } from "../json.ts"

type Header = (name: string) => string | null

/**
 * Milliseconds to wait, or undefined when the upstream does not say. `header` looks up a header by its
 * lower-case name; a date in `retry-after` must already be turned into seconds (that takes a clock). `now` is
 * the time in milliseconds since the epoch; without it, points in time that a body names say nothing.
 */
export function retryAfterMs(
  header: Header,
  body: unknown,
  message: string,
  now?: number,
): number | undefined {
  return (
    fromRetryAfter(header) ??
    fromRetryInfo(body) ??
    fromText(message) ??
    fromLimits(header) ??
    fromReset(body, now) ??
    fromStamp(message, now)
  )
}

/** The `error` of a body; Google puts the whole into an array. */
function errorOf(body: unknown): JsonObject {
  return objectOf(objectOf(Array.isArray(body) ? body[0] : body)["error"])
}

// Before this a number is no point in time but a span, in whatever unit.
const earliestReset = 1e12

/**
 * ChatGPT's plans name the seconds (`usage_limit_reached`), which proxies of Codex hand on. OpenRouter repeats headers
 * of its limits in the body, where no header says it any more:
 * {"error":{"metadata":{"headers":{"X-RateLimit-Reset":"1741305600000"}}}}, in milliseconds since the epoch.
 */
function fromReset(body: unknown, now: number | undefined): number | undefined {
  const seconds = countOf(errorOf(body)["resets_in_seconds"])
  if (seconds !== undefined) return Math.ceil(seconds * 1000)
  if (now === undefined) return undefined
  const headers = objectOf(objectOf(errorOf(body)["metadata"])["headers"])
  const name = Object.keys(headers).find((key) => key.toLowerCase() === "x-ratelimit-reset")
  const reset = name === undefined ? undefined : countOf(headers[name])
  return reset === undefined || reset < earliestReset ? undefined : Math.max(0, Math.ceil(reset - now))
}

function fromRetryAfter(header: Header): number | undefined {
  const exact = countOf(header("retry-after-ms"))
  if (exact !== undefined) return Math.ceil(exact)
  const seconds = countOf(header("retry-after"))
  return seconds === undefined ? undefined : Math.ceil(seconds * 1000)
}

// google.rpc.RetryInfo: {"error":{"details":[{"@type":"…RetryInfo","retryDelay":"34s"}]}}, also in an array.
function fromRetryInfo(body: unknown): number | undefined {
  for (const detail of arrayOf(errorOf(body)["details"])) {
    const delay = isObject(detail) ? textOf(detail["retryDelay"]) : undefined
    const wait = delay === undefined ? undefined : durationMs(delay)
    if (wait !== undefined) return wait
  }
  return undefined
}

// What a plan has for some hours, a week or a month is used up: GLM, in two languages (hugalafutro/model-hotel#955,
// dirge-code/dirge#818), and whoever names a zone (MiniMax-AI/MiniMax-M2.7#36). GLM's own clock is Beijing's (can1357/oh-my-pi#11014).
const stamps = [
  /your limit will reset at (\d{4}-\d\d-\d\d)[ t](\d\d:\d\d:\d\d)(?! ?(?:[+-]\d|utc|gmt|z\b))/i,
  /限额将在 ?(\d{4}-\d\d-\d\d)[ t](\d\d:\d\d:\d\d) ?重置/i,
  /\bresets? (?:at|on) (\d{4}-\d\d-\d\d)[ t](\d\d:\d\d:\d\d)(?:\.\d+)? ?(z|utc|[+-]\d\d:?\d\d)/i,
]

function fromStamp(message: string, now: number | undefined): number | undefined {
  if (now === undefined) return undefined
  for (const stamp of stamps) {
    const [, day, time, zone = "+0800"] = stamp.exec(message) ?? []
    if (day === undefined || time === undefined) continue
    const wait = pointInTime(day, time, zone) - now
    return wait > 0 ? wait : undefined
  }
  return undefined
}

/** Milliseconds since the epoch of `2026-09-12`, `00:35:41`, `+0800`; of "Z" and of "UTC", too. */
function pointInTime(day: string, time: string, zone: string): number {
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number)
  const [hour = 0, minute = 0, second = 0] = time.split(":").map(Number)
  // Years begin in March here, so that a leap day is the last one: no month after it moves.
  const late = month < 3 ? 1 : 0
  const since = year - late
  const leaps = Math.floor(since / 4) - Math.floor(since / 100) + Math.floor(since / 400)
  const days = 365 * since + leaps + Math.floor((153 * (month + 12 * late - 3) + 2) / 5) + date - daysToEpoch
  const [, sign = "+", hours = 0, minutes = 0] = /([+-])(\d\d):?(\d\d)/.exec(zone) ?? []
  const ahead = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
  return ((days * 24 + hour) * 60 + minute - ahead) * 60_000 + second * 1000
}

// From the day before the first of March of the year 0 to 1970: dates count from one.
const daysToEpoch = 719_469

function fromText(message: string): number | undefined {
  const found =
    /(?:(?:try again|retry|available again) (?:in|after)|please wait|quota will reset after) ((?:\d+(?:\.\d+)?\s*(?:[a-z]+)\s*)+)/i.exec(
      message,
    )
  return found?.[1] === undefined ? undefined : durationMs(found[1])
}

/**
 * OpenAI's rate-limit headers: only the limit that is used up says when to come back. Cerebras names its limits by
 * their span, and counts plain seconds (inference-docs.cerebras.ai, rate limits).
 */
function fromLimits(header: Header): number | undefined {
  for (const kind of ["requests", "tokens", "requests-day", "requests-minute", "tokens-minute"]) {
    const reset = header(`x-ratelimit-reset-${kind}`)
    if (reset === null || header(`x-ratelimit-remaining-${kind}`) !== "0") continue
    const seconds = kind.includes("-") ? countOf(reset) : undefined
    return seconds === undefined ? durationMs(reset) : Math.ceil(seconds * 1000)
  }
  return undefined
}

const units: readonly (readonly [RegExp, number])[] = [
  [/^(ms|millis(econds?)?|milliseconds?)$/, 1],
  [/^(s|secs?|seconds?)$/, 1000],
  [/^(m|mins?|minutes?)$/, 60_000],
  [/^(h|hrs?|hours?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000],
]

/** `34s`, `6m0s`, `1.2 seconds`, `120ms`; undefined when no part of the text is a duration. */
export function durationMs(text: string): number | undefined {
  const parts = [...text.toLowerCase().matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)].flatMap((match) => {
    const unit = units.find(([name]) => name.test(match[2] ?? ""))
    return unit === undefined ? [] : [Number(match[1]) * unit[1]]
  })
  const sum = parts.reduce((total, part) => total + part, 0)
  return parts.length === 0 || !Number.isFinite(sum) ? undefined : Math.ceil(sum)
}
