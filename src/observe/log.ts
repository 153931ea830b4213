// The log: one line per message, lazy fields, blind to secrets, and never the cause of a failure.
import { shorten } from "../protocol/errors/error-facts.ts"
import { longestFirst, redact, redactCut } from "../protocol/redact.ts"
import { secondOf } from "./log-days.ts"
import { cleanFields, escapeControls } from "./log-fields.ts"

/** Read only when the level is on, so that a debug message costs nothing when nobody listens. */
export type LogFields = () => Readonly<Record<string, unknown>>

type Write = (message: string, fields?: LogFields) => void

export interface Logger {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
}

export interface LoggerOptions {
  readonly level: keyof typeof ranks
  readonly format: "text" | "json"
  /** Gets one finished line without its newline. What it throws is swallowed. */
  readonly write: (line: string) => void
  readonly now: () => Date
  /** Exact values that must not appear anywhere, for redact(). */
  readonly secrets: readonly string[]
}

const ranks = { DEBUG: 0, INFO: 1, WARNING: 2, ERROR: 3 } as const

const longestLine = 16_384

/**
 * A logger that writes text (`2025-01-01 10:30:15 - INFO - message key=value`, local time) or JSON lines.
 * Secrets are taken out by the name of their field, by value and by shape; nothing logged can throw or begin
 * a line of its own.
 */
export function createLogger(given: LoggerOptions): Logger {
  const options = {
    ...given,
    secrets: longestFirst(given.secrets),
    localTime: createLocalTime(),
    utcTime: createUtcTime(),
  }
  const log = (level: LoggerOptions["level"]): Write => {
    if (ranks[level] < ranks[options.level]) return () => {}
    return (message, fields) => {
      try {
        options.write(renderLine(options, level, message, fields))
      } catch {
        // There is no better place to complain than the one that just failed.
      }
    }
  }
  return { debug: log("DEBUG"), info: log("INFO"), warn: log("WARNING"), error: log("ERROR") }
}

// A model's name or an upstream's message may be as long as its sender likes.
const longestMessage = 8_192

/** What the cut leaves of a secret would not be known for one later. */
const cut = (text: string, secrets: readonly string[]) =>
  `${redactCut(text.slice(0, longestMessage), secrets)}…`

interface Rendering extends LoggerOptions {
  readonly localTime: (time: Date) => string
  readonly utcTime: (time: Date) => string
}

function renderLine(
  options: Rendering,
  level: LoggerOptions["level"],
  given: string,
  fields?: LogFields,
): string {
  const message = given.length <= longestMessage ? given : cut(given, options.secrets)
  const time = options.now()
  const clean = fields === undefined ? undefined : cleanFields(readFields(fields), options.secrets)
  // A cut line of JSON would be none, so JSON gives up its fields instead.
  if (options.format === "json") {
    const head = { time: options.utcTime(time), level, message: redact(message, options.secrets) }
    // Escaped as JSON's own escapes: some readers take U+2028 for the end of a line.
    const line = escapeControls(JSON.stringify(clean === undefined ? head : { ...head, ...clean, ...head }))
    if (line.length <= longestLine) return line
    return escapeControls(
      JSON.stringify({ ...head, message: shorten(head.message, longestLine), truncated: true }),
    )
  }
  let line = `${options.localTime(time)} - ${level} - ${escapeControls(message)}`
  for (const name in clean) line += ` ${escapeControls(name)}=${renderValue(clean[name])}`
  return shorten(redact(line, options.secrets), longestLine)
}

function readFields(fields: LogFields): Readonly<Record<string, unknown>> {
  try {
    return fields()
  } catch (error) {
    return { fieldsFailed: error }
  }
}

/** A bare word where that is unambiguous, JSON otherwise. */
function renderValue(value: unknown): string {
  if (typeof value === "string" && /^[^\s"'=\\{}[\]]+$/.test(value)) return escapeControls(value)
  return escapeControls(JSON.stringify(value) ?? "undefined")
}

/** A busy proxy logs many lines in a second, which has one name. */
const createLocalTime = () => createTimeText(1_000, secondOf)

/** And some in a millisecond. */
const createUtcTime = () => createTimeText(1, (time) => time.toISOString())

/** Times as texts that are the same for so many milliseconds. */
function createTimeText(ms: number, render: (time: Date) => string): (time: Date) => string {
  let last = Number.NaN
  let text = ""
  return (time) => {
    const now = Math.floor(time.getTime() / ms)
    if (now === last) return text
    last = now
    text = render(time)
    return text
  }
}
